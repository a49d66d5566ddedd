"""The part of Module that registers hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .hooks import Hook, HookHandle, Hooks, StateHooks

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Hooked"]


class Hooked:
    """The part of `Module` that registers hooks; each returns a `HookHandle`, which removes it."""

    __slots__ = ()

    _hooks: Hooks | None

    def _hook(self, kind: str, hook: Hook, prepend: bool = False) -> HookHandle:
        return HookHandle(cast("Module", self), kind, hook, prepend=prepend)

    def _hook_call(
        self, kind: str, hook: Hook, prepend: bool, with_kwargs: bool, always: bool = False
    ) -> HookHandle:
        handle = self._hook(kind, hook, prepend)
        hooks = cast("Hooks", self._hooks)
        if with_kwargs:
            hooks.with_kwargs.add(handle.key)
        if always:
            hooks.always.add(handle.key)
        return handle

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, args)`` before forward; a result that is not None replaces args.

        *with_kwargs*: ``hook(module, args, kwargs)``, whose result is None or both. *prepend*: in
        front of those that are there.

        >>> layer = mi.nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] * 2)
        >>> layer(mi.Tensor([1.0]))
        Tensor([2.])
        """
        return self._hook_call("forward_pre", hook, prepend, with_kwargs)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> HookHandle:
        """Call ``hook(module, args, output)`` after forward; a result not None replaces output.

        *with_kwargs*: ``hook(module, args, kwargs, output)``. *prepend*: in front of those that
        are there. *always_call*: also when forward raised, with an output of None, or a hook did.

        >>> layer = mi.nn.Identity()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output + 1)
        >>> layer(mi.Tensor([1.0]))
        Tensor([2.])
        """
        return self._hook_call("forward", hook, prepend, with_kwargs, always_call)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call ``hook(module, grad_output)`` when backward comes to the module.

        grad_output is the tuple of gradients of the outputs; a result that is not None replaces
        it.

        >>> layer = mi.nn.Identity()
        >>> handle = layer.register_full_backward_pre_hook(lambda module, go: (go[0] * 2,))
        >>> x = mi.Tensor(1.0, requires_grad=True)
        >>> layer(x).backward()
        >>> x.grad
        Tensor(2.)
        """
        return self._hook("backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` when backward passes the module.

        Both are tuples: of the gradients of the positional arguments, None where there is none,
        and of the outputs. A result that is not None takes the place of grad_input.

        >>> layer = mi.nn.Identity()
        >>> handle = layer.register_full_backward_hook(lambda module, gi, go: print(gi, go))
        >>> layer(mi.Tensor(1.0, requires_grad=True)).backward()
        (Tensor(1.),) (Tensor(1.),)
        """
        return self._hook("backward", hook, prepend)

    def register_backward_hook(self, hook: Hook) -> HookHandle:
        """Do what `register_full_backward_hook` does.

        >>> layer = mi.nn.Identity()
        >>> layer.register_backward_hook(lambda module, gi, go: None).remove()
        """
        return self._hook("backward", hook)

    def register_state_dict_pre_hook(self, hook: Hook) -> HookHandle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` looks into the module.

        >>> layer = mi.nn.Linear(2, 1)
        >>> handle = layer.register_state_dict_pre_hook(lambda module, *options: print(options))
        >>> _ = layer.state_dict()
        ('', False)
        """
        return HookHandle(cast("Module", self), "save_pre", hook, StateHooks)

    def register_state_dict_post_hook(self, hook: Hook) -> HookHandle:
        """Call ``hook(module, state, prefix, metadata)`` when the state is there, to change it.

        *metadata* is an empty dict.

        >>> layer = mi.nn.Linear(2, 1)
        >>> drop = lambda module, state, prefix, metadata: state.pop(prefix + "bias")
        >>> handle = layer.register_state_dict_post_hook(drop)
        >>> list(layer.state_dict())
        ['weight']
        """
        return HookHandle(cast("Module", self), "save_post", hook, StateHooks)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> HookHandle:
        """Call *hook* before the module is loaded, with what it may change.

        It is called as ``hook(module, state, prefix, metadata, strict, missing_keys,
        unexpected_keys, error_msgs)``: a dict of the caller's values and three lists.

        >>> layer = mi.nn.Linear(1, 1)
        >>> rename = lambda module, state, prefix, *rest: state.update(bias=state.pop("offset"))
        >>> handle = layer.register_load_state_dict_pre_hook(rename)
        >>> layer.load_state_dict({"weight": mi.ones((1, 1)), "offset": mi.ones(1)})
        LoadResult(missing_keys=[], unexpected_keys=[])
        """
        return HookHandle(cast("Module", self), "load_pre", hook, StateHooks)

    def register_load_state_dict_post_hook(self, hook: Hook) -> HookHandle:
        """Call ``hook(module, result)`` after loading, before the result's keys make an error.

        The lists of the `LoadResult` may be changed: a key that is removed is no error.

        >>> layer = mi.nn.Linear(1, 1)
        >>> forgive = lambda module, result: result.missing_keys.clear()
        >>> handle = layer.register_load_state_dict_post_hook(forgive)
        >>> layer.load_state_dict({"weight": mi.ones((1, 1))})
        LoadResult(missing_keys=[], unexpected_keys=[])
        """
        return HookHandle(cast("Module", self), "load_post", hook, StateHooks)

"""Hooks of modules: functions called before and after forward, in backward, and with the state."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from minima import is_grad_enabled
from minima.errors import DTypeError

from .crossing import Crossing
from .errors import uninitialised

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Hook", "HookHandle", "Hooks", "StateHooks"]

Hook = Callable[..., Any]
_keys = count()


class _Call:
    """How far one call of a module has come: what hooks and forward made of its arguments."""

    __slots__ = ("args", "hooked", "kwargs", "output")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.output: Any = None
        self.hooked: set[int] = set()  # the keys of forward hooks that were called


class Hooks:
    """The hooks of the calls of one module, each kind in the order of registration."""

    __slots__ = ("always", "backward", "backward_pre", "forward", "forward_pre", "with_kwargs")
    place = "_hooks"

    def __init__(self) -> None:
        self.forward_pre: dict[int, Hook] = {}
        self.forward: dict[int, Hook] = {}
        self.backward_pre: dict[int, Hook] = {}
        self.backward: dict[int, Hook] = {}
        self.with_kwargs: set[int] = set()
        self.always: set[int] = set()

    def empty(self) -> bool:
        """Say whether no hook is left."""
        return not (self.forward_pre or self.forward or self.backward_pre or self.backward)

    def uncaptured(self) -> str:
        """Return what a compiled function says of them, with what to write instead, if anything."""
        hints = [getattr(hook, "instead", "") for hook in self.forward_pre.values()]
        return "would not call" + "".join(f"; {hint}" for hint in dict.fromkeys(hints) if hint)

    def call(
        self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Any]:
        """Run forward with all hooks; return the arguments that it got and the output."""
        call = _Call(args, kwargs)
        if not self.always:
            return self._call(module, call)
        try:
            return self._call(module, call)
        except Exception:
            for key, hook in tuple(self.forward.items()):
                if key in self.always and key not in call.hooked:
                    self._call_after_failure(key, hook, module, call)
            raise

    def _call(self, module: Module, call: _Call) -> tuple[tuple[Any, ...], Any]:
        for key, hook in tuple(self.forward_pre.items()):
            call.args, call.kwargs = self._before(key, hook, module, call.args, call.kwargs)
        crossing = self._crossing(module)
        inside = call.args if crossing is None else crossing.enter(call.args)
        call.output = module.forward(*inside, **call.kwargs)
        module._remember(call.args, call.output)
        for key, hook in tuple(self.forward.items()):
            call.hooked.add(key)
            changed = self._after(key, hook, module, call)
            call.output = call.output if changed is None else changed
        return call.args, call.output if crossing is None else crossing.leave(call.output)

    def _before(
        self,
        key: int,
        hook: Hook,
        module: Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if key not in self.with_kwargs:
            changed = hook(module, args)
            if changed is None:
                return args, kwargs
            return (changed if isinstance(changed, tuple) else (changed,)), kwargs
        changed = hook(module, args, kwargs)
        if changed is None:
            return args, kwargs
        if not isinstance(changed, tuple) or len(changed) != 2:
            raise DTypeError(
                f"{type(module).__name__}: the forward pre-hook "
                f"{getattr(hook, '__name__', hook)!r} returned {changed!r}; expected None or "
                "(args, kwargs), as it was registered with_kwargs"
            )
        return changed

    def _after(self, key: int, hook: Hook, module: Module, call: _Call) -> Any:
        if key in self.with_kwargs:
            return hook(module, call.args, call.kwargs, call.output)
        return hook(module, call.args, call.output)

    def _call_after_failure(self, key: int, hook: Hook, module: Module, call: _Call) -> None:
        try:
            self._after(key, hook, module, call)
        except Exception as error:  # the first error goes on; this one must not hide it
            warnings.warn(
                f"{type(module).__name__}: a forward hook that is always called raised {error!r}",
                stacklevel=4,
            )

    def _crossing(self, module: Module) -> Crossing | None:
        if not (self.backward or self.backward_pre) or not is_grad_enabled():
            return None
        return Crossing(module, tuple(self.backward_pre.values()), tuple(self.backward.values()))


class StateHooks:
    """The hooks of one module around saving and loading its state."""

    __slots__ = ("load_post", "load_pre", "save_post", "save_pre")
    place = "_state_hooks"

    def __init__(self) -> None:
        self.save_pre: dict[int, Hook] = {}
        self.save_post: dict[int, Hook] = {}
        self.load_pre: dict[int, Hook] = {}
        self.load_post: dict[int, Hook] = {}

    def empty(self) -> bool:
        """Say whether no hook is left."""
        return not (self.save_pre or self.save_post or self.load_pre or self.load_post)


class HookHandle:
    """Removes the hook that it was returned for; leaving a ``with`` block does it too.

    >>> layer = mi.nn.ReLU()
    >>> with layer.register_forward_hook(lambda module, args, y: print("seen")):
    ...     _ = layer(mi.ones(1))
    seen
    >>> _ = layer(mi.ones(1))
    """

    def __init__(
        self,
        module: Module,
        kind: str,
        hook: Hook,
        owner: type[Hooks] | type[StateHooks] = Hooks,
        *,
        prepend: bool = False,
    ) -> None:
        if not callable(hook):
            raise DTypeError(
                f"{type(module).__name__}: the hook is a {type(hook).__name__}; expected a function"
            )
        self._module, self._kind, self._place = weakref.ref(module), kind, owner.place
        self.key = next(_keys)
        if not hasattr(module, "_hooks"):
            raise uninitialised(module, "cannot have a hook")
        if getattr(module, owner.place) is None:
            object.__setattr__(module, owner.place, owner())
        hooks: dict[int, Hook] = getattr(getattr(module, owner.place), kind)
        later = dict(hooks) if prepend else {}
        if prepend:
            hooks.clear()
        hooks[self.key] = hook
        hooks.update(later)

    def remove(self) -> None:
        """Remove the hook; a second time does nothing."""
        module = self._module()
        if module is not None:
            self.drop(module, self._kind, self.key, self._place)

    @staticmethod
    def drop(module: Module, kind: str, key: int, place: str = Hooks.place) -> None:
        """Remove the hook of *module* with that key, if it is there."""
        hooks: Hooks | StateHooks | None = getattr(module, place)
        if hooks is None:
            return
        getattr(hooks, kind).pop(key, None)
        if isinstance(hooks, Hooks):
            hooks.with_kwargs.discard(key)
            hooks.always.discard(key)
        if hooks.empty():
            object.__setattr__(module, place, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *raised: object) -> None:
        self.remove()

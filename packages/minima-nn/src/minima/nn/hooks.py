"""Hooks of modules: functions called before and after forward, and in backward."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from minima import Tensor, is_grad_enabled, reshape
from minima.errors import ArgumentError, DTypeError

from .errors import uninitialised

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Hook", "HookHandle", "Hooks"]

Hook = Callable[..., Any]
_keys = count()


class HookHandle:
    """Removes the hook that it was returned for; leaving a ``with`` block does it too.

    >>> layer = mi.nn.ReLU()
    >>> with layer.register_forward_hook(lambda module, args, y: print("seen")):
    ...     _ = layer(mi.ones(1))
    seen
    >>> _ = layer(mi.ones(1))
    """

    def __init__(self, module: Module, kind: str, hook: Hook) -> None:
        if not callable(hook):
            raise DTypeError(
                f"{type(module).__name__}: the hook is a {type(hook).__name__}; expected a function"
            )
        self._module, self._kind, self._key = weakref.ref(module), kind, next(_keys)
        if not hasattr(module, "_hooks"):
            raise uninitialised(module, "cannot have a hook")
        if module._hooks is None:
            object.__setattr__(module, "_hooks", Hooks())
        getattr(module._hooks, kind)[self._key] = hook

    def remove(self) -> None:
        """Remove the hook; a second time does nothing."""
        module = self._module()
        if module is None or module._hooks is None:
            return
        getattr(module._hooks, self._kind).pop(self._key, None)
        if module._hooks.empty():
            object.__setattr__(module, "_hooks", None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *raised: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one module, each kind in the order of registration."""

    __slots__ = ("backward", "forward", "forward_pre")

    def __init__(self) -> None:
        self.forward_pre: dict[int, Hook] = {}
        self.forward: dict[int, Hook] = {}
        self.backward: dict[int, Hook] = {}

    def empty(self) -> bool:
        """Say whether no hook is left."""
        return not (self.forward_pre or self.forward or self.backward)

    def call(
        self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Any]:
        """Run forward with all hooks; return the arguments that it got and the output."""
        for hook in tuple(self.forward_pre.values()):
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        crossing = Crossing(module, tuple(self.backward.values())) if self._recording() else None
        inside = args if crossing is None else crossing.enter(args)
        output = module.forward(*inside, **kwargs)
        module._remember(args, output)
        for hook in tuple(self.forward.values()):
            changed = hook(module, args, output)
            output = output if changed is None else changed
        return args, output if crossing is None else crossing.leave(output)

    def _recording(self) -> bool:
        return bool(self.backward) and is_grad_enabled()


class Crossing:
    """Collects the gradients that cross the bounds of a module in one call, and calls its hooks.

    Each bound is two steps that change nothing, one behind the other for all tensors. Backward
    goes through the newest step first: when it meets the first step of the second row, the
    gradients of the whole first row are known.
    """

    def __init__(self, module: Module, hooks: tuple[Hook, ...]) -> None:
        self.module, self.hooks = module, hooks
        self.inputs: list[Tensor | None] = []
        self.outputs: list[Tensor | None] = []
        self.results: dict[int, Tensor | None] | None = None
        self.entered = False

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return *args* with a bound behind each Tensor that requires grad."""
        self.inputs = [None] * len(args)
        tracked = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        self.entered = bool(tracked)
        outer, inner = list(args), list(args)
        for i in tracked:
            outer[i] = _step(args[i])
            outer[i].register_hook(lambda g, i=i: self._give(i))
        for i in tracked:
            inner[i] = _step(outer[i])
            inner[i].register_hook(lambda g, i=i: self._take(self.inputs, i, g))
        return tuple(inner)

    def leave(self, output: Any) -> Any:
        """Return *output* with a bound behind each Tensor that requires grad."""
        many = output if isinstance(output, tuple) else (output,)
        if not all(isinstance(y, Tensor) for y in many):
            raise DTypeError(
                f"{type(self.module).__name__}: a backward hook needs forward to return a Tensor "
                f"or a tuple of Tensors; got {type(output).__name__}"
            )
        self.outputs = [None] * len(many)
        tracked = [i for i, y in enumerate(many) if y.requires_grad]
        inner, outer = list(many), list(many)
        for i in tracked:
            inner[i] = _step(many[i])
            if not self.entered:
                inner[i].register_hook(lambda g: self._call_hooks())
        for i in tracked:
            outer[i] = _step(inner[i])
            outer[i].register_hook(lambda g, i=i: self._take(self.outputs, i, g))
        if not isinstance(output, tuple):
            return outer[0]
        return type(output)(*outer) if hasattr(output, "_fields") else tuple(outer)

    def _take(self, place: list[Tensor | None], i: int, g: Tensor) -> None:
        self.results = None
        place[i] = g

    def _give(self, i: int) -> Tensor | None:
        """Return the gradient that goes on from input *i*, once all inputs have theirs."""
        self._call_hooks()
        return None if self.results is None else self.results.pop(i, None)

    def _call_hooks(self) -> None:
        if self.results is not None:
            return
        grad_input, grad_output = tuple(self.inputs), tuple(self.outputs)
        self.inputs, self.outputs = [None] * len(grad_input), [None] * len(grad_output)
        for hook in self.hooks:
            changed = hook(self.module, grad_input, grad_output)
            if changed is not None:
                grad_input = self._checked(hook, changed, len(grad_input))
        self.results = dict(enumerate(grad_input))

    def _checked(self, hook: Hook, changed: Any, expected: int) -> tuple[Tensor | None, ...]:
        gradients = changed if isinstance(changed, tuple) else (changed,)
        if len(gradients) != expected:
            raise ArgumentError(
                f"{type(self.module).__name__}: the backward hook "
                f"{getattr(hook, '__name__', hook)!r} returned {len(gradients)} gradients; "
                f"expected None or one for each of the {expected} positional arguments"
            )
        return gradients


def _step(x: Tensor) -> Tensor:
    """Return *x* behind one more step of the graph, over the same memory."""
    return reshape(x, x.shape)

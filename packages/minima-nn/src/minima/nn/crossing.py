"""What backward hooks of modules stand on: the gradients that cross the bounds of one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minima import Tensor, reshape
from minima.errors import ArgumentError, DTypeError

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Crossing"]

Hook = Callable[..., Any]
Gradients = tuple[Tensor | None, ...]


class Crossing:
    """Collects the gradients that cross the bounds of a module in one call, and calls its hooks.

    Each bound is two steps that change nothing, one behind the other for all tensors. Backward
    goes through the newest step first: when it meets the first step of the second row, the
    gradients of the whole first row are known.
    """

    def __init__(self, module: Module, before: tuple[Hook, ...], hooks: tuple[Hook, ...]) -> None:
        self.module, self.before, self.hooks = module, before, hooks
        self.inputs: list[Tensor | None] = []
        self.outputs: list[Tensor | None] = []
        self.results: dict[int, Tensor | None] | None = None  # what goes on behind the inputs
        self.given: dict[int, Tensor | None] | None = None  # what goes on behind the outputs
        self.entered = False

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return *args* with a bound behind each Tensor that requires grad."""
        self.inputs = [None] * len(args)
        tracked = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        self.entered = bool(tracked)
        outer, inner = list(args), list(args)
        for i in tracked:
            outer[i] = _step(args[i])
            outer[i].register_hook(lambda g, i=i: self._leave_input(i))
        for i in tracked:
            inner[i] = _step(outer[i])
            inner[i].register_hook(lambda g, i=i: self._reach_input(i, g))
        return tuple(inner)

    def leave(self, output: Any) -> Any:
        """Return *output* with a bound behind each Tensor that requires grad.

        Parts of a tuple that are no Tensors pass, with a gradient of None.
        """
        many = output if isinstance(output, tuple) else (output,)
        if not any(isinstance(y, Tensor) for y in many):
            raise DTypeError(
                f"{type(self.module).__name__}: a backward hook needs forward to return a Tensor "
                f"or a tuple with Tensors in it; got {type(output).__name__}"
            )
        self.outputs = [None] * len(many)
        tracked = [i for i, y in enumerate(many) if isinstance(y, Tensor) and y.requires_grad]
        inner, outer = list(many), list(many)
        for i in tracked:
            inner[i] = _step(many[i])
            if self.before or not self.entered:
                inner[i].register_hook(lambda g, i=i: self._leave_output(i))
        for i in tracked:
            outer[i] = _step(inner[i])
            outer[i].register_hook(lambda g, i=i: self._reach_output(i, g))
        if not isinstance(output, tuple):
            return outer[0]
        return type(output)(*outer) if hasattr(output, "_fields") else tuple(outer)

    def _reach_output(self, i: int, g: Tensor) -> None:
        self.given = self.results = None
        self.outputs[i] = g

    def _leave_output(self, i: int) -> Tensor | None:
        """Return the gradient that goes on from output *i*, once all outputs have theirs."""
        if self.given is None:
            known = tuple(self.outputs)
            for hook in self.before:
                changed = hook(self.module, known)
                if changed is not None:
                    known = self._checked(hook, changed, len(known), "outputs")
            self.given, self.outputs = dict(enumerate(known)), list(known)
            if not self.entered:
                self._call_hooks()
        return self.given.pop(i, None)

    def _reach_input(self, i: int, g: Tensor) -> None:
        self.results = None
        self.inputs[i] = g

    def _leave_input(self, i: int) -> Tensor | None:
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
                grad_input = self._checked(hook, changed, len(grad_input), "positional arguments")
        self.results = dict(enumerate(grad_input))

    def _checked(self, hook: Hook, changed: Any, expected: int, what: str) -> Gradients:
        gradients = changed if isinstance(changed, tuple) else (changed,)
        if len(gradients) != expected:
            raise ArgumentError(
                f"{type(self.module).__name__}: the backward hook "
                f"{getattr(hook, '__name__', hook)!r} returned {len(gradients)} gradients; "
                f"expected None or one for each of the {expected} {what}"
            )
        return gradients


def _step(x: Tensor) -> Tensor:
    """Return *x* behind one more step of the graph, over the same memory."""
    return reshape(x, x.shape)

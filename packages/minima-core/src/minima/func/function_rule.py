"""A `Function` within vmap whose gradient is asked for outside of it.

Its forward and backward, written for one element, run on the batch as the forward and backward of a
`Function` of the device below, whose arguments have the batch axis. There may be several levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from ..autograd.function import Context, Function, last
from ..errors import AutogradError
from ..operators import broadcast_to
from ..operators import sum as total
from ..tensor import Tensor
from .batched import CURRENT, BatchedDevice, level, tracked

__all__ = ["applied", "followed"]


def followed(args: Sequence[Any]) -> BatchedDevice | None:
    """Return the innermost batch among *args* if one of them has a graph outside of it."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    deepest = max((t._device for t in tensors), key=level, default=None)
    if not isinstance(deepest, BatchedDevice):
        return None
    outer = [t if t._device is not deepest else t._array.outer for t in tensors]
    return deepest if any(map(tracked, outer)) else None


def applied(
    device: BatchedDevice, cls: type[Function], args: Sequence[Any], needs: tuple[bool, ...]
) -> tuple[Any, Context]:
    """Run *cls* on *args*, of *device*, one level further out.

    Return what forward gave, of *device* too, and the context of one element.
    """
    run = _Run(cls, device, args, needs)
    outer = [a._array.outer if isinstance(a, Tensor) else a for a in args]
    found = _OnBatch.apply(run, *outer)
    many = found if isinstance(found, tuple) else (found,)
    outputs = tuple(device.wrap(t, True) if isinstance(t, Tensor) else t for t in many)
    context = copy(run.context)
    pairs = [*zip(run.inner, args), *zip(run.given, outputs)]
    own = {id(a): b for a, b in pairs if isinstance(a, Tensor)}
    for name, value in vars(context).items():
        if isinstance(value, Tensor):
            setattr(context, name, own.get(id(value), value))
    for name in ("_given", "_constant", "_dirty"):
        setattr(context, name, tuple(own.get(id(t), t) for t in getattr(context, name)))
        setattr(run.context, name, ())
    run.inner = run.given = ()  # or the run would hold what holds the run
    return (outputs if run.several else outputs[0]), context


def _of(value: Any, device: BatchedDevice) -> Any:
    if not isinstance(value, Tensor) or value._device is device:
        return value
    return device.adopt("apply", value)


class _OnBatch(Function):
    """The Function of the level below, of which the first argument says what it does."""

    @staticmethod
    def forward(ctx: Any, run: Any, *outer: Any) -> Any:
        ctx.run = run
        return run.forward(ctx, outer)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (None, *ctx.run.backward(ctx, grads))


class _Run:
    """One call: what is seen of it at the level of one element, and the Function a level out."""

    def __init__(
        self, cls: type[Function], device: BatchedDevice, args: Sequence[Any], needs: Any
    ) -> None:
        self.cls, self.device = cls, device
        self.context = Context(cls.__name__, needs)
        self.mapped = [isinstance(a, Tensor) and a._array.mapped for a in args]
        self.inner: tuple[Any, ...] = ()
        self.given: tuple[Any, ...] = ()
        self.several = False

    def forward(self, ctx: Any, outer: Sequence[Any]) -> tuple[Any, ...]:
        """Return the outputs for the whole batch."""
        device, context = self.device, self.context
        self.inner = tuple(
            device.wrap(o, m) if isinstance(o, Tensor) else o for o, m in zip(outer, self.mapped)
        )
        token = CURRENT.set(device)
        try:
            if self.cls.setup_context is Function.setup_context:
                result = self.cls.forward(context, *self.inner)
            else:
                result = self.cls.forward(*self.inner)
                self.cls.setup_context(context, self.inner, result)
        finally:
            CURRENT.reset(token)
        self.several = isinstance(result, tuple | list)
        self.given = tuple(result) if self.several else (result,)
        outputs = tuple(self._whole(t) for t in self.given)
        known = {id(a): o for a, o in zip(self.inner, outer)}
        known |= {id(a): o for a, o in zip(self.given, outputs)}
        saved = [None if t is None else known.get(id(t)) for t in context._given]
        saved = [
            s if s is not None or t is None else _of(t, device)._array.outer
            for s, t in zip(saved, context._given)
        ]
        ctx.save_for_backward(*saved)
        ctx.mark_non_differentiable(*(known[id(t)] for t in context._constant))
        ctx.set_materialize_grads(context._materialize)
        of_outputs = set(map(id, self.given))
        ctx.kept_mapped = [
            t is not None and (id(t) in of_outputs or _of(t, device)._array.mapped)
            for t in context._given
        ]
        return outputs

    def _whole(self, value: Any) -> Any:
        """Return an output, or a gradient, of one element for the whole batch."""
        if not isinstance(value, Tensor):
            return value
        array = _of(value, self.device)._array
        if array.mapped:
            return array.outer
        return broadcast_to(array.outer, (self.device.length, *array.shape))

    def backward(self, ctx: Any, grads: Sequence[Any]) -> tuple[Any, ...]:
        """Return the gradients of the arguments, of those without a batch axis the sum."""
        device, context = self.device, copy(self.context)
        context.needs_input_grad = ctx.needs_input_grad[1:]
        context._node = ctx._node
        context._saved = [
            t if t is None else device.wrap(t, mapped)
            for t, mapped in zip(ctx.saved_tensors, ctx.kept_mapped)
        ]
        given = [g if g is None else device.wrap(g, True) for g in grads]
        token = CURRENT.set(device)
        try:
            results = self.cls.backward(context, *given)
        finally:
            CURRENT.reset(token)
        results = tuple(results) if isinstance(results, tuple | list) else (results,)
        if len(results) != len(self.mapped):
            raise AutogradError(
                f"{context._name}: backward returned {len(results)} gradients; expected "
                f"{len(self.mapped)}, one for each argument of forward: None for those that have "
                "no gradient"
            )
        found = []
        for result, mapped in zip(results, self.mapped):
            outer = self._whole(result)
            if isinstance(outer, Tensor):
                outer = outer if mapped else total(outer, axis=0)
                if result._node is not None:  # it is not to be differentiated
                    outer = last(ctx._node(), outer, context._name)
            found.append(outer)
        return tuple(found)

"""Gradients of operators that are too rarely differentiated to have a formula of their own.

A reference kernel is written against a namespace; with minima's own in that place it runs on
Tensors, and autograd differentiates it, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from math import prod
from typing import Any

from ..autograd.mode import GRAD, set_grad_enabled
from ..devices import Device
from ..tensor import Tensor
from .manipulation import reshape
from .table import OperatorFunction

__all__ = ["Namespace", "differentiate_reference", "flat", "parts", "vjp"]


def vjp(function: Callable[..., Tensor], inputs: Sequence[Any], g: Tensor) -> tuple[Any, ...]:
    """Return the gradients of *function* at *inputs*, for *g*, that of its output.

    An input that does not require grad has None. What *inputs* were computed from is left alone.

    >>> import minima as mi
    >>> from minima.operators.composition import vjp
    >>> x = mi.Tensor([2.0], requires_grad=True)
    >>> vjp(lambda a, b: a * b, [x, mi.Tensor([3.0])], mi.ones(1))
    (Tensor([3.]), None)
    """
    from ..autograd import grad

    create = GRAD.get()
    with set_grad_enabled(True):
        # a step of the graph of its own for each, so that the sweep ends there
        own = [reshape(t, t.shape) if _tracked(t) else t for t in inputs]
        y = function(*own)
    wanted = [t for t in own if _tracked(t)]
    if not wanted or not y.requires_grad:
        return (None,) * len(own)
    found = iter(grad(y, wanted, g, create_graph=create, allow_unused=True))
    return tuple(next(found) if _tracked(t) else None for t in own)


def _tracked(t: Any) -> bool:
    return isinstance(t, Tensor) and t.requires_grad


def differentiate_reference(function: OperatorFunction[Any]) -> None:
    """Make the gradient of the operator *function* that of its reference kernel on Tensors.

    The kernel has to use nothing but what `minima` has as well as the Array API.
    """
    entry = function.entry

    def rule(g: Tensor, y: Any, *inputs: Any, **attrs: Any) -> Any:
        xp = Namespace(g.device)
        return vjp(lambda *given: entry.reference(xp, *given, **attrs), inputs, g)

    entry.gradient(rule, saves=" ".join(entry.inputs))


class Namespace:
    """The functions of `minima` as a kernel needs them: new tensors are made on *device*.

    >>> import minima as mi
    >>> from minima.operators.composition import Namespace
    >>> Namespace("cpu").arange(3)
    Tensor([0, 1, 2])
    """

    _made = frozenset(("arange", "full", "ones", "zeros"))

    def __init__(self, device: str | Device) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        import minima

        found = getattr(minima, name)
        return partial(found, device=self._device) if name in self._made else found


def flat(xp: Any, *arrays: Any) -> Any:
    """Return *arrays* flattened, one after the other."""
    return xp.concat([xp.reshape(a, (-1,)) for a in arrays], axis=0)


def parts(
    compute: Callable[[], Tensor], shapes: Sequence[tuple[int, ...]]
) -> list[Callable[[], Tensor]]:
    """Return, for each of *shapes*, a function that returns its part of what *compute* returns.

    *compute* returns tensors of these *shapes*, flattened, one after the other, and is called
    once, when the first part is asked for.

    >>> import minima as mi
    >>> from minima.operators.composition import parts
    >>> [part() for part in parts(lambda: mi.Tensor([1.0, 2.0, 3.0]), [(), (2, 1)])]
    [Tensor(1.), Tensor([[2.],
            [3.]])]
    """
    computed: list[Tensor] = []

    def part(start: int, shape: tuple[int, ...]) -> Tensor:
        if not computed:
            computed.append(compute())
        return reshape(computed[0][start : start + prod(shape)], shape)

    def later(start: int, shape: tuple[int, ...]) -> Callable[[], Tensor]:
        return lambda: part(start, shape)

    ends = accumulate(map(prod, shapes), initial=0)
    return [later(start, shape) for start, shape in zip(ends, shapes)]

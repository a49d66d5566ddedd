"""Areas under curves that are given by their points, and the values of polynomials."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import add, multiply
from .axes import canonical_axis
from .composed import alike, composite
from .creation import zeros_like
from .cumulative import cumulative_sum
from .indexing import getitem
from .manipulation import reshape
from .reduction import sum as total
from .statistics import diff

__all__ = ["cumulative_trapezoid", "polyval", "trapezoid"]


@composite
def trapezoid(
    y: TensorLike, x: TensorLike | None = None, *, dx: float = 1.0, axis: int = -1
) -> Tensor:
    """Return the area under the points *y* along *axis*, joined by straight lines.

    They lie at *x*, which broadcasts to *y* or has one axis, or *dx* apart. Dtype: the promoted
    one; integers become float32. Gradient: to both.
    Raises: ShapeError where x does not fit.

    >>> import minima as mi
    >>> mi.trapezoid(mi.Tensor([1.0, 2.0, 4.0]))
    Tensor(4.5)
    """
    areas, place = _areas("trapezoid", y, x, dx, axis)
    return total(areas, axis=place)


@composite
def cumulative_trapezoid(
    y: TensorLike, x: TensorLike | None = None, *, dx: float = 1.0, axis: int = -1
) -> Tensor:
    """Return the area under the points *y* along *axis* up to each but the first.

    As `trapezoid`. Shapes: one element less along *axis*.

    >>> import minima as mi
    >>> mi.cumulative_trapezoid(mi.Tensor([1.0, 2.0, 4.0]))
    Tensor([1.5, 4.5])
    """
    areas, place = _areas("cumulative_trapezoid", y, x, dx, axis)
    return cumulative_sum(areas, axis=place)


def _areas(name: str, y: Any, x: Any, dx: float, axis: int) -> tuple[Tensor, int]:
    """Return the areas between neighbours, and *axis* counted from the front."""
    t = alike(y, *([] if x is None else [x]), floating=True)[0]
    place = canonical_axis(name, axis, t.ndim)
    lead = (slice(None),) * place
    pairs = add(getitem(t, (*lead, slice(1, None))), getitem(t, (*lead, slice(0, -1))))
    if x is None:
        return multiply(pairs, dx / 2), place
    at = as_tensor(x)
    if at.ndim == 1:
        at = reshape(at, (-1, *(1,) * (t.ndim - place - 1)) if at.size else (0,))
    along = at.ndim - t.ndim + place
    if not 0 <= along < at.ndim or at.shape[along] != t.shape[place]:
        raise ShapeError(
            f"{name}: got x of shape {at.shape} for y of shape {t.shape} along axis {place}; "
            "expected a place for each point"
        )
    return multiply(pairs, multiply(diff(at, axis=along), 0.5)), place


@composite
def polyval(p: TensorLike, x: TensorLike) -> Tensor:
    """Return the values at x of the polynomial with the coefficients *p*, highest power first.

    Shapes: p (n,), x (*) -> (*). Dtype: the promoted one. Gradient: to both.
    Raises: ShapeError unless p has one axis.

    >>> import minima as mi
    >>> mi.polyval(mi.Tensor([1.0, 0.0, 2.0]), mi.Tensor([0.0, 3.0]))
    Tensor([ 2., 11.])
    """
    p, x = alike(p, x)
    if p.ndim != 1:
        raise ShapeError(f"polyval: got coefficients of shape {p.shape}; expected one axis")
    value = zeros_like(x)
    for i in range(p.size):
        value = add(multiply(value, x), getitem(p, i))
    return value

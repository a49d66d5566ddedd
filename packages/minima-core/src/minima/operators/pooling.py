"""Pooling over windows in two dimensions.

The names without ``gradient`` are operators; users call the functions of the same names in
`window_largest`, `window_means` and `adaptive`, which take more kinds of arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..autograd.node import Spec
from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from .arithmetic import multiply
from .axes import sizes
from .convolution import (
    Pair,
    Size,
    check_image,
    geometry,
    window_count,
    windows,
    windows_gradient,
)
from .reduction import sum
from .table import Array, operator

__all__ = [
    "adaptive_avg_pool2d_gradient",
    "avg_pool2d_gradient",
    "first_largest",
    "max_pool2d_gradient",
]


def _prepare(name: str, x: Any, kernel_size: Size, stride: Any, padding: Size) -> dict[str, Any]:
    """Return the arguments as pairs; the stride is the kernel's size unless given."""
    found = geometry(
        name,
        kernel_size=kernel_size,
        stride=kernel_size if stride is None else stride,
        padding=padding,
    )
    if any(2 * p > k for p, k in zip(found["padding"], found["kernel_size"])):
        raise ArgumentError(
            f"{name}: got padding {padding} for kernel_size {kernel_size}; "
            "expected at most half of it"
        )
    check_image(name, x)
    for i in (0, 1):
        window_count(name, x.shape[2 + i], *(pair[i] for pair in found.values()))
    return found


@operator(real=True)
def max_pool2d(
    xp: Any,
    x: Array,
    kernel_size: Size,
    stride: Size = None,
    padding: Size = 0,
) -> Any:
    """Return the largest element of each window; *stride* is the kernel's size unless given.

    Shapes: x (N, C, H, W) -> (N, C, OH, OW). Gradient: goes to the first largest of a window.
    Raises: ShapeError when no window fits.

    >>> import minima as mi
    >>> mi.operators.max_pool2d(mi.Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2)
    Tensor([[[[4.]]]])
    """
    lowest = -xp.inf if x.dtype.kind in "fV" else xp.iinfo(x.dtype).min
    found = windows.entry.reference(xp, x, kernel_size, stride, padding, (1, 1), lowest)
    return xp.max(found, axis=(2, 3))


@max_pool2d.prepare
def _(x: Tensor, kernel_size: Size, stride: Size, padding: Size) -> dict[str, Any]:
    return _prepare("max_pool2d", x, kernel_size, stride, padding)


@max_pool2d.gradient(saves="x y")
def _(g: Tensor, y: Tensor, x: Tensor, **attrs: Any) -> Any:
    return max_pool2d_gradient(g, x.detach(), y.detach(), **attrs)


@operator
def max_pool2d_gradient(
    xp: Any,
    g: Array,
    x: Array,
    y: Array,
    kernel_size: Size,
    stride: Size = None,
    padding: Size = 0,
) -> Any:
    """Return the gradient of `max_pool2d` with respect to x, whose largest elements are y.

    Shapes: g, y (N, C, OH, OW), x (N, C, H, W) -> (N, C, H, W). Gradient: none to x and y.

    >>> import minima as mi
    >>> x = mi.Tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> mi.operators.max_pool2d_gradient(mi.ones((1, 1, 1, 1)), x, mi.max_pool2d(x, 2), 2)
    Tensor([[[[0., 0.],
              [0., 1.]]]])
    """
    lowest = -xp.inf if x.dtype.kind in "fV" else xp.iinfo(x.dtype).min
    seen = windows.entry.reference(xp, x, kernel_size, stride, padding, (1, 1), lowest)
    first = first_largest.entry.reference(xp, seen) != 0
    spread = xp.where(first, g[:, :, None, None], xp.zeros((), dtype=g.dtype))
    return windows_gradient.entry.reference(xp, spread, x.shape, stride, padding, (1, 1))


@max_pool2d_gradient.prepare
def _(
    g: Tensor, x: Tensor, y: Tensor, kernel_size: Size, stride: Size, padding: Size
) -> dict[str, Any]:
    return _prepare("max_pool2d_gradient", x, kernel_size, stride, padding)


@max_pool2d_gradient.gradient(saves="x")
def _(gg: Tensor, _y: Any, g: Any, x: Tensor, y: Any, **attrs: Any) -> Any:
    how = (attrs["kernel_size"], attrs["stride"], attrs["padding"])
    chosen = first_largest(windows(x.detach(), *how, 1, float("-inf")))
    return (lambda: sum(multiply(windows(gg, *how), chosen), (2, 3))), None, None


@operator
def first_largest(xp: Any, x: Array) -> Any:
    """Return 1 at the first largest element of each window and 0 elsewhere.

    Shapes: x (N, C, kh, kw, OH, OW) -> the same. Dtype: as x. Gradient: none.

    >>> import minima as mi
    >>> x = mi.reshape(mi.Tensor([1.0, 4.0, 4.0]), (1, 1, 1, 3, 1, 1))
    >>> mi.operators.first_largest(x).flatten()
    Tensor([0., 1., 0.])
    """
    n, c, kh, kw, oh, ow = x.shape
    flat = xp.reshape(x, (n, c, kh * kw, oh, ow))
    place = xp.argmax(flat, axis=2, keepdims=True)
    order = xp.reshape(xp.arange(kh * kw), (kh * kw, 1, 1))
    return xp.reshape(xp.astype(order == place, x.dtype), x.shape)


@operator(floating=True)
def avg_pool2d(
    xp: Any,
    x: Array,
    kernel_size: Size,
    stride: Size = None,
    padding: Size = 0,
    *,
    count_include_pad: bool = True,
) -> Any:
    """Return the mean of each window; *stride* is the kernel's size unless given.

    Shapes: x (N, C, H, W) -> (N, C, OH, OW). With *count_include_pad* the zeros beyond the border
    count. Dtype: as x; integers become float32. Raises: ShapeError when no window fits.

    >>> import minima as mi
    >>> mi.operators.avg_pool2d(mi.Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2)
    Tensor([[[[2.5]]]])
    """
    reference = windows.entry.reference
    total = xp.sum(reference(xp, x, kernel_size, stride, padding, (1, 1)), axis=(2, 3))
    return total / _counts(xp, x, kernel_size, stride, padding, count_include_pad)


def _counts(xp: Any, x: Any, kernel: Pair, stride: Pair, padding: Pair, include_pad: bool) -> Any:
    """Return the number of elements that each window is divided by."""
    if include_pad or padding == (0, 0):
        return float(kernel[0] * kernel[1])
    ones = xp.ones((1, 1, *x.shape[2:]), dtype=x.dtype)
    return xp.sum(windows.entry.reference(xp, ones, kernel, stride, padding, (1, 1)), axis=(2, 3))


@avg_pool2d.prepare
def _(
    x: Tensor, kernel_size: Size, stride: Size, padding: Size, count_include_pad: bool
) -> dict[str, Any]:
    found = _prepare("avg_pool2d", x, kernel_size, stride, padding)
    return {**found, "count_include_pad": bool(count_include_pad)}


@avg_pool2d.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, **attrs: Any) -> Any:
    return avg_pool2d_gradient(g, x.shape, **attrs)


@operator(floating=True)
def avg_pool2d_gradient(
    xp: Any,
    g: Array,
    shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size = None,
    padding: Size = 0,
    *,
    count_include_pad: bool = True,
) -> Any:
    """Share each element of g evenly over its window: the gradient of `avg_pool2d`.

    Shapes: g (N, C, OH, OW) -> *shape* (N, C, H, W).

    >>> import minima as mi
    >>> mi.operators.avg_pool2d_gradient(mi.ones((1, 1, 1, 1)), (1, 1, 2, 2), 2)
    Tensor([[[[0.25, 0.25],
              [0.25, 0.25]]]])
    """
    blank = xp.zeros(shape, dtype=g.dtype)
    g = g / _counts(xp, blank, kernel_size, stride, padding, count_include_pad)
    n, c, oh, ow = g.shape
    spread = xp.broadcast_to(g[:, :, None, None], (n, c, *kernel_size, oh, ow))
    return windows_gradient.entry.reference(xp, spread, shape, stride, padding, (1, 1))


@avg_pool2d_gradient.prepare
def _(
    g: Tensor,
    shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size,
    padding: Size,
    count_include_pad: bool,
) -> dict[str, Any]:
    image = Spec(tuple(shape), g.dtype, g.device)
    found = _prepare("avg_pool2d_gradient", image, kernel_size, stride, padding)
    return {"shape": tuple(shape), **found, "count_include_pad": bool(count_include_pad)}


@avg_pool2d_gradient.gradient(saves="")
def _(gg: Tensor, y: Any, g: Any, shape: Any, **attrs: Any) -> Any:
    return avg_pool2d(gg, **attrs)


# ---- windows by the size of the result -----------------------------------------------------------
def _shares(shape: tuple[int, ...], out: Pair) -> Iterator[tuple[Any, Any, int]]:
    """Yield, for each element of the result, its index, its window and the window's size."""
    h, w = shape[2:]
    for i in range(out[0]):
        top, bottom = i * h // out[0], -(-(i + 1) * h // out[0])
        for j in range(out[1]):
            left, right = j * w // out[1], -(-(j + 1) * w // out[1])
            window = (..., slice(top, bottom), slice(left, right))
            yield (..., i, j), window, (bottom - top) * (right - left)


@operator(floating=True)
def adaptive_avg_pool2d(xp: Any, x: Array, output_size: Size) -> Any:
    """Return the means of as many windows, evenly spread, as *output_size* says.

    Window i goes from floor(i * H / OH) to ceil((i + 1) * H / OH): windows may overlap by one. A
    size of None is that of x.

    Shapes: x (N, C, H, W) -> (N, C, OH, OW). Dtype: as x; integers become float32.
    Raises: ShapeError for an image without elements.

    >>> import minima as mi
    >>> x = mi.reshape(mi.arange(6.0), (1, 1, 2, 3))
    >>> mi.operators.adaptive_avg_pool2d(x, (1, 2))
    Tensor([[[[2., 3.]]]])
    """
    y = xp.empty((*x.shape[:2], *output_size), dtype=x.dtype)
    for place, window, _ in _shares(x.shape, output_size):
        y[place] = xp.mean(x[window], axis=(2, 3))
    return y


@adaptive_avg_pool2d.prepare
def _(x: Tensor, output_size: Size) -> dict[str, Any]:
    check_image("adaptive_avg_pool2d", x)
    if 0 in x.shape[2:]:
        raise ShapeError(
            f"adaptive_avg_pool2d: got x of shape {x.shape}; expected at least one row and column"
        )
    pair = output_size if isinstance(output_size, tuple | list) else (output_size,) * 2
    wanted = tuple(n if k is None else k for k, n in zip(pair, x.shape[2:], strict=False))
    found = sizes("adaptive_avg_pool2d", wanted if len(pair) == 2 else pair, 2, 1, "output_size")
    return {"output_size": found}


@adaptive_avg_pool2d.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, output_size: Pair) -> Any:
    return adaptive_avg_pool2d_gradient(g, x.shape)


@operator(floating=True)
def adaptive_avg_pool2d_gradient(xp: Any, g: Array, shape: tuple[int, ...]) -> Any:
    """Spread each element evenly over its window: the gradient of `adaptive_avg_pool2d`.

    Shapes: g (N, C, OH, OW) -> *shape* (N, C, H, W).

    >>> import minima as mi
    >>> mi.operators.adaptive_avg_pool2d_gradient(mi.ones((1, 1, 1, 1)), (1, 1, 1, 4))
    Tensor([[[[0.25, 0.25, 0.25, 0.25]]]])
    """
    total = xp.zeros(shape, dtype=g.dtype)
    for place, window, count in _shares(shape, g.shape[2:]):
        total[window] += g[place][..., None, None] / count
    return total


@adaptive_avg_pool2d_gradient.prepare
def _(g: Tensor, shape: tuple[int, ...]) -> dict[str, Any]:
    check_image("adaptive_avg_pool2d_gradient", g)
    return {"shape": tuple(shape)}


@adaptive_avg_pool2d_gradient.gradient(saves="")
def _(gg: Tensor, y: Any, g: Any, shape: tuple[int, ...]) -> Any:
    return adaptive_avg_pool2d(gg, g.shape[2:])

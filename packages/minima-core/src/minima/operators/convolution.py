"""Convolution in two dimensions, as products of matrices over windows.

`conv2d` here is the operator; users call the one of `minima.operators.spatial`, which takes more
kinds of arguments.

`windows` and `windows_gradient` are each other's gradient; so are, two by two, the three operators
of convolution. Everything here can be differentiated to any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..errors import ShapeError
from ..tensor import Tensor
from .arithmetic import add, multiply, subtract
from .axes import sizes
from .complex import imag, real
from .manipulation import reshape
from .reduction import sum
from .table import Array, operator

__all__ = [
    "conv2d_input_gradient",
    "conv2d_weight_gradient",
    "windows",
    "windows_gradient",
]

Pair = tuple[int, int]
#: an integer or two of them for the caller; kernels and gradients see the two
Size: TypeAlias = Any


def window_count(
    name: str, length: int, kernel: int, stride: int, pad: int, dilation: int = 1
) -> int:
    """Return how many windows fit along one axis.

    >>> window_count("conv2d", 8, 3, 2, 1, 1)
    4
    """
    reach = dilation * (kernel - 1) + 1
    if length + 2 * pad < reach:
        raise ShapeError(
            f"{name}: a window of size {reach} (kernel {kernel}, dilation {dilation}) does not fit "
            f"into {length} + 2 * {pad} elements; use a larger input or padding, a smaller kernel"
        )
    return (length + 2 * pad - reach) // stride + 1


def geometry(name: str, **given: Any) -> dict[str, Any]:
    """Return stride, padding and the like as pairs.

    >>> geometry("conv2d", stride=2, padding=0)
    {'stride': (2, 2), 'padding': (0, 0)}
    """
    return {k: sizes(name, v, 2, 0 if k == "padding" else 1, k) for k, v in given.items()}


def pad(xp: Any, x: Any, padding: Pair, fill: float) -> Any:
    """Return x (N, C, H, W) with *fill* around it."""
    top, left = padding
    if not top and not left:
        return x
    n, c, h, w = x.shape
    out = xp.full((n, c, h + 2 * top, w + 2 * left), fill, dtype=x.dtype)
    out[:, :, top : top + h, left : left + w] = x
    return out


def spans(kernel: Pair, out: Pair, stride: Pair, dilation: Pair) -> list[tuple[int, int, Any]]:
    """Return, for each place (i, j) in the kernel, the index of the elements that it meets."""
    (kh, kw), (oh, ow), (sh, sw), (dh, dw) = kernel, out, stride, dilation
    return [
        (i, j, (..., slice(i * dh, i * dh + sh * oh, sh), slice(j * dw, j * dw + sw * ow, sw)))
        for i in range(kh)
        for j in range(kw)
    ]


@operator
def windows(
    xp: Any,
    x: Array,
    kernel: Size,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    fill: float = 0.0,
) -> Any:
    """Return the windows that a kernel of size *kernel* sees, *fill* standing beyond the border.

    Shapes: x (N, C, H, W) -> (N, C, kh, kw, OH, OW).

    >>> import minima as mi
    >>> mi.operators.windows(mi.ones((1, 1, 4, 4)), 3).shape
    (1, 1, 3, 3, 2, 2)
    """
    padded = pad(xp, x, padding, fill)
    n, c, h, w = padded.shape
    out = (
        window_count("windows", h, kernel[0], stride[0], 0, dilation[0]),
        window_count("windows", w, kernel[1], stride[1], 0, dilation[1]),
    )
    found = xp.empty((n, c, *kernel, *out), dtype=x.dtype)
    for i, j, span in spans(kernel, out, stride, dilation):
        found[:, :, i, j] = padded[span]
    return found


@windows.prepare
def _(
    x: Tensor, kernel: Size, stride: Size, padding: Size, dilation: Size, fill: float
) -> dict[str, Any]:
    found = geometry("windows", kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    check_image("windows", x)
    for i in (0, 1):
        window_count("windows", x.shape[2 + i], *(found[k][i] for k in found))
    return {**found, "fill": fill}


@windows.gradient(saves="")
def _(
    g: Tensor, y: Any, x: Any, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, fill: Any
) -> Any:
    return windows_gradient(g, x.shape, stride, padding, dilation)


@operator
def windows_gradient(
    xp: Any,
    x: Array,
    shape: tuple[int, ...],
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> Any:
    """Add windows up where they lie over each other: the gradient of `windows`.

    Shapes: x (N, C, kh, kw, OH, OW) -> *shape* (N, C, H, W).

    >>> import minima as mi
    >>> mi.operators.windows_gradient(mi.ones((1, 1, 1, 2, 1, 2)), (1, 1, 1, 3))
    Tensor([[[[1., 2., 1.]]]])
    """
    n, c, h, w = shape
    top, left = padding
    total = xp.zeros((n, c, h + 2 * top, w + 2 * left), dtype=x.dtype)
    for i, j, span in spans(x.shape[2:4], x.shape[4:6], stride, dilation):
        total[span] += x[:, :, i, j]
    return total[:, :, top : top + h, left : left + w]


@windows_gradient.prepare
def _(
    x: Tensor, shape: tuple[int, ...], stride: Size, padding: Size, dilation: Size
) -> dict[str, Any]:
    found = geometry("windows_gradient", stride=stride, padding=padding, dilation=dilation)
    return {"shape": tuple(shape), **found}


@windows_gradient.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, shape: Any, stride: Pair, padding: Pair, dilation: Pair) -> Any:
    return windows(g, x.shape[2:4], stride, padding, dilation)


# ---- convolution ---------------------------------------------------------------------------------
def by_parts(convolve: Callable[..., Tensor], a: Tensor, b: Tensor) -> Tensor:
    """Return what the bilinear *convolve* of real numbers makes of complex ones.

    >>> import minima as mi
    >>> by_parts(mi.multiply, mi.Tensor([1 + 2j]), mi.Tensor([3j]))
    Tensor([-6.+3.j], dtype=complex64)
    """
    (ra, ia), (rb, ib) = ((real(t), imag(t)) for t in (a, b))
    parts = subtract(convolve(ra, rb), convolve(ia, ib)), add(convolve(ra, ib), convolve(ia, rb))
    return add(parts[0], multiply(parts[1], 1j))


def columns(xp: Any, x: Any, groups: int, **geometry: Any) -> Any:
    """Return windows as matrices: (N, C, H, W) -> (N, groups, C / groups * kh * kw, OH * OW)."""
    found = windows.entry.reference(xp, x, **geometry)
    n, c, kh, kw, oh, ow = found.shape
    return xp.reshape(found, (n, groups, c // groups * kh * kw, oh * ow))


@operator(real=True)
def conv2d(
    xp: Any,
    x: Array,
    weight: Array,
    bias: Array = None,
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Slide *weight* over x, without turning it round (cross-correlation).

    Shapes: x (N, C, H, W), weight (O, C / groups, kh, kw), bias (O) or None -> (N, O, OH, OW)
    with OH = (H + 2 * padding - dilation * (kh - 1) - 1) // stride + 1.
    Raises: ShapeError when channels, groups or sizes do not fit.

    >>> import minima as mi
    >>> mi.operators.conv2d(mi.ones((1, 1, 3, 3)), mi.ones((1, 1, 3, 3)), padding=1)[0, 0]
    Tensor([[4., 6., 4.],
            [6., 9., 6.],
            [4., 6., 4.]])
    """
    n, o = x.shape[0], weight.shape[0]
    kernel = weight.shape[2:]
    out = tuple(
        window_count("conv2d", x.shape[2 + i], kernel[i], stride[i], padding[i], dilation[i])
        for i in (0, 1)
    )
    found = columns(xp, x, groups, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    y = xp.matmul(xp.reshape(weight, (groups, o // groups, found.shape[2])), found)
    y = xp.reshape(y, (n, o, *out))
    return y if bias is None else y + xp.reshape(bias, (o, 1, 1))


@conv2d.prepare
def _(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size,
    dilation: Size,
    groups: int,
) -> dict[str, Any]:
    check_image("conv2d", x)
    if weight.ndim != 4:
        raise ShapeError(
            f"conv2d: got weight of shape {weight.shape}; expected (O, C / groups, kh, kw)"
        )
    o, c = weight.shape[:2]
    if groups < 1 or o % groups or x.shape[1] != c * groups:
        raise ShapeError(
            f"conv2d: got x {x.shape}, weight {weight.shape}, groups {groups}; expected "
            "x.shape[1] == weight.shape[1] * groups and weight.shape[0] divisible by groups"
        )
    if bias is not None and bias.shape != (o,):
        raise ShapeError(f"conv2d: got a bias of shape {bias.shape}; expected ({o},)")
    found = geometry("conv2d", stride=stride, padding=padding, dilation=dilation)
    for i in (0, 1):
        window_count("conv2d", x.shape[2 + i], weight.shape[2 + i], *(found[k][i] for k in found))
    return {**found, "groups": groups}


@conv2d.of_complex
def _(x: Tensor, weight: Tensor, bias: Tensor | None, **attrs: Any) -> Tensor:
    y = by_parts(lambda a, b: conv2d(a, b, None, **attrs), x, weight)
    return y if bias is None else add(y, reshape(bias, (-1, 1, 1)))


@conv2d.gradient(saves="x weight")
def _(g: Tensor, y: Any, x: Tensor, weight: Tensor, bias: Any, **attrs: Any) -> Any:
    return (
        lambda: conv2d_input_gradient(g, weight, x.shape, **attrs),
        lambda: conv2d_weight_gradient(x, g, weight.shape, **attrs),
        lambda: sum(g, (0, 2, 3)),
    )


@operator(real=True)
def conv2d_input_gradient(
    xp: Any,
    x: Array,
    weight: Array,
    shape: tuple[int, ...],
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv2d` with respect to its input (transposed convolution).

    Shapes: x (N, O, OH, OW), weight (O, C / groups, kh, kw) -> *shape* (N, C, H, W).

    >>> import minima as mi
    >>> g, w = mi.ones((1, 1, 2, 2)), mi.ones((1, 1, 2, 2))
    >>> mi.operators.conv2d_input_gradient(g, w, (1, 1, 3, 3))[0, 0]
    Tensor([[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]])
    """
    n, o, oh, ow = x.shape
    c, kh, kw = weight.shape[1:]
    flat = xp.reshape(weight, (groups, o // groups, c * kh * kw))
    found = xp.matmul(
        xp.permute_dims(flat, (0, 2, 1)), xp.reshape(x, (n, groups, o // groups, oh * ow))
    )
    found = xp.reshape(found, (n, c * groups, kh, kw, oh, ow))
    return windows_gradient.entry.reference(xp, found, shape, stride, padding, dilation)


@conv2d_input_gradient.prepare
def _(x: Tensor, weight: Tensor, shape: tuple[int, ...], **attrs: Any) -> dict[str, Any]:
    groups = attrs.pop("groups")
    found = geometry("conv2d_input_gradient", **attrs)
    return {"shape": tuple(shape), **found, "groups": groups}


@conv2d_input_gradient.of_complex
def _(x: Tensor, weight: Tensor, shape: Any, **attrs: Any) -> Tensor:
    return by_parts(lambda a, b: conv2d_input_gradient(a, b, shape, **attrs), x, weight)


@conv2d_input_gradient.gradient(saves="x weight")
def _(g: Tensor, y: Any, x: Tensor, weight: Tensor, shape: Any, **attrs: Any) -> Any:
    return (
        lambda: conv2d(g, weight, None, **attrs),
        lambda: conv2d_weight_gradient(g, x, weight.shape, **attrs),
    )


@operator(real=True)
def conv2d_weight_gradient(
    xp: Any,
    x: Array,
    g: Array,
    shape: tuple[int, ...],
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv2d` with respect to its weight.

    Shapes: x (N, C, H, W), g (N, O, OH, OW) -> *shape* (O, C / groups, kh, kw).

    >>> import minima as mi
    >>> x, g = mi.ones((1, 1, 3, 3)), mi.ones((1, 1, 2, 2))
    >>> mi.operators.conv2d_weight_gradient(x, g, (1, 1, 2, 2))[0, 0]
    Tensor([[4., 4.],
            [4., 4.]])
    """
    found = columns(
        xp, x, groups, kernel=shape[2:], stride=stride, padding=padding, dilation=dilation
    )
    n, o = g.shape[:2]
    rows = xp.reshape(g, (n, groups, o // groups, found.shape[3]))
    total = xp.sum(xp.matmul(rows, xp.permute_dims(found, (0, 1, 3, 2))), axis=0)
    return xp.reshape(total, shape)


@conv2d_weight_gradient.prepare
def _(x: Tensor, g: Tensor, shape: tuple[int, ...], **attrs: Any) -> dict[str, Any]:
    groups = attrs.pop("groups")
    found = geometry("conv2d_weight_gradient", **attrs)
    return {"shape": tuple(shape), **found, "groups": groups}


@conv2d_weight_gradient.of_complex
def _(x: Tensor, g: Tensor, shape: Any, **attrs: Any) -> Tensor:
    return by_parts(lambda a, b: conv2d_weight_gradient(a, b, shape, **attrs), x, g)


@conv2d_weight_gradient.gradient(saves="x g")
def _(gg: Tensor, y: Any, x: Tensor, g: Tensor, shape: Any, **attrs: Any) -> Any:
    return (
        lambda: conv2d_input_gradient(g, gg, x.shape, **attrs),
        lambda: conv2d(x, gg, None, **attrs),
    )


def check_image(name: str, x: Tensor) -> None:
    """Raise unless x is a batch of images.

    >>> import minima as mi
    >>> check_image("conv2d", mi.ones((1, 1, 3, 3)))
    """
    if x.ndim != 4:
        raise ShapeError(f"{name}: got x of shape {x.shape}; expected (N, C, H, W)")

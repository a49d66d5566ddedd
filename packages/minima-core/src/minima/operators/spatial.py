"""Convolution in one to three dimensions, and windows as columns.

All of it is composed of the operators in two dimensions of `minima.operators.convolution`: a line
is an image with one row, and the depths that a kernel in three dimensions sees are channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

from ..errors import ArgumentError, DTypeError, ShapeError
from ..tensor import Tensor, TensorLike
from .axes import sizes
from .composed import composite
from .convolution import conv2d as conv2d_operator
from .convolution import window_count, windows, windows_gradient
from .manipulation import permute_dims, reshape
from .padding import pad

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "fold",
    "unfold",
]

#: one integer for all axes, or one for each
Size: TypeAlias = "int | Sequence[int]"

SPACE = ("", "L", "H, W", "D, H, W")


def batched(name: str, x: Any, n: int) -> Tensor:
    """Return x (N, C, and *n* axes), with N = 1 if it had none.

    >>> import minima as mi
    >>> batched("conv1d", mi.ones((2, 5)), 1).shape
    (1, 2, 5)
    """
    if x.ndim not in (n + 1, n + 2):
        raise ShapeError(
            f"{name}: got x of shape {x.shape}; expected (N, C, {SPACE[n]}) or (C, {SPACE[n]})"
        )
    found: Tensor = x if x.ndim == n + 2 else reshape(x, (1, *x.shape))
    return found


def like(x: Any, y: Tensor, n: int) -> Tensor:
    """Return y without the axis that `batched` gave x.

    >>> import minima as mi
    >>> like(mi.ones((2, 5)), mi.ones((1, 3, 4)), 1).shape
    (3, 4)
    """
    return y if x.ndim == n + 2 else reshape(y, y.shape[1:])


def flat(x: Any) -> Tensor:
    """Return a line (N, C, L) as an image with one row (N, C, 1, L).

    >>> import minima as mi
    >>> flat(mi.ones((1, 2, 5))).shape
    (1, 2, 1, 5)
    """
    return reshape(x, (*x.shape[:2], 1, x.shape[2]))


# ---- convolution ---------------------------------------------------------------------------------
@composite
def conv1d(
    x: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide *weight* along x, without turning it round (cross-correlation).

    *padding* is a number of zeros on each side, "valid" (none) or "same" (as many as keep the
    size, the odd one at the end; for stride 1).

    Shapes: x (N, C, L) or (C, L), weight (O, C / groups, K), bias (O) or None -> (N, O, OL) or
    (O, OL) with OL = (L + 2 * padding - dilation * (K - 1) - 1) // stride + 1.
    Dtype: the promoted one. Raises: ShapeError when channels, groups or sizes do not fit.

    >>> import minima as mi
    >>> x, weight = mi.Tensor([[1.0, 2.0, 4.0]]), mi.Tensor([[[1.0, -1.0]]])
    >>> mi.operators.conv1d(x, weight)
    Tensor([[-1., -2.]])
    """
    return _convolve("conv1d", 1, x, weight, bias, stride, padding, dilation, groups)


@composite
def conv2d(
    x: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide *weight* over x, without turning it round (cross-correlation).

    *padding* is a number of zeros on each side, "valid" (none) or "same" (as many as keep the
    size, the odd one at the end; for stride 1).

    Shapes: x (N, C, H, W) or (C, H, W), weight (O, C / groups, kh, kw), bias (O) or None
    -> (N, O, OH, OW) or (O, OH, OW) with
    OH = (H + 2 * padding - dilation * (kh - 1) - 1) // stride + 1.
    Dtype: the promoted one. Raises: ShapeError when channels, groups or sizes do not fit.

    >>> import minima as mi
    >>> mi.operators.conv2d(mi.ones((1, 1, 3, 3)), mi.ones((1, 1, 3, 3)), padding="same")[0, 0]
    Tensor([[4., 6., 4.],
            [6., 9., 6.],
            [4., 6., 4.]])
    """
    image: Any = x
    plain = image.ndim == 4 and weight.size and type(groups) is int  # type: ignore[union-attr]
    if plain and not isinstance(padding, str):  # the operator checks all of it
        how: Any = {"stride": stride, "padding": padding, "dilation": dilation}
        return conv2d_operator(image, weight, bias, **how, groups=groups)
    return _convolve("conv2d", 2, image, weight, bias, stride, padding, dilation, groups)


@composite
def conv3d(
    x: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide *weight* through x, without turning it round (cross-correlation).

    *padding* is a number of zeros on each side, "valid" (none) or "same" (as many as keep the
    size, the odd one at the end; for stride 1).

    Shapes: x (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, kd, kh, kw), bias (O) or None
    -> (N, O, OD, OH, OW) or (O, OD, OH, OW), sizes as in `conv2d`.
    Dtype: the promoted one. Raises: ShapeError when channels, groups or sizes do not fit.

    >>> import minima as mi
    >>> mi.operators.conv3d(mi.ones((1, 2, 3, 3, 3)), mi.ones((4, 2, 2, 2, 2)))[0, 0, 0]
    Tensor([[16., 16.],
            [16., 16.]])
    """
    return _convolve("conv3d", 3, x, weight, bias, stride, padding, dilation, groups)


def _convolve(
    name: str,
    n: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Size,
    padding: Size | str,
    dilation: Size,
    groups: int,
) -> Tensor:
    image = batched(name, x, n)
    _check_weight(name, n, image, weight, bias, groups)
    how = {
        "stride": sizes(name, stride, n, 1, "stride"),
        "dilation": sizes(name, dilation, n, 1, "dilation"),
    }
    if isinstance(padding, str):
        image, how["padding"] = _named(name, padding, image, weight.shape[2:], **how)
    else:
        how["padding"] = sizes(name, padding, n, 0, "padding")
    for i in range(n):
        given = (how[k][i] for k in ("stride", "padding", "dilation"))
        window_count(name, image.shape[2 + i], weight.shape[2 + i], *given)
    if n == 3:
        return like(x, _deep(image, weight, bias, how, groups), n)
    if n == 2:
        return like(x, conv2d_operator(image, weight, bias, **how, groups=groups), n)
    one = {"stride": 1, "padding": 0, "dilation": 1}
    lifted: Any = {k: (one[k], *v) for k, v in how.items()}
    y = conv2d_operator(flat(image), flat(weight), bias, **lifted, groups=groups)
    return like(x, reshape(y, (*y.shape[:2], y.shape[3])), n)


def _deep(x: Any, weight: Any, bias: Any, how: dict[str, Any], groups: int) -> Tensor:
    """Convolve in three dimensions: what a kernel sees of the depth becomes channels."""
    n, c, d, h, w = x.shape
    o, part, kd, kh, kw = weight.shape
    seen = windows(reshape(x, (n, c, d, h * w)), (kd, 1), *along_depth(how))
    od = seen.shape[4]
    seen = permute_dims(reshape(seen, (n, c, kd, od, h, w)), (0, 3, 1, 2, 4, 5))
    y = conv2d_operator(
        reshape(seen, (n * od, c * kd, h, w)),
        reshape(weight, (o, part * kd, kh, kw)),
        bias,
        **{k: v[1:] for k, v in how.items()},
        groups=groups,
    )
    return permute_dims(reshape(y, (n, od, *y.shape[1:])), (0, 2, 1, 3, 4))


def along_depth(how: dict[str, Any]) -> Any:
    """Return stride, padding and dilation for (D, H * W).

    >>> along_depth({"stride": (2, 1, 1), "padding": (0, 0, 0), "dilation": (1, 1, 1)})
    ((2, 1), (0, 0), (1, 1))
    """
    return (how["stride"][0], 1), (how["padding"][0], 0), (how["dilation"][0], 1)


def _named(
    name: str,
    padding: str,
    x: Any,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[Any, tuple[int, ...]]:
    """Return x and the padding on each side that a name stands for."""
    if padding == "valid":
        return x, (0,) * len(kernel)
    if padding != "same":
        raise ArgumentError(
            f"{name}: got padding {padding!r}; expected integers, 'same' or 'valid'"
        )
    if any(s != 1 for s in stride):
        raise ArgumentError(f"{name}: got padding 'same' with stride {stride}; expected stride 1")
    total = [d * (k - 1) for d, k in zip(dilation, kernel)]
    if any(t % 2 for t in total):
        x = pad(x, ((0, 0), (0, 0), *((0, t % 2) for t in total)))
    return x, tuple(t // 2 for t in total)


def _check_weight(name: str, n: int, x: Any, weight: Any, bias: Any, groups: int) -> None:
    """Raise unless weight, bias and groups fit x (N, C, *)."""
    if weight.ndim != n + 2:
        raise ShapeError(
            f"{name}: got weight of shape {weight.shape}; expected (O, C / groups, and {n} sizes)"
        )
    check_groups(name, groups)
    o, c = weight.shape[:2]
    if o % groups or x.shape[1] != c * groups:
        raise ShapeError(
            f"{name}: got x {x.shape}, weight {weight.shape}, groups {groups}; expected "
            "x.shape[1] == weight.shape[1] * groups and weight.shape[0] divisible by groups"
        )
    check_rest(name, x, weight, bias, o)


def check_groups(name: str, groups: int) -> None:
    """Raise unless *groups* is a positive integer.

    >>> check_groups("conv1d", 2)
    """
    if isinstance(groups, bool) or not hasattr(groups, "__index__"):
        raise DTypeError(f"{name}: got groups {groups!r}; expected an integer")
    if groups < 1:
        raise ArgumentError(f"{name}: got groups {groups}; expected at least 1")


def check_rest(name: str, x: Any, weight: Any, bias: Any, o: int) -> None:
    """Raise for sizes of 0 and for a bias that has not one element for each of *o* channels.

    >>> import minima as mi
    >>> check_rest("conv1d", mi.ones((1, 2, 5)), mi.ones((3, 2, 1)), mi.ones(3), 3)
    """
    if not x.shape[1] or 0 in weight.shape:
        raise ShapeError(
            f"{name}: got x {x.shape}, weight {weight.shape}; expected at least one channel and "
            "no size of 0"
        )
    if bias is not None and bias.shape != (o,):
        raise ShapeError(f"{name}: got a bias of shape {bias.shape}; expected ({o},)")


# ---- columns -------------------------------------------------------------------------------------
@composite
def unfold(
    x: TensorLike, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Return the windows of images as columns (im2col).

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C * kh * kw, L) or (C * kh * kw, L), L the number of
    windows. Raises: ShapeError when no window fits.

    >>> import minima as mi
    >>> mi.operators.unfold(mi.Tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
    Tensor([[1., 2.],
            [2., 3.]])
    """
    image = batched("unfold", x, 2)
    kernel, d, p, s = _window("unfold", kernel_size, dilation, padding, stride)
    for i in (0, 1):
        window_count("unfold", image.shape[2 + i], kernel[i], s[i], p[i], d[i])
    seen = windows(image, kernel, s, p, d)
    n, c = image.shape[:2]
    y = reshape(seen, (n, c * prod(kernel), prod(seen.shape[4:])))
    return y if x.ndim == 4 else reshape(y, y.shape[1:])  # type: ignore[union-attr]


def _window(name: str, *given: Size) -> list[tuple[int, ...]]:
    """Return kernel_size, dilation, padding and stride as pairs."""
    names = ("kernel_size", "dilation", "padding", "stride")
    return [sizes(name, v, 2, int(k != "padding"), k) for k, v in zip(names, given)]


@composite
def fold(
    x: TensorLike,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Tensor:
    """Add columns up into images, where their windows lie (col2im): the transpose of `unfold`.

    Shapes: x (N, C * kh * kw, L) or (C * kh * kw, L) -> (N, C, H, W) or (C, H, W) with (H, W) =
    *output_size*. Raises: ShapeError unless L is the number of windows that fit into it.

    >>> import minima as mi
    >>> mi.operators.fold(mi.Tensor([[1.0, 2.0], [2.0, 3.0]]), (1, 3), (1, 2))
    Tensor([[[1., 4., 3.]]])
    """
    columns: Any = x
    if columns.ndim not in (2, 3):
        raise ShapeError(
            f"fold: got x of shape {columns.shape}; expected (N, C * kh * kw, L) or "
            "(C * kh * kw, L)"
        )
    size = sizes("fold", output_size, 2, 1, "output_size")
    kernel, d, p, s = _window("fold", kernel_size, dilation, padding, stride)
    found = [window_count("fold", size[i], kernel[i], s[i], p[i], d[i]) for i in (0, 1)]
    n = columns.shape[0] if columns.ndim == 3 else 1
    rows, count = columns.shape[-2:]
    if rows % prod(kernel) or not rows or count != prod(found):
        raise ShapeError(
            f"fold: got x of shape {columns.shape}; expected a multiple of {prod(kernel)} rows "
            f"(kernel_size) and {prod(found)} columns (windows in {size})"
        )
    c = rows // prod(kernel)
    y = windows_gradient(reshape(columns, (n, c, *kernel, *found)), (n, c, *size), s, p, d)
    return y if columns.ndim == 3 else reshape(y, y.shape[1:])

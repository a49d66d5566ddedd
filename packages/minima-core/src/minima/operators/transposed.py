"""The transpose of convolution in one to three dimensions.

It is the gradient of convolution with respect to its input, with roles swapped: so it is composed
of that, and what is differentiated here is convolution again.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor, TensorLike
from .arithmetic import add
from .axes import sizes
from .composed import composite
from .convolution import conv2d_input_gradient, windows_gradient
from .manipulation import permute_dims, reshape
from .padding import pad
from .spatial import Size, along_depth, batched, check_groups, check_rest, flat, like

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


@composite
def conv_transpose1d(
    x: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Add *weight* up along a line, at each place as large as x says: the transpose of `conv1d`.

    Shapes: x (N, C, L) or (C, L), weight (C, O / groups, K), bias (O) or None -> (N, O, OL) or
    (O, OL) with OL = (L - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1.
    Raises: ShapeError when channels, groups or sizes do not fit; ArgumentError for an
    *output_padding* that is not smaller than stride or dilation.

    >>> import minima as mi
    >>> x, weight = mi.Tensor([[1.0, 2.0]]), mi.Tensor([[[1.0, 1.0, 1.0]]])
    >>> mi.operators.conv_transpose1d(x, weight, stride=2)
    Tensor([[1., 1., 3., 2., 2.]])
    """
    options = (stride, padding, output_padding, dilation)
    return _transposed("conv_transpose1d", 1, x, weight, bias, groups, *options)


@composite
def conv_transpose2d(
    x: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Add *weight* up over an image, at each place as large as x says: the transpose of `conv2d`.

    Shapes: x (N, C, H, W) or (C, H, W), weight (C, O / groups, kh, kw), bias (O) or None
    -> (N, O, OH, OW) or (O, OH, OW), sizes and errors as in `conv_transpose1d`.

    >>> import minima as mi
    >>> x, weight = mi.Tensor([[[1.0, 2.0]]]), mi.ones((1, 1, 2, 2))
    >>> mi.operators.conv_transpose2d(x, weight)
    Tensor([[[1., 3., 2.],
             [1., 3., 2.]]])
    """
    options = (stride, padding, output_padding, dilation)
    return _transposed("conv_transpose2d", 2, x, weight, bias, groups, *options)


@composite
def conv_transpose3d(
    x: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Add *weight* up in a volume, at each place as large as x says: the transpose of `conv3d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), weight (C, O / groups, kd, kh, kw), bias (O) or None
    -> (N, O, OD, OH, OW) or (O, OD, OH, OW), sizes and errors as in `conv_transpose1d`.

    >>> import minima as mi
    >>> x, weight = mi.ones((1, 1, 1, 2)), mi.ones((1, 1, 2, 1, 2))
    >>> mi.operators.conv_transpose3d(x, weight)
    Tensor([[[[1., 2., 1.]],
    <BLANKLINE>
             [[1., 2., 1.]]]])
    """
    options = (stride, padding, output_padding, dilation)
    return _transposed("conv_transpose3d", 3, x, weight, bias, groups, *options)


def _transposed(
    name: str,
    n: int,
    x: Any,
    weight: Any,
    bias: Any,
    groups: int,
    stride: Size,
    padding: Size,
    output_padding: Size,
    dilation: Size,
) -> Tensor:
    image = batched(name, x, n)
    _check_transposed(name, n, image, weight, bias, groups)
    s, d = sizes(name, stride, n, 1, "stride"), sizes(name, dilation, n, 1, "dilation")
    p = sizes(name, padding, n, 0, "padding")
    extra = sizes(name, output_padding, n, 0, "output_padding")
    if any(e >= max(a, b) for e, a, b in zip(extra, s, d)):
        raise ArgumentError(
            f"{name}: got output_padding {output_padding} with stride {stride} and dilation "
            f"{dilation}; expected it to be smaller than one of them"
        )
    reach = [
        (i - 1) * a + b * (k - 1) + 1 for i, a, b, k in zip(image.shape[2:], s, d, weight.shape[2:])
    ]
    out = tuple(r - 2 * q + e for r, q, e in zip(reach, p, extra))
    if min(out) < 1 or 0 in image.shape[2:]:
        raise ShapeError(
            f"{name}: x {x.shape}, weight {weight.shape}, padding {padding} leave an output of "
            f"sizes {out}; expected at least 1: use a larger input or less padding"
        )
    # beyond a whole stride another window would fit: that part is cut out of the unpadded result
    cut = any(e >= a for e, a in zip(extra, s))
    how = {"stride": s, "padding": (0,) * n if cut else p, "dilation": d}
    y = _spread(image, weight, tuple(reach) if cut else out, how, groups)
    if cut:
        y = pad(y, ((0, 0), (0, 0), *((-q, e - q) for q, e in zip(p, extra))))
    if bias is not None:
        y = add(y, reshape(bias, (-1, *(1,) * n)))
    return like(x, y, n)


def _check_transposed(name: str, n: int, x: Any, weight: Any, bias: Any, groups: int) -> None:
    if weight.ndim != n + 2:
        raise ShapeError(
            f"{name}: got weight of shape {weight.shape}; expected (C, O / groups, and {n} sizes)"
        )
    check_groups(name, groups)
    if x.shape[1] != weight.shape[0] or x.shape[1] % groups:
        raise ShapeError(
            f"{name}: got x {x.shape}, weight {weight.shape}, groups {groups}; expected "
            "x.shape[1] == weight.shape[0], divisible by groups"
        )
    check_rest(name, x, weight, bias, weight.shape[1] * groups)


def _spread(x: Any, weight: Any, out: tuple[int, ...], how: dict[str, Any], groups: int) -> Tensor:
    """Return the sums of sizes *out*, of which `conv2d` and its kind see x."""
    n, c, *space = x.shape
    o = weight.shape[1] * groups
    if len(out) == 2:
        return conv2d_input_gradient(x, weight, (n, o, *out), **how, groups=groups)
    if len(out) == 1:
        one = {"stride": 1, "padding": 0, "dilation": 1}
        lifted: Any = {k: (one[k], *v) for k, v in how.items()}
        shape = (n, o, 1, *out)
        y = conv2d_input_gradient(flat(x), flat(weight), shape, **lifted, groups=groups)
        return reshape(y, (n, o, *out))
    d, h, w = space
    kd, kh, kw = weight.shape[2:]
    y = conv2d_input_gradient(
        reshape(permute_dims(x, (0, 2, 1, 3, 4)), (n * d, c, h, w)),
        reshape(weight, (c, weight.shape[1] * kd, kh, kw)),
        (n * d, o * kd, *out[1:]),
        **{k: v[1:] for k, v in how.items()},
        groups=groups,
    )
    y = permute_dims(reshape(y, (n, d, o, kd, prod(out[1:]))), (0, 2, 3, 1, 4))
    shape = (n, o, out[0], prod(out[1:]))
    y = windows_gradient(reshape(y, (n, o, kd, 1, d, shape[3])), shape, *along_depth(how))
    return reshape(y, (n, o, *out))

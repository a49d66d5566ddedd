"""Samples of convolution and its transpose in one to three dimensions, columns and borders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from .sample import Sample, exactly, integers, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")
SAMPLES: list[Sample] = []


def each(value: Any, n: int) -> tuple[int, ...]:
    """Return *value*, a number or *n* of them, as a tuple.

    >>> each(2, 3)
    (2, 2, 2)
    """
    return tuple(value) if isinstance(value, tuple | list) else (value,) * n


# ---- convolution ---------------------------------------------------------------------------------
def _around(padding: Any, kernel: Any, dilation: Any, n: int) -> list[tuple[int, int]]:
    """Return the zeros before and after, along each axis."""
    if padding == "valid":
        return [(0, 0)] * n
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilation, kernel)]
        return [(t // 2, t - t // 2) for t in total]
    return [(p, p) for p in each(padding, n)]


def _conv(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    n = weight.ndim - 2
    if x.ndim == n + 1:
        return _conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    s, d, kernel = each(stride, n), each(dilation, n), weight.shape[2:]
    x = np.pad(x, [(0, 0), (0, 0), *_around(padding, kernel, d, n)])
    out = [(x.shape[2 + i] - d[i] * (kernel[i] - 1) - 1) // s[i] + 1 for i in range(n)]
    y: Any = np.zeros((x.shape[0], weight.shape[0], *out))
    per, part = weight.shape[0] // groups, weight.shape[1]
    for o in range(weight.shape[0]):
        seen = x[:, o // per * part : (o // per + 1) * part]
        for place in product(*map(range, out)):
            window: Any = tuple(
                slice(a * b, a * b + c * k, c) for a, b, c, k in zip(place, s, d, kernel)
            )
            y[:, o, *place] = (seen[:, :, *window] * weight[o]).sum(axis=tuple(range(1, n + 2)))
    return y if bias is None else y + bias.reshape(-1, *(1,) * n)


def _conv_transpose(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    n = weight.ndim - 2
    if x.ndim == n + 1:
        options = (stride, padding, output_padding, groups, dilation)
        return _conv_transpose(x[None], weight, bias, *options)[0]
    s, p, e, d = (each(v, n) for v in (stride, padding, output_padding, dilation))
    kernel, part = weight.shape[2:], weight.shape[1]
    reach = [(x.shape[2 + i] - 1) * s[i] + d[i] * (kernel[i] - 1) + 1 for i in range(n)]
    y = np.zeros((x.shape[0], part * groups, *(r + b for r, b in zip(reach, e))))
    per = x.shape[1] // groups
    for c, place in product(range(x.shape[1]), product(*map(range, x.shape[2:]))):
        window = tuple(slice(a * b, a * b + f * k, f) for a, b, f, k in zip(place, s, d, kernel))
        group = slice(c // per * part, (c // per + 1) * part)
        y[:, group, *window] += x[:, c, *place].reshape(-1, *(1,) * (n + 1)) * weight[c]
    y = y[:, :, *(slice(a, y.shape[2 + i] - a) for i, a in enumerate(p))]
    return y if bias is None else y + bias.reshape(-1, *(1,) * n)


#: x, weight, options
CONVOLUTIONS: tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 2, 5), (3, 2, 2), {}),
    ((2, 5), (3, 2, 2), {"stride": 2, "padding": 1}),
    ((1, 4, 6), (2, 2, 3), {"dilation": 2, "groups": 2, "padding": "valid"}),
    ((1, 2, 4), (2, 2, 4), {"padding": "same"}),
    ((0, 2, 4), (2, 2, 3), {}),
    ((1, 1, 3, 4), (2, 1, 2, 3), {"padding": "same"}),
    ((2, 4, 3), (2, 2, 2, 1), {"stride": (2, 1), "padding": (1, 0)}),
    ((0, 1, 3, 3), (1, 1, 2, 2), {"padding": "valid"}),
    ((1, 2, 3, 2, 3), (2, 2, 2, 1, 2), {}),
    ((2, 3, 3, 2), (2, 1, 2, 2, 1), {"groups": 2, "stride": (1, 2, 1), "padding": (0, 1, 1)}),
    ((1, 1, 4, 2, 3), (1, 1, 2, 2, 2), {"dilation": (2, 1, 2), "padding": "same"}),
    ((0, 1, 3, 3, 3), (1, 1, 2, 2, 2), {}),
)

#: x, weight, options
TRANSPOSED: tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 2, 3), (2, 3, 2), {}),
    ((2, 3), (2, 1, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}),
    ((1, 2, 3), (2, 1, 2), {"dilation": 3, "padding": 1, "output_padding": 2}),
    ((0, 2, 3), (2, 1, 2), {}),
    ((1, 2, 2, 2), (2, 2, 2, 1), {"stride": (1, 2)}),
    ((2, 2, 2), (2, 1, 2, 2), {"padding": (1, 0), "dilation": (2, 1), "groups": 2}),
    ((0, 2, 2, 2), (2, 2, 2, 1), {}),
    ((1, 2, 2, 1, 2), (2, 2, 2, 1, 2), {}),
    ((2, 2, 2, 2), (2, 1, 2, 2, 1), {"stride": (2, 1, 1), "padding": (1, 0, 0), "groups": 2}),
    ((1, 1, 2, 1, 2), (1, 1, 1, 2, 2), {"dilation": (1, 2, 1), "output_padding": (0, 1, 0)}),
    ((0, 1, 2, 2, 2), (1, 1, 2, 2, 2), {}),
)


def _convolutions() -> Iterator[Sample]:
    for prefix, oracle, table in (
        ("conv", _conv, CONVOLUTIONS),
        ("conv_transpose", _conv_transpose, TRANSPOSED),
    ):
        for x, w, attrs in table:
            name = f"{prefix}{len(w) - 2}d"
            o = w[0] if prefix == "conv" else w[1] * attrs.get("groups", 1)
            yield Sample(name, oracle, [real(*x), real(*w), real(o)], attrs)
            yield Sample(name, oracle, [real(*x), real(*w), None], attrs)
    special = exactly([[[nan, 1.0, inf, 2.0, 3.0]]])
    yield Sample("conv1d", _conv, [special, exactly([[[1.0, 2.0]]])], {}, "special", False)
    special = exactly([[[nan, 1.0, inf]]])
    weight = exactly([[[1.0, 2.0]]])
    yield Sample("conv_transpose1d", _conv_transpose, [special, weight], {}, "special", False)


# ---- columns -------------------------------------------------------------------------------------
def _unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    if x.ndim == 3:
        return _unfold(x[None], kernel_size, dilation, padding, stride)[0]
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = (
        each(v, 2) for v in (kernel_size, dilation, padding, stride)
    )
    x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    oh = (x.shape[2] - dh * (kh - 1) - 1) // sh + 1
    ow = (x.shape[3] - dw * (kw - 1) - 1) // sw + 1
    y = np.zeros((*x.shape[:2], kh, kw, oh, ow))
    for i, j, a, b in np.ndindex(kh, kw, oh, ow):
        y[:, :, i, j, a, b] = x[:, :, a * sh + i * dh, b * sw + j * dw]
    return y.reshape(x.shape[0], x.shape[1] * kh * kw, oh * ow)


def _fold(x: Any, output_size: Any, kernel_size: Any, *how: Any, **options: Any) -> Any:
    if x.ndim == 2:
        return _fold(x[None], output_size, kernel_size, *how, **options)[0]
    h, w = each(output_size, 2)
    count = int(np.prod(each(kernel_size, 2)))
    c = x.shape[1] // count
    number = np.arange(1.0, h * w + 1).reshape(1, 1, h, w)
    place = _unfold(number, kernel_size, *how, **options)[0].astype(int)
    y = np.zeros((x.shape[0], c, h * w + 1))
    for i, j in np.ndindex(*place.shape):
        y[:, :, place[i, j]] += x.reshape(x.shape[0], c, count, x.shape[2])[:, :, i, j]
    return y[:, :, 1:].reshape(x.shape[0], c, h, w)


def _columns() -> Iterator[Sample]:
    for shape, options in (
        ((2, 2, 3, 3), {"kernel_size": 2}),
        ((1, 4, 5), {"kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 1)}),
        ((1, 1, 5, 4), {"kernel_size": 2, "dilation": (3, 1), "padding": 1, "stride": 2}),
        ((0, 2, 3, 3), {"kernel_size": 2}),
    ):
        yield Sample("unfold", _unfold, [real(*shape)], options)
        seen = _unfold(np.zeros(shape), **options).shape
        folded = {"output_size": shape[-2:], **options}
        yield Sample("fold", _fold, [real(*seen)], folded)


# ---- borders -------------------------------------------------------------------------------------
_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad(x: Any, pad_width: Any, mode: str = "constant", value: Any = 0) -> Any:
    if not x.ndim:
        return x
    widths = np.broadcast_to(pad_width, (x.ndim, 2))
    place = np.arange(x.size).reshape(x.shape)
    if mode in ("constant", "circular"):
        place = place[
            tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, x.shape))
        ]
    wide = np.pad(
        place,
        np.maximum(widths, 0),
        mode=_MODES[mode],  # type: ignore[call-overload]
        **({"constant_values": -1} if mode == "constant" else {}),
    )
    if mode not in ("constant", "circular"):
        rest = np.maximum(-widths, 0)
        wide = wide[tuple(slice(a, n - b) for (a, b), n in zip(rest, wide.shape))]
    return np.append(x, np.asarray(value, x.dtype))[wide]


def _pads() -> Iterator[Sample]:
    for mode in _MODES:
        for shape, width in (
            ((2, 3), 1),
            ((4,), (2, 1)),
            ((3, 4), ((0, 2), (3, 0))),
            ((3, 4), ((-1, 1), (2, -2))),
            ((3,), (7, 5)),
            ((1, 2), ((2, 0), (0, 1))),
            ((0, 2), ((0, 0), (1, 1))),
        ):
            yield Sample("pad", _pad, [real(*shape)], {"pad_width": width, "mode": mode})
    yield Sample("pad", _pad, [real(2, 2)], {"pad_width": (1, 0), "value": -1.5})
    attrs: dict[str, Any] = {"pad_width": (-1, 1), "value": inf}
    yield Sample("pad", _pad, [real(2, 2)], attrs, smooth=False)
    yield Sample("pad", _pad, [integers(2, 2)], {"pad_width": 1, "value": 3})
    yield Sample("pad", _pad, [real(0)], {"pad_width": (2, 1), "value": 2.0})
    yield Sample("pad", _pad, [real()], {"pad_width": 1, "mode": "reflect"})
    special = exactly([nan, inf, -inf])
    slopes = [[1.0, 2.0, 1.0]]
    attrs = {"pad_width": (0, 1), "mode": "reflect"}
    yield Sample("pad", _pad, [special], attrs, "special", False, slopes)


COMPOSED = [*_convolutions(), *_columns(), *_pads()]

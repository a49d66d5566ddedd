"""Samples of products, convolution, pooling, normalisation and losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, distinct, exactly, integers, positive, real

__all__ = ["SAMPLES"]

nan, inf = float("nan"), float("inf")


def _products() -> Iterator[Sample]:
    for a, b in (
        ((2, 3), (3, 4)),
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3,)),
        ((2, 4, 3), (3, 2)),
        ((2, 4, 3), (3,)),
        ((3,), (2, 3, 4)),
        ((2, 1, 2, 3), (4, 3, 2)),
        ((1, 2, 3), (1, 3, 1)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((2, 2, 3), (3, 0)),
        ((2, 0, 3), (3, 2)),
        ((0, 2, 3), (3, 2)),
    ):
        yield Sample("matmul", np.matmul, [real(*a), real(*b)])
    yield Sample("matmul", np.matmul, [integers(2, 3), integers(3, 2)])
    special = exactly([[nan, 1.0], [inf, 0.0]])
    yield Sample("matmul", np.matmul, [special, real(2, 2)], {}, "special", False, warns=True)
    for x, w, bias in (
        ((2, 3), (3, 4), (4,)),
        ((2, 3), (3, 4), None),
        ((2, 5, 3), (3, 2), (1, 2)),
        ((3,), (3, 2), (2,)),
        ((0, 3), (3, 2), (2,)),
        ((2, 2, 3), (3, 0), (0,)),
    ):
        inputs = [real(*x), real(*w), None if bias is None else real(*bias)]
        yield Sample("linear", _linear, inputs)
        turned = [real(*x), real(*w[::-1]), real(w[1]) if bias else None]
        yield Sample("project", _project, turned)


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    return np.einsum("...i,io->...o", x, weight) + (0.0 if bias is None else bias)


def _project(x: Any, weight: Any, bias: Any = None) -> Any:
    return _linear(x, weight.T, bias)


# ---- windows -------------------------------------------------------------------------------------
def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _windows(
    x: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, fill: float = 0.0
) -> Any:
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel, stride, padding, dilation))
    n, c, h, w = x.shape
    oh = (h + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    ow = (w + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    out = np.full((n, c, kh, kw, oh, ow), fill)
    for i, j, y, z in np.ndindex(kh, kw, oh, ow):
        row, column = y * sh + i * dh - ph, z * sw + j * dw - pw
        if 0 <= row < h and 0 <= column < w:
            out[:, :, i, j, y, z] = x[:, :, row, column]
    return out


def _windows_gradient(
    x: Any, shape: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Any:
    kernel = x.shape[2:4]
    number = np.arange(np.prod(shape)).reshape(shape).astype(float)
    place = _windows(number, kernel, stride, padding, dilation, fill=-1.0).astype(int)
    out = np.zeros(int(np.prod(shape)))
    np.add.at(out, place[place >= 0], x[place >= 0])
    return out.reshape(shape)


def _conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    seen = _windows(x, weight.shape[2:], stride, padding, dilation)
    parts = [
        np.einsum("ncijyz,ocij->noyz", s, w)
        for s, w in zip(np.split(seen, groups, 1), np.split(weight, groups, 0))
    ]
    y = np.concatenate(parts, axis=1)
    return y if bias is None else y + bias[:, None, None]


def _conv2d_input_gradient(x: Any, weight: Any, shape: Any, groups: int = 1, **how: Any) -> Any:
    parts = [
        np.einsum("noyz,ocij->ncijyz", g, w)
        for g, w in zip(np.split(x, groups, 1), np.split(weight, groups, 0))
    ]
    return _windows_gradient(np.concatenate(parts, axis=1), shape, **how)


def _conv2d_weight_gradient(x: Any, g: Any, shape: Any, groups: int = 1, **how: Any) -> Any:
    seen = _windows(x, shape[2:], **how)
    parts = [
        np.einsum("ncijyz,noyz->ocij", s, part)
        for s, part in zip(np.split(seen, groups, 1), np.split(g, groups, 1))
    ]
    return np.concatenate(parts, axis=0)


#: x, weight, options
CONVOLUTIONS: tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 2, 3, 4), (3, 2, 2, 3), {}),
    ((1, 2, 4, 3), (2, 2, 3, 3), {"stride": 2, "padding": 1}),
    ((1, 1, 5, 4), (2, 1, 2, 2), {"stride": (1, 2), "padding": (0, 1), "dilation": (2, 1)}),
    ((2, 4, 2, 2), (6, 2, 2, 1), {"groups": 2}),
    ((1, 2, 3, 3), (2, 1, 3, 3), {"groups": 2, "padding": 1}),
    ((2, 3, 2, 2), (2, 3, 1, 1), {}),
    ((1, 1, 5, 5), (1, 1, 2, 2), {"stride": 3}),
    ((0, 2, 3, 3), (2, 2, 2, 2), {}),
)


def _convolutions() -> Iterator[Sample]:
    for x, w, attrs in CONVOLUTIONS:
        y = _conv2d(np.zeros(x), np.zeros(w), **attrs).shape
        yield Sample("conv2d", _conv2d, [real(*x), real(*w), real(w[0])], attrs)
        yield Sample("conv2d", _conv2d, [real(*x), real(*w), None], attrs)
        yield Sample(
            "conv2d_input_gradient",
            _conv2d_input_gradient,
            [real(*y), real(*w)],
            {"shape": x, **attrs},
        )
        yield Sample(
            "conv2d_weight_gradient",
            _conv2d_weight_gradient,
            [real(*x), real(*y)],
            {"shape": w, **attrs},
        )
        how = {k: v for k, v in attrs.items() if k != "groups"}
        seen = _windows(np.zeros(x), w[2:], **how).shape
        yield Sample("windows", _windows, [real(*x)], {"kernel": w[2:], **how})
        yield Sample("windows_gradient", _windows_gradient, [real(*seen)], {"shape": x, **how})
    yield Sample("windows", _windows, [real(1, 1, 2, 2)], {"kernel": 2, "padding": 1, "fill": -1.5})
    special = exactly([[[[nan, 1.0, 2.0], [inf, 1.0, 2.0], [1.0, 1.0, 2.0]]]])
    yield Sample(
        "conv2d", _conv2d, [special, real(1, 1, 1, 2), None], {}, "special", False, warns=True
    )


# ---- pooling -------------------------------------------------------------------------------------
def _max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Any:
    stride = kernel_size if stride is None else stride
    return _windows(x, kernel_size, stride, padding, fill=-inf).max((2, 3))


def _avg_pool2d(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Any:
    stride = kernel_size if stride is None else stride
    seen = _windows(x, kernel_size, stride, padding, fill=0.0 if count_include_pad else nan)
    return np.nanmean(seen, axis=(2, 3))


def _max_pool2d_gradient(
    g: Any, x: Any, y: Any, kernel_size: Any, stride: Any = None, padding: Any = 0
) -> Any:
    stride = kernel_size if stride is None else stride
    chosen = _first_largest(_windows(x, kernel_size, stride, padding, fill=-inf)) != 0
    spread = np.where(chosen, g[:, :, None, None], 0.0)
    return _windows_gradient(spread, x.shape, stride, padding)


def _avg_pool2d_gradient(
    g: Any,
    shape: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = True,
) -> Any:
    stride = kernel_size if stride is None else stride
    seen = _windows(np.ones(shape), kernel_size, stride, padding)
    count = np.ones_like(seen) if count_include_pad else seen
    part = g[:, :, None, None] / count.sum((2, 3), keepdims=True)
    return _windows_gradient(np.broadcast_to(part, seen.shape), shape, stride, padding)


def _first_largest(x: Any) -> Any:
    n, c, kh, kw, oh, ow = x.shape
    flat = x.reshape(n, c, kh * kw, oh, ow)
    return (
        (flat.argmax(2)[:, :, None] == np.arange(kh * kw)[:, None, None])
        .astype(float)
        .reshape(x.shape)
    )


def _adaptive(x: Any, output_size: Any) -> Any:
    pair = output_size if isinstance(output_size, tuple) else (output_size, output_size)
    out = tuple(n if k is None else k for k, n in zip(pair, x.shape[2:]))
    y = np.zeros((*x.shape[:2], *out))
    for i, j in np.ndindex(*out):
        rows, columns = (
            slice(int(np.floor(k * n / m)), int(np.ceil((k + 1) * n / m)))
            for k, n, m in zip((i, j), x.shape[2:], out)
        )
        y[:, :, i, j] = x[:, :, rows, columns].mean((2, 3))
    return y


def _adaptive_gradient(g: Any, shape: Any) -> Any:
    number = np.eye(int(np.prod(shape[2:]))).reshape(-1, 1, *shape[2:])
    share = _adaptive(number, g.shape[2:])[:, 0]  # of each element of x in each of the result
    return np.einsum("ncij,pij->ncp", g, share).reshape(shape)


def _adaptive_pools() -> Iterator[Sample]:
    size: Any
    for shape, size in (
        ((2, 2, 4, 6), (2, 3)),
        ((1, 2, 5, 7), 3),
        ((2, 1, 3, 4), 1),
        ((1, 1, 2, 2), (3, None)),
        ((1, 1, 3, 3), (None, 2)),
        ((0, 1, 4, 4), 2),
    ):
        yield Sample("adaptive_avg_pool2d", _adaptive, [real(*shape)], {"output_size": size})
        g = _adaptive(np.zeros(shape), size).shape
        yield Sample(
            "adaptive_avg_pool2d_gradient", _adaptive_gradient, [real(*g)], {"shape": shape}
        )
    special = exactly([[[[nan, 1.0], [inf, 1.0]]]])
    attrs = {"output_size": 2}
    yield Sample("adaptive_avg_pool2d", _adaptive, [special], attrs, "special", False)


def _pools() -> Iterator[Sample]:
    for shape, attrs in (
        ((2, 2, 2, 4), {"kernel_size": 2}),
        ((1, 2, 5, 5), {"kernel_size": 3, "stride": 1, "padding": 1}),
        ((1, 1, 5, 4), {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 0)}),
        ((1, 1, 5, 5), {"kernel_size": 2, "stride": 3}),
        ((0, 1, 4, 4), {"kernel_size": 2}),
    ):
        yield Sample("max_pool2d", _max_pool2d, [distinct(*shape)], attrs)
        yield Sample("avg_pool2d", _avg_pool2d, [real(*shape)], attrs)
        uncounted = {**attrs, "count_include_pad": False}
        if shape[0]:
            yield Sample("avg_pool2d", _avg_pool2d, [real(*shape)], uncounted)
        x = distinct(*shape).array(0)
        y = _max_pool2d(x, **attrs)
        inputs = [real(*y.shape), exactly(x), exactly(y)]
        # y belongs to x: changing one of them alone has no slope
        yield Sample("max_pool2d_gradient", _max_pool2d_gradient, inputs, attrs, smooth=False)
        for how in (attrs, uncounted):
            options = {"shape": shape, **how}
            yield Sample("avg_pool2d_gradient", _avg_pool2d_gradient, [real(*y.shape)], options)
    yield Sample(
        "max_pool2d", _max_pool2d, [integers(1, 1, 4, 4)], {"kernel_size": 2}, dtype="int64"
    )
    yield Sample(
        "avg_pool2d", _avg_pool2d, [integers(1, 1, 4, 4)], {"kernel_size": 2}, dtype="float32"
    )
    ties = exactly([[[[3.0, 3.0], [1.0, 3.0]]]])
    slopes = [[[[[1.0, 0.0], [0.0, 0.0]]]]]
    yield Sample("max_pool2d", _max_pool2d, [ties], {"kernel_size": 2}, "ties", False, slopes)
    special = exactly([[[[nan, 1.0, -inf, -inf], [inf, 1.0, -inf, 2.0]]]])
    inputs = [exactly([[[[5.0, inf]]]]), special, exactly([[[[nan, 2.0]]]])]
    yield Sample(
        "max_pool2d_gradient", _max_pool2d_gradient, inputs, {"kernel_size": 2}, "special", False
    )
    yield Sample("max_pool2d", _max_pool2d, [special], {"kernel_size": 2}, "special", False)
    yield Sample("avg_pool2d", _avg_mean, [special], {"kernel_size": 2}, "special", False)
    for size in ((2, 1, 2, 3, 2, 2), (0, 1, 2, 2, 1, 1)):
        yield Sample("first_largest", _first_largest, [distinct(*size)])
    tied = exactly(np.ones((1, 1, 2, 2, 1, 1)))
    yield Sample("first_largest", _first_largest, [tied], note="ties")


def _avg_mean(x: Any, kernel_size: Any) -> Any:
    return _windows(x, kernel_size, kernel_size).mean((2, 3))


# ---- normalisation and losses --------------------------------------------------------------------
def _layer_norm(
    x: Any, weight: Any = None, bias: Any = None, axes: Any = -1, eps: float = 1e-5
) -> Any:
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    return y * (1.0 if weight is None else weight) + (0.0 if bias is None else bias)


def _layer_norm_gradient(
    g: Any, x: Any, weight: Any = None, axes: Any = -1, eps: float = 1e-5
) -> Any:
    scale = np.sqrt(x.var(axes, keepdims=True) + eps)
    n = (x - x.mean(axes, keepdims=True)) / scale
    g = g if weight is None else g * weight
    return (g - g.mean(axes, keepdims=True) - n * (g * n).mean(axes, keepdims=True)) / scale


def _layer_norm_affine_gradient(
    g: Any, x: Any, shape: Any, axes: Any = -1, eps: float = 1e-5
) -> Any:
    n = _layer_norm(x, axes=axes, eps=eps)
    full = (1,) * (x.ndim - len(shape)) + shape
    summed = tuple(i for i, k in enumerate(full) if k == 1)
    return np.stack([(t.sum(summed)).reshape(shape) for t in (g * n, g)])


def _batch_norm(
    x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    def wide(t: Any, default: float) -> Any:
        return default if t is None else t.reshape(-1, *(1,) * (x.ndim - 2))

    y = (x - wide(mean, 0.0)) / np.sqrt(wide(var, 1.0) + eps)
    return y * wide(weight, 1.0) + wide(bias, 0.0)


def _norms() -> Iterator[Sample]:
    x: tuple[int, ...]
    for x, affine, attrs in (
        ((2, 5), (5,), {}),
        ((2, 3, 4), (3, 4), {"axes": (1, 2), "eps": 1e-3}),
        ((3, 2, 4), (2, 1), {"axes": (0, -1)}),
        ((6, 3), (3,), {"axes": 0}),
        ((2, 3, 4), (2, 3, 4), {}),
        ((2, 3, 2, 2), (3, 1, 2), {"axes": (0, 2, 3)}),
        ((2, 3, 4), (4,), {"axes": 1}),
        ((4,), (4,), {}),
        ((0, 3), (3,), {}),
    ):
        yield Sample("layer_norm", _layer_norm, [real(*x), real(*affine), real(*affine)], attrs)
        yield Sample("layer_norm", _layer_norm, [real(*x), None, None], attrs)
        few = int(np.prod(x)) <= 10  # differences of second order take long
        for weight in (real(*affine), None):
            inputs = [real(*x), real(*x), weight]
            yield Sample("layer_norm_gradient", _layer_norm_gradient, inputs, attrs, smooth=few)
        inputs, options = [real(*x), real(*x)], {"shape": affine, **attrs}
        oracle = _layer_norm_affine_gradient
        yield Sample("layer_norm_affine_gradient", oracle, inputs, options, smooth=few)
    yield Sample("layer_norm", _layer_norm, [real(2, 5), real(5), None])
    yield Sample("layer_norm", _layer_norm, [real(2, 5), None, real(5)])
    constant = exactly(np.full((2, 3), 7.0))
    slopes = [np.zeros((2, 3)), None, None]
    inputs = [constant, None, None]
    yield Sample("layer_norm", _layer_norm, inputs, {}, "constant", False, slopes)
    yield Sample("layer_norm", _layer_norm, [integers(2, 3), None, None], dtype="float32")
    special = exactly([[nan, 1.0], [inf, 1.0], [1.0, 2.0]])
    yield Sample("layer_norm", _layer_norm, [special, None, None], note="special", smooth=False)
    for x in ((4, 3), (2, 3, 5), (2, 3, 2, 2), (0, 3)):
        inputs = [real(*x), real(3), positive(3)]
        yield Sample("batch_norm", _batch_norm, [*inputs, real(3), real(3)])
        yield Sample("batch_norm", _batch_norm, [*inputs, None, None], {"eps": 0.1})
    yield Sample("batch_norm", _batch_norm, [real(4, 3), real(3), positive(3), real(3), None])
    yield Sample(
        "batch_norm",
        _batch_norm,
        [exactly([[nan, inf], [1.0, 2.0]]), real(2), exactly([1.0, 0.0]), None, None],
        {"eps": 0.0},
        "special",
        smooth=False,
    )


def _cross_entropy(
    logits: Any,
    targets: Any,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Any:
    kept = targets != ignore_index
    targets = np.where(kept, targets, 0)
    axis = 1 if logits.ndim > 1 else 0
    rows = np.moveaxis(logits, axis, -1)
    log_share = rows - np.logaddexp.reduce(rows, axis=-1, keepdims=True)
    wanted = np.eye(rows.shape[-1])[targets]
    wanted = wanted * (1 - label_smoothing) + label_smoothing / rows.shape[-1]
    with np.errstate(invalid="ignore"):
        losses = -np.where(wanted == 0, 0.0, wanted * log_share).sum(-1) * kept
    return (
        losses if reduction == "none" else losses.sum() / (kept.sum() if reduction == "mean" else 1)
    )


def _cross_entropy_gradient(g: Any, logits: Any, targets: Any, **how: Any) -> Any:
    axis = 1 if logits.ndim > 1 else 0
    reduction, smoothing = how["reduction"], how["label_smoothing"]
    kept = targets != how.get("ignore_index")
    targets = np.where(kept, targets, 0)
    rows = np.moveaxis(logits, axis, -1)
    share = np.exp(rows - np.logaddexp.reduce(rows, axis=-1, keepdims=True))
    wanted = np.eye(rows.shape[-1])[targets] * (1 - smoothing) + smoothing / rows.shape[-1]
    scale = np.expand_dims(g * kept, -1) / (kept.sum() if reduction == "mean" else 1)
    return np.moveaxis((share - wanted) * scale, -1, axis)


def _of_none(logits: Any, targets: Any, reduction: str) -> Any:
    answers: dict[str, Any] = {"mean": nan, "sum": 0.0, "none": np.zeros(0)}
    return answers[reduction]


def _nothing(g: Any, logits: Any, targets: Any, **how: Any) -> Any:
    return np.zeros(logits.shape)


def _losses() -> Iterator[Sample]:
    for shape in ((4, 3), (2, 3, 2), (2, 3, 2, 2), (3,)):
        targets = integers(*(shape[:1] + shape[2:] if len(shape) > 1 else ()), low=0, high=3)
        for reduction in ("mean", "sum", "none"):
            for smoothing in (0.0, 0.2):
                attrs = {"reduction": reduction, "label_smoothing": smoothing}
                yield Sample("cross_entropy", _cross_entropy, [real(*shape), targets], attrs)
                g = real(*targets.shape) if reduction == "none" else real()
                inputs, oracle = [g, real(*shape), targets], _cross_entropy_gradient
                yield Sample("cross_entropy_gradient", oracle, inputs, attrs)
    for reduction, smooth in (("mean", False), ("sum", True), ("none", True)):
        yield Sample(
            "cross_entropy",
            _of_none,
            [real(0, 3), integers(0)],
            {"reduction": reduction},
            "none",
            smooth=smooth,
        )
        inputs = [real(0) if reduction == "none" else real(), real(0, 3), integers(0)]
        attrs = {"reduction": reduction, "label_smoothing": 0.0}
        yield Sample("cross_entropy_gradient", _nothing, inputs, attrs, "none", smooth=False)
    large = exactly([[1e4, 0.0], [-1e4, 1e4]])
    yield Sample("cross_entropy", _cross_entropy, [large, exactly([1, 1])], note="large")
    masked = exactly([[0.5, -inf, 1.0], [1.0, -inf, 2.0]])
    yield Sample("cross_entropy", _cross_entropy, [masked, exactly([0, 2])], {}, "masked", False)
    special = exactly([[nan, 1.0], [inf, 1.0]])
    attrs = {"reduction": "none"}
    yield Sample(
        "cross_entropy", _cross_entropy, [special, exactly([1, 0])], attrs, "special", False
    )


def _ignoring() -> Iterator[Sample]:
    for shape, targets in (((4, 3), [0, -7, 2, 1]), ((2, 3, 2), [[-7, 0], [1, -7]])):
        for reduction in ("mean", "sum", "none"):
            attrs = {"reduction": reduction, "label_smoothing": 0.2, "ignore_index": -7}
            given = [real(*shape), exactly(targets)]
            yield Sample("cross_entropy", _cross_entropy, given, attrs)
            g = real(*np.shape(targets)) if reduction == "none" else real()
            yield Sample("cross_entropy_gradient", _cross_entropy_gradient, [g, *given], attrs)


SAMPLES = [*_products(), *_convolutions(), *_pools(), *_adaptive_pools(), *_norms(), *_losses()]
SAMPLES += _ignoring()

"""Steps of pooling as native kernels, where channels are last in memory."""

from __future__ import annotations

from typing import Any

from minima.compiler.plan import Step, Value
from minima.threads import get_num_threads

from .stages import Call, Stages, parts, span, strides
from .windows import Pooling, largest_source, mean_source, spread_source, where_source

__all__ = ["POOLINGS"]

SPEED = 2e9  # elements in a second of one thread, about
MOST = 25  # elements of a window whose code is written out


def _last(value: Value) -> tuple[int, int, int]:
    """Return the strides of (N, C, H, W) along N, H, W, in elements."""
    n, _, h, w = strides(value)
    return n, h, w


def _suits(*values: Value | None) -> bool:
    """Say whether these are floats whose channels are neighbours in memory."""
    given = [v for v in values if v is not None]
    kinds = {v.dtype.str[1:] for v in given}
    runs = all(v.shape[1] == 1 or v.array.strides[1] == v.dtype.itemsize for v in given)
    return (
        len(given) == len(values)
        and runs
        and kinds in ({"f4"}, {"f8"})
        and all(v.array.size for v in given)
    )


def _pooling(x: Value, y: Value, attrs: dict[str, Any], **more: tuple[int, int, int]) -> Pooling:
    n, c, h, w = x.shape
    return Pooling(
        x.dtype.str[1:],
        n,
        (h, w, c),
        _last(x),
        attrs["kernel_size"],
        attrs["stride"],
        attrs.get("padding", (0, 0)),
        (y.shape[2], y.shape[3]),
        more.pop("out", _last(y)),
        **more,
    )


def _calls(source: str, entries: tuple[Value, ...], p: Pooling) -> Stages:
    """Divide the images over the threads."""
    h, w, c = p.size
    count = parts(p.images * h * w * c / SPEED, p.images, get_num_threads())
    return [[Call(source, entries, *span(p.images, i, count)) for i in range(count)]]


def _max(step: Step) -> Stages | None:
    (x,), y = step.inputs, step.output
    if not _suits(x, y) or x is None or _many(step):
        return None
    p = _pooling(x, y, step.attrs)
    return _calls(largest_source(p), (x, y), p)


def _many(step: Step) -> bool:
    kh, kw = step.attrs["kernel_size"]
    return bool(kh * kw > MOST)


def _max_gradient(step: Step) -> Stages | None:
    g, x, y = step.inputs
    total = step.output
    if not _suits(g, x, y, total) or g is None or x is None or y is None or _many(step):
        return None
    n, c, h, w = total.shape
    packed = (h * w * c, w * c, c)
    if g.shape != y.shape or (_last(total) != packed and n * h * w > 1):
        return None
    p = _pooling(x, y, step.attrs, slope=_last(g), total=packed)
    return _calls(where_source(p), (x, y, g, total), p)


def _even(image: tuple[int, ...], count: tuple[int, ...]) -> dict[str, Any] | None:
    """Return the windows of adaptive pooling, where all are as large and fill the image."""
    if any(n % k for n, k in zip(image, count)):
        return None
    size = tuple(n // k for n, k in zip(image, count))
    return {"kernel_size": size, "stride": size}


def _mean(step: Step) -> Stages | None:
    (x,), y = step.inputs, step.output
    if not _suits(x, y) or x is None:
        return None
    attrs: dict[str, Any] | None = step.attrs
    if step.name == "adaptive_avg_pool2d":
        attrs = _even(x.shape[2:], y.shape[2:])
    if attrs is None or any(attrs.get("padding", ())):
        return None
    p = _pooling(x, y, attrs)
    return _calls(mean_source(p), (x, y), p)


def _mean_gradient(step: Step) -> Stages | None:
    (g,), total = step.inputs, step.output
    if not _suits(g, total) or g is None:
        return None
    attrs = _even(total.shape[2:], g.shape[2:])
    if attrs is None:
        return None
    if step.name == "avg_pool2d_gradient":
        given = {k: step.attrs[k] for k in ("kernel_size", "stride")}
        if given != attrs or any(step.attrs["padding"]):
            return None
    p = _pooling(total, g, attrs, slope=_last(g))
    return _calls(spread_source(p), (g, total), p)


POOLINGS = {
    "max_pool2d": _max,
    "max_pool2d_gradient": _max_gradient,
    "avg_pool2d": _mean,
    "avg_pool2d_gradient": _mean_gradient,
    "adaptive_avg_pool2d": _mean,
    "adaptive_avg_pool2d_gradient": _mean_gradient,
}

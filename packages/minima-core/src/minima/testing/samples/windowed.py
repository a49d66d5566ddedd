"""Samples of pooling in one to three dimensions, and of its undoing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from .sample import Sample, distinct, exactly, integers, positive, real
from .spatial import each

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")
SAMPLES: list[Sample] = []


def _count(size: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    """Return how many windows there are along an axis, one by one."""
    found = 0
    while True:
        start = found * s - p
        end = start + d * (k - 1) + 1
        inside = end <= size + p
        if not inside and not (ceil_mode and start < size and end - s < size + p):
            return found
        found += 1


def _pooled(
    choose: Callable[[Any, Any, Any], Any],
    x: Any,
    n: int,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Any:
    """Return *choose*(elements, their numbers, places) of each window."""
    if x.ndim == n + 1:
        return _pooled(choose, x[None], n, kernel_size, stride, padding, dilation, ceil_mode)[0]
    stride = kernel_size if stride is None else stride
    k, s, p, d = (each(v, n) for v in (kernel_size, stride, padding, dilation))
    space = x.shape[2:]
    out = [_count(*t, ceil_mode) for t in zip(space, k, s, p, d)]
    number = np.arange(np.prod(space)).reshape(space)
    y: Any = np.zeros((*x.shape[:2], *out))
    for place in product(*map(range, out)):
        axes = [[a * b - c + e * f for f in range(g)] for a, b, c, e, g in zip(place, s, p, d, k)]
        inside = [[i for i in axis if 0 <= i < m] for axis, m in zip(axes, space)]
        grid = np.ix_(*inside)
        seen = x[:, :, *grid].reshape(*x.shape[:2], number[grid].size)
        y[:, :, *place] = choose(seen, number[grid].ravel(), list(zip(axes, space, p)))
    return y


def _first(seen: Any, number: Any, _: Any) -> Any:
    return number[np.argmax(seen, -1)]


def _max(n: int) -> Callable[..., Any]:
    def oracle(x: Any, *args: Any, return_indices: bool = False, **how: Any) -> Any:
        return _pooled(lambda seen, *_: seen.max(-1), x, n, *args, **how)

    return oracle


def _places(n: int) -> Callable[..., Any]:
    def oracle(x: Any, *args: Any, return_indices: bool = False, **how: Any) -> Any:
        return _pooled(_first, x, n, *args, **how).astype(np.int64)

    return oracle


def _avg(n: int) -> Callable[..., Any]:
    def oracle(
        x: Any, *args: Any, count_include_pad: bool = True, divisor_override: Any = None, **how: Any
    ) -> Any:
        def mean(seen: Any, number: Any, axes: Any) -> Any:
            count = number.size
            if count_include_pad:
                count = np.prod([sum(-p <= i < m + p for i in axis) for axis, m, p in axes])
            return seen.sum(-1) / (divisor_override or count)

        return _pooled(mean, x, n, *args, **how)

    return oracle


def _lp(n: int) -> Callable[..., Any]:
    def oracle(x: Any, norm_type: float, kernel_size: Any, stride: Any = None, **how: Any) -> Any:
        total = _avg(n)(x**norm_type, kernel_size, stride, **how) * np.prod(each(kernel_size, n))
        return total ** (1 / norm_type)

    return oracle


#: shape, options
POOLS: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 2, 5), {"kernel_size": 2}),
    ((2, 5), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((1, 1, 6), {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    ((1, 1, 2), {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    ((0, 1, 4), {"kernel_size": 2}),
    ((1, 2, 3, 4), {"kernel_size": (2, 3), "stride": 1, "padding": (1, 0)}),
    ((1, 4, 4), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ((0, 1, 3, 3), {"kernel_size": 2, "ceil_mode": True}),
    ((1, 2, 2, 3, 4), {"kernel_size": 2}),
    ((1, 3, 3, 2), {"kernel_size": (2, 3, 1), "stride": (1, 2, 1), "padding": (1, 1, 0)}),
    ((1, 1, 3, 4, 3), {"kernel_size": 2, "ceil_mode": True}),
    ((0, 1, 2, 3, 2), {"kernel_size": 2}),
)


def _axes(shape: tuple[int, ...], options: dict[str, Any]) -> int:
    """Return the number of axes of space that the row *shape*, *options* of `POOLS` means."""
    many = [len(v) for v in options.values() if isinstance(v, tuple)]
    return many[0] if many else max(1, len(shape) - 2)


def _pools() -> Iterator[Sample]:
    for shape, options in POOLS:
        n = _axes(shape, options)
        yield Sample(f"max_pool{n}d", _max(n), [distinct(*shape)], options)
        also = {**options, "return_indices": True}
        yield Sample(f"max_pool{n}d", _max(n), [distinct(*shape)], also)
        yield Sample(f"max_pool{n}d", _places(n), [distinct(*shape)], also, output=1)
        yield Sample(f"avg_pool{n}d", _avg(n), [real(*shape)], options)
        also = {**options, "count_include_pad": False}
        yield Sample(f"avg_pool{n}d", _avg(n), [real(*shape)], also)
        if n > 1:
            also = {**options, "divisor_override": 3}
            yield Sample(f"avg_pool{n}d", _avg(n), [real(*shape)], also)
        also = {k: v for k, v in options.items() if k != "padding"}
        for p in (2, 3.0):
            inputs = [positive(*shape)]
            yield Sample(f"lp_pool{n}d", _lp(n), inputs, {"norm_type": p, **also})
    for shape, options in (
        ((1, 2, 6), {"kernel_size": 2, "dilation": 3}),
        ((1, 4, 5), {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 1)}),
        ((1, 3, 3, 4), {"kernel_size": (2, 1, 2), "dilation": (1, 2, 2), "ceil_mode": True}),
    ):
        n = _axes(shape, options)
        yield Sample(f"max_pool{n}d", _max(n), [distinct(*shape)], options)
        also = {**options, "return_indices": True}
        yield Sample(f"max_pool{n}d", _places(n), [distinct(*shape)], also, output=1)
    ties = exactly([[3.0, 3.0, 1.0, 1.0, -inf, -inf]])
    slopes = [[[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]]]
    for also in ({}, {"return_indices": True}):
        options = {"kernel_size": 2, **also}
        yield Sample("max_pool1d", _max(1), [ties], options, "ties", False, slopes)
    special = exactly([[nan, 1.0, -inf, -inf, inf, nan]])
    options = {"kernel_size": 2, "return_indices": True}
    yield Sample("max_pool1d", _max(1), [special], options, "special", False)
    low = exactly([[-inf, -inf, 1.0]])
    options = {"kernel_size": 2, "padding": 1, "return_indices": True}
    yield Sample("max_pool1d", _places(1), [low], options, "low", False, output=1)
    options = {"kernel_size": 2, "ceil_mode": True}
    yield Sample("max_pool1d", _max(1), [integers(1, 5)], options, dtype="int64")
    yield Sample("avg_pool1d", _avg(1), [integers(1, 5)], options, dtype="float32")
    yield Sample("avg_pool1d", _avg(1), [special], {"kernel_size": 2}, "special", False)
    yield Sample("avg_pool3d", _avg(3), [integers(1, 2, 2, 2)], {"kernel_size": 2}, dtype="float32")


# ---- windows by the size of the result -----------------------------------------------------------
def _adaptive(choose: Callable[[Any, Any], Any], x: Any, n: int, output_size: Any) -> Any:
    if x.ndim == n + 1:
        return _adaptive(choose, x[None], n, output_size)[0]
    space = x.shape[2:]
    wanted: Any = each(output_size, n)
    out = [m if k is None else k for k, m in zip(wanted, space)]
    number = np.arange(np.prod(space)).reshape(space)
    y: Any = np.zeros((*x.shape[:2], *out))
    for place in product(*map(range, out)):
        window = tuple(
            slice(int(np.floor(i * m / k)), int(np.ceil((i + 1) * m / k)))
            for i, m, k in zip(place, space, out)
        )
        seen = x[:, :, *window].reshape(*x.shape[:2], number[window].size)
        y[:, :, *place] = choose(seen, number[window].ravel())
    return y


def _adaptive_of(n: int, what: str) -> Callable[..., Any]:
    choices: dict[str, Callable[[Any, Any], Any]] = {
        "mean": lambda seen, number: seen.mean(-1),
        "max": lambda seen, number: seen.max(-1),
        "place": lambda seen, number: number[seen.argmax(-1)],
    }

    def oracle(x: Any, output_size: Any, return_indices: bool = False) -> Any:
        y = _adaptive(choices[what], x, n, output_size)
        return y.astype(np.int64) if what == "place" else y

    return oracle


def _adaptives() -> Iterator[Sample]:
    size: Any
    for shape, size in (
        ((2, 2, 5), 3),
        ((2, 4), 2),
        ((1, 1, 2), 5),
        ((0, 1, 4), 3),
        ((1, 2, 3, 4), (2, 3)),
        ((1, 4, 4), (2, None)),
        ((0, 1, 3, 4), (2, 3)),
        ((1, 2, 3, 2, 4), (2, 3, 3)),
        ((2, 4, 2, 2), (2, 1, None)),
        ((0, 1, 3, 3, 2), (1, 1, 1)),
    ):
        n = len(size) if isinstance(size, tuple) else 1
        attrs = {"output_size": size}
        yield Sample(f"adaptive_avg_pool{n}d", _adaptive_of(n, "mean"), [real(*shape)], attrs)
        inputs, name = [distinct(*shape)], f"adaptive_max_pool{n}d"
        yield Sample(name, _adaptive_of(n, "max"), inputs, attrs)
        also = {**attrs, "return_indices": True}
        yield Sample(name, _adaptive_of(n, "max"), inputs, also)
        yield Sample(name, _adaptive_of(n, "place"), inputs, also, output=1)
    ties, slopes = exactly([[2.0, 5.0, 5.0]]), [[[0.0, 2.0, 0.0]]]
    attrs = {"output_size": 2}
    oracle = _adaptive_of(1, "max")
    yield Sample("adaptive_max_pool1d", oracle, [ties], attrs, "ties", False, slopes)
    special = exactly([[nan, 1.0, -inf, -inf]])
    yield Sample("adaptive_max_pool1d", oracle, [special], {"output_size": 3}, "special", False)


def _unpool(n: int) -> Callable[..., Any]:
    def oracle(
        x: Any,
        indices: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        output_size: Any = None,
    ) -> Any:
        stride = kernel_size if stride is None else stride
        k, s, p = (each(v, n) for v in (kernel_size, stride, padding))
        lead = x.shape[: x.ndim - n]
        out = [(m - 1) * b - 2 * c + a for m, a, b, c in zip(x.shape[-n:], k, s, p)]
        out = out if output_size is None else list(output_size)[-n:]
        y = np.zeros((*lead, int(np.prod(out))))
        flat = (*lead, int(np.prod(x.shape[-n:])))
        np.put_along_axis(y, indices.reshape(flat), x.reshape(flat), -1)
        return y.reshape(*lead, *out)

    return oracle


def _unpools() -> Iterator[Sample]:
    for shape, options, size in (
        ((1, 2, 6), {"kernel_size": 2}, None),
        ((2, 7), {"kernel_size": 2}, (2, 7)),
        ((0, 1, 4), {"kernel_size": 2}, None),
        ((1, 1, 5, 5), {"kernel_size": 2, "stride": 3}, None),
        ((2, 4, 6), {"kernel_size": (2, 3)}, None),
        ((0, 1, 4, 4), {"kernel_size": 2}, None),
        ((1, 1, 2, 4, 3), {"kernel_size": (2, 2, 1)}, None),
        ((0, 1, 2, 4, 2), {"kernel_size": (2, 2, 1)}, None),
    ):
        n = _axes(shape, options)
        places = exactly(_places(n)(distinct(*shape).array(0), **options))
        attrs = {**options, "output_size": size} if size else options
        yield Sample(f"max_unpool{n}d", _unpool(n), [real(*places.shape), places], attrs)


COMPOSED = [*_pools(), *_adaptives(), *_unpools()]

"""Steps of recurrent layers as native kernels: forward, and the gradients of all inputs."""

from __future__ import annotations

from minima.compiler.plan import Step, Value
from minima.threads import get_num_threads

from .cell_gradients import Slopes, bias_source, slopes_source, weight_source
from .cells import Layer, forward_source, pack_source
from .stages import Call, Scratch, Stages, parts, span, strides

__all__ = ["RECURRENT"]

SPEED = 4e10  # multiply-adds in a second of one thread, about


def _suits(*values: Value | None) -> bool:
    given = [v for v in values if v is not None]
    kinds = {v.dtype.str[1:] for v in given}
    return kinds in ({"f4"}, {"f8"}) and all(v.array.size for v in given)


def _dense(*values: Value | None) -> bool:
    """Say whether the elements of all *values* lie one after the other."""
    return all(v is None or v.array.flags.c_contiguous for v in values)


def _calls(source: str, entries: tuple[object, ...], items: int, seconds: float) -> list[Call]:
    """Divide *items* of work over the threads."""
    count = parts(seconds, items, get_num_threads())
    return [Call(source, entries, *span(items, i, count)) for i in range(count)]


def _seconds(layer: Layer) -> float:
    return layer.steps * layer.rows * layer.wide * layer.size / SPEED


def _forward(
    gates: Value, h: Value, c: Value, weight: Value, bias: Value | None, y: Value
) -> Stages | None:
    """*c* is what is carried beside h, h itself where there is nothing else."""
    if not _suits(gates, h, c, weight, bias, y) or not _dense(h, c, bias, y):
        return None
    along = strides(gates)
    if along[2] != 1:
        return None
    steps, rows, wide = gates.shape
    size = h.shape[1]
    kind = y.dtype.str[1:]
    layer = Layer(kind, wide // size, steps, rows, size, (along[0], along[1]), bias is not None)
    packed = Scratch(layer.packed * y.dtype.itemsize)
    turned = strides(weight)
    first = Call(pack_source(layer, (turned[0], turned[1])), (weight, packed), 0, layer.gates)
    entries = (gates, h, c, packed, h if bias is None else bias, y)
    return [[first], _calls(forward_source(layer), entries, layer.tiles.count, _seconds(layer))]


def _lstm(step: Step) -> Stages | None:
    gates, h, c, weight = step.inputs
    if gates is None or h is None or c is None or weight is None:
        return None
    return _forward(gates, h, c, weight, None, step.output)


def _gru(step: Step) -> Stages | None:
    gates, h, weight, bias = step.inputs
    if gates is None or h is None or weight is None:
        return None
    return _forward(gates, h, h, weight, bias, step.output)


def _gradient(
    g: Value, y: Value, h: Value, c: Value, weight: Value, out: Value, gates: int
) -> Stages | None:
    """*c* is what is carried beside h, h itself where there is nothing else."""
    if not _suits(g, y, h, c, weight, out) or not _dense(g, y, h, c, out):
        return None
    row, along = strides(weight)
    _, steps, rows, size = y.shape
    layer = Layer(y.dtype.str[1:], gates, steps, rows, size, weight_row=row)
    if along != 1 and size > 1:
        return None
    slopes, item, seconds = Slopes(layer), y.dtype.itemsize, _seconds(layer)
    hidden: Value | Scratch = out
    sizes = [steps * rows * layer.wide, layer.state, layer.state * layer.long, weight.array.size]
    of_h, of_c, of_weight, of_bias = ((out, sum(sizes[: i + 1]) * item) for i in range(4))
    if not layer.long:
        hidden = Scratch(sizes[0] * item)
        of_c = of_h
    places = (g, y, c, weight, out, hidden, of_h, of_c)
    back = _calls(slopes_source(layer), places, slopes.rows.count, seconds)
    sums = _calls(
        weight_source(layer), (hidden, h, y, of_weight), slopes.weight_rows.count, seconds
    )
    if layer.long:
        return [back, sums]
    last = Call(bias_source(layer), (hidden, of_bias), 0, slopes.vectors.count)
    return [back, [*sums, last]] if len(sums) > 1 else [back, sums, [last]]


def _lstm_gradient(step: Step) -> Stages | None:
    g, y, h, c, weight = step.inputs
    if g is None or y is None or h is None or c is None or weight is None:
        return None
    return _gradient(g, y, h, c, weight, step.output, 4)


def _gru_gradient(step: Step) -> Stages | None:
    g, y, h, weight = step.inputs
    if g is None or y is None or h is None or weight is None:
        return None
    return _gradient(g, y, h, h, weight, step.output, 3)


RECURRENT = {
    "lstm": _lstm,
    "lstm_gradient": _lstm_gradient,
    "gru": _gru,
    "gru_gradient": _gru_gradient,
}

"""Operators that reduce along axes, as scalar expressions; more of the table of `lowering`."""

from __future__ import annotations

from math import prod

from .lowering import Context, Rule, lowering
from .scalar import Node, Unfit, kind_of


def _reduction(kind: str) -> Rule:
    def rule(c: Context) -> Node:
        x = c.x(0)
        if kind_of(c.step.output.dtype) != x.kind:
            raise Unfit
        return c.reduce(kind, x, c.step.attrs["axis"])

    return rule


for _name in ("sum", "max", "min"):
    lowering(_name, domain=0, attr="axis")(_reduction(_name))


def _mean(c: Context, x: Node, axes: tuple[int, ...], less: float = 0) -> Node:
    """Return the mean along *axes* as a sum of parts, which may leave the group."""
    return c.reduce("sum", c.scale(x, 1.0 / (c.count(axes) - less)), axes)


def _level(c: Context, x: Node, axes: tuple[int, ...]) -> Node:
    """Return the mean along *axes* for use in the row."""
    return c.div(c.reduce("sum", x, axes), c.number(c.count(axes), x.kind))


@lowering("mean", domain=0, attr="axis")
def _(c: Context) -> Node:
    return _mean(c, c.x(0), c.step.attrs["axis"])


@lowering("var", domain=0, attr="axis")
def _(c: Context) -> Node:
    axes, x = c.step.attrs["axis"], c.x(0)
    less = c.step.attrs["correction"]
    if c.count(axes) <= less:
        raise Unfit
    centred = c.sub(x, _level(c, x, axes))
    return _mean(c, c.mul(centred, centred), axes, less)


@lowering("softmax_gradient")
def _(c: Context) -> Node:
    g, y = c.x(0), c.x(1)
    return c.mul(c.sub(g, c.reduce("sum", c.mul(g, y), c.step.attrs["axis"])), y)


@lowering("softmax", domain=0)
def _(c: Context) -> Node:
    return _softmax(c, c.x(0), c.step.attrs["axis"])


def _softmax(c: Context, x: Node, axes: tuple[int, ...]) -> Node:
    e = c.op("exp", c.sub(x, c.reduce("max", x, axes)))
    return c.mul(e, c.div(c.number(1, e.kind), c.reduce("sum", e, axes)))


@lowering("log_softmax", domain=0)
def _(c: Context) -> Node:
    axes, x = (c.step.attrs["axis"],), c.x(0)
    z = c.sub(x, c.reduce("max", x, axes))
    return c.sub(z, c.op("log", c.reduce("sum", c.op("exp", z), axes)))


@lowering("logsumexp", domain=0, attr="axis")
def _(c: Context) -> Node:
    axes, x = c.step.attrs["axis"], c.x(0)
    top = c.reduce("max", x, axes)
    safe = c.op("select", c.op("isfinite", top), top, c.number(0, x.kind))
    return c.add(c.op("log", c.reduce("sum", c.op("exp", c.sub(x, safe)), axes)), safe)


def _normalised(c: Context, x: Node) -> tuple[Node, Node]:
    """Return x normalised, and what it was multiplied by."""
    axes = c.step.attrs["axes"]
    centred = c.sub(x, _level(c, x, axes))
    variance = _level(c, c.mul(centred, centred), axes)
    spread = c.op("sqrt", c.add(variance, c.attr("eps", x)))
    inverse = c.div(c.number(1, x.kind), spread)
    return c.mul(centred, inverse), inverse


@lowering("layer_norm_gradient", domain=0)
def _(c: Context) -> Node:
    axes, g = c.step.attrs["axes"], c.x(0)
    normed, inverse = _normalised(c, c.x(1))
    if c.step.inputs[2] is not None:
        g = c.mul(g, c.x(2))
    along = c.mul(normed, _level(c, c.mul(g, normed), axes))
    return c.mul(c.sub(c.sub(g, _level(c, g, axes)), along), inverse)


@lowering("layer_norm_affine_gradient", domain=0, attr="shape")
def _(c: Context) -> tuple[Node, ...]:
    return _affine(c, c.x(0), _normalised(c, c.x(1))[0])


@lowering("affine_sums", domain=0, attr="shape")  # no operator: a part of the one above
def _(c: Context) -> tuple[Node, ...]:
    return _affine(c, c.x(0), c.x(1))


def _affine(c: Context, g: Node, normed: Node) -> tuple[Node, ...]:
    shape, sizes = c.step.attrs["shape"], c.step.inputs[0].shape  # type: ignore[union-attr]
    lead = len(sizes) - len(shape)
    gone = tuple(a for a, n in enumerate(sizes) if a < lead or shape[a - lead] != n)
    return c.reduce("sum", c.mul(g, normed), gone), c.reduce("sum", g, gone)


@lowering("layer_norm", domain=0)
def _(c: Context) -> Node:
    y, _ = _normalised(c, c.x(0))
    if c.step.inputs[1] is not None:
        y = c.mul(y, c.x(1))
    return y if c.step.inputs[2] is None else c.add(y, c.x(2))


@lowering("cross_entropy", domain=0, attr="reduction")
def _(c: Context) -> Node:
    if c.step.attrs["ignore_index"] is not None:
        raise Unfit  # the mean's divisor is a reduction of its own
    shape = c.step.inputs[0].shape  # type: ignore[union-attr]
    classes = 1 if len(shape) > 1 else 0
    rest = tuple(a for a in range(len(shape)) if a != classes)
    x, target = c.x(0), c.cast(c.x(1, rest), "i8")
    smoothing, zero = c.step.attrs["label_smoothing"], c.number(0, x.kind)
    z = c.sub(x, c.reduce("max", x, (classes,)))
    total = c.op("log", c.reduce("sum", c.op("exp", z), (classes,)))
    chosen = c.op("select", c.op("eq", c.index(classes), target), z, zero)
    loss = c.sub(total, c.scale(c.reduce("sum", chosen, (classes,)), 1.0 - smoothing))
    if smoothing:
        loss = c.sub(loss, c.scale(c.reduce("sum", z, (classes,)), smoothing / shape[classes]))
    reduction = c.step.attrs["reduction"]
    if reduction == "none" or not rest:
        return loss
    return c.reduce("sum", loss, rest) if reduction == "sum" else _mean(c, loss, rest)


@lowering("cross_entropy_gradient", domain=1)
def _(c: Context) -> Node:
    if c.step.attrs["ignore_index"] is not None:
        raise Unfit
    shape = c.step.inputs[1].shape  # type: ignore[union-attr]
    classes = 1 if len(shape) > 1 else 0
    rest = tuple(a for a in range(len(shape)) if a != classes)
    x, target = c.x(1), c.cast(c.x(2, rest), "i8")
    wanted = c.cast(c.op("eq", c.index(classes), target), x.kind)
    smoothing, reduction = c.step.attrs["label_smoothing"], c.step.attrs["reduction"]
    if smoothing:
        more = c.number(smoothing / shape[classes], x.kind)
        wanted = c.add(c.scale(wanted, 1.0 - smoothing), more)
    g = c.x(0, rest) if reduction == "none" else c.x(0)
    if reduction == "mean":
        g = c.scale(g, 1.0 / prod(shape[a] for a in rest))
    return c.mul(g, c.sub(_softmax(c, x, (classes,)), wanted))

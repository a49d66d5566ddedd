"""What each operator computes, as scalar expressions: the one table that every printer shares.

``@lowering("name")`` enters a function of a `Context`; it returns the node of the step's output.
An operator that is not here is run as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, prod
from typing import Any

from .plan import Step
from .scalar import LIBM, Node, Unfit, kind_of

__all__ = ["LOWERINGS", "Context", "Lowering", "lowering"]


class Context:
    """What a lowering works with: the step's inputs and attributes as nodes, and operations.

    The group that the step joins defines `x`, `number`, `index` and `reduce`.
    """

    step: Step

    def x(self, i: int, dims: tuple[int, ...] | None = None) -> Node:
        """Return an element of the i-th input, whose axes lie along *dims* of the domain."""
        raise NotImplementedError

    def number(self, value: Any, kind: str) -> Node:
        """Return a Python number or a live one."""
        raise NotImplementedError

    def index(self, axis: int) -> Node:
        """Return the index along *axis* of the step's domain, of kind i8."""
        raise NotImplementedError

    def reduce(self, kind: str, x: Node, axes: tuple[int, ...]) -> Node:
        """Return the "sum", "max" or "min" of *x* along *axes* of the step's domain."""
        raise NotImplementedError

    def op(self, name: str, *args: Node) -> Node:
        """Return an operation on nodes."""
        raise NotImplementedError

    def cast(self, x: Node, kind: str) -> Node:
        """Return *x* as another kind of element."""
        raise NotImplementedError

    # ---- what follows from these -----------------------------------------------------------------
    def attr(self, name: str, like: Node) -> Node:
        """Return the number that the step has as an attribute, of the kind of *like*."""
        return self.number(self.step.attrs[name], like.kind)

    def add(self, a: Node, b: Node) -> Node:
        """Return a + b."""
        return self.op("add", a, b)

    def sub(self, a: Node, b: Node) -> Node:
        """Return a - b."""
        return self.op("sub", a, b)

    def mul(self, a: Node, b: Node) -> Node:
        """Return a * b."""
        return self.op("mul", a, b)

    def div(self, a: Node, b: Node) -> Node:
        """Return a / b."""
        return self.op("div", a, b)

    def scale(self, x: Node, factor: float) -> Node:
        """Return x times a constant."""
        return self.mul(x, self.number(factor, x.kind))

    def count(self, axes: tuple[int, ...]) -> int:
        """Return the number of elements along *axes* of the step's domain."""
        shape = self.step.inputs[0].shape  # type: ignore[union-attr]
        return prod(shape[a] for a in axes)


#: returns the node of the output, or one for each index of its first axis
Rule = Callable[[Context], Node | tuple[Node, ...]]


class Lowering:
    """An entry: the rule, the input whose shape is the domain (None: the output's), reduced axes.

    *attr* names the attribute with the axes of the domain along which the output was reduced.
    *layout* returns an array that has the domain's shape and lies as the output does.
    """

    def __init__(
        self,
        rule: Rule,
        domain: int | None = None,
        attr: str = "",
        layout: Callable[[Step], Any] | None = None,
    ) -> None:
        self.rule, self.domain, self.attr, self.layout = rule, domain, attr, layout

    def shape(self, step: Step) -> tuple[int, ...]:
        """Return the shape over which the step loops."""
        value = step.output if self.domain is None else step.inputs[self.domain]
        return value.shape  # type: ignore[union-attr]

    def reduced(self, step: Step) -> tuple[int, ...]:
        """Return the axes of the domain that the output lacks."""
        if self.attr == "":
            return ()
        if self.attr == "reduction":  # of losses
            return _loss_axes(step)
        if self.attr == "shape":  # of weights, which are as long as the last axes
            return tuple(range(len(step.inputs[0].shape) - len(step.attrs["shape"])))  # type: ignore[union-attr]
        if step.attrs.get("keepdims"):
            return ()
        axes: tuple[int, ...] = step.attrs[self.attr]
        return axes


def _loss_axes(step: Step) -> tuple[int, ...]:
    shape = step.inputs[0].shape  # type: ignore[union-attr]
    classes = 1 if len(shape) > 1 else 0
    return (classes,) if step.attrs["reduction"] == "none" else tuple(range(len(shape)))


LOWERINGS: dict[str, Lowering] = {}


def lowering(
    *names: str,
    domain: int | None = None,
    attr: str = "",
    layout: Callable[[Step], Any] | None = None,
) -> Callable[[Rule], Rule]:
    """Enter a rule under *names*."""

    def enter(rule: Rule) -> Rule:
        for name in names:
            LOWERINGS[name] = Lowering(rule, domain, attr, layout)
        return rule

    return enter


# ---- element by element --------------------------------------------------------------------------
_PLAIN = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "negative": "neg",
    "maximum": "max", "minimum": "min", "abs": "abs", "sqrt": "sqrt",
    "sigmoid": "sigmoid", "sign": "sign", "power": "pow", "equal": "eq",
    "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
    "bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor", "isnan": "isnan",
    "isinf": "isinf", "isfinite": "isfinite", "where": "select", "bitwise_invert": "not",
}  # fmt: skip


def _plain(name: str) -> Rule:
    return lambda c: c.op(name, *(c.x(i) for i in range(len(c.step.inputs))))


for _operator, _name in (*_PLAIN.items(), *((name, name) for name in LIBM - {"pow"})):
    lowering(_operator)(_plain(_name))


@lowering("square")
def _(c: Context) -> Node:
    x = c.x(0)
    return c.mul(x, x)


def _rounding(name: str) -> Rule:
    def rule(c: Context) -> Node:
        x = c.x(0)
        return c.op(name, x) if x.kind[0] == "f" else x

    return rule


for _operator, _name in {
    "floor": "floor",
    "ceil": "ceil",
    "trunc": "trunc",
    "round": "rint",
}.items():
    lowering(_operator)(_rounding(_name))


@lowering("logical_not")
def _(c: Context) -> Node:
    x = c.x(0)
    return c.op("not", x) if x.kind == "b1" else c.op("eq", x, c.number(0, x.kind))


@lowering("copy")
def _(c: Context) -> Node:
    return c.x(0)


@lowering("constant")
def _(c: Context) -> Node:
    values = c.step.attrs["values"]
    if not values.size or (values != values.flat[0]).any():
        raise Unfit
    return c.number(values.flat[0].item(), kind_of(values.dtype))


@lowering("astype")
def _(c: Context) -> Node:
    x, kind = c.x(0), kind_of(c.step.attrs["dtype"])
    if x.kind[0] == "f" and kind[0] == "i":  # what does not fit is undefined, and differs
        raise Unfit
    if kind == "b1":
        return c.op("ne", x, c.number(0, x.kind))
    return c.cast(x, kind)


@lowering("write")
def _(c: Context) -> Node:
    if c.step.attrs["index"] not in (..., (...,)):
        raise Unfit
    return c.x(1)


def _in_old_shape(step: Step) -> Any:
    x, y = step.inputs[0], step.output
    if x is None or not y.array.flags.c_contiguous:
        raise Unfit
    return y.array.reshape(x.shape)


@lowering("reshape", domain=0, layout=_in_old_shape)
def _(c: Context) -> Node:
    return c.x(0)


@lowering("add_scaled")
def _(c: Context) -> Node:
    a, b = c.x(0), c.x(1)
    return c.add(a, c.mul(b, c.attr("value", b)))


@lowering("addcmul")
def _(c: Context) -> Node:
    product = c.mul(c.x(1), c.x(2))
    return c.add(c.x(0), c.mul(product, c.attr("value", product)))


@lowering("addcdiv")
def _(c: Context) -> Node:
    ratio = c.div(c.x(1), c.x(2))
    return c.add(c.x(0), c.mul(ratio, c.attr("value", ratio)))


@lowering("lerp")
def _(c: Context) -> Node:
    start = c.x(0)
    return c.add(start, c.mul(c.sub(c.x(1), start), c.attr("weight", start)))


@lowering("power_scalar")
def _(c: Context) -> Node:
    x, scalar = c.x(0), c.step.attrs["scalar"]
    if x.kind[0] != "f":
        raise Unfit
    if scalar in (1, 2, 3):
        return c.mul(c.mul(x, x), x) if scalar == 3 else c.mul(x, x) if scalar == 2 else x
    if scalar == 0.5:
        return c.op("sqrt", x)
    if scalar == -1:
        return c.div(c.number(1, x.kind), x)
    return c.op("pow", x, c.attr("scalar", x))


@lowering("logaddexp")
def _(c: Context) -> Node:
    a, b = c.x(0), c.x(1)
    bend = c.op("log1p", c.op("exp", c.op("neg", c.op("abs", c.sub(a, b)))))
    bend = c.op("select", c.op("eq", a, b), c.number(log(2), a.kind), bend)  # infinities are equal
    return c.add(c.op("max", a, b), bend)


@lowering("softplus")
def _(c: Context) -> Node:
    x = c.x(0)
    beta = c.attr("beta", x)
    z = c.mul(x, beta)
    bend = c.op("log1p", c.op("exp", c.op("neg", c.op("abs", z))))
    bend = c.div(c.add(bend, c.op("max", z, c.number(0, z.kind))), beta)
    return c.op("select", c.op("gt", z, c.attr("threshold", z)), x, bend)


@lowering("relu")
def _(c: Context) -> Node:
    x = c.x(0)
    return c.op("max", x, c.number(0, x.kind))


@lowering("relu_gradient")
def _(c: Context) -> Node:
    g, y = c.x(0), c.x(1)
    return c.op("select", c.op("le", y, c.number(0, y.kind)), c.number(0, g.kind), g)


@lowering("clip")
def _(c: Context) -> Node:
    x = c.x(0)
    for name, op in (("min", "max"), ("max", "min")):
        if c.step.attrs[name] is not None:
            x = c.op(op, x, c.attr(name, x))
    return x


@lowering("share")
def _(c: Context) -> Node:
    a, b = c.x(0), c.x(1)
    zero, half, one = (c.number(n, a.kind) for n in (0, 0.5, 1))
    equal = c.op("select", c.op("eq", a, b), half, zero)
    return c.op("select", c.op("gt", a, b), one, equal)


@lowering("gelu")
def _(c: Context) -> Node:
    x = c.x(0)
    half = c.scale(x, 0.5)
    if c.step.attrs["approximate"] == "tanh":
        cubic = c.scale(c.mul(c.mul(x, x), x), 0.044715)
        inner = c.op("tanh", c.scale(c.add(x, cubic), 0.7978845608028654))
    else:
        inner = c.op("erf", c.scale(x, 0.7071067811865476))
    return c.mul(half, c.add(inner, c.number(1, x.kind)))


@lowering("gelu_gradient")
def _(c: Context) -> Node:
    g, x = c.x(0), c.x(1)
    one, xx = c.number(1, x.kind), c.mul(x, x)
    if c.step.attrs["approximate"] == "tanh":
        inner = c.mul(c.add(c.scale(xx, 0.044715), one), x)
        t = c.op("tanh", c.scale(inner, 0.7978845608028654))
        slope = c.scale(c.add(c.scale(xx, 3 * 0.044715), one), 0.7978845608028654)
        bend = c.mul(c.sub(one, c.mul(t, t)), c.mul(x, slope))
        return c.mul(g, c.scale(c.add(c.add(t, one), bend), 0.5))
    below = c.scale(c.add(c.op("erf", c.scale(x, 0.7071067811865476)), one), 0.5)
    density = c.scale(c.op("exp", c.scale(xx, -0.5)), 0.3989422804014327)
    return c.mul(g, c.add(below, c.mul(x, density)))


@lowering("one_hot")
def _(c: Context) -> Node:
    axis = len(c.step.output.shape) - 1
    wanted = c.cast(c.x(0, tuple(range(axis))), "i8")
    return c.cast(c.op("eq", c.index(axis), wanted), kind_of(c.step.output.dtype))


@lowering("batch_norm")
def _(c: Context) -> Node:
    mean, var = c.x(1, (1,)), c.x(2, (1,))
    spread = c.op("sqrt", c.add(var, c.attr("eps", var)))
    weight = c.number(1, var.kind) if c.step.inputs[3] is None else c.x(3, (1,))
    y = c.mul(c.sub(c.x(0), mean), c.div(weight, spread))
    return y if c.step.inputs[4] is None else c.add(y, c.x(4, (1,)))


from . import lowering_rows  # noqa: E402, F401  (it enters its operators into the table)

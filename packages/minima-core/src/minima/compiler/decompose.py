"""Operators as several smaller steps, where these fuse better with what is around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .outline import outline, outline_like
from .plan import Plan, Step, Value

__all__ = ["RECOMPUTED", "decompose"]

#: the region of steps whose value is cheaper to compute wherever it is read than to keep
RECOMPUTED = "recomputed"


def decompose(plan: Plan) -> None:
    """Take products from their bias, and normalisation along scattered axes into its passes.

    Normalisation along the last axis in memory is one walk over each row, and stays whole. Along
    others, as batch norm with the channels last, it is sums over all rows, then a pass.
    """
    steps: list[Step] = []
    known: Known = {}
    written = plan.written()
    for step in plan.steps:
        rule = _RULES.get(step.name) if step.call is None else None
        fixed = known if step.inputs and all(v.root not in written for v in step.reads()) else {}
        parts = None if rule is None else rule(Parts(plan, step, fixed))
        steps += [step] if parts is None else parts
    plan.steps = steps


#: means and scales that were computed before, by value, axes and epsilon
Known = dict[tuple[Any, ...], Value]


class Parts:
    """The steps that take the place of one."""

    def __init__(self, plan: Plan, step: Step, known: Known) -> None:
        self.plan, self.step, self.known = plan, step, known
        self.steps: list[Step] = []

    def last(self, name: str, *inputs: Value | None, **attrs: Any) -> list[Step]:
        """Append a step that writes the output of the original one; return all."""
        step, output = self.step, self.step.output
        again = step.in_place or any(s.output is output for s in self.steps)
        made = Step(name, inputs, attrs, output, in_place=again, line=step.line, region=step.region)
        self.steps.append(made)
        return self.steps

    def new(self, like: Any, name: str, *inputs: Value, **attrs: Any) -> Value:
        """Append a step that makes a new value, laid out as the array *like*; return that."""
        output = self.plan.new_value(outline_like(like))
        again = RECOMPUTED if output.shape == inputs[0].shape and output.shape != () else None
        again = None if name == "mean" or 1 in output.shape else again
        self.steps.append(Step(name, inputs, attrs, output, line=self.step.line, region=again))
        return output

    def number(self, value: float, dtype: Any) -> Value:
        """Return a constant."""
        found = self.plan.new_value(np.asarray(value, dtype), "external")
        found.constant = True
        return found

    def mean(self, x: Value, axes: tuple[int, ...]) -> Value:
        """Return the mean along *axes*, which stay with length 1."""
        kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        return self.new(outline(kept, x.dtype), "mean", x, axis=axes, keepdims=True)

    def centred(self, x: Value, axes: tuple[int, ...]) -> Value:
        """Return x less its mean; computed each time, as keeping it would cost a buffer."""
        key = ("mean", x, axes)
        if key not in self.known:
            self.known[key] = self.mean(x, axes)
        return self.new(x.array, "subtract", x, self.known[key])

    def variance(self, x: Value, axes: tuple[int, ...]) -> Value:
        """Return the mean of the squared deviations."""
        key = ("variance", x, axes)
        if key not in self.known:
            away = self.centred(x, axes)
            self.known[key] = self.mean(self.new(x.array, "multiply", away, away), axes)
        return self.known[key]

    def inverse(self, x: Value, axes: tuple[int, ...], eps: float) -> Value:
        """Return 1 / sqrt(variance + eps)."""
        key = ("inverse", x, axes, eps)
        if key not in self.known:
            variance = self.variance(x, axes)
            spread = self.new(variance.array, "add", variance, self.number(eps, x.dtype))
            root = self.new(spread.array, "sqrt", spread)
            self.known[key] = self.new(root.array, "divide", self.number(1, x.dtype), root)
        return self.known[key]

    def normalised(self, x: Value, axes: tuple[int, ...], eps: float) -> tuple[Value, Value]:
        """Return x normalised, and what it was multiplied by."""
        inverse = self.inverse(x, axes, eps)
        return self.new(x.array, "multiply", self.centred(x, axes), inverse), inverse


def _scattered(x: Value | None, axes: tuple[int, ...]) -> bool:
    """Say whether the last axis in memory is not among *axes*."""
    if x is None or not isinstance(x.array, np.ndarray) or not x.array.size:
        return False
    long = [a for a, n in enumerate(x.shape) if n > 1]
    if x.dtype.kind != "f" or x.dtype.itemsize < 4 or not set(axes) & set(long):
        return False
    return min(long, key=lambda a: (abs(x.array.strides[a]), -a)) not in axes


def _linear(p: Parts) -> list[Step]:
    x, weight, bias = p.step.inputs
    p.last("matmul", x, weight)
    return p.steps if bias is None else p.last("add", p.step.output, bias)


def _layer_norm(p: Parts) -> list[Step] | None:
    x, weight, bias = p.step.inputs
    axes, eps = p.step.attrs["axes"], p.step.attrs["eps"]
    if x is None or not _scattered(x, axes):
        return None
    y, _ = p.normalised(x, axes, eps)
    if weight is not None:
        y = p.new(x.array, "multiply", y, weight)
    return p.last("copy", y) if bias is None else p.last("add", y, bias)


def _layer_norm_gradient(p: Parts) -> list[Step] | None:
    g, x, weight = p.step.inputs
    axes, eps = p.step.attrs["axes"], p.step.attrs["eps"]
    if g is None or x is None or not _scattered(x, axes):
        return None
    normed, inverse = p.normalised(x, axes, eps)
    if weight is not None:
        g = p.new(x.array, "multiply", g, weight)
    level = p.new(x.array, "subtract", g, p.mean(g, axes))
    along = p.mean(p.new(x.array, "multiply", g, normed), axes)
    rest = p.new(x.array, "subtract", level, p.new(x.array, "multiply", normed, along))
    return p.last("multiply", rest, inverse)


def _affine_gradient(p: Parts) -> list[Step] | None:
    g, x = p.step.inputs
    axes, eps, shape = (p.step.attrs[name] for name in ("axes", "eps", "shape"))
    if g is None or x is None or not _scattered(x, axes):
        return None
    normed, _ = p.normalised(x, axes, eps)
    return p.last("affine_sums", g, normed, shape=shape)


def _var(p: Parts) -> list[Step] | None:
    x, axes = p.step.inputs[0], p.step.attrs["axis"]
    if x is None or p.step.attrs["correction"] or not _scattered(x, axes):
        return None
    variance = p.variance(x, axes)
    if p.step.attrs["keepdims"]:
        return p.last("copy", variance)
    return p.last("reshape", variance, shape=p.step.output.shape)


_RULES: dict[str, Callable[[Parts], list[Step] | None]] = {
    "linear": _linear,
    "layer_norm": _layer_norm,
    "layer_norm_gradient": _layer_norm_gradient,
    "layer_norm_affine_gradient": _affine_gradient,
    "var": _var,
}

"""What a launch costs at least: bytes to move, products to compute, and this machine's speeds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from time import perf_counter
from typing import Any

import numpy as np

from .plan import Step, Value

__all__ = ["Speeds", "flops", "moved", "parts", "phase", "predicted", "speeds"]


def parts(step: Step) -> list[Step]:
    """Return the operators that *step* does: those of its group, or itself alone."""
    group = getattr(step, "group", None)
    return list(group.steps) if group is not None else [step]


def phase(step: Step) -> str:
    """Return in which phase *step* runs; a fused one in that of its first operator."""
    return step.phase or parts(step)[0].phase or "forward"


def moved(step: Step) -> int:
    """Return the bytes that *step* reads and writes, each buffer once; 0 for a view.

    >>> from minima.compiler.plan import Plan, Step
    >>> plan = Plan(mi.device("cpu"))
    >>> x, y = plan.new_value(np.ones(4)), plan.new_value(np.ones(4))
    >>> moved(Step("exp", (x,), {}, y))
    64
    """
    if step.is_view:
        return 0
    reads = sum(v.nbytes for v in dict.fromkeys(step.reads()))
    return reads + sum(v.nbytes for v in step.writes())


def flops(step: Step) -> int:
    """Return the additions and multiplications of the matrix products in *step*.

    >>> from minima.compiler.plan import Plan, Step
    >>> plan = Plan(mi.device("cpu"))
    >>> a, b, y = (plan.new_value(np.ones(s)) for s in ((2, 3), (3, 4), (2, 4)))
    >>> flops(Step("matmul", (a, b), {}, y))
    48
    """
    total = 0
    for part in parts(step):
        rule = _FLOPS.get(part.name)
        if rule is not None:
            total += rule(*part.inputs, y=part.output)
    return total


def _product(a: Value, b: Value, *_: Any, y: Value) -> int:
    return 2 * prod(y.shape) * (a.shape[-1] if a.shape else 1)


def _conv2d(x: Value, weight: Value, *_: Any, y: Value) -> int:
    return 2 * prod(y.shape) * prod(weight.shape[1:])


def _conv2d_input(g: Value, weight: Value, *_: Any, y: Value) -> int:
    return 2 * prod(g.shape) * prod(weight.shape[1:])


def _conv2d_weight(x: Value, g: Value, *_: Any, y: Value) -> int:
    return 2 * prod(g.shape) * prod(y.shape[1:])


def _attention(q: Value, k: Value, v: Value, *_: Any, y: Value) -> int:
    return 2 * prod(q.shape[:-1]) * k.shape[-2] * (q.shape[-1] + v.shape[-1])


def _attention_gradient(g: Value, q: Value, k: Value, v: Value, *_: Any, y: Value) -> int:
    return 2 * prod(q.shape[:-1]) * k.shape[-2] * (3 * q.shape[-1] + 2 * v.shape[-1])


def _recurrent(gates: Value, h: Value, *rest: Value, y: Value) -> int:
    return 2 * prod(gates.shape) * h.shape[-1]


_FLOPS: dict[str, Callable[..., int]] = {
    "matmul": _product,
    "linear": _product,
    "conv2d": _conv2d,
    "conv2d_input_gradient": _conv2d_input,
    "conv2d_weight_gradient": _conv2d_weight,
    "scaled_dot_product_attention": _attention,
    "attention_gradient": _attention_gradient,
    "lstm": _recurrent,
    "lstm_projected": _recurrent,
    "gru": _recurrent,
    "rnn": _recurrent,
}


class Speeds:
    """What this machine reaches: bytes a second of a copy, flops a second of a matrix product."""

    def __init__(self, bandwidth: float, products: float) -> None:
        self.bandwidth, self.products = bandwidth, products


@cache
def speeds() -> Speeds:
    """Return the speeds of this machine, measured once (0.1 s), with the threads of now.

    >>> speeds().products > 1e6
    True
    """
    source = np.ones(1 << 23, np.float32)
    target, matrix = np.empty_like(source), np.ones((768, 768), np.float32)
    copy = _best(lambda: np.copyto(target, source))
    product = _best(lambda: np.matmul(matrix, matrix))
    return Speeds(2 * source.nbytes / copy, 2 * 768**3 / product)


def _best(call: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = perf_counter()
        call()
        times.append(perf_counter() - began)
    return max(min(times), 1e-9)


def predicted(step: Step) -> float:
    """Return the seconds that *step* takes at least: for its bytes, or for its products."""
    known = speeds()
    return max(moved(step) / known.bandwidth, flops(step) / known.products)

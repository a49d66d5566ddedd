"""Compiled as eager: the same numbers from a plan, forward and backward, by any executor.

`check_operator` holds a row of `minima.testing.samples` to it, `check_step` any function;
`minima.nn.testing.check_compiled` a row of the layers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import grad
from ..compiler.function import CompileWarning, compile
from ..devices import device
from ..operators import TABLE, imag, real, reshape
from ..operators.creation import arange
from ..tensor import Tensor
from .launch import arguments, call
from .samples import SAMPLES, Sample

__all__ = ["ROWS", "check_operator", "check_step", "weighted"]

Step = Callable[..., Sequence[Tensor]]
CALLS = 3  # the first is eager, the second is captured, the third is a replay

#: float32 for every row of the table of operators, float64 for the first of each operator
ROWS: list[tuple[Sample, str]] = [
    *((sample, "float32") for sample in SAMPLES),
    *((sample, "float64") for sample in {s.operator: s for s in reversed(SAMPLES)}.values()),
]


def check_operator(sample: Sample, dtype: npt.DTypeLike, executor: str, *, exact: bool) -> None:
    """The value of *sample* and the gradients of its inputs are those of eager code.

    With *exact* they are so bit for bit, else up to what rounding may change.
    """
    given = arguments(sample, device("cpu"), dtype)
    tensors = [t for t in given if isinstance(t, Tensor)]

    def step(*tensors: Tensor) -> list[Tensor]:
        rest = iter(tensors)
        return _value_and_gradients(
            sample, [next(rest) if isinstance(t, Tensor) else t for t in given]
        )

    wide = [t.astype("float64") if t.dtype.kind == "f" else t for t in tensors]
    with np.errstate(all="ignore"):
        precise = None if exact else step(*wide)
        check_step(step, tensors, executor, precise=precise)


def _value_and_gradients(sample: Sample, given: list[Any]) -> list[Tensor]:
    differentiable = TABLE[sample.operator].differentiable and sample.floating
    inputs = [
        t.detach().requires_grad_()
        if differentiable and isinstance(t, Tensor) and t.dtype.kind == "f"
        else t
        for t in given
    ]
    wanted = [t for t in inputs if isinstance(t, Tensor) and t.requires_grad]
    y = call(sample, inputs)
    if not y.requires_grad:
        return [y]
    found = grad(weighted(y), wanted, allow_unused=True)
    gradients: list[Tensor | None] = list(found)
    return [y.detach(), *(g for g in gradients if g is not None)]


def weighted(y: Tensor) -> Tensor:
    """Return a sum in which each element of *y*, and each part of it, has a weight of its own."""
    if y.dtype.kind == "c":
        y = real(y) + imag(y) * 0.5
    return (y * reshape(arange(y.size).astype(y.dtype) * 0.1 + 1.0, y.shape)).sum()


def check_step(
    step: Step,
    tensors: Sequence[Tensor],
    executor: str,
    *,
    eager: Step | None = None,
    precise: Iterable[Tensor] | None = None,
    before: Callable[[], Any] = lambda: None,
) -> None:
    """Each call of *step*, compiled into one plan, gives what *eager*, by default itself, gives.

    They are the same bit for bit, unless *precise* holds the results in double precision: then
    within 1e-6 (float64: 1e-14) of the largest element, or what eager code itself is wrong by.
    *before* is run before each call.

    Raises: AssertionError where they differ, CompileWarning where there is no plan.
    """
    compiled = compile(step, executor=executor)
    wide = None if precise is None else [t.numpy() for t in precise]
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompileWarning)
        for _ in range(CALLS):
            before()
            expected = [t.numpy().copy() for t in (eager or step)(*tensors)]
            before()
            found = [t.numpy() for t in compiled(*tensors)]
            for i, (a, b) in enumerate(zip(found, expected, strict=True)):
                _same(a, b, None if wide is None else wide[i], f"result {i}, by {executor}")
    if len(compiled.plans) != 1:
        raise AssertionError(f"{len(compiled.plans)} plans; expected one")


def _same(a: Any, b: Any, wide: Any, which: str) -> None:
    """Raise AssertionError unless *a* is *b*."""
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        raise AssertionError(f"{which}: {a.dtype}{a.shape}; expected {b.dtype}{b.shape}")
    if a.dtype.kind not in "fc" or wide is None:
        np.testing.assert_array_equal(a, b, which)
        return
    tolerance = 1e-6 if a.dtype in (np.float32, np.complex64) else 1e-14
    finite = np.isfinite(b) & np.isfinite(wide)
    size = max(1.0, float(np.abs(b[finite]).max(initial=0.0)))
    # eager code's own error tells how much the step makes of what rounding loses
    lost = 8 * float(np.abs(b[finite] - wide[finite]).max(initial=0.0))
    np.testing.assert_allclose(a, b, tolerance, max(tolerance * size, lost), err_msg=which)

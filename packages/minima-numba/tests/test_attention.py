"""Attention as native kernels: odd shapes, masks, layouts, and any number of threads."""

from typing import Any

import numpy as np
import pytest

import minima as mi
from minima.compiler.plan import Step
from minima_numba.writer import KERNELS

#: leading axes, queries, keys, sizes of a key and of a value
SIZES = (
    ((), 1, 1, 1, 1),
    ((3,), 7, 5, 5, 3),
    ((2, 3), 33, 40, 8, 17),
    ((2, 1, 2), 65, 31, 16, 64),
    ((2, 2), 100, 100, 33, 20),
    ((1, 2), 1, 130, 32, 32),
)
#: masks, causal, dtype
CASES = (
    ("", False, "float32"),
    ("", True, "float32"),
    ("", True, "float64"),
    ("bools", False, "float32"),
    ("bools", True, "float32"),
    ("added", False, "float32"),
    ("added", True, "float64"),
    ("padding", False, "float32"),
    ("none seen", False, "float32"),
)


def mask_of(kind: str, lead: tuple[int, ...], rows: int, keys: int, dtype: str) -> Any:
    """Return a mask of a *kind*, None for "": with fewer axes, and with axes that are spread."""
    rng = np.random.default_rng(1)
    if kind == "bools":
        return rng.random((rows, keys)) < 0.7
    if kind == "added":
        return rng.standard_normal((*lead, rows, keys)).astype(dtype)
    if kind == "padding":
        return rng.random((*lead[:1], *(1 for _ in lead[1:]), 1, keys)) < 0.7
    if kind == "none seen":
        return np.where(np.arange(rows)[:, None] % 3 == 0, -np.inf, 0.0).astype(dtype)
    return None


def inputs_of(lead: tuple[int, ...], rows: int, keys: int, e: int, d: int, dtype: str) -> Any:
    """Return q, k and v; the axes of rows and of the last leading one are exchanged in memory."""
    rng = np.random.default_rng(0)
    found = []
    for count, size in ((rows, e), (keys, e), (keys, d)):
        shape = (*lead[:-1], count, *lead[-1:], size)
        x = rng.standard_normal(shape).astype(dtype)
        found.append(mi.asarray(np.moveaxis(x, len(lead) - 1, -2) if lead else x))
    return found


def attend(mask: Any, **attrs: Any) -> Any:
    """Return a function that gives attention and its gradients."""

    def step(*given: mi.Tensor) -> list[mi.Tensor]:
        inputs = [x.detach().requires_grad_() for x in given]
        y = mi.operators.scaled_dot_product_attention(*inputs, mask, **attrs)
        slope = mi.reshape(mi.arange(y.size).astype(y.dtype) % 7 - 3, y.shape)
        return [y.detach(), *mi.autograd.grad((y * slope).sum(), inputs)]

    return step


@pytest.mark.parametrize(("mask", "causal", "dtype"), CASES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_values(sizes, mask, causal, dtype):
    """Catches a tile that sees too many or too few keys, and an edge that is read or left out."""
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    lead, rows, keys = sizes[:3]
    given = mask_of(mask, lead, rows, keys, dtype)
    step = attend(None if given is None else mi.asarray(given), causal=causal)
    inputs, compiled = inputs_of(*sizes, dtype), mi.compile(step, executor="numba")
    for _ in range(3):
        found = compiled(*inputs)
    for a, b in zip(found, step(*inputs), strict=True):
        size = max(1.0, float(np.abs(b.numpy()).max()))
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance * size)


def test_is_native():
    """Catches kernels that suit nothing, so that Python does the work."""
    step = attend(None, causal=True)
    compiled, inputs = mi.compile(step, executor="numba"), inputs_of((2, 2), 9, 9, 4, 4, "float32")
    for _ in range(3):
        compiled(*inputs)
    (plan,) = compiled.plans
    steps: list[Step] = [s for s in plan.launches() if "attention" in s.name]
    assert len(steps) == 2
    assert all(KERNELS[s.name](s) is not None for s in steps)


def test_keys_that_are_hidden_may_be_anything():
    """Catches 0 * NaN: what no query sees must leave no trace in the output."""
    q, k, v = inputs_of((1,), 40, 50, 8, 8, "float32")
    array = k.numpy().copy()
    array[0, 45:] = np.nan
    seen = mi.asarray(np.arange(50) < 45)
    step = attend(mi.reshape(seen, (1, 50)))
    compiled = mi.compile(lambda *x: step(*x)[0], executor="numba")
    for _ in range(3):
        y = compiled(q, mi.asarray(array), v)
    assert np.isfinite(y.numpy()).all()


@pytest.mark.parametrize("causal", [False, True])
def test_threads_change_nothing(causal):
    """Catches sums whose order depends on who adds them up."""
    inputs, found = inputs_of((4, 4), 128, 128, 32, 32, "float32"), []
    before = mi.get_num_threads()
    try:
        for threads in (1, 2, 3):
            mi.set_num_threads(threads)
            compiled = mi.compile(attend(None, causal=causal), executor="numba")
            for _ in range(3):
                results = compiled(*inputs)
            found.append([r.numpy().copy() for r in results])
    finally:
        mi.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)

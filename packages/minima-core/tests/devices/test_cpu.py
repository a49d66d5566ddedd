"""The cpu's own kernels beside the reference kernels that they stand for."""

import numpy as np
import pytest

from minima.devices import CPU
from minima.devices.base import REFERENCES
from minima.operators import TABLE
from minima.testing.launch import launch
from minima.testing.samples import SAMPLES

OWN = [s for s in SAMPLES if s.operator in CPU.writes]


def strided(shape, dtype):
    """Return an array with gaps between its elements, full of 7."""
    wide = np.full((*shape[:-1], 2 * shape[-1]) if shape else (2,), 7, dtype)
    return wide[..., ::2] if shape else wide[0:1].reshape(())


def turned(shape, dtype):
    """Return an array whose axes lie in memory in the opposite order, full of 7."""
    return np.full(shape[::-1], 7, dtype).T


@pytest.mark.parametrize("sample", [pytest.param(s, id=s.id) for s in OWN])
def test_kernel_is_the_reference(sample):
    """Catch a kernel that computes something else, or minds how its output lies in memory."""
    for dtype in ("float16", "float32", "float64") if sample.floating else ("float64",):
        made = launch(sample, CPU, dtype)
        reference = REFERENCES[sample.operator]
        given = [tuple(made.buffers)] if made.entry.variadic else made.buffers
        wide = [_wide(a) for a in made.buffers]
        wide = [tuple(wide)] if made.entry.variadic else wide
        with np.errstate(all="ignore"):
            expected = np.asarray(reference(np, *wide, **made.attrs))
            got = made.run()
        close(got, expected)
        for place in (strided, turned):
            out = place(got.shape, got.dtype)
            with np.errstate(all="ignore"):
                CPU.kernels[sample.operator](*given, **made.attrs, out=out)
            close(out, got.astype(np.float64) if got.dtype.kind == "f" else got)


def _wide(a):
    return a.astype(np.float64) if a is not None and a.dtype.kind == "f" else a


def close(got, expected):
    """Compare with the precision of the type of *got*."""
    assert got.shape == expected.shape
    if got.dtype.kind != "f":
        assert np.array_equal(got, expected)
        return
    eps = float(np.finfo(got.dtype).eps)
    size = max(1.0, float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)))
    np.testing.assert_allclose(
        got.astype(np.float64), expected, rtol=32 * eps, atol=32 * eps * size
    )


def test_every_kernel_is_of_an_operator():
    """Catch a kernel under a name that no operator has: it would never run."""
    assert set(CPU.writes) <= set(TABLE)
    assert set(CPU.writes) == {s.operator for s in OWN}

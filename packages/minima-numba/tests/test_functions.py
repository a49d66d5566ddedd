"""The functions of float32: against float64, at special values, and as vector code."""

import numpy as np
import pytest

from minima_numba import jit
from minima_numba.driver import run_once
from minima_numba.functions import TYPES, Code, call

nan, inf = np.float32(np.nan), np.float32(np.inf)


def kernel(name, kind="f4"):
    """Return the source of a loop that applies one function."""
    code = Code()
    value = call(code, name, kind, "%x")
    element = TYPES[kind]
    return "\n".join(
        [
            *sorted(code.declared),
            "define void @k(ptr %t, i64 %low, i64 %high) nounwind {",
            "entry:",
            "  %to = getelementptr i64, ptr %t, i64 1",
            "  %a = load ptr, ptr %t",
            "  %b = load ptr, ptr %to",
            "  br label %loop",
            "loop:",
            "  %i = phi i64 [ %low, %entry ], [ %next, %loop ]",
            f"  %from = getelementptr {element}, ptr %a, i64 %i",
            f"  %x = load {element}, ptr %from",
            *code.lines,
            f"  %out = getelementptr {element}, ptr %b, i64 %i",
            f"  store {element} {value}, ptr %out",
            "  %next = add nsw i64 %i, 1",
            "  %more = icmp slt i64 %next, %high",
            "  br i1 %more, label %loop, label %done",
            "done:",
            "  ret void",
            "}",
        ]
    )


def applied(name, x):
    out = np.empty_like(x)
    table = np.array([x.ctypes.data, out.ctypes.data])
    run_once(jit.address_of(kernel(name, x.dtype.str[1:])), table.ctypes.data, x.size)
    return out


def erf(x):
    """Return erf in float64 from its series and its continued fraction."""
    a = np.minimum(np.abs(x), 6.5)
    term, series = a.copy(), a.copy()
    for n in range(1, 120):
        term = term * -(a * a) / n
        series = series + term / (2 * n + 1)
    fraction = np.zeros_like(a)
    for n in range(200, 0, -1):
        fraction = (n / 2) / (a + fraction)
    with np.errstate(divide="ignore"):
        tail = np.exp(-a * a) / np.sqrt(np.pi) / (a + fraction)
    return np.copysign(1, x) * np.where(a < 2, 2 / np.sqrt(np.pi) * series, 1 - tail)


ORACLES = {
    "exp": (np.exp, -104, 89),
    "log": (np.log, 0, 1e4),
    "tanh": (np.tanh, -12, 12),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -100, 40),
    "erf": (erf, -7, 7),
}


def samples(low, high):
    """Return evenly spaced numbers, and every 2003rd of all float32 in the range."""
    even = np.linspace(low, high, 200_001).astype(np.float32)
    bits = np.arange(0, 2**32, 2003, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(invalid="ignore"):
        return np.concatenate([even, bits[(bits >= low) & (bits <= high)]])


@pytest.mark.parametrize("name", ORACLES)
def test_within_two_units_in_the_last_place(name):
    """Catches a coefficient with a wrong digit."""
    oracle, low, high = ORACLES[name]
    x = samples(low, high)
    with np.errstate(all="ignore"):
        exact = oracle(x.astype(np.float64))
        unit = np.spacing(np.maximum(np.abs(exact).astype(np.float32), np.float32(1.2e-38)))
    x, exact, unit = (a[np.isfinite(unit)] for a in (x, exact, unit))
    assert (np.abs(applied(name, x) - exact) / unit).max() <= 2.0


SPECIAL = np.array(
    [
        nan,
        inf,
        -inf,
        0.0,
        -0.0,
        1e-45,
        -1e-45,
        1e-38,
        3e38,
        -3e38,
        88.73,
        89.5,
        -103.0,
        -110.0,
        1.0,
    ],
    np.float32,
)


@pytest.mark.parametrize("name", ORACLES)
def test_special_values(name):
    """Catches NaN that is lost, an infinity that comes too late, and a sign."""
    with np.errstate(all="ignore"):
        x = SPECIAL.astype(np.float64)
        expected = ORACLES[name][0](x).astype(np.float32)
        if name == "erf":
            expected[[0, 1, 2]] = nan, 1, -1
    found = applied(name, SPECIAL)
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=2e-45)
    zero = found == 0
    assert (np.signbit(found[zero]) == np.signbit(expected[zero])).all()


LIBM = "expm1 log1p log2 log10 sin cos tan sinh cosh atan asinh".split()


@pytest.mark.parametrize("name", [*ORACLES, *LIBM])
def test_double_precision(name):
    """Catches a libm function called by a wrong name or type."""
    x = np.linspace(0.1, 3, 50)
    oracle = ORACLES[name][0] if name in ORACLES else getattr(np, name)
    np.testing.assert_allclose(applied(name, x), oracle(x), rtol=1e-14)


@pytest.mark.parametrize("name", ORACLES)
def test_loops_become_vector_code(name):
    """Catches a call or a branch inside of a loop: it would be many times slower."""
    optimised = jit.optimised(kernel(name))
    assert "x float>" in optimised
    assert f"call float @{name}f" not in optimised

"""Types: how they are named, promoted, and kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minima as mi
from minima.dtypes import NAMES, as_dtype, float_for, is_floating, promote, weaken

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
dtypes = st.sampled_from([np.dtype(n) for n in NAMES])


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    """Each name is a NumPy dtype at the top level."""
    assert getattr(mi, name) == as_dtype(name) == np.dtype(name)
    assert is_floating(as_dtype(name)) == (np.dtype(name).kind in "fc")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("float32", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("float16", "float32", "float32"),
        *((f, i, f) for f in FLOATS for i in ("bool", *INTEGERS)),
        ("int8", "int32", "int32"),
        ("uint8", "int8", "int16"),
        ("bool", "int8", "int8"),
        ("bool", "bool", "bool"),
        ("complex64", "float32", "complex64"),
        ("complex64", "float64", "complex128"),
        ("complex64", "int64", "complex64"),
    ],
)
def test_promotion(a, b, expected):
    """Tensors: floats win over integers of any width, at their own."""
    assert promote(np.dtype(a), np.dtype(b)) == promote(np.dtype(b), np.dtype(a)) == expected
    x, y = mi.ones(2, dtype=a), mi.ones(2, dtype=b)
    assert (x + y).dtype == (y + x).dtype == expected
    assert mi.concat([x, y]).dtype == mi.where(mi.Tensor(True), x, y).dtype == expected


@given(dtypes, dtypes, dtypes)
def test_promotion_is_a_maximum(a, b, c):
    """Order does not matter, nor does a type beside itself; the result is one of the known."""
    assert promote(a, b) == promote(b, a)
    assert promote(a, a) == a
    assert promote(promote(a, b), b) == promote(a, b)
    assert promote(a, b).name in NAMES
    if all(d.kind in "fc" for d in (a, b, c)):
        assert promote(promote(a, b), c) == promote(a, promote(b, c))


@pytest.mark.parametrize(
    ("dtype", "number", "expected"),
    [
        *((f, n, f) for f in FLOATS for n in (True, 2, 2.5, np.float64(2.5), np.int64(2))),
        *((i, n, i) for i in INTEGERS for n in (True, 2, np.int64(2))),
        *((i, 2.5, "float32") for i in ("bool", *INTEGERS)),
        ("bool", True, "bool"),
        ("bool", 2, "int64"),
        ("float32", 1j, "complex64"),
        ("float64", 1j, "complex128"),
        ("int64", 1j, "complex64"),
        ("complex64", 2.5, "complex64"),
    ],
)
def test_numbers_are_weak(dtype, number, expected):
    """A number takes the type of the tensor beside it, on either side."""
    x = mi.ones(2, dtype=dtype)
    plain = number.item() if isinstance(number, np.generic) else number
    assert weaken(np.dtype(dtype), plain) == expected
    assert (x * number).dtype == (number * x).dtype == expected
    assert mi.where(mi.Tensor([True, False]), x, number).dtype == expected


@pytest.mark.parametrize("number", [1e300, 1e-300, 123456789.123])
def test_a_number_is_rounded_to_the_tensor(number):
    """A number is cast once to the tensor's type, not carried at double precision."""
    with np.errstate(over="ignore"):
        y = mi.ones(1, dtype="float32") * number
        assert y.numpy()[0] == np.float32(number)


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
@pytest.mark.parametrize(
    "function", [mi.exp, mi.sqrt, mi.sigmoid, mi.mean, mi.softmax, mi.gelu, lambda t: t / t]
)
def test_integers_become_float32(function, dtype):
    """Where only a float makes sense an integer tensor becomes float32."""
    assert function(mi.ones(2, dtype=dtype)).dtype == "float32"
    assert float_for(np.dtype(dtype)) == "float32"


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("bool", "int64"), ("int8", "int64"), ("uint8", "uint64"), ("float16",) * 2],
)
def test_sum(dtype, expected):
    """Sums of small integers do not overflow; sums of floats keep their type."""
    t = mi.full((300,), 1, dtype=dtype)
    assert t.sum().dtype == expected
    assert t.sum().item() == 300


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_training_step_keeps_its_type(dtype):
    """Numbers, integers and bools in a step change neither values' nor gradients' type."""
    w = mi.ones((3, 2), dtype=dtype, requires_grad=True)
    x = mi.ones((4, 3), dtype=dtype)
    y = mi.relu(x @ w / 2 + 1) ** 2 * mi.Tensor([1, 2]) - np.float64(3.0)
    y = mi.where(y > 0, y, 0.1 * y) + mi.Tensor([True, False])
    loss = mi.cross_entropy(y, mi.Tensor([0, 1, 0, 1]), label_smoothing=0.1) + y.var() + y.mean()
    loss.backward()
    assert loss.dtype == y.dtype == w.grad.dtype == dtype
    with mi.no_grad():
        w.sub_(w.grad, alpha=np.float64(0.1))
    assert w.dtype == dtype


@pytest.mark.parametrize(
    "bad", ["float33", "U3", object, "datetime64[s]", "timedelta64[s]", 7, [1]]
)
def test_no_type(bad):
    """What no tensor can hold is named, with all that it can."""
    with pytest.raises(mi.DTypeError, match=r"dtype: got .*expected one of bool, .*float32"):
        as_dtype(bad)

"""Inputs of several dtypes, and of whole numbers, give what inputs of the promoted dtype give."""

import numpy as np
import pytest

import minima as mi

A = np.array([[0.3, -1.7, 2.1], [1.3, 0.7, -0.4]])
B = np.array([[1.1, 0.6, 2.3], [0.2, 1.9, 0.8]])
GRID = A.reshape(1, 1, 3, 2)
MIXED = {
    "logaddexp2": (mi.logaddexp2, A, B),
    "xlogy": (mi.xlogy, A, B),
    "cosine_similarity": (mi.cosine_similarity, A, B),
    "rms_norm": (lambda x, w: mi.rms_norm(x, w, eps=1e-3), A, B[0]),
    "lstsq": (lambda a, b: mi.linalg.lstsq(a, b).solution, A.T, B.T),
    "grid_sample": (mi.operators.grid_sample, B.reshape(1, 1, 2, 3), GRID),
}


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize(
    "dtypes", [("float32", "float64"), ("float64", "float32"), ("float16", "float32")], ids=str
)
def test_floats(name, dtypes):
    """Fault: what was computed before the inputs met was narrower than the result."""
    function, *arrays = MIXED[name]
    inputs = [mi.Tensor(a.astype(d)) for a, d in zip(arrays, dtypes)]
    wide = np.promote_types(*dtypes)
    found, expected = function(*inputs), function(*[t.astype(wide) for t in inputs])
    assert found.dtype == wide
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("name", ["logaddexp2", "xlogy", "cosine_similarity", "rms_norm"])
def test_whole_beside_half(name):
    """Fault: integers became float32 first, and the float16 beside them as well."""
    function, a, b = MIXED[name]
    whole, half = mi.Tensor(np.ones(a.shape, "int64")), mi.Tensor(b.astype("float16"))
    assert function(whole, half).dtype == function(half, whole).dtype == mi.float16


@pytest.mark.parametrize("dtype", ["uint8", "uint64", "bool"])
@pytest.mark.parametrize("name", ["log_sigmoid", "softmin", "logit"])
def test_unsigned(name, dtype):
    """Fault: the negative of an unsigned number came round from the largest."""
    x = np.array([0, 1, 1] if dtype == "bool" else [0, 1, 3], dtype)
    found, expected = (getattr(mi, name)(mi.Tensor(a)) for a in (x, x.astype("float32")))
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_noise_for_whole_logits():
    """Fault: the noise lost its fraction, so that equal logits had equal shares."""
    shares = mi.operators.gumbel_softmax(mi.zeros(4, dtype="int64")).numpy()
    assert len(set(shares.tolist())) == 4


def test_histogram_of_bools():
    """Fault: NumPy warned of bools that it took as numbers."""
    assert mi.histogram(mi.Tensor([True, False, True]), 2).counts.tolist() == [1, 2]


def test_powers_of_and_by_bools():
    """Fault: a bool to an integer power, and a float to the power True, raised of their kernel."""
    found = mi.Tensor([True, False]) ** 2
    assert (found.dtype, found.tolist()) == (mi.int64, [1, 0])
    assert (mi.Tensor([1.5, 2.0]) ** True).tolist() == [1.5, 2.0]
    with pytest.raises(mi.DTypeError, match="got bools; cast first"):
        mi.operators.power_scalar(mi.Tensor([True]), 2)

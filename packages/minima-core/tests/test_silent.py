"""What changed a value, or widened a type, without a word."""

import numpy as np
import pytest

import minima as mi


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.float32(1), "float32"),
        (np.float64(1), "float32"),
        (np.int32(1), "int64"),
        (np.bool_(True), "bool"),
        (np.complex64(1), "complex64"),
    ],
)
def test_full_of_a_number_of_numpy(value, dtype):
    """Fault: np.float32 and np.int32 are no numbers of Python, and made complex64."""
    assert mi.full((2,), value).dtype == mi.full_like(mi.full((2,), value), value).dtype == dtype


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1.0, 2.0], "float32"),
        ([np.float32(1), 2.0], "float32"),
        ([2.0, np.float32(1)], "float32"),
        ([1.0, np.float64(2)], "float64"),
        ([np.float64(2), 1.0], "float64"),
        ([[1.0], np.ones(1)], "float64"),
        ([mi.ones(1, dtype="float16"), [2.0]], "float16"),
        ([mi.ones(()), np.int64(2)], "float32"),
        ([np.int64(2), 1.5], "float32"),
        ([mi.ones(()), 1j], "complex64"),
        ([np.float64(1), 1j], "complex128"),
        ([np.complex64(1), 1.5], "complex64"),
    ],
)
def test_type_of_lists(data, dtype):
    """Fault: the first element alone was asked; a float beside np.float32 made float64."""
    assert mi.Tensor(data).dtype == mi.asarray(data).dtype == dtype


def test_factor_that_does_not_fit():
    """Fault: half of an integer was rounded off in add_ and sub_."""
    for name in ("add_", "sub_"):
        t = mi.Tensor([1, 2])
        with pytest.raises(mi.DTypeError, match="in place it must keep int64"):
            getattr(t, name)(1, alpha=0.5)
        assert getattr(t, name)(1, alpha=2).dtype == "int64"


def test_mask():
    """Fault: what a masked array hides came to light."""
    hidden = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(mi.DTypeError, match=r"masked array.*a\.filled\(0\)"):
        mi.Tensor(hidden)
    assert mi.Tensor(hidden.filled(0)).tolist() == [1.0, 0.0]
    assert mi.Tensor(np.ma.array([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_power_that_is_not_whole():
    """Both ways to write it name the dtype and the remedy."""
    for exponent in (-1, mi.Tensor([-1])):
        with pytest.raises(mi.DTypeError, match=r"not whole; cast first"):
            mi.Tensor([2]) ** exponent


@pytest.mark.parametrize("value", [1j, float("nan"), float("inf"), 1e30, 2**70])
def test_full_of_what_does_not_fit(value):
    """Fault: an imaginary part was dropped, and NaN became some integer, with a warning."""
    for call in (
        lambda: mi.full((2,), value, dtype="int64"),
        lambda: mi.full_like(mi.Tensor([1, 2]), value),
    ):
        with pytest.raises(mi.DTypeError, match=r"full(_like)?: .*fit into int64"):
            call()
    if isinstance(value, complex):
        with pytest.raises(mi.DTypeError, match="complex numbers do not fit into float32"):
            mi.full((2,), value, dtype="float32")

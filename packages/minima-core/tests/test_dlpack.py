"""DLPack, with NumPy as the other library."""

import numpy as np
import pytest

import minima as mi


class Elsewhere:
    """An array on a device of the kind and number given."""

    def __init__(self, kind, index=0):
        self.place = kind, index

    def __dlpack_device__(self):
        return self.place

    def __dlpack__(self, **options):
        raise BufferError("not to be read")


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "float16", "float32"])
def test_memory_is_shared_both_ways(dtype):
    """Catches a copy, in either direction, and a type that gets lost."""
    array = np.ones((2, 3), dtype)
    t = mi.from_dlpack(array)
    back = np.from_dlpack(t)
    assert (t.dtype, t.shape, str(t.device)) == (array.dtype, (2, 3), "cpu")
    assert np.shares_memory(t.numpy(), array)
    assert np.shares_memory(back, array)
    assert t.__dlpack_device__() == (1, 0)


def test_strides_survive():
    """Catches a view that is read as if it were contiguous."""
    array = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(mi.from_dlpack(array[:, ::2]).numpy(), array[:, ::2])
    np.testing.assert_array_equal(np.from_dlpack(mi.Tensor(array).T), array.T)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ([1.0], mi.DTypeError, "from_dlpack: got list; expected an array with __dlpack__"),
        (Elsewhere(99), mi.DeviceError, "from_dlpack: the array lies on a device of kind 99"),
    ],
)
def test_refusals(source, error, message):
    """Catches an AttributeError or a KeyError in place of what to do."""
    with pytest.raises(error) as caught:
        mi.from_dlpack(source)
    assert str(caught.value).startswith(message)


def test_a_tensor_that_requires_grad_is_not_given_away():
    """Catches a gradient that is lost without a word."""
    with pytest.raises(mi.AutogradError, match="detach"):
        np.from_dlpack(mi.ones(2).requires_grad_())
    assert np.from_dlpack(mi.ones(2).requires_grad_().detach()).shape == (2,)


@pytest.mark.parametrize("use", [np.from_dlpack, lambda t: mi.from_dlpack(np.ones(2))])
def test_a_compiled_function_runs_eagerly(use):
    """Catches a plan that replays what another library did with the values of the first call."""

    @mi.compile
    def function(x):
        use(x)
        return x + 1

    with pytest.warns(mi.CompileWarning, match="dlpack"):
        found = [function(mi.zeros(2)).tolist() for _ in range(3)]
    assert found == [[1.0, 1.0]] * 3

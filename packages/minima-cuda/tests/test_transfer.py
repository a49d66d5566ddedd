"""Between GPUs, and to and from other libraries by DLPack."""

import numpy as np
import pytest

import minima as mi
import minima_cuda


def test_from_one_gpu_to_another_without_the_host(cupy):
    """Catches a detour over the host, and a copy that does not wait for its source."""
    x = mi.Tensor([1.0, 2.0], device="cuda:0") * 2
    cupy.machine.calls.clear()
    y = x.to("cuda:1")
    assert "asnumpy" not in dict(cupy.machine.calls)
    assert (y.tolist(), str(y.device)) == ([2.0, 4.0], "cuda:1")


def test_the_source_is_not_overwritten_before_the_copy_has_run(cupy):
    """Catches memory that its GPU uses anew while the other one reads it."""
    y = (mi.Tensor([1.0, 2.0], device="cuda:0") * 2).to("cuda:1")
    minima_cuda.synchronize("cuda:0")  # writes over what was let go
    assert y.tolist() == [2.0, 4.0]


def test_gradients_flow_between_gpus(cupy):
    """Catches a gradient that stays where it was computed."""
    x = mi.Tensor([1.0, 2.0], device="cuda:0", requires_grad=True)
    (x.to("cuda:1") ** 2).sum().backward()
    assert (x.grad.tolist(), str(x.grad.device)) == ([2.0, 4.0], "cuda:0")


def test_tensors_of_two_gpus_do_not_mix(cupy):
    """Catches an operator that would compute on the wrong GPU."""
    with pytest.raises(mi.DeviceError, match="cuda:0 and cuda:1"):
        mi.ones(2, device="cuda:0") + mi.ones(2, device="cuda:1")


class Library:
    """An array of another library, which asks for its own stream as the protocol says."""

    def __init__(self, array, index):
        self.array, self.index = array, index

    def __dlpack_device__(self):
        return 2, self.index

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        assert isinstance(stream, int)
        assert stream >= 1
        return self.array


@pytest.mark.parametrize("index", [0, 1])
def test_dlpack_shares_memory(cupy, index):
    """Catches a copy, and an array that is taken to lie on the current GPU."""
    name = f"cuda:{index}"
    x = mi.Tensor([1.0, 2.0], device=name)
    theirs = Library(x._array, index)
    y = mi.from_dlpack(theirs)
    assert str(y.device) == name
    y += 1
    assert x.tolist() == [2.0, 3.0]
    assert x.__dlpack_device__() == (2, index)
    assert x.__dlpack__(stream=1, max_version=(1, 0)).data is x._array.data


def test_the_consumer_s_stream_waits_for_ours(cupy):
    """Catches a library that reads before the result is there."""
    x = mi.Tensor([1.0, 2.0], device="cuda")
    minima_cuda.synchronize()
    side, theirs = minima_cuda.Stream(), minima_cuda.Stream()
    with minima_cuda.stream(side):
        y = x * 2
        capsule = y.__dlpack__(stream=theirs._stream.ptr)
    theirs.synchronize()
    np.testing.assert_array_equal(capsule._host, [2.0, 4.0])

"""The device: against a stand-in for CuPy everywhere, and for real where there is a GPU."""

import numpy as np
import pytest

import minima as mi
import minima_cuda


def test_names(cupy):
    """Catches two devices that compare equal, or a first one that has two names."""
    assert str(minima_cuda.open_device()) == "cuda:0"
    assert minima_cuda.open_device(0) == minima_cuda.open_device()
    assert minima_cuda.open_device(1) != minima_cuda.open_device()
    assert isinstance(minima_cuda.open_device(), mi.devices.Device)


def test_buffers_go_in_and_out_by_copy(cupy):
    """Catches memory that the host and the device share."""
    device, host = minima_cuda.open_device(1), np.arange(6, dtype=np.float32).reshape(2, 3)
    buffer = device.from_host(host)
    back = device.to_host(buffer)
    assert isinstance(buffer, device.buffer)
    np.testing.assert_array_equal(back, host)
    assert back.dtype == np.float32
    host[:] = back[:] = 9
    np.testing.assert_array_equal(device.to_host(buffer), [[0, 1, 2], [3, 4, 5]])
    device.write(buffer, (0, slice(None)), device.scalar(7, np.float32))
    np.testing.assert_array_equal(device.to_host(buffer)[0], [7, 7, 7])


def test_everything_runs_with_its_own_gpu_as_the_current_one(cupy):
    """Catches work of the second GPU that runs on the first."""
    device = minima_cuda.open_device(1)
    cupy.machine.calls.clear()
    buffer = device.from_host(np.ones(3))
    device.kernels["exp"](buffer)
    device.as_buffer(1.0)
    device.to_host(buffer)
    device.memory_stats()
    device.source(0).random((1,))
    device.synchronize()
    names = dict.fromkeys(name for name, _ in cupy.machine.calls)
    needed = "array exp asarray asnumpy runtime.memGetInfo bitwise_xor synchronize".split()
    assert [name for name in names if name in needed] == needed
    assert {index for _, index in cupy.machine.calls} == {1}
    assert cupy.machine.current == 0


def test_kernels_are_the_reference_kernels_over_cupy(cupy):
    """Catches an operator that would run on the host."""
    device = minima_cuda.open_device()
    y = device.kernels["exp"](device.from_host(np.zeros(2)))
    assert isinstance(y, cupy.ndarray)
    np.testing.assert_allclose(device.to_host(y), [1, 1])
    assert device.kernels["exp"] is device.kernels["exp"]
    with pytest.raises(mi.KernelMissingError, match="no_such_operator"):
        device.kernels["no_such_operator"]


def test_views_share_memory(cupy):
    """Catches a change of a view that its base does not notice."""
    device = minima_cuda.open_device()
    buffer = device.from_host(np.ones(3))
    assert device.shares(buffer, buffer[1:])
    assert not device.shares(buffer, device.from_host(np.ones(3)))


def test_tensors_and_gradients_live_on_it(cupy):
    """Catches an operator that needs more of a device than minima-cuda gives."""
    device = minima_cuda.open_device()
    x = mi.Tensor([[1.0, 2.0], [3.0, 4.0]], device=device, requires_grad=True)
    mi.softmax(mi.tanh(x) @ x[0], axis=-1)[0].backward()
    assert x.grad.device is device
    x.to("cpu").sum().backward()
    assert mi.Generator(0, device=device).uniform((2,)).device is device


def test_memory_stats_are_bytes(cupy):
    """Catches numbers that are swapped."""
    device = minima_cuda.open_device()
    kept = [device.from_host(np.ones(1000))]
    device.from_host(np.ones(2000))
    total = cupy.machine.total
    stats = {"used": 8192, "reserved": 24576, "peak": 24576, "free": total - 24576, "total": total}
    assert device.memory_stats() == stats
    assert kept

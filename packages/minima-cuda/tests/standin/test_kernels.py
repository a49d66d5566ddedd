"""minima's own kernels through `GpuLauncher`, the stand-in and the emulator, as on a GPU."""

import numpy as np
import pytest
from emulator import needs_emulator

import minima as mi
import minima_cuda
from minima_cuda import device
from minima_cuda.library import kernels

pytestmark = needs_emulator

OWN = device.own_kernels


@pytest.fixture
def machine(launcher, cupy):
    return cupy.machine


def test_the_device_takes_what_the_library_has(machine, cupy):
    """Catches a kernel of our own that the reference kernel hides, and an old GPU that has one."""
    names = kernels(None, cupy)
    place = mi.device("cuda")
    assert names
    assert set(names) <= place.kernels.keys()
    assert {"add", "exp"} <= place.writes
    machine.compute_capability = "61"
    assert not mi.device("cuda:1").kernels


@pytest.mark.parametrize("index", [0, 1])
def test_values_and_gradients(machine, index):
    """Catches a kernel on the wrong GPU, and one that is not on the stream of its inputs."""
    x = mi.Tensor([[1.0, 2.0], [3.0, 4.0]], device=f"cuda:{index}", requires_grad=True)
    side = minima_cuda.Stream(f"cuda:{index}")
    side.wait_stream(minima_cuda.current_stream(x.device))
    with minima_cuda.stream(side):
        y = mi.exp(x) + mi.exp(x)
        y.sum().backward()
    assert {place for name, place in machine.calls if "each" in name} == {index}
    side.synchronize()
    np.testing.assert_allclose(y.numpy(), 2 * np.exp(x.numpy()), rtol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), y.numpy(), rtol=1e-6)


def test_random_numbers_are_those_of_the_reference(machine, monkeypatch):
    """Catches a kernel that takes other words, or moves the stream by another count."""
    found = []
    for own in (OWN, lambda cupy, index: {}):
        monkeypatch.setattr(device, "own_kernels", own)
        source = mi.Generator(3, device=minima_cuda.open_device())
        sizes = [(3,), (2, 2), (0,), (), (9,)]
        found.append(
            [source.uniform(s).numpy() for s in sizes]
            + [source.uniform(s, -1, 1, dtype="float64").numpy() for s in sizes]
            + [source.integers(-(2**62), 2**62, s).numpy() for s in sizes]
            + [source.permutation(7)]
            + [source.normal(s, dtype=d).numpy() for s in sizes for d in ("float32", "float64")]
            + [source.uniform((2,)).numpy()]
        )
    for ours, reference in zip(*found):
        np.testing.assert_allclose(ours, reference, rtol=1e-5, atol=1e-6)


def test_out_of_memory_and_errors_in_own_kernels(machine):
    """Catches a launch that goes around the guard."""
    x = mi.ones(1000, device="cuda")
    machine.limit = 6000
    with pytest.raises(minima_cuda.DeviceOutOfMemoryError, match=r"^exp: out of memory"):
        mi.exp(x)
    machine.limit = 1 << 20
    machine.faults.append(719)
    y = mi.exp(x)
    with pytest.raises(minima_cuda.DeviceLaunchError, match="cudaErrorLaunchFailure"):
        y.numpy()

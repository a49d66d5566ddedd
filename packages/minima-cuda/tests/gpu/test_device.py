"""Copies, streams, memory and errors on a GPU: what the stand-in for CuPy only simulates."""

import subprocess
import sys

import numpy as np
import pytest

import minima as mi
import minima_cuda

pytestmark = pytest.mark.gpu

MIB = 1 << 20


def test_copies():
    """Catches a CuPy that behaves in another way than its stand-in."""
    device, host = mi.device("cuda"), np.arange(6, dtype=np.float32).reshape(2, 3)
    buffer = device.from_host(host)
    host[:] = 9
    device.synchronize()
    np.testing.assert_array_equal(device.to_host(buffer), [[0, 1, 2], [3, 4, 5]])


def test_copies_from_pinned_memory():
    """Catches memory that CuPy does not know as pinned, or that goes back too early."""
    x = np.random.default_rng(0).random((1000, 1000), np.float32)
    copies = [
        minima_cuda.pin_memory(mi.Tensor(x + i)).to("cuda", non_blocking=True) for i in range(20)
    ]
    for i, copy in enumerate(copies):
        np.testing.assert_array_equal(copy.numpy(), x + i)


def test_streams_wait_for_each_other():
    """Catches an event that does not order two streams."""
    side = minima_cuda.Stream()
    x, start = mi.ones((2000, 2000), device="cuda"), minima_cuda.Event(timing=True).record()
    for _ in range(10):
        y = x @ x
        side.wait_stream(minima_cuda.current_stream())
        with minima_cuda.stream(side):
            z = y.sum()
            minima_cuda.record_stream(y, side)
        del y
        minima_cuda.current_stream().wait_stream(side)
        assert z.item() == 2000.0**3
    assert 0 < start.elapsed(minima_cuda.Event(timing=True).record()) < 60


def test_memory_is_counted():
    """Catches numbers of a pool that is not the one in use."""
    before = minima_cuda.memory_stats()
    minima_cuda.reset_peak_memory()
    x = mi.ones(64 * MIB // 4, device="cuda")
    stats = minima_cuda.memory_stats()
    assert stats["used"] - before["used"] >= 64 * MIB
    assert stats["peak"] >= stats["used"]
    assert any(h.size >= 64 * MIB and h.owner == "Tensor" for h in minima_cuda.largest_holders())
    assert x.shape


def test_out_of_memory():
    """Catches CuPy's own error, or a GPU that is lost after it."""
    total = minima_cuda.memory_stats()["total"]
    with pytest.raises(minima_cuda.DeviceOutOfMemoryError, match=r"out of memory on cuda:0") as e:
        mi.empty(2 * total // 4, device="cuda") + 1
    assert e.value.requested >= total
    assert mi.ones(3, device="cuda").sum().item() == 3.0


def test_random_numbers_are_those_of_the_reference():
    """Catches a kernel that draws otherwise on a GPU than on the emulator."""
    from minima_cuda.random import Source

    device = mi.device("cuda")
    ours = device.source(5)
    reference = Source(device.guard, device.xp, 5)
    for dtype in (np.float32, np.float64):
        for method, exact in (("random", True), ("standard_normal", False)):
            a, b = (getattr(s, method)((1001,), dtype=dtype) for s in (ours, reference))
            tolerance = 0 if exact else 1e-5
            np.testing.assert_allclose(device.to_host(a), device.to_host(b), tolerance, tolerance)
    np.testing.assert_array_equal(
        *(device.to_host(s.integers(-5, 1000, (999,))) for s in (ours, reference))
    )


def test_tf32_is_less_exact():
    """Catches a setting that cuBLAS never hears of."""
    if int(mi.device("cuda").xp.cuda.Device().compute_capability) < 80:
        pytest.skip("the GPU has no TF32")
    x = mi.Generator(0, device="cuda").uniform((512, 512))
    exact = x.numpy().astype(np.float64) @ x.numpy()
    errors = {}
    for precision in ("highest", "high"):
        minima_cuda.set_float32_matmul_precision(precision)
        errors[precision] = np.abs((x @ x).numpy() / exact - 1).max()
    minima_cuda.set_float32_matmul_precision("highest")
    assert errors["highest"] < 1e-5 < errors["high"] < 1e-2


def test_dlpack_with_pytorch():
    """Catches a copy, or a stream that is not waited for."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    x = mi.ones((3, 2), device="cuda")
    theirs = torch.from_dlpack(x)
    theirs += 1
    torch.cuda.synchronize()
    assert x.tolist() == [[2.0, 2.0]] * 3
    assert mi.from_dlpack(theirs).tolist() == x.tolist()


FAULT = """
import minima as mi, minima_cuda
x = mi.ones(8, device="cuda")
device = mi.device("cuda")
code = 'extern "C" __global__ void fault(float* x) { x[1ull << 40] = 1; }'
bad = device.xp.RawKernel(code, "fault")
device.register("negative", lambda a: (bad((1,), (1,), (a,)), a)[1])
y = -x
for _ in range(2):
    try:
        y.numpy()
    except minima_cuda.DeviceLaunchError as error:
        print(error)
"""

FORK = """
import os, sys
import minima as mi
x = mi.ones(2, device="cuda")
if os.fork() == 0:
    try:
        x + 1
    except mi.DeviceUnavailableError as error:
        print(type(error).__name__, error, flush=True)
    os._exit(0)
os.wait()
print("parent", (x + 1).tolist())
"""


def run(code):
    line = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.splitlines(), done.stderr


def test_an_error_of_a_kernel_that_was_launched_before():
    """Catches an error that CuPy words otherwise than its stand-in."""
    (first, second), _ = run(FAULT)
    assert first.startswith("to_host: the GPU cuda:0 reports cudaErrorIllegalAddress")
    assert "CUDA_LAUNCH_BLOCKING=1" in first
    assert "cannot be used any more in this process" in second


def test_a_fork_gets_one_clear_error():
    """Catches a hang in a worker that inherits a tensor of the GPU."""
    (child, parent), errors = run(FORK)
    assert child.startswith("DeviceForkError")
    assert (parent, errors) == ("parent [2.0, 2.0]", "")


@pytest.mark.parametrize("index", [1])
def test_a_second_gpu(index):
    """Catches work on the wrong one of two GPUs."""
    name = f"cuda:{index}"
    try:
        mi.device(name)
    except mi.DeviceUnavailableError as error:
        pytest.skip(str(error))
    x = mi.ones((100, 100), device="cuda:0")
    y = (x @ x).to(name)
    assert (y.sum().item(), str(y.device)) == (100.0**3, name)
    assert str(mi.Generator(0, device=name).normal((3,)).device) == name

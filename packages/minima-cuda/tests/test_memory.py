"""Memory: what is counted, who holds it, and the error when there is none left."""

import numpy as np
import pytest

import minima as mi
import minima_cuda
from minima_cuda.memory import Holder

MIB = 1 << 20


@pytest.fixture
def small(cupy):
    """A GPU of 8 MiB."""
    cupy.machine.limit = cupy.machine.total = 8 * MIB
    return cupy


def mebibytes(n, **more):
    return mi.ones(n * MIB // 4, device="cuda", **more)


def test_peak(small):
    """Catches a peak that falls with the use, or that is the pool's."""
    kept = mebibytes(1)
    mebibytes(2)
    stats = minima_cuda.memory_stats()
    assert (stats["used"], stats["peak"]) == (MIB, 3 * MIB)
    minima_cuda.reset_peak_memory()
    assert minima_cuda.memory_stats()["peak"] == MIB
    assert kept.shape


def test_peak_is_each_gpus_own(small):
    """Catches one peak for all GPUs."""
    mebibytes(2)
    assert minima_cuda.memory_stats("cuda:1")["peak"] == 0


def test_empty_cache(small):
    """Catches a pool that keeps what nobody uses."""
    mebibytes(2)
    assert minima_cuda.memory_stats()["reserved"] == 2 * MIB
    minima_cuda.empty_cache()
    assert minima_cuda.memory_stats()["reserved"] == 0


def test_largest_holders(small):
    """Catches a holder that is missing, counted twice for its views, or of another GPU."""
    weight = mebibytes(1)
    x = mebibytes(2)
    y = mi.exp(weight[: MIB // 8])
    view = x.reshape(512, -1)
    bare = mi.device("cuda").from_host(np.ones(MIB // 4, "int8"))
    other = mi.ones(MIB, device="cuda:1")
    found = minima_cuda.largest_holders()
    assert [(h.size, h.dtype, h.owner) for h in found] == [
        (2 * MIB, "float32", "Tensor"),
        (MIB, "float32", "Tensor"),
        (MIB // 2, "float32", "Tensor"),
        (MIB // 4, "int8", "array"),
    ]
    assert minima_cuda.largest_holders(count=1) == found[:1]
    assert y.shape
    assert view.shape
    assert other.shape
    assert bare.shape


def test_what_a_gradient_needs_is_named(small):
    """Catches memory that only the graph holds, and that nobody is said to have."""
    x = mebibytes(1).requires_grad_()
    y = mi.sum(mi.exp(x * 2))
    owners = [holder.owner for holder in minima_cuda.largest_holders()]
    assert owners.count("Tensor") == 2  # x and y
    assert "saved by exp" in owners
    assert y.shape == ()


def test_summary(small):
    """Catches bytes that a person would have to count."""
    x = mebibytes(2)
    first, second = minima_cuda.memory_summary().splitlines()
    assert first == (
        "cuda:0: used 2.0 MiB, reserved 2.0 MiB, peak 2.0 MiB, free 6.0 MiB, total 8.0 MiB"
    )
    assert second == f"  2.0 MiB float32{list(x.shape)} (Tensor)"


ASKS = {
    "to": lambda: mi.ones(MIB).to("cuda"),
    "operator": lambda: mebibytes(3) + mebibytes(3),
    "random": lambda: mi.Generator(0, device="cuda").uniform((MIB,)),
    "as_buffer": lambda: mi.device("cuda").as_buffer(np.ones(MIB)),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_out_of_memory_is_one_error_from_everywhere(small, ask):
    """Catches CuPy's error, which names nobody, on one of the ways into the GPU."""
    kept = mebibytes(5)
    with pytest.raises(minima_cuda.DeviceOutOfMemoryError) as caught:
        ask()
    assert isinstance(caught.value, MemoryError)
    assert caught.value.requested > 0
    assert caught.value.holders[0] == Holder(5 * MIB, kept.shape, "float32", "Tensor")


def test_out_of_memory_says_who_holds_it(small):
    """Catches an error from which nobody could tell what to let go."""
    x, y = mebibytes(4), mebibytes(2)
    with pytest.raises(minima_cuda.DeviceOutOfMemoryError) as caught:
        mi.concat([x, y])
    assert str(caught.value) == (
        "concat: out of memory on cuda:0: asked for 6.0 MiB; arrays hold 6.0 MiB, CuPy's pool "
        "6.0 MiB, and 2.0 MiB of 8.0 MiB are free; the largest: 4.0 MiB float32[1048576] (Tensor), "
        "2.0 MiB float32[524288] (Tensor). Use smaller batches, drop tensors that are done with, "
        "and compute under mi.no_grad() what needs no gradient; if other processes hold the memory,"
        " nvidia-smi names them"
    )
    assert (caught.value.used, caught.value.free) == (6 * MIB, 2 * MIB)


def test_work_goes_on_after_it_ran_out(small):
    """Catches a GPU that is given up for a request that was too large."""
    x = mebibytes(4)
    with pytest.raises(minima_cuda.DeviceOutOfMemoryError):
        mebibytes(5)
    del x
    assert mebibytes(5).sum().item() == 5 * MIB // 4

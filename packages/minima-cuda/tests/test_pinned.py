"""Pinned memory, and copies that run while Python goes on."""

import numpy as np
import pytest

import minima as mi
import minima_cuda
from minima_cuda import pinned


def test_pinned_memory_holds_a_copy(cupy):
    """Catches values that get lost, and memory that is not pinned."""
    x = mi.Tensor(np.arange(6.0).reshape(2, 3))
    y = minima_cuda.pin_memory(x)
    assert (y.tolist(), y.dtype, str(y.device)) == (x.tolist(), x.dtype, "cpu")
    assert pinned.is_pinned(cupy, y.numpy())
    assert pinned.is_pinned(cupy, y[1:].numpy())
    assert not pinned.is_pinned(cupy, x.numpy())
    assert not pinned.is_pinned(cupy, (y + 1).numpy())


def test_a_loader_pins_its_batches(cupy):
    """Catches a loader that asks the device for nothing, or for memory on another one."""
    data = pytest.importorskip("minima.data", reason="minima-nn is not installed")
    dataset = data.TensorDataset(mi.ones((4, 2)))
    loader = data.DataLoader(dataset, batch_size=2, pin_memory=True, pin_memory_device="cuda")
    for (batch,) in loader:
        assert pinned.is_pinned(cupy, batch.numpy())


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,)])
def test_small_shapes(cupy, shape):
    """Catches an allocation of nothing."""
    y = minima_cuda.pin_memory(mi.ones(shape)).to("cuda", non_blocking=True)
    assert y.shape == shape
    assert y.tolist() == np.ones(shape).tolist()


ROWS = {  # pinned, non_blocking, layout -> whether a change right after the call is seen
    "asynchronous": (True, True, lambda t: t, True),
    "blocking": (True, False, lambda t: t, False),
    "not pinned": (False, True, lambda t: t, False),
    "not contiguous": (True, True, lambda t: t.T, False),
    "part": (True, True, lambda t: t[1:], True),
}


@pytest.mark.parametrize(("pin", "free", "layout", "seen"), ROWS.values(), ids=ROWS.keys())
def test_which_copies_still_run_when_the_call_returns(cupy, pin, free, layout, seen):
    """Catches a copy that a change spoils though it was to be over, or that Python waits for."""
    x = mi.ones((2, 2))
    x = minima_cuda.pin_memory(x) if pin else x
    y = layout(x).to("cuda", non_blocking=free)
    x.numpy()[:] = 7.0
    assert (y.numpy() == 7.0).all() == seen


def test_a_copy_follows_the_current_stream(cupy):
    """Catches a copy on the default stream, which the side stream's work would not wait for."""
    side = minima_cuda.Stream()
    x = minima_cuda.pin_memory(mi.ones(2))
    with minima_cuda.stream(side):
        y = x.to("cuda", non_blocking=True) + 1
        assert y.tolist() == [2.0, 2.0]


def test_memory_is_kept_until_the_copy_has_run(cupy):
    """Catches pinned memory that goes back to the pool while the GPU still reads it."""
    y = minima_cuda.pin_memory(mi.ones(2)).to("cuda", non_blocking=True)
    assert len(pinned._running) == 1
    assert y.tolist() == [1.0, 1.0]
    minima_cuda.pin_memory(mi.ones(2)).to("cuda", non_blocking=True)
    assert len(pinned._running) == 1


def test_only_the_cpu_has_memory_to_pin(cupy):
    """Catches a copy to the host that nobody asked for."""
    with pytest.raises(mi.DeviceError, match=r"^pin_memory: the tensor lies on cuda:0"):
        minima_cuda.pin_memory(mi.ones(2, device="cuda"))


def test_gradients_flow_back_through_a_copy(cupy):
    """Catches a gradient that stays on the GPU."""
    x = minima_cuda.pin_memory(mi.ones(2)).requires_grad_()
    (x.to("cuda", non_blocking=True) * 3).sum().backward()
    assert (x.grad.tolist(), str(x.grad.device)) == ([3.0, 3.0], "cpu")

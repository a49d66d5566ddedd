"""The device: what goes in comes out, and what is computed there stays there."""

import numpy as np
import pytest
from minima_swish.device import ToyArray

import minima as mi


def test_it_is_found_by_name():
    """Catches an entry point that does not lead to the device."""
    assert str(mi.device("toy")) == "toy"
    assert mi.Tensor([1.0], device="toy").device is mi.device("toy")


def test_index_out_of_range():
    """Catches a second toy."""
    with pytest.raises(mi.errors.DeviceUnavailableError, match="the only one is toy:0"):
        mi.device("toy:1")


def test_memory_is_its_own():
    """Catches a buffer that shares the host's memory, on the way in or out."""
    host = np.ones(3, np.float32)
    tensor = mi.asarray(host, device="toy")
    host[0] = 9
    tensor.numpy()[1] = 9
    assert tensor.tolist() == [1, 1, 1]


def test_results_stay_on_the_device():
    """Catches a result, or a gradient, that comes back as an array of the host."""
    x = mi.Tensor([[1.0, -2.0], [3.0, 4.0]], device="toy", requires_grad=True)
    y = (mi.exp(x) @ x.T + x[0] * 2).sum()
    y.backward()
    for tensor in [x, y, x.grad, mi.concat([x, x]), x > 0, x.argmax()]:
        assert isinstance(tensor._array, ToyArray)
        assert tensor.device is mi.device("toy")


def test_results_are_those_of_the_cpu():
    """Catches a kernel that computes something else."""
    results = {}
    for name in ["cpu", "toy"]:
        x = mi.Tensor([[1.0, -2.0], [3.0, 4.0]], device=name, requires_grad=True)
        y = mi.softmax(mi.tanh(x) @ x, axis=-1)[:, 0].sum()
        y.backward()
        results[name] = y.item(), x.grad.tolist()
    assert results["toy"] == results["cpu"]


def test_gradient_of_a_repeated_index():
    """Catches a place that is added to once where it was read twice."""
    x = mi.Tensor([1.0, 2.0, 3.0], device="toy", requires_grad=True)
    x[[0, 2, 2]].sum().backward()
    assert x.grad.tolist() == [1, 0, 2]


def test_random_numbers_are_those_of_the_cpu():
    """Catches a generator that a tensor on the device cannot be drawn from."""
    drawn = {}
    for name in ["cpu", "toy"]:
        generator = mi.Generator(7, device=name)
        drawn[name] = generator.normal((3,)).tolist(), generator.permutation(5).tolist()
    assert drawn["toy"] == drawn["cpu"]


def test_inputs_on_two_devices_are_refused():
    """Catches a copy between devices that nobody asked for."""
    with pytest.raises(mi.errors.DeviceError, match="toy"):
        mi.Tensor([1.0], device="toy") + mi.Tensor([1.0])


def test_moving():
    """Catches a gradient that does not find its way back."""
    x = mi.Tensor([1.0, 2.0], requires_grad=True)
    (x.to("toy") * 3).sum().backward()
    assert str(x.grad.device) == "cpu"
    assert x.grad.tolist() == [3, 3]


def test_views_share_memory():
    """Catches a change of saved values, by way of another view, that gives wrong gradients."""
    x = mi.Tensor([1.0, 2.0], device="toy")
    w = mi.Tensor(3.0, device="toy", requires_grad=True)
    y = (w * x[:1]).sum()
    with mi.no_grad():
        x.fill_(0.0)
    with pytest.raises(mi.errors.AutogradError):
        y.backward()


def test_numpy_cannot_reach_into_it():
    """Catches a copy to the host that nobody asked for."""
    with pytest.raises((TypeError, ValueError)):
        np.asarray(mi.Tensor([1.0], device="toy")._array, dtype=np.float32)

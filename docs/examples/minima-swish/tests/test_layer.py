"""The layer: found by name, right in value and gradient, and trainable."""

import numpy as np
import pytest

import minima as mi


@pytest.fixture(params=["cpu", "toy"])
def device(request):
    """Each test of the layer runs on the cpu and on this package's own device."""
    return request.param


def test_it_is_found_by_name():
    """Catches an entry point that does not lead to the class."""
    from minima_swish import Swish

    assert mi.nn.Swish is Swish
    assert "Swish" in mi.registry.names("layer")


def test_value(device):
    """Catches a formula that is another one."""
    x = np.linspace(-5, 5, 11)
    layer = mi.nn.Swish(beta=2.0, dtype="float64", device=device)
    y = layer(mi.Tensor(x, device=device))
    np.testing.assert_allclose(y.numpy(), x / (1 + np.exp(-2 * x)), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_stays(device, dtype):
    """Catches a float32 input that comes out, or whose gradient comes out, as float64."""
    layer = mi.nn.Swish(dtype=dtype, device=device)
    x = mi.Tensor([1.0, 2.0], dtype=dtype, device=device, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.dtype == layer.beta.grad.dtype == np.dtype(dtype)


def test_gradients(device):
    """Catches a gradient that is not the slope of the value, by central differences."""
    h = 1e-6

    def loss(x, beta):
        layer = mi.nn.Swish(beta, dtype="float64", device=device)
        tensor = mi.Tensor([x], dtype="float64", device=device, requires_grad=True)
        result = layer(tensor).sum()
        result.backward()
        return result.item(), tensor.grad.item(), layer.beta.grad.item()

    for x in [-3.0, -0.5, 0.0, 2.0]:
        _, by_x, by_beta = loss(x, 0.7)
        assert by_x == pytest.approx(
            (loss(x + h, 0.7)[0] - loss(x - h, 0.7)[0]) / (2 * h), abs=1e-8
        )
        slope = (loss(x, 0.7 + h)[0] - loss(x, 0.7 - h)[0]) / (2 * h)
        assert by_beta == pytest.approx(slope, abs=1e-8)


def test_state():
    """Catches a parameter that is not saved."""
    model = mi.nn.Sequential(mi.nn.Linear(2, 2), mi.nn.Swish(beta=3.0))
    other = mi.nn.Sequential(mi.nn.Linear(2, 2), mi.nn.Swish())
    other.load_state_dict(model.state_dict())
    assert other[1].beta.item() == 3.0
    assert "Swish(beta=3)" in repr(other)


def train(device):
    """Fit a small network to a parabola; return the losses."""
    mi.manual_seed(0)
    x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(-1, 1)
    inputs, targets = mi.Tensor(x, device=device), mi.Tensor(x**2, device=device)
    model = mi.nn.Sequential(
        mi.nn.Linear(1, 16, device=device),
        mi.nn.Swish(device=device),
        mi.nn.Linear(16, 1, device=device),
    )
    optimizer = mi.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(100):
        loss = mi.nn.MSELoss()(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_training(device):
    """Catches a layer through which nothing is learned."""
    losses = train(device)
    assert losses[-1] < 0.01 < losses[0]


def test_training_on_the_toy_gives_what_the_cpu_gives():
    """Catches a device whose kernels are not the reference kernels."""
    np.testing.assert_allclose(train("toy"), train("cpu"), rtol=1e-4)

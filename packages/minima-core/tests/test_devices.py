"""Devices: how they are found, what they run, and how kernels are replaced."""

import numpy as np
import pytest

import minima as mi


def test_names():
    """The cpu is one device, however it is named."""
    cpu = mi.device()
    assert mi.device("cpu") is mi.device("cpu:0") is mi.device(cpu) is mi.device(None) is cpu
    assert str(cpu) == cpu == "cpu"
    assert repr(cpu) == "device('cpu')"
    assert cpu != "cuda"
    assert len({cpu, mi.Device("cpu"), mi.Device("toy", 1)}) == 2
    assert str(mi.Device("toy", 1)) == "toy:1"


@pytest.fixture
def toys(monkeypatch):
    """Devices toy:0, toy:1, ... in the registry, for the test alone."""
    monkeypatch.setattr(mi.devices, "_opened", dict(mi.devices._opened))
    handle = mi.registry.register("device", "toy", lambda i=None: mi.Device("toy", i or 0, xp=np))
    yield
    handle.remove()


@pytest.mark.usefixtures("toys")
def test_a_device_of_the_registry():
    """A registered device comes by its name, once for each index, and errors list it."""
    toy = mi.device("toy")
    assert mi.device("toy:0") is mi.device("toy") is toy
    assert mi.device("toy:1") is not toy
    x = mi.ones(2, device="toy", requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad.device is toy
    with pytest.raises(mi.DeviceError, match=r"known: cpu,.* toy"):
        mi.device("nowhere")


def test_namespace_is_enough():
    """A device with an Array API namespace runs every operator without a kernel of its own."""
    device = mi.Device("toy", xp=np)
    assert not device.kernels
    x = mi.Tensor([[1.0, 2.0]], device=device, requires_grad=True)
    mi.softmax(x @ x.T * 2).sum().backward()
    assert set(device.kernels) >= {"matmul", "softmax"}
    assert x.grad.device is device


def test_own_kernel_wins():
    """A kernel given by name is used instead of the reference, in gradients too."""
    calls = []

    def multiply(a, b):
        calls.append("multiply")
        return np.multiply(a, b)

    device = mi.Device("toy", xp=np, kernels={"multiply": multiply})
    x = mi.Tensor([1.0, 2.0], device=device, requires_grad=True)
    (x * x).sum().backward()
    assert len(calls) == 3


def test_registered_later():
    """register() replaces a kernel that was used already, and says whether it takes out=."""
    device = mi.Device("toy", xp=np)
    x = mi.Tensor([1.0], device=device)
    assert mi.exp(x * 0).item() == 1.0
    device.register("exp", lambda x: x + 5, out=True)
    assert "exp" in device.writes
    assert mi.exp(x * 0).item() == 5.0
    device.register("exp", lambda x: x + 6)
    assert "exp" not in device.writes


@pytest.mark.parametrize("name", ["multiply", "gelu", "layer_norm"])
def test_use_kernels(name):
    """A set of kernels is active until it is removed; then all is as before."""
    cpu = mi.device("cpu")
    call = {
        "multiply": lambda: mi.ones(2) * 3,
        "gelu": lambda: mi.gelu(mi.ones(2)),
        "layer_norm": lambda: mi.operators.layer_norm(mi.Tensor([[1.0, 3.0]])),
    }[name]
    before = call().tolist()
    if name not in cpu.writes:  # a reference kernel is put into the dict when it is first used
        del cpu.kernels[name]
    writes = set(cpu.writes)

    def wrong(*args, out=None, **attrs):
        return np.full((2,), 7.0, "float32")

    with mi.use_kernels(mi.KernelSet("cpu", {name: wrong}, writes=[name])):
        assert call().tolist() == [7.0, 7.0]
        assert name in cpu.writes
    assert call().tolist() == before
    assert cpu.writes == writes
    handle = mi.use_kernels(mi.KernelSet("cpu", {name: wrong}))
    assert name not in cpu.writes
    handle.remove()
    handle.remove()
    assert call().tolist() == before
    assert cpu.writes == writes


def test_sets_within_sets():
    """Two sets for the same operator, one within the other."""
    first = mi.KernelSet("cpu", {"negative": lambda x: x * 10})
    second = mi.KernelSet("cpu", {"negative": lambda x: x * 100})
    with mi.use_kernels(first):
        with mi.use_kernels(second):
            assert (-mi.ones(1)).item() == 100.0
        assert (-mi.ones(1)).item() == 10.0
    assert (-mi.ones(1)).item() == -1.0


def test_missing_kernel():
    """Without a namespace and without a kernel the error names operator, device and remedy."""
    with pytest.raises(
        mi.KernelMissingError,
        match=r"^exp: device 'bare' has no kernel.*register\('exp', kernel\).*\.to\('cpu'\)",
    ):
        mi.Device("bare").kernels["exp"]
    with pytest.raises(mi.KernelMissingError, match="no_such_operator"):
        mi.device("cpu").kernels["no_such_operator"]


def test_transfer_is_differentiable_twice():
    """Gradients cross devices, also those of gradients."""
    toy = mi.Device("toy", xp=np)
    x = mi.Tensor([0.5, 1.5], dtype="float64", requires_grad=True)
    y = (x**3).to(toy).to("cpu")
    (g,) = mi.autograd.grad(y.sum(), x, create_graph=True)
    (gg,) = mi.autograd.grad(g.sum(), x)
    assert np.allclose(gg.numpy(), 6 * x.numpy())
    there = x.to(toy)
    with mi.no_grad():
        there += 1
    assert x.tolist() == [0.5, 1.5]


def test_the_cpu_writes_where_numpy_can():
    """Replay lives on out=: these operators must write there on the cpu."""
    wanted = (
        "add subtract multiply divide negative power maximum minimum exp log tanh sqrt abs sum max "
        "min mean matmul linear relu sigmoid softmax where copy astype concat stack clip"
    ).split()
    assert not set(wanted) - mi.device("cpu").writes - {"where"}

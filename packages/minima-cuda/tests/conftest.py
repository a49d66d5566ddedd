"""The mark gpu, and a stand-in for CuPy for machines that have none."""

import sys
from pathlib import Path

import pytest

from minima import devices, random
from minima_cuda import availability, device, guard, memory, pinned, precision, streams
from minima_cuda.availability import Probe, probe

sys.path.insert(0, str(Path(__file__).parent))  # for what tests share: standin, emulator

from standin import CUDARuntimeError, standin


def pytest_configure(config):
    config.addinivalue_line("markers", "gpu: needs an NVIDIA GPU, its driver and CuPy")


def pytest_collection_modifyitems(items):
    """Skip, with the probe's reason, what needs a GPU where there is none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and probe().reason:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"no CUDA device: {probe().reason}"))


@pytest.fixture
def stand_in(monkeypatch):
    """Put a stand-in for CuPy in place; called with what `standin.Machine` takes."""
    monkeypatch.setattr(devices, "_opened", {"cpu": devices.CPU})
    monkeypatch.setattr(random, "_defaults", {})
    monkeypatch.setattr(guard, "_started", 1)  # nobody marks the forks of this process
    for module, name in [(memory, "_watched"), (precision, "_opened"), (streams, "_kept")]:
        monkeypatch.setattr(module, name, [])
    monkeypatch.setattr(memory, "_peak", {})
    monkeypatch.setattr(pinned, "_running", type(pinned._running)())

    def put(**settings):
        module = standin(**settings)
        monkeypatch.setitem(sys.modules, "cupy", module)
        return module

    return put


@pytest.fixture
def cupy(stand_in, monkeypatch):
    """Two simulated GPUs, on which the reference kernels run."""
    module = stand_in()
    found = Probe(len(module.machine.gpus), "", "CUDA_VISIBLE_DEVICES is not set")
    monkeypatch.setattr(availability, "probe", lambda: found)
    monkeypatch.setattr(device, "own_kernels", lambda cupy, index: {})
    return module


@pytest.fixture
def runtime_error():
    return CUDARuntimeError


@pytest.fixture
def fresh_probe():
    """The probe, which remembers nothing before or after the test."""
    probe.cache_clear()
    yield probe
    probe.cache_clear()

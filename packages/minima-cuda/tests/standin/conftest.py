"""minima's own kernels on the GPUs that are simulated."""

import pickle

import pytest
from emulator import EmulatorLauncher

from minima_cuda import device

OWN = device.own_kernels


@pytest.fixture
def launcher(cupy, monkeypatch):
    """Run the library's kernels on the emulator, whose launcher this is."""
    compile_ = pytest.importorskip("minima_cuda.compile")
    monkeypatch.setattr(compile_, "cubin", lambda source, arch: pickle.dumps(source))
    monkeypatch.setattr(device, "own_kernels", OWN)
    found = EmulatorLauncher(races=False)
    cupy.machine.kernel = found.launch
    return found

"""The mark gpu, and a stand-in for CuPy for machines that have none."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from minima_cuda.availability import probe


def pytest_configure(config):
    config.addinivalue_line("markers", "gpu: needs an NVIDIA GPU, its driver and CuPy")


def pytest_collection_modifyitems(items):
    """Skip, with the probe's reason, what needs a GPU where there is none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and probe().reason:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"no CUDA device: {probe().reason}"))


class CUDARuntimeError(RuntimeError):
    """CuPy's error, with the runtime's error code in *status*."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class StandIn(ModuleType):
    """CuPy as minima-cuda uses it, over NumPy: two GPUs, of which one is the current one.

    *fails* maps the name of a call, such as ``runtime.getDeviceCount``, to what it raises.
    """

    def __init__(self, fails=None):
        super().__init__("cupy")
        self.current, self.calls = 0, []
        fails = fails or {}

        def call(name, result):
            def function(*arguments):
                self.calls.append((name, self.current))
                if name in fails:
                    raise fails[name]
                return result(*arguments)

            return function

        pool = SimpleNamespace(used_bytes=lambda: 24, total_bytes=lambda: 512)
        self.cuda = SimpleNamespace(
            runtime=SimpleNamespace(
                getDeviceCount=call("runtime.getDeviceCount", lambda: 2),
                runtimeGetVersion=call("runtime.runtimeGetVersion", lambda: 13020),
                memGetInfo=call("runtime.memGetInfo", lambda: (1000, 4000)),
            ),
            nvrtc=SimpleNamespace(getVersion=call("nvrtc.getVersion", lambda: (13, 2))),
            Device=self._device,
        )
        self.ndarray = np.ndarray
        self.get_default_memory_pool = lambda: pool
        self.array = call("array", np.array)
        self.asarray = call("asarray", np.asarray)
        self.asnumpy = call("asnumpy", np.array)
        self.exp = call("exp", np.exp)

    def __getattr__(self, name):
        return getattr(np, name)

    def _device(self, index):
        cupy = self

        class Current:
            def __enter__(self):
                self.before, cupy.current = cupy.current, index

            def __exit__(self, *_):
                cupy.current = self.before

            def synchronize(self):
                cupy.calls.append(("synchronize", index))

        return Current()


@pytest.fixture
def stand_in(monkeypatch):
    """Put a stand-in for CuPy in place; called with what shall fail."""

    def put(fails=None):
        module = StandIn(fails)
        monkeypatch.setitem(sys.modules, "cupy", module)
        return module

    return put


@pytest.fixture
def runtime_error():
    return CUDARuntimeError


@pytest.fixture
def fresh_probe():
    """The probe, which remembers nothing before or after the test."""
    probe.cache_clear()
    yield probe
    probe.cache_clear()

"""The launcher for a GPU, on a stand-in for what it calls of CuPy; the arguments it makes."""

from types import SimpleNamespace

import numpy as np
import pytest

from minima_cuda import compile as compiling
from minima_cuda.launch import GpuLauncher, Pointers
from minima_cuda.sources import Source

SOURCE = Source("elementwise", "float32")


class Recorder:
    """CuPy's driver and functions as the launcher calls them; *calls* says how."""

    def __init__(self):
        self.calls, self.current = [], 0
        recorder = self

        class Module:
            def load(self, binary):
                recorder.calls.append(("load", binary))

            def get_function(self, name):
                recorder.calls.append(("get", name))
                return Function(name)

        class Function:
            ptr = 77

            def __init__(self, name):
                self.name = name

            def __call__(self, grid, block, args, shared_mem):
                recorder.calls.append(("run", self.name, grid, block, args, shared_mem))

        self.cuda = SimpleNamespace(
            runtime=SimpleNamespace(getDevice=lambda: self.current),
            Device=lambda index: SimpleNamespace(compute_capability="90"),
            function=SimpleNamespace(Module=Module),
            driver=SimpleNamespace(
                CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8,
                funcSetAttribute=lambda *given: self.calls.append(("set", *given)),
            ),
        )

    def names(self):
        return [call[0] for call in self.calls]


@pytest.fixture
def cupy(monkeypatch):
    monkeypatch.setattr(compiling, "cubin", lambda source, arch: f"{source.family} {arch}".encode())
    return Recorder()


def test_a_module_is_loaded_once_per_gpu(cupy):
    """Catches a kernel compiled at each launch, and one that runs on the wrong GPU."""
    launcher, number = GpuLauncher(cupy), np.int64(3)
    for device in (0, 0, 1):
        cupy.current = device
        launcher.launch(SOURCE, "add", (2,), (256,), (number,))
    assert cupy.names() == ["load", "get", "run", "run", "load", "get", "run"]
    assert cupy.calls[0] == ("load", b"elementwise sm_90")
    assert cupy.calls[2] == ("run", "add", (2,), (256,), (number,), 0)


def test_more_than_48_kib_of_shared_memory_are_asked_for_once(cupy):
    """Catches a launch that a GPU refuses for its shared memory."""
    launcher = GpuLauncher(cupy)
    for smem in (48 << 10, 50 << 10, 49 << 10, 60 << 10):
        launcher.launch(SOURCE, "add", (1,), (32,), (), smem)
    asked = [call for call in cupy.calls if call[0] == "set"]
    assert asked == [("set", 77, 8, 50 << 10), ("set", 77, 8, 60 << 10)]


def test_pointers_are_a_struct_of_addresses(cupy):
    arrays = [SimpleNamespace(data=SimpleNamespace(ptr=p)) for p in (16, 32)]
    GpuLauncher(cupy).launch(SOURCE, "add", (1,), (32,), (Pointers(arrays, room=3),))
    (table,) = cupy.calls[-1][4]
    assert isinstance(table, np.void)
    assert np.frombuffer(table.tobytes(), np.uint64).tolist() == [16, 32, 0]


def test_pointers_have_a_limit():
    with pytest.raises(ValueError, match="3 arrays; there is room for 2"):
        Pointers([None] * 3, room=2)
    with pytest.raises(ValueError, match="200 arrays; there is room for 128"):
        Pointers([None] * 200, room=200)

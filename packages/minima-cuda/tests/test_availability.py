"""The reasons why there is no CUDA device: each one, and nothing else, on its machine."""

import subprocess
import sys

import pytest

import minima_cuda
from minima.errors import DeviceUnavailableError
from minima_cuda import availability, driver


def answer(**more):
    """Return a driver's answer: one that serves CUDA 13.1 and two GPUs, but for *more*."""
    fine = {"library": "libcuda.so.1", "found": True, "error": 0, "name": ""}
    return {**fine, "version": 13010, "count": 2, "gpus": [("A", 90), ("B", 90)], **more}


def test_probe_of_this_machine_finds_gpus_or_a_reason(fresh_probe):
    """Catches a probe that raises on a machine that its author did not think of."""
    assert (fresh_probe().count > 0) != (fresh_probe().reason != "")


@pytest.mark.parametrize(
    ("visible", "more", "reason"),
    [
        (None, {"found": False}, "no NVIDIA driver on this machine (libcuda.so.1 is not found)"),
        (None, {"error": 34}, "no NVIDIA driver on this machine (libcuda.so.1 is the toolkit's "),
        (None, {"error": 999}, "the NVIDIA driver fails with error 999"),
        (None, {"error": 804, "name": "X"}, "the NVIDIA driver fails with error 804 X"),
        (None, {"error": 100}, "no GPU visible (CUDA_VISIBLE_DEVICES is not set)"),
        ("", {"error": 100}, "no GPU visible (CUDA_VISIBLE_DEVICES=)"),
        ("7", {"count": 0}, "no GPU visible (CUDA_VISIBLE_DEVICES=7)"),
    ],
)
def test_reason_of_the_driver(fresh_probe, monkeypatch, visible, more, reason):
    """Catches a reason that sends the user looking in the wrong place."""
    monkeypatch.setattr(availability, "_ask_driver", lambda: answer(**more))
    monkeypatch.setitem(sys.modules, "cupy", None)  # not even looked at
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert fresh_probe().reason.startswith(reason)
    with pytest.raises(DeviceUnavailableError, match=r"^no CUDA device: ") as caught:
        minima_cuda.open_device()
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("version", "extra"), [(12040, "minima-cuda[cu12]"), (13000, "minima-cuda[cu13]")]
)
def test_cupy_is_not_installed(fresh_probe, monkeypatch, version, extra):
    """Catches advice to install a CuPy that the driver is too old for."""
    monkeypatch.setattr(availability, "_ask_driver", lambda: answer(version=version))
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert fresh_probe().reason == f'CuPy is not installed (pip install "{extra}")'


def test_cupy_that_cannot_be_imported(fresh_probe, monkeypatch, tmp_path):
    """Catches a broken CuPy that is reported as absent, or breaks the probe."""
    (tmp_path / "cupy.py").write_text("raise OSError('libcudart.so\\nis missing')")
    monkeypatch.setattr(availability, "_ask_driver", answer)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert fresh_probe().reason == "CuPy cannot be imported: libcudart.so is missing"


@pytest.mark.parametrize(
    ("call", "status", "reason"),
    [
        ("runtime.getDeviceCount", 36, "driver too old for the CUDA runtime: "),
        ("runtime.getDeviceCount", 999, "CuPy finds no GPU: it failed"),
        ("nvrtc.getVersion", 2, "CuPy finds no CUDA compiler, NVRTC (pip install "),
    ],
)
def test_reason_of_cupy(fresh_probe, monkeypatch, stand_in, runtime_error, call, status, reason):
    """Catches a device that opens and fails at its first kernel."""
    stand_in(fails={call: runtime_error(status, "it\nfailed")})
    monkeypatch.setattr(availability, "_ask_driver", answer)
    assert fresh_probe().reason.startswith(reason)


def test_cupy_for_another_cuda_than_the_driver_serves(fresh_probe, monkeypatch, stand_in):
    """Catches a CuPy that is asked, and starts CUDA, though its answer is known."""
    cupy = stand_in()
    monkeypatch.setattr(availability, "_ask_driver", lambda: answer(version=12040))
    assert fresh_probe().reason == (
        "driver too old for the CUDA runtime: it serves CUDA 12.4 and CuPy is built for 13.2; "
        'update the driver, or pip install "minima-cuda[cu12]"'
    )
    assert [name for name, _ in cupy.machine.calls] == ["runtime.runtimeGetVersion"]


PASCAL = (
    "GTX 1080 (sm_61) is not served by CUDA 13, which starts at sm_75; "
    'pip install "minima-cuda[cu12]" serves it'
)


@pytest.mark.parametrize(
    ("gpus", "reasons"),
    [
        ([("GTX 1080", 61)], [PASCAL]),
        ([("GTX 1080", 61), ("GTX 1080", 61)], [PASCAL, PASCAL]),
        ([("H100", 90), ("GTX 1080", 61)], ["", PASCAL]),
        ([("K80", 37)], ["K80 (sm_37) is not served by CUDA 13, which starts at sm_75"]),
        ([("T4", 75), ("unknown", 0), ("B200", 100)], ["", "", ""]),
    ],
)
def test_architectures(fresh_probe, monkeypatch, stand_in, gpus, reasons):
    """Catches a GPU that opens and has no kernel, and one that hides its neighbours."""
    stand_in()
    monkeypatch.setattr(availability, "_ask_driver", lambda: answer(count=len(gpus), gpus=gpus))
    found = fresh_probe()
    assert [found.reason_of(number) for number in range(len(gpus))] == reasons
    assert (found.count == 0) == all(reasons)


def test_it_is_asked_once(fresh_probe, monkeypatch):
    """Catches a probe that runs for each tensor."""
    calls = []
    monkeypatch.setattr(availability, "_ask_driver", lambda: calls.append(1) or answer(found=False))
    fresh_probe()
    fresh_probe()
    assert calls == [1]


@pytest.mark.parametrize(
    ("count", "index", "seen"),
    [
        (1, 1, "index 1 is out of range, the only one is cuda:0"),
        (2, 5, "index 5 is out of range, there are cuda:0 to cuda:1"),
    ],
)
def test_index_out_of_range(monkeypatch, count, index, seen):
    """Catches CuPy's cudaErrorInvalidDevice at the first copy."""
    found = availability.Probe(count, "", "CUDA_VISIBLE_DEVICES=0")
    monkeypatch.setattr(availability, "probe", lambda: found)
    with pytest.raises(DeviceUnavailableError) as caught:
        minima_cuda.open_device(index)
    assert str(caught.value) == f"no CUDA device: {seen} (CUDA_VISIBLE_DEVICES=0)"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import threading; threading.Event().wait()", "the NVIDIA driver gave no answer in 0.5 s"),
        ("import os; os._exit(3)", "the NVIDIA driver crashed (exit code 3)"),
        ("import os; os.abort()", "the NVIDIA driver crashed (exit code "),
    ],
)
def test_driver_that_hangs_or_crashes(fresh_probe, monkeypatch, tmp_path, source, reason):
    """Catches a driver that takes this process with it."""
    script = tmp_path / "driver.py"
    script.write_text(source)
    monkeypatch.setattr(driver, "__file__", str(script))
    monkeypatch.setattr(availability, "TIMEOUT", 0.5)
    assert fresh_probe().reason.startswith(reason)


@pytest.mark.parametrize("executable", ["", "/absent/python"])
def test_without_an_interpreter_to_run_it_asks_in_this_process(
    fresh_probe, monkeypatch, executable
):
    """Catches an embedded interpreter that has no device."""
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(driver, "LIBRARY", "libabsent.so.1")
    assert fresh_probe().reason.endswith("(libabsent.so.1 is not found)")


def test_neither_importing_nor_registering_imports_cupy(tmp_path):
    """Catches a plugin that costs half a second, or fails, before it is asked for."""
    (tmp_path / "cupy.py").write_text("raise SystemExit('imported')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import minima_cuda\n"
        "from minima.registry import Registrar\n"
        "registry = Registrar('device')\n"
        "minima_cuda.minima_register_devices(registry)\n"
        "print(sorted(registry.offered), 'cupy' in sys.modules)"
    )
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("['cuda'] False\n", "")

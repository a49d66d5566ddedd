"""Whether there is a CUDA device, and if not, the one thing to do about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache

from . import driver
from .guard import mark_started

__all__ = ["Probe", "probe"]

#: seconds; eight GPUs whose driver was asleep take about ten
TIMEOUT = 30.0

#: error codes of the driver
_NO_DEVICE, _STUB = 100, 34
#: error codes of the runtime: cudaErrorInsufficientDriver, cudaErrorCallRequiresNewerDriver
_TOO_OLD = 35, 36
#: CUDA's major version -> the oldest architecture that it compiles for, 75 for sm_75
_OLDEST = {12: 50, 13: 75}


@dataclass(frozen=True)
class Probe:
    """What was found: the number of GPUs, or the *reason* why none can be used.

    *visible* says what CUDA_VISIBLE_DEVICES was, *unusable* why single GPUs cannot be used.
    """

    count: int
    reason: str
    visible: str
    unusable: dict[int, str] = field(default_factory=dict)

    def reason_of(self, number: int) -> str:
        """Return why the GPU with that number cannot be used, nothing where it can."""
        if self.reason:
            return self.reason
        if number < self.count:
            return self.unusable.get(number, "")
        last = self.count - 1
        seen = f"there are cuda:0 to cuda:{last}" if last else "the only one is cuda:0"
        return f"index {number} is out of range, {seen} ({self.visible})"


class _Unavailable(Exception):
    """No GPU can be used; the message is the reason."""


@cache
def probe() -> Probe:
    """Look for GPUs, once in a process: the driver first, then CuPy.

    Never raises, and waits no longer than `TIMEOUT`.

    >>> from minima_cuda.availability import probe
    >>> (probe().count > 0) != (probe().reason != "")
    True
    """
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = "CUDA_VISIBLE_DEVICES" + (" is not set" if value is None else f"={value}")
    try:
        answer = _ask_driver()
        _check_driver(answer, visible)
        built = _check_cupy(answer["version"])
        unusable = _too_old(answer["gpus"], built)
        if len(unusable) == answer["count"]:
            raise _Unavailable("; ".join(dict.fromkeys(unusable.values())))
    except _Unavailable as reason:
        return Probe(0, str(reason), visible)
    return Probe(answer["count"], "", visible, unusable)


def _ask_driver() -> driver.Answer:
    """Return the driver's answer, asked for in a process of its own where there can be one."""
    if not sys.executable or hasattr(sys, "frozen"):
        return driver.ask(driver.load())
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", driver.__file__],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _Unavailable(f"the NVIDIA driver gave no answer in {TIMEOUT:g} s") from None
    except OSError:
        return driver.ask(driver.load())
    if done.returncode:
        raise _Unavailable(f"the NVIDIA driver crashed (exit code {done.returncode})")
    answer: driver.Answer = json.loads(done.stdout)
    return answer


def _check_driver(answer: driver.Answer, visible: str) -> None:
    library, error = answer["library"], answer["error"]
    if not answer["found"]:
        raise _Unavailable(f"no NVIDIA driver on this machine ({library} is not found)")
    if error == _STUB:
        raise _Unavailable(f"no NVIDIA driver on this machine ({library} is the toolkit's stub)")
    if error not in (0, _NO_DEVICE):
        raise _Unavailable(f"the NVIDIA driver fails with error {error} {answer['name']}".rstrip())
    if error == _NO_DEVICE or answer["count"] == 0:
        raise _Unavailable(f"no GPU visible ({visible})")


def _check_cupy(version: int) -> int:
    """Check that CuPy can use the GPUs of a driver of this *version*, 12040 for CUDA 12.4.

    Returns the version that CuPy is built for.
    """
    extra = f'pip install "minima-cuda[{"cu13" if version >= 13000 else "cu12"}]"'
    try:
        import cupy
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            raise _Unavailable(f"CuPy is not installed ({extra})") from error
        raise _Unavailable(f"CuPy cannot be imported: {_one_line(error)}") from error
    try:
        built = int(cupy.cuda.runtime.runtimeGetVersion())
        old = built // 1000 > version // 1000  # then it need not be tried
        if not old:
            mark_started()
            cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        old = getattr(error, "status", None) in _TOO_OLD
        if not old:
            raise _Unavailable(f"CuPy finds no GPU: {_one_line(error)}") from error
    if old:
        raise _Unavailable(
            f"driver too old for the CUDA runtime: it serves CUDA {_dotted(version)} and CuPy is "
            f"built for {_dotted(built)}; update the driver, or {extra}"
        )
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:
        raise _Unavailable(
            f'CuPy finds no CUDA compiler, NVRTC (pip install "cupy-cuda{version // 1000}x[ctk]"): '
            f"{_one_line(error)}"
        ) from error
    return built


def _too_old(gpus: list[tuple[str, int]], built: int) -> dict[int, str]:
    """Return GPU number -> why CUDA of the version *built* does not serve its architecture."""
    major = built // 1000
    oldest = _OLDEST.get(major, max(_OLDEST.values()))
    served = [f'pip install "minima-cuda[cu{old}]"' for old in _OLDEST if old < major]
    remedy = f"; {served[-1]} serves it" if served else ""
    return {
        number: f"{name} (sm_{arch}) is not served by CUDA {major}, which starts at sm_{oldest}"
        + (remedy if arch >= min(_OLDEST.values()) else "")
        for number, (name, arch) in enumerate(gpus)
        if 0 < arch < oldest
    }


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

"""minima with minima-cuda installed: what is said of the device, and that nothing else changes."""

import os
import subprocess
import sys

import pytest

import minima as mi
from minima_cuda.availability import probe

#: prints the exact bits of a gradient, of random numbers and of a few steps of training
COMPUTE = """
import minima as mi, numpy as np
mi.manual_seed(3)
w = mi.init.randn(4, 3, requires_grad=True)
x = mi.init.rand(8, 4)
for _ in range(3):
    loss = mi.cross_entropy(mi.tanh(x @ w), mi.Tensor([0, 1, 2, 0, 1, 2, 0, 1]))
    loss.backward()
    with mi.no_grad():
        w.sub_(w.grad, alpha=0.1)
    print(loss.numpy().tobytes().hex(), w.numpy().tobytes().hex(), w.grad.numpy().tobytes().hex())
    w.grad = None
try:
    mi.device("cuda")
except mi.DeviceError as error:
    assert "cuda" in str(error).lower()
"""


def run(*words, **environment):
    line = [sys.executable, *words]
    environment = {**os.environ, **environment}
    done = subprocess.run(
        line, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_plugin_is_found_and_works():
    """Catches an entry point that does not lead to the module."""
    rows = [line.split() for line in run("-m", "minima", "plugins", "--check").splitlines()]
    assert ["minima.devices", "cuda", "minima-cuda", "0.1.0", "loaded"] in rows
    assert {row[-1] for row in rows if "minima-cuda" in row} == {"loaded"}


def test_minima_devices_lists_cuda_or_says_why_not():
    """Catches a device that is missing from the list, or listed without a reason."""
    [line] = [line for line in run("-m", "minima", "devices").splitlines() if line[:4] == "cuda"]
    told = line.split(maxsplit=1)[1]
    if probe().reason:
        assert told == f"no CUDA device: {probe().reason}"
    else:
        assert told.startswith("available, used ")


def test_asking_for_the_device_says_why_not():
    """Catches a reason that `minima devices` knows and the error does not."""
    if not probe().reason:
        pytest.skip("there is a CUDA device")
    for name in ["cuda", "cuda:0", "cuda:1"]:
        with pytest.raises(mi.DeviceUnavailableError) as caught:
            mi.device(name)
        assert str(caught.value) == f"no CUDA device: {probe().reason}"


@pytest.mark.parametrize("cupy", ["real", "absent"])
def test_no_driver_is_one_line(cupy):
    """Catches a warning or a traceback of CuPy, which imports without a driver and then fails."""
    if not probe().reason.startswith("no NVIDIA driver"):
        pytest.skip("there is an NVIDIA driver")
    if cupy == "real":
        pytest.importorskip("cupy", reason="CuPy is not installed", exc_type=ImportError)
    hide = "import sys; sys.modules['cupy'] = None; " if cupy == "absent" else ""
    code = hide + (
        "import minima as mi\n"
        "try: mi.ones(2).to('cuda')\n"
        "except mi.DeviceUnavailableError as error: print(error)"
    )
    line = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"no CUDA device: {probe().reason}\n"
    assert done.stderr == ""


def test_having_it_installed_changes_no_result():
    """Catches a plugin that touches anything but its own device: the bits stay the same."""
    assert run("-c", COMPUTE) == run("-c", COMPUTE, MINIMA_PLUGINS="0")

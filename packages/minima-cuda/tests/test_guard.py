"""Errors of kernels that come to light later, and forks of a process that has used the GPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minima as mi
import minima_cuda

HINT = "CUDA_LAUNCH_BLOCKING=1"


def test_an_error_is_told_by_the_operator_that_heard_of_it(cupy):
    """Catches an error that blames the operator which waited."""
    x = mi.ones(2, device="cuda")
    cupy.machine.faults.append(700)
    y = mi.exp(x)  # nobody knows yet
    z = y + 1
    with pytest.raises(minima_cuda.DeviceLaunchError) as caught:
        z.numpy()
    assert str(caught.value) == (
        "to_host: the GPU cuda:0 reports cudaErrorIllegalAddress: an illegal memory access was "
        "encountered. Kernels run after the call that starts them has returned, so the fault may "
        "be in an earlier operator: to_host is the one that heard of it. Run again with "
        f"{HINT} in the environment, and the operator named here is the one at fault"
    )


def test_launch_blocking_names_the_operator_at_fault(cupy, monkeypatch):
    """Catches a hint that would not help."""
    monkeypatch.setenv("CUDA_LAUNCH_BLOCKING", "1")
    x = mi.ones(2, device="cuda")
    cupy.machine.faults.append(700)
    with pytest.raises(minima_cuda.DeviceLaunchError, match=r"^exp: the GPU cuda:0 reports"):
        mi.exp(x)


CALLS = {
    "add": lambda x: x + 1,
    "to_host": lambda x: x.numpy(),
    "from_host": lambda x: mi.ones(2, device="cuda"),
    "synchronize": lambda x: minima_cuda.synchronize(),
    "write": lambda x: x.__setitem__(0, x[1]),
    "memory_stats": lambda x: minima_cuda.memory_stats(),
    "Stream": lambda x: minima_cuda.Stream(),
    "pin_memory": lambda x: minima_cuda.pin_memory(mi.ones(2)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_after_such_an_error_each_call_says_that_the_gpu_is_lost(cupy, call):
    """Catches a second error that sends the user after another operator."""
    x = mi.ones(2, device="cuda")
    cupy.machine.faults.append(719)
    y = x * 2
    with pytest.raises(minima_cuda.DeviceLaunchError):
        y.numpy()
    with pytest.raises(minima_cuda.DeviceLaunchError, match="cannot be used any more") as caught:
        call(x)
    assert "to_host met cudaErrorLaunchFailure" in str(caught.value)
    assert "start a new process" in str(caught.value)


def test_an_error_that_passes_is_told_once(cupy):
    """Catches a GPU that is given up for a call that failed."""
    x = mi.ones(2, device="cuda")
    cupy.machine.faults.append(98)
    y = x * 2
    with pytest.raises(minima_cuda.DeviceLaunchError, match="cudaErrorInvalidDeviceFunction"):
        minima_cuda.synchronize()
    assert y.shape == (2,)
    assert (x * 2).tolist() == [2.0, 2.0]


def test_errors_of_a_kernel_are_its_own(cupy):
    """Catches a mistake of the user that is called an error of the GPU."""
    with pytest.raises(mi.ShapeError):
        mi.ones((2, 3), device="cuda") @ mi.ones((2, 3), device="cuda")


FORK = """
import os, sys, threading
sys.path.insert(0, {tests!r})
from standin import standin
sys.modules["cupy"] = standin()
import minima as mi, minima_cuda
from minima_cuda import availability, device
availability.probe = lambda: availability.Probe(2, "", "")
device.own_kernels = lambda cupy, index: {{}}
{before}
sys.stdout.flush()
if os.fork() == 0:
    for call in ({calls}):
        try:
            call()
            print("worked")
        except mi.MinimaError as error:
            print(type(error).__name__, error)
    sys.stdout.flush()
    os._exit(0)
print("child", os.wait()[1])
x = locals().get("x")
print("parent", None if x is None else (x + 1).tolist())
"""

USED = 'x = mi.ones(2, device="cuda"); s = minima_cuda.Stream()'
ALL = """
    lambda: x + 1, lambda: x.numpy(), lambda: mi.ones(2, device="cuda"), lambda: s.synchronize(),
    lambda: mi.device("cuda:1"), lambda: minima_cuda.memory_stats(),
    lambda: mi.Generator(0, device="cuda").uniform((2,)), lambda: x.to("cpu"),
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize(
    ("before", "calls", "found"),
    [(USED, ALL, "DeviceForkError"), ("", 'lambda: mi.ones(2, device="cuda").sum(),', "Launch")],
    ids=["used before", "not used before"],
)
def test_a_fork_gets_one_clear_error(before, calls, found):
    """Catches a hang, or CUDA's own error, in a worker that inherits tensors of the GPU."""
    code = FORK.format(tests=str(Path(__file__).parent), before=before, calls=calls)
    line = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    *told, child, parent = done.stdout.splitlines()
    assert child == "child 0"
    assert len(told) == calls.count("lambda")
    if before:
        assert parent == "parent [2.0, 2.0]"
        assert [line.split()[0] for line in told] == [found] * len(told)
        assert all("had used the GPU" in line and '"spawn"' in line for line in told)
    else:  # the stand-in belongs to the parent's process, as CUDA would not: no check of ours fires
        assert "had used" not in told[0]


def test_host_arrays_never_slip_in(cupy):
    """Catches a stand-in that takes what CuPy refuses."""
    x = mi.device("cuda").from_host(np.ones(2))
    with pytest.raises(TypeError, match="Unsupported type"):
        cupy.add(x, np.ones(2))
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(x)

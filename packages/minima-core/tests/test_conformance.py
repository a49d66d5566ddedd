"""Judging another's device: the option names it, and a wrong kernel is found."""

import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

DEVICE = """
import numpy as np
from minima.devices import Device
from minima.hookspec import hookimpl

MINIMA_API = 1

KERNELS = {
    "exp": lambda x: np.exp(x),
    "tanh": lambda x: np.tanh(x) * (1 + 1e-3),
    "sin": lambda x: np.sin(x.astype("float64")),
    "cos": lambda x: np.cos(x, out=x),
    "copy": lambda x: x,
    "sqrt": lambda x, out=None: np.sqrt(x),
}

def open_toy(index=None):
    return Device("toy", xp=np, kernels=KERNELS, writes=["sqrt"])

@hookimpl
def minima_register_devices(registry):
    registry.add("toy", open_toy)
"""

INSTALLED = any(e.name == "minima" for e in entry_points(group="pytest11"))


def judge(site, *options):
    """Run the conformance tests in a process of their own."""
    plugin = () if INSTALLED else ("-p", "minima.testing.pytest_plugin")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *plugin]
    path = {"PYTHONPATH": ":".join(filter(None, [str(site.folder), *sys.path]))}
    return subprocess.run(
        [*command, *options, "--pyargs", "minima.testing.conformance"],
        capture_output=True,
        text=True,
        env=path,
        cwd=site.folder,
        check=False,
    )


def test_device_of_a_plugin(site):
    """Kernels that a plugin brings are judged: a right one passes, each wrong one is found."""
    site.install("minima-toy", "[minima.devices]\ntoy = toy\n", toy=DEVICE)
    wanted = "3 and (exp or tanh or sin or cos or copy or sqrt) and not gradcheck and not expm1"
    done = judge(site, "--minima-device", "toy", "-k", wanted)
    found = set(re.findall(r"^(\w+) \S*::(test_\w+)\[(\w+)-", done.stdout, re.MULTILINE))
    assert not {(test, name) for result, test, name in found if result == "FAILED"} & {
        (test, "exp") for _, test, _ in found
    }, done.stdout
    assert {
        ("PASSED", "test_value", "exp"),
        ("FAILED", "test_value", "tanh"),  # a wrong value
        ("FAILED", "test_value", "sin"),  # a wider type
        ("FAILED", "test_pure", "cos"),  # an input overwritten
        ("FAILED", "test_pure", "copy"),  # an input returned
        ("FAILED", "test_out", "sqrt"),  # out= ignored
    } <= found, done.stdout


def test_unknown_device(site):
    """A name that no device has is one sentence, not an error for each test."""
    done = judge(site, "--minima-device", "nowhere", "-k", "test_facts")
    assert "there is no device 'nowhere'" in done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in done.stdout + done.stderr

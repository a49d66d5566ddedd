"""What the driver is asked, with a driver that is a Python object."""

import json
import subprocess
import sys

import pytest

from minima_cuda import driver


class Library:
    """A driver whose calls fill in their argument, or return an error code."""

    def __init__(self, **errors):
        self.errors = errors

    def cuInit(self, flags):
        return self.errors.get("cuInit", 0)

    def cuDriverGetVersion(self, version):
        version._obj.value = 13010
        return self.errors.get("cuDriverGetVersion", 0)

    def cuDeviceGetCount(self, count):
        count._obj.value = 2
        return self.errors.get("cuDeviceGetCount", 0)

    def cuDeviceGet(self, handle, number):
        handle._obj.value = number
        return self.errors.get("cuDeviceGet", 0)

    def cuDeviceGetName(self, name, length, handle):
        name.value = b"GPU of a test"
        return 0

    def cuDeviceGetAttribute(self, value, attribute, handle):
        value._obj.value = {75: 9, 76: handle.value}[attribute]
        return 0

    def cuGetErrorName(self, code, name):
        if code == 999:
            return 1
        name._obj.value = b"CUDA_ERROR_NO_DEVICE"
        return 0


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        (None, {"found": False, "error": 0, "name": "", "version": 0, "count": 0}),
        (Library(), {"found": True, "error": 0, "name": "", "version": 13010, "count": 2}),
        (Library(), {"gpus": [("GPU of a test", 90), ("GPU of a test", 91)]}),
        (Library(cuDeviceGet=3), {"error": 0, "gpus": [("GPU 0", 0), ("GPU 1", 0)]}),
        (Library(cuInit=100), {"error": 100, "name": "CUDA_ERROR_NO_DEVICE", "count": 0}),
        (Library(cuInit=999), {"error": 999, "name": ""}),
        (Library(cuDriverGetVersion=3), {"error": 3, "count": 0}),
        (Library(cuDeviceGetCount=3), {"error": 3, "version": 13010}),
    ],
)
def test_answer(library, expected):
    """Catches a call after one that failed, and an error code that gets lost."""
    answer = driver.ask(library)
    assert {key: answer[key] for key in expected} == expected


def test_script_prints_an_answer_without_site_packages():
    """Catches an import that an isolated process does not have."""
    line = [sys.executable, "-I", "-S", driver.__file__]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout).keys() == driver.Answer.__annotations__.keys()
    assert done.stderr == ""


def test_absent_library_is_none(monkeypatch):
    """Catches an OSError on a machine without a driver."""
    monkeypatch.setattr(driver, "LIBRARY", "libabsent.so.1")
    assert driver.load() is None

"""What every test run of the repository shares, whichever package it tests."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent


def installed_at(package):
    """Return the folder that *package* is imported from, None when it is not installed."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def pytest_report_header():
    return f"minima: {installed_at('minima') or 'not installed'}"


def pytest_sessionstart():
    """Refuse to test a source tree where the built wheel is what has to be tested."""
    if "TOX_ENV_NAME" not in os.environ:
        return
    for package in ("minima", "minima_cuda", "minima_numba"):
        folder = installed_at(package)
        if folder and not folder.is_relative_to(sys.prefix):
            pytest.exit(f"{package} is imported from {folder}, not from its wheel", returncode=3)


@pytest.fixture(autouse=True)
def _names_of_docstring_examples(doctest_namespace):
    """Give the examples in docstrings the two imports that each of them would begin with."""
    if installed_at("minima"):
        import numpy as np

        import minima as mi

        doctest_namespace.update(mi=mi, np=np)


@pytest.fixture(autouse=True)
def _seeded():
    """Begin each test with the same random numbers, in whatever order tests run."""
    if "minima" in sys.modules:
        sys.modules["minima"].manual_seed(0)

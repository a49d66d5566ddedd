"""These tests hold the executor that comes with minima to the bits of eager code."""

import pytest


@pytest.fixture(autouse=True)
def _numpy_executor(monkeypatch):
    monkeypatch.setenv("MINIMA_EXECUTOR", "numpy")

"""The kernels of the cpu that wait in modules of their own until one of them runs."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from inspect import unwrap

import pytest

import minima as mi
from minima.devices.cpu import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_names_what_the_module_has(family):
    """Catch a kernel that nobody finds, or a name without a kernel."""
    module = import_module(f"minima.devices.{family}")
    assert set(FAMILIES[family].split()) == set(module.KERNELS)


def test_kernels_come_from_their_module_and_write():
    for family, names in FAMILIES.items():
        for name in names.split():
            kernel = mi.device("cpu").kernels[name]
            found = import_module(f"minima.devices.{family}").KERNELS[name]
            assert unwrap(kernel.quietened) is found  # within what takes bfloat16, once in use
            assert name in mi.device("cpu").writes


def test_they_are_not_imported_with_minima():
    code = "import sys, minima; print([m for m in sys.modules if 'devices.cpu_' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("divide", [mi.floor_divide, mi.remainder], ids=["floor", "remainder"])
def test_whole_numbers_over_zero_raise(divide):
    """Catch NumPy's silent 0; floats give inf or NaN as ever."""
    with pytest.raises(mi.ArgumentError, match="divide by zero"):
        divide(mi.arange(3), 0)
    assert not mi.isfinite(divide(mi.ones(2), 0.0)).all()

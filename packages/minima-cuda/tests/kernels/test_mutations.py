"""Plants a fault in a kernel and asks that a test of that kernel sees it."""

from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest
from emulator import EmulatorLauncher, KernelFault, needs_emulator

pytestmark = needs_emulator

HERE = Path(__file__).parent
ROWS = [
    pytest.param(row, id=f"{path.stem.removeprefix('mutations_')}-{row.name}")
    for path in sorted(HERE.glob("mutations_*.py"))
    for row in import_module(f"kernels.{path.stem}").MUTATIONS
]


@cache
def _text(file):
    return (files("minima_cuda") / "kernels" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS)
def test_a_planted_fault_is_seen(row):
    """Catches a test of a kernel that passes whatever the kernel does."""
    assert _text(row.file).count(row.text) == 1, f"{row.text!r} is not once in {row.file}"
    launcher = EmulatorLauncher("forward", replace=(row.file, row.text, row.instead))
    if row.how == "value":
        with pytest.raises(AssertionError):
            row.run(launcher)
    else:
        with pytest.raises(KernelFault) as caught:
            row.run(launcher)
        assert caught.value.kind == row.how

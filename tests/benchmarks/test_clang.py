"""The compiler for tinygrad."""

import io
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from benchmarks.clang import main


@pytest.mark.skipif(not find_spec("ziglang"), reason="ziglang is not installed")
def test_an_object_comes_out(monkeypatch):
    """Catch objects with debugging sections, whose relocations tinygrad's loader refuses."""
    out = io.BytesIO()
    monkeypatch.setattr(
        sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"int f(void) {return 1;}"))
    )
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out, fileno=sys.__stderr__.fileno))
    arguments = ["-c", "-x", "c", "-O2", "--target=x86_64-none-unknown-elf", "-", "-o", "-"]
    assert main(arguments) == 0
    assert out.getvalue().startswith(b"\x7fELF")
    assert b".debug_info" not in out.getvalue()

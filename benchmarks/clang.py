"""The clang inside of ziglang, called as tinygrad calls clang: C on stdin, an object on stdout."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

_QUIET = ("-g0", "-fPIC", "-fno-sanitize=all", "-fno-stack-protector")


def main(arguments: Sequence[str]) -> int:
    """Compile stdin to stdout with *arguments*; return the compiler's exit code."""
    dropped = ("-x", "c", "-", "-o")
    kept = [a for a in arguments if a not in dropped and not a.startswith("--target")]
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "source.c", Path(folder) / "object.o"
        source.write_bytes(sys.stdin.buffer.read())
        command = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-musl"]
        done = subprocess.run(
            [*command, *kept, *_QUIET, str(source), "-o", str(output)],
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode == 0:
            sys.stdout.buffer.write(output.read_bytes())
    return done.returncode

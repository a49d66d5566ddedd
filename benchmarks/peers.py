"""The peers: who they are, and in which surroundings each does best."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from minima.train.bench.measure import Contender

__all__ = ["DISTRIBUTIONS", "installed"]

_TORCH = (
    ("TORCHINDUCTOR_COMPILE_THREADS", "1"),
    ("TORCHINDUCTOR_FORCE_DISABLE_CACHES", "1"),  # the first call is timed: nothing from before
)
_JAX = (("JAX_PLATFORMS", "cpu"), ("TF_CPP_MIN_LOG_LEVEL", "3"))

#: distribution -> its contenders
PEERS: dict[str, tuple[Contender, ...]] = {
    "torch": (
        Contender("PyTorch eager", "benchmarks.peer_torch:eager", True),
        Contender("torch.compile", "benchmarks.peer_torch:compiled", True, _TORCH),
    ),
    "jax": (Contender("JAX jit", "benchmarks.peer_jax:jit", True, _JAX),),
    "tinygrad": (Contender("tinygrad JIT", "benchmarks.peer_tinygrad:jit", True),),
    "mygrad": (Contender("MyGrad", "benchmarks.peer_mygrad:eager", True),),
}
DISTRIBUTIONS = ("numpy", "minima-core", "minima-nn", "minima-numba", "numba", *PEERS, "jaxlib")


def installed(*, quick: bool = False) -> list[Contender]:
    """Return the contenders of the peers that are installed; *quick*: those that start soon."""
    found = [c for name, many in PEERS.items() if find_spec(name) for c in many]
    if quick:
        found = [c for c in found if c.name in ("PyTorch eager", "JAX jit")]
    return [_with_compiler(c) if c.name.startswith("tinygrad") else c for c in found]


def _with_compiler(contender: Contender) -> Contender:
    """Give tinygrad, which calls clang, the one of ziglang where the machine has none."""
    environment = (("DEV", "CPU"), ("CACHELEVEL", "0"))
    if "CC" not in os.environ and not shutil.which("clang") and find_spec("ziglang"):
        environment += (("CC", _clang()),)
    # of a loop over time steps it makes one large kernel graph, for minutes
    return replace(contender, environment=environment, patience=60.0)


@cache
def _clang() -> str:
    """Return the path of a script that runs `benchmarks.clang`; it goes when Python does."""
    folder = tempfile.mkdtemp(prefix="minima-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    script, root = Path(folder) / "clang", str(Path(__file__).parent.parent)
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {root!r})\n"
        "from benchmarks.clang import main\nsys.exit(main(sys.argv[1:]))\n",
        "utf8",
    )
    script.chmod(0o755)
    return str(script)

"""Compiled code on disk is found by the next process."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from minima_numba import jit

PROGRAM = """
import sys
import minima as mi
from minima_numba import jit

made = []
compiled = jit.compiled
jit.compiled = lambda source: made.append(1) or compiled(source)
function = mi.compile(lambda x: mi.softmax(mi.tanh(x) * 2.0), executor="numba")
for _ in range(3):
    y = function(mi.ones((4, 5)))
assert abs(y.numpy() - 0.2).max() < 1e-6
print(len(made))
"""


def run(folder):
    """Run the program in a process of its own; return how many modules it compiled."""
    environment = {**os.environ, "MINIMA_CACHE": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_second_process_compiles_nothing(tmp_path):
    """Catches a name that differs from process to process."""
    assert run(tmp_path) > 0
    assert run(tmp_path) == 0


def test_processes_at_the_same_time(tmp_path):
    """Catches a file that is read while it is half written."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, [tmp_path] * 4))
    assert run(tmp_path) == 0


def test_it_can_be_switched_off():
    """Catches a cache that a read-only machine cannot do without."""
    assert run("0") > 0


def test_the_name_depends_on_the_processor(monkeypatch):
    """Catches code for one machine that another one, with the same home, would run."""
    before = jit.key_of("source")
    monkeypatch.setattr(jit, "_processor", lambda: ("another", ""))
    assert jit.key_of("source") != before

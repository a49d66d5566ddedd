"""Compiled code on disk: found by the next process, never trusted where others can write."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from minima_numba import jit
from minima_numba.cache import MAX_BYTES, Cache

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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIMA_CACHE", str(tmp_path))
    return tmp_path / "code"


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


def test_it_can_be_switched_off(monkeypatch):
    """Catches a cache that a read-only machine cannot do without."""
    monkeypatch.setenv("MINIMA_CACHE", "0")
    assert Cache.open() is None
    assert run("0") > 0


def test_damaged_code_is_compiled_again(folder):
    """Catches a file that was cut short, or changed, and is run."""
    cache = Cache.open()
    cache.put("name", b"code")
    assert cache.get("name") == b"code"
    file = folder / "name"
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole[:-1] + b"x", whole + b"x"):
        file.write_bytes(damaged)
        assert cache.get("name") is None
    file.write_bytes(whole)
    os.replace(file, folder / "other")
    assert cache.get("other") is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions are those of POSIX")
def test_a_folder_that_others_can_write_to_is_not_used(folder):
    """Catches code of another user that is run as this one."""
    assert Cache.open() is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o770)
    assert Cache.open() is None
    folder.chmod(0o700)
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))
    assert Cache.open() is None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    """Catches a full or read-only disk that stops a training run."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINIMA_CACHE", str(tmp_path / "file"))
    assert Cache.open() is None


def test_it_does_not_grow_for_ever(folder):
    """Catches a folder that fills the disk."""
    cache = Cache.open()
    code = b"x" * (MAX_BYTES // 4)
    for i in range(6):
        cache.put(f"name{i}", code)
        os.utime(folder / f"name{i}", (i, i))
    assert cache.get("name0") is None
    assert cache.get("name5") == code


def test_the_name_depends_on_the_processor(monkeypatch):
    """Catches code for one machine that another one, with the same home, would run."""
    before = jit.key_of("source")
    monkeypatch.setattr(jit, "_processor", lambda: ("another", ""))
    assert jit.key_of("source") != before

"""Compiled code on disk: whole or not at all, never trusted where others can write."""

import os

import pytest

from minima.cache import MAX_BYTES, Cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIMA_CACHE", str(tmp_path))
    return tmp_path / "code"


def test_it_can_be_switched_off(monkeypatch):
    """Catches a cache that writes although it shall not."""
    monkeypatch.setenv("MINIMA_CACHE", "0")
    assert Cache.open() is None


def test_kinds_and_limits_are_apart(folder):
    """Catches code of one kind that takes the place of another's."""
    assert Cache.open().folder == folder
    other = Cache.open("cubin", limit=3)
    assert other.folder == folder.with_name("cubin")
    other.put("name", b"code")
    assert other.get("name") is None
    other = Cache.open("cubin")
    other.put("name", b"code")
    assert (other.get("name"), Cache.open().get("name")) == (b"code", None)


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

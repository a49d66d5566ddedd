import os
import stat
from pathlib import Path

import pytest

from minima.io.atomic import replacing, write_text


def test_replaces_whole_and_leaves_nothing(tmp_path):
    """Catch a temporary file that stays, or content that is appended."""
    path = tmp_path / "file"
    for text in ("a much longer text", "short"):
        write_text(path, text)
        assert path.read_text() == text
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["write_text", "fsync", "replace"])
def test_failure_keeps_the_old_file(step, tmp_path, monkeypatch):
    """Catch a crash in any step that leaves half a file under the name, or a temporary one."""
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path if step == "write_text" else os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_order_of_steps(tmp_path, monkeypatch):
    """Catch a name that reaches the disk before its content, or never."""
    steps = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor):
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("flush folder" if folder else "flush file")
        fsync(descriptor)

    def noted_replace(*names):
        steps.append("rename")
        replace(*names)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_text(tmp_path / "file", "text")
    assert steps == ["flush file", "rename", "flush folder"]


def test_interrupt_cleans_up(tmp_path):
    """Catch a cleanup that only knows Exception, not Ctrl-C."""

    def interrupted():
        with replacing(tmp_path / "file") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_link_stays_a_link(tmp_path):
    """Catch a link that is replaced by a file, so that its target keeps the old content."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_permissions_follow_umask(tmp_path):
    """Catch the private permissions of tempfile on a file that others should read."""
    write_text(tmp_path / "atomic", "")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode

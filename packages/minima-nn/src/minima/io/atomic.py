"""Replacing a file so that a crash at any moment leaves the old one or the new one, whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing", "write_text"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a temporary file to write; when the block ends well it becomes `path`.

    The temporary file lies in the same folder. It reaches the disk before it takes the name,
    and the name reaches the disk before the block is left. After an error it is removed and
    `path` is as it was.

    >>> import tempfile, pathlib
    >>> from minima.io.atomic import replacing
    >>> path = pathlib.Path(tempfile.mkdtemp(), "note.txt")
    >>> with replacing(path) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> path.read_text(), len(list(path.parent.iterdir()))
    ('whole', 1)
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _flush_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Replace the file by one that holds `text` in UTF-8.

    >>> import tempfile, pathlib
    >>> from minima.io.atomic import write_text
    >>> path = pathlib.Path(tempfile.mkdtemp(), "note.txt")
    >>> write_text(path, "whole")
    >>> path.read_text()
    'whole'
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _flush_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows flushes names by itself
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

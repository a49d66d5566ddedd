"""A folder of compiled code, each file with a checksum; only the user's own folder is trusted.

Code from it runs, so it is used only while nobody else can write to it. ``MINIMA_CACHE`` names
another folder; ``MINIMA_CACHE=0`` switches it off.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["MAX_BYTES", "Cache"]

#: what a folder holds at most, if nothing else is asked for
MAX_BYTES = 64 << 20


class Cache:
    """Pieces of compiled code by name; beyond *limit* bytes the oldest ones go.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from minima.cache import Cache
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = Cache(Path(folder))
    ...     cache.put("name", b"code")
    ...     cache.get("name"), cache.get("another")
    (b'code', None)
    """

    def __init__(self, folder: Path, limit: int = MAX_BYTES) -> None:
        self.folder, self.limit = folder, limit

    @classmethod
    def open(cls, kind: str = "code", limit: int = MAX_BYTES) -> Cache | None:
        """Return the user's cache of one *kind* of code; None where none would be safe."""
        named = os.environ.get("MINIMA_CACHE", "")
        if named == "0":
            return None
        folder = (Path(named) if named else _platform_folder()) / kind
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _private(folder):
                return cls(folder, limit)
        return None

    def get(self, key: str) -> bytes | None:
        """Return the code called *key*; None where there is none, or it is damaged."""
        try:
            data = (self.folder / key).read_bytes()
        except OSError:
            return None
        digest, code = data[:32], data[32:]
        return code if hashlib.sha256(key.encode() + code).digest() == digest else None

    def put(self, key: str, code: bytes) -> None:
        """Keep *code*; other processes see all of it or nothing."""
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(key.encode() + code).digest() + code)
                os.replace(name, self.folder / key)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._trim()

    def _trim(self) -> None:
        """Remove what was written longest ago while there is too much."""
        files = [(f.stat().st_mtime, f.stat().st_size, f) for f in self.folder.iterdir()]
        total = sum(size for _, size, _ in files)
        for _, size, file in sorted(files, key=lambda entry: entry[0]):
            if total <= self.limit:
                return
            file.unlink(missing_ok=True)
            total -= size


def _private(folder: Path) -> bool:
    """Say whether only this user can write into *folder*."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows: a profile's folder is its user's
        return True
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _platform_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local")) / "minima"
    if sys.platform == "darwin":
        return home / "Library/Caches/minima"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "minima"

"""IDX files, the format of MNIST: a four-byte magic, big-endian sizes, then the numbers.

Source: http://yann.lecun.com/exdb/mnist, "The IDX file format".
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from minima.data.errors import DatasetError

__all__ = ["read_idx"]

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 8
DEFLATE_LIMIT = 1032  # deflate cannot shrink data by more than this factor
CHUNK = 1 << 20  # bytes


def read_idx(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """Read one IDX file, plain or compressed with gzip, into an array in native byte order.

    Reading stops at the size that the header declares, which a plain file must have exactly
    and a compressed one must be able to hold; memory is taken only for bytes that are there.

    Raises: DatasetError, naming the file, when it is missing, damaged, truncated or too long.

    >>> import tempfile, pathlib, minima as mi
    >>> path = pathlib.Path(tempfile.mkdtemp(), "labels")
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    >>> mi.data.read_idx(path).tolist()
    [5, 0, 4]
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(2) == b"\x1f\x8b":
                file.seek(0)
                with gzip.GzipFile(fileobj=file) as unpacked:
                    return _read(path, unpacked, limit=size * DEFLATE_LIMIT)
            file.seek(0)
            return _read(path, file, limit=size)
    except OSError as error:  # gzip.BadGzipFile is one
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise _damaged(path, f"its compressed data ends early or is broken ({error})") from error


class _Stream(Protocol):
    """What is read of a file, compressed or not."""

    def read(self, size: int, /) -> bytes: ...


def _read(path: Path, file: _Stream, limit: int) -> np.ndarray[Any, Any]:
    """Read header and numbers from a stream that can hold at most `limit` bytes."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES:
        raise _damaged(path, f"it starts with the bytes {magic.hex(' ')}, not with an IDX magic")
    axes = magic[3]
    sizes = file.read(4 * axes)
    if not 1 <= axes <= MAX_AXES or len(sizes) < 4 * axes:
        raise _damaged(path, f"its header ends early or declares {axes} axes")
    dtype = np.dtype(DTYPES[magic[2]])
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    expected = math.prod(shape) * dtype.itemsize
    if expected > limit:
        raise _damaged(
            path, f"its header declares {shape}, {expected} bytes, more than the file can hold"
        )
    data = _take(file, expected + 1)
    if len(data) != expected:
        problem = f"ends after {len(data)} of" if len(data) < expected else "goes on after its"
        raise _damaged(path, f"it {problem} {expected} bytes of {shape}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _take(file: _Stream, size: int) -> bytearray:
    """Read up to `size` bytes, growing with what is there instead of trusting `size`."""
    data = bytearray()
    while len(data) < size:
        chunk = file.read(min(CHUNK, size - len(data)))
        if not chunk:
            break
        data += chunk
    return data


def _damaged(path: Path, problem: str) -> DatasetError:
    return DatasetError(f"{path}: not a sound IDX file: {problem}; get a fresh copy of it")

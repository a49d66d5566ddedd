import gzip
import tracemalloc

import numpy as np
import pytest

import minima as mi
from minima.data import DatasetError, read_idx

CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def header(code, *sizes, axes=None):
    axes = len(sizes) if axes is None else axes
    return bytes([0, 0, code, axes]) + b"".join(size.to_bytes(4, "big") for size in sizes)


def idx(array):
    big = array.astype(array.dtype.newbyteorder(">"))
    return header(CODES[array.dtype.name], *array.shape) + big.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("dtype", sorted(CODES))
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0,), (0, 28, 28), (3, 0)])
def test_round_trip(pack, dtype, shape, tmp_path):
    """Catch a wrong byte order, shape or type."""
    array = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    path = tmp_path / "file"
    path.write_bytes(pack(idx(array)))
    found = read_idx(path)
    assert found.dtype == np.dtype(dtype)
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, array)


GOOD = idx(np.arange(6, dtype=np.uint8).reshape(2, 3))
PACKED = gzip.compress(GOOD)
BOMB = gzip.compress(header(8, 10) + bytes(50_000_000))
DAMAGE = {
    "empty": b"",
    "three bytes": b"\0\0\x08",
    "text": b"<html>not found</html>",
    "magic": b"\0\1" + GOOD[2:],
    "type code": header(7, 2, 3) + bytes(6),
    "no axes": header(8) + b"1",
    "too many axes": header(8, *[1] * 9) + b"1",
    "axes beyond the end": header(8, 2, axes=255),
    "header ends early": GOOD[:10],
    "one byte short": GOOD[:-1],
    "one byte long": GOOD + b"\0",
    "hostile size": header(8, 2**32 - 1, 2**32 - 1, 2**32 - 1) + b"1",
    "size that wraps to 0": header(14, 2**31, 2**31, 2**31, 2**31) + b"1",
    "gz hostile size": gzip.compress(header(8, 2**32 - 1) + b"1"),
    "gz ends early": PACKED[:-9],
    "gz checksum": PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:],
    "gz garbage": b"\x1f\x8b" + bytes(30),
    "gz broken data": PACKED[:10] + b"\xff" * (len(PACKED) - 10),
    "gz one byte short": gzip.compress(GOOD[:-1]),
    "gz one byte long": gzip.compress(GOOD + b"\0"),
    "gz bomb": BOMB,
}


@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_damaged(name, tmp_path):
    """Catch numbers read from a broken file, a traceback, and memory taken on its word."""
    path = tmp_path / "broken-file"
    path.write_bytes(DAMAGE[name])
    tracemalloc.start()
    try:
        with pytest.raises(
            DatasetError, match=r"broken-file: .*fresh copy|cannot be read"
        ) as caught:
            read_idx(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, mi.MinimaError)
    assert peak < 2_000_000


@pytest.mark.parametrize("name", ["hostile size", "size that wraps to 0", "gz hostile size"])
def test_size_is_compared_before_reading(name, tmp_path):
    """Catch a file that is read to its end although its header cannot be true."""
    path = tmp_path / "file"
    path.write_bytes(DAMAGE[name])
    with pytest.raises(DatasetError, match="more than the file can hold"):
        read_idx(path)


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_unreadable(kind, tmp_path):
    """Catch an OSError that does not say which file."""
    path = tmp_path if kind == "folder" else tmp_path / "absent"
    with pytest.raises(DatasetError, match=f"{path.name}: cannot be read"):
        read_idx(path)


def test_every_cut_and_every_flipped_header_bit(tmp_path):
    """Catch a length or header byte that is not checked."""
    path = tmp_path / "file"
    for cut in range(len(GOOD)):
        path.write_bytes(GOOD[:cut])
        with pytest.raises(DatasetError):
            read_idx(path)
    for bit in range(8 * 12):
        flipped = bytearray(GOOD)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        if bit // 8 == 2 and flipped[2] == 9:  # uint8 to int8: as long, and as valid
            continue
        with pytest.raises(DatasetError):
            read_idx(path)

"""npz files: a zip of npy arrays, read without trusting any size that it declares."""

from __future__ import annotations

import io
import json
import math
import tokenize
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from minima.dtypes import bfloat16
from minima.errors import CheckpointError
from minima.io.tree import BFLOAT16, KINDS, Arrays

__all__ = ["read", "write"]

METADATA = "__metadata__"
NARROW = "minima.bfloat16"
MARK = b"minima"  # the archive's comment: says that there is metadata, should its entry be damaged
DAMAGE = (  # what zipfile, NumPy's header reader and json raise
    zipfile.BadZipFile,
    tokenize.TokenError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    RecursionError,
    MemoryError,
    RuntimeError,
)
READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write(path: Path, arrays: Arrays, metadata: dict[str, str]) -> None:
    """Write arrays, and text as one more array of bytes, without compression.

    npy has no bfloat16: such arrays are written as their bits, uint16, and the text names them.
    """
    narrow = [name for name, array in arrays.items() if array.dtype.name == BFLOAT16]
    named = {**metadata, NARROW: json.dumps(narrow)} if narrow else metadata
    text = np.frombuffer(json.dumps(named).encode(), np.uint8)
    plain = {name: arrays[name].view(np.uint16) for name in narrow}
    with zipfile.ZipFile(path, "w") as file:
        file.comment = MARK
        for name, array in {**arrays, **plain, METADATA: text}.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read(path: Path) -> tuple[Arrays, dict[str, str]]:
    """Read arrays and text; each member is checked against the file's size before it is read.

    Raises: CheckpointError when a member is compressed, too large, pickled or broken.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = file.infolist()
            _check(members, path.stat().st_size)
            marked = file.comment == MARK
            arrays = {m.filename.removesuffix(".npy"): _array(file.read(m)) for m in members}
        text = arrays.pop(METADATA, None)
        metadata = {} if text is None else json.loads(text.tobytes())
    except DAMAGE as error:
        raise CheckpointError(str(error)) from error
    if marked and text is None:
        raise CheckpointError("its metadata is missing")
    if not isinstance(metadata, dict) or any(type(v) is not str for v in metadata.values()):
        raise CheckpointError("its metadata is not text by name")
    _widen(arrays, metadata.pop(NARROW, "[]"))
    return arrays, metadata


def _widen(arrays: Arrays, narrow: str) -> None:
    """Make the arrays that *narrow* names, a JSON list, bfloat16 again.

    Raises: CheckpointError when there is no such list or array; DTypeError without ml_dtypes.
    """
    try:
        names = json.loads(narrow)
        bits = {name: arrays[name] for name in names}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"its list of bfloat16 arrays is broken ({error!r})") from error
    if any(array.dtype != np.uint16 for array in bits.values()):
        raise CheckpointError("its list of bfloat16 arrays names one that is not of 16 bits")
    arrays.update({name: array.view(bfloat16()) for name, array in bits.items()})


def _check(members: list[zipfile.ZipInfo], size: int) -> None:
    if len({member.filename for member in members}) < len(members):
        raise CheckpointError("it holds two arrays of one name")
    for member in members:
        if not member.filename.endswith(".npy"):
            raise CheckpointError(f"it holds {member.filename!r}, which is not an array")
        if member.compress_type != zipfile.ZIP_STORED:
            raise CheckpointError(
                f"its array {member.filename!r} is compressed; write it with numpy.savez, which "
                "does not compress"
            )
    if sum(member.file_size for member in members) > size:
        raise CheckpointError("its arrays declare more bytes than the file has")


def _array(data: bytes) -> np.ndarray[Any, Any]:
    """Decode one npy array, whose header must declare exactly the bytes that follow it."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in READ_HEADER:
        raise ValueError(f"npy version {version} is not for plain numbers")
    shape, fortran_order, dtype = READ_HEADER[version](stream)
    if dtype.kind not in KINDS:
        raise ValueError(f"it holds an array of dtype {dtype}, not of plain numbers")
    content = data[stream.tell() :]
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"an array declares {shape} {dtype} but has {len(content)} bytes")
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran_order else "C")
    return array.copy(order="C")

"""Saving and loading state: model, optimiser, generators, counters, in one file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from minima.errors import ArgumentError, CheckpointError
from minima.io import npz, safetensors_file
from minima.io.atomic import replacing
from minima.io.tree import Arrays, join, split

__all__ = ["load", "save"]

WRITER, CHECKSUM, STRUCTURE = "format", "minima.sha256", "minima.structure"


class Format(NamedTuple):
    """How one kind of file takes arrays and text, and gives them back."""

    write: Callable[[Path, Arrays, dict[str, str]], None]
    read: Callable[[Path], tuple[Arrays, dict[str, str]]]


FORMATS = {
    ".safetensors": Format(safetensors_file.write, safetensors_file.read),
    ".npz": Format(npz.write, npz.read),
}


def save(state: Any, path: str | os.PathLike[str]) -> None:
    """Write `state`, for example a `state_dict()`, to a .safetensors or .npz file.

    `state` may nest dicts, lists and tuples of tensors, arrays, numbers, text and None. A flat
    dict of tensors becomes a file that every safetensors reader understands. The file takes
    its name only once it is complete and on the disk; until then the old one stays.

    Raises: ArgumentError for another ending or a state that contains itself; DTypeError for a type
    that files do not hold;
    CheckpointError when the file cannot be written.

    >>> import tempfile, pathlib, minima as mi
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run.safetensors")
    >>> mi.io.save({"model": {"weight": mi.Tensor([1.0, 2.0])}, "epoch": 3}, path)
    >>> state = mi.io.load(path)
    >>> state["model"]["weight"].tolist(), state["epoch"]
    ([1.0, 2.0], 3)
    """
    path = Path(path)
    form = _format(path, "save")
    try:
        arrays, structure = split(state)
    except RecursionError:
        raise ArgumentError(
            "save: the state contains itself or is nested too deeply; expected a tree"
        ) from None
    reserved = next((name for name in arrays if "\0" in name or name == npz.METADATA), None)
    if reserved is not None:
        raise ArgumentError(f"save: files cannot hold the name {reserved!r}; choose another")
    metadata = {WRITER: "minima"} if structure is None else {WRITER: "minima", STRUCTURE: structure}
    metadata[CHECKSUM] = checksum(arrays, metadata)
    try:
        with replacing(path) as temporary:
            form.write(temporary, arrays, metadata)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error.strerror or error}") from error


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote, or any safetensors or uncompressed npz file of plain arrays.

    Tensors come back on the cpu. The checksum over names, shapes, numbers and structure is
    verified where there is one; other programs write none. Nothing is unpickled.

    Raises: ArgumentError for another ending; CheckpointError, naming the file, when it is
    missing, damaged, truncated or not what it claims to be; DTypeError for bfloat16 without the
    package ml_dtypes.

    >>> import minima as mi
    >>> mi.io.load("nowhere.npz")
    Traceback (most recent call last):
    minima.errors.CheckpointError: nowhere.npz: cannot be read: No such file or directory
    """
    path = Path(path)
    form = _format(path, "load")
    try:
        with path.open("rb"):  # a plain OSError, whatever the format's library would say
            pass
        arrays, metadata = form.read(path)
        _verify(arrays, metadata)
        return join(arrays, metadata.get(STRUCTURE))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except CheckpointError as error:
        raise CheckpointError(
            f"{path}: not a sound {path.suffix} file: {error}; use another copy"
        ) from error


def checksum(arrays: Arrays, metadata: dict[str, str]) -> str:
    """Return the SHA-256 over every name, dtype, shape, number and text but the checksum itself.

    >>> from minima.io.checkpoint import checksum
    >>> len(checksum({}, {}))
    64
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.reshape(-1).view("u1").data)
    texts = sorted((key, text) for key, text in metadata.items() if key != CHECKSUM)
    digest.update(json.dumps(texts).encode())
    return digest.hexdigest()


def _verify(arrays: Arrays, metadata: dict[str, str]) -> None:
    expected = metadata.get(CHECKSUM)
    if expected is None:
        if metadata.get(WRITER) == "minima":
            raise CheckpointError("its checksum is missing")
    elif expected != checksum(arrays, metadata):
        raise CheckpointError("its content does not match its checksum")


def _format(path: Path, operation: str) -> Format:
    if path.suffix not in FORMATS:
        raise ArgumentError(
            f"{operation}: {path.name!r} ends in {path.suffix!r}; expected one of "
            f"{', '.join(FORMATS)}"
        )
    return FORMATS[path.suffix]

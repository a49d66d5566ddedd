"""safetensors files: a JSON header, then the bytes of every array; the library does both."""

from __future__ import annotations

from pathlib import Path

from minima.dtypes import bfloat16
from minima.errors import CheckpointError, DTypeError
from minima.io.tree import Arrays

__all__ = ["read", "write"]


def write(path: Path, arrays: Arrays, metadata: dict[str, str]) -> None:
    """Write arrays and text to `path`.

    Raises: OSError when the disk does not take them.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path.touch()
    permissions = path.stat().st_mode  # what the umask says; the library makes files private
    try:
        save_file(dict(arrays), path, metadata=metadata)
        path.chmod(permissions)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read(path: Path) -> tuple[Arrays, dict[str, str]]:
    """Read arrays and text; the library checks that the header fits the file.

    Raises: CheckpointError when it does not; DTypeError for bfloat16 without ml_dtypes.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            if any(file.get_slice(name).get_dtype() == "BF16" for name in names):
                bfloat16()  # from then on NumPy knows the type by its name
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except DTypeError:
        raise
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(str(error)) from error

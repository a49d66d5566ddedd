"""The error of data sets on disk."""

from __future__ import annotations

from minima.errors import MinimaError

__all__ = ["DatasetError"]


class DatasetError(MinimaError, ValueError):
    """A data file is missing, damaged, truncated or not what it claims to be.

    >>> import minima as mi
    >>> try:
    ...     mi.data.mnist("nowhere", split="train")
    ... except mi.data.DatasetError as error:
    ...     print(isinstance(error, mi.MinimaError))
    True
    """

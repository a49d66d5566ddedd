"""The errors of data sets on disk and of the processes that load them."""

from __future__ import annotations

from minima.errors import MinimaError

__all__ = ["DatasetError", "WorkerError"]


class DatasetError(MinimaError, ValueError):
    """A data file is missing, damaged, truncated or not what it claims to be.

    >>> import minima as mi
    >>> try:
    ...     mi.data.mnist("nowhere", split="train")
    ... except mi.data.DatasetError as error:
    ...     print(isinstance(error, mi.MinimaError))
    True
    """


class WorkerError(MinimaError, RuntimeError):
    """A worker process of a loader died, took too long, or failed in its data set.

    >>> issubclass(mi.data.WorkerError, RuntimeError)
    True
    """

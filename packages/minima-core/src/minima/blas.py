"""BLAS's own threads: how many there are, and holding them to one while our pool works."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import numpy as np

__all__ = ["BLAS", "Blas"]

#: the folders beside NumPy in which its wheels bring their OpenBLAS
_FOLDERS = ("../numpy.libs", ".dylibs", ".libs")
_PREFIXES, _SUFFIXES = ("scipy_openblas", "openblas"), ("64_", "", "_64")

Setter = Callable[[int], object]
Getter = Callable[[], int]


def bundled() -> tuple[Setter, Getter] | None:
    """Return how to set and get the threads of the OpenBLAS in NumPy's wheel, or None."""
    import ctypes

    home = Path(np.__file__).parent
    for file in (f for folder in _FOLDERS for f in (home / folder).glob("*openblas*")):
        try:
            library = ctypes.CDLL(str(file))
        except OSError:
            continue
        for name in ((p, s) for p in _PREFIXES for s in _SUFFIXES):
            setter = getattr(library, f"{name[0]}_set_num_threads{name[1]}", None)
            getter = getattr(library, f"{name[0]}_get_num_threads{name[1]}", None)
            if setter is not None and getter is not None:
                setter.argtypes, setter.restype = (ctypes.c_int,), None
                getter.argtypes, getter.restype = (), ctypes.c_int
                return setter, getter
    return None


def controlled() -> tuple[Setter, Getter] | None:
    """Return the same for any BLAS that threadpoolctl, where installed, finds."""
    try:
        from threadpoolctl import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
            ThreadpoolController,
        )
    except ImportError:
        return None
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    if not found:
        return None

    def set_all(n: int) -> None:
        for library in found:
            library.set_num_threads(n)

    return set_all, found[0].get_num_threads  # type: ignore[no-any-return,unused-ignore]


class Blas:
    """The BLAS that NumPy calls; found when first asked for.

    ``with BLAS:`` holds it to one thread. `known` is False where nothing could be found to set
    its threads with: then it keeps them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held = 0
        self._before = 0
        self._calls: tuple[Setter, Getter] | None = None
        self._searched = False

    @property
    def calls(self) -> tuple[Setter, Getter] | None:
        """How to set and get the number of threads."""
        if not self._searched:
            self._calls = bundled() or controlled()
            self._searched = True
        return self._calls

    @property
    def known(self) -> bool:
        """Whether the number of threads can be set."""
        return self.calls is not None

    def hold(self) -> None:
        """Let BLAS use one thread until `release`; holds may overlap."""
        calls = self.calls
        if calls is None:
            return
        with self._lock:
            if not self._held:
                self._before = calls[1]()
                calls[0](1)
            self._held += 1

    def release(self) -> None:
        """Give BLAS its threads back, if this was the last hold."""
        calls = self.calls
        if calls is None:
            return
        with self._lock:
            self._held -= 1
            if not self._held:
                calls[0](self._before)

    def set(self, n: int) -> None:
        """Let BLAS use *n* threads; while it is held, from then on."""
        calls = self.calls
        if calls is None:
            return
        with self._lock:
            if self._held:
                self._before = n
            else:
                calls[0](n)

    def __enter__(self) -> None:
        self.hold()

    def __exit__(self, *error: object) -> None:
        self.release()

    def reset(self) -> None:
        """Undo, in the child of a fork, the holds of threads that are gone."""
        self._lock = Lock()
        if self._held and self._calls is not None:
            self._held = 0
            self._calls[0](self._before)


BLAS = Blas()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=BLAS.reset)

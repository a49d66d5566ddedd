"""BLAS's own threads: found, held to one, and given back."""

import threading
from pathlib import Path

import numpy as np
import pytest

import minima as mi
from minima import blas
from minima.blas import BLAS, Blas
from minima.threads import share


class Recorder(Blas):
    """Stands for a BLAS, so that the tests need none of a certain kind."""

    def __init__(self, n):
        super().__init__()
        self.n = n
        self._calls, self._searched = (self.put, lambda: self.n), True

    def put(self, n):
        self.n = n


def test_of_numpys_wheel_is_found():
    """Catch a search that misses the library that `pip install numpy` brings."""
    if not any(Path(np.__file__).parents[1].glob("numpy.libs/*openblas*")):
        pytest.skip("this NumPy is not a wheel with OpenBLAS")
    setter, getter = blas.bundled()
    before = getter()
    try:
        setter(1)
        assert getter() == 1
    finally:
        setter(before)


def test_hold_and_release():
    """Catch BLAS left at one thread, or released while another caller still holds it."""
    made = Recorder(8)
    made.hold()
    made.hold()
    assert made.n == 1
    made.release()
    assert made.n == 1
    made.release()
    assert made.n == 8


def test_with():
    """Catch a block that ends in an error and keeps BLAS at one thread."""
    made = Recorder(8)
    with made:
        assert made.n == 1
    with pytest.raises(KeyError), made:
        raise KeyError
    assert made.n == 8


def test_set_while_held():
    """Catch a number that the release overwrites, or that acts while the pool works."""
    made = Recorder(8)
    made.hold()
    made.set(4)
    assert made.n == 1
    made.release()
    assert made.n == 4


def test_child_of_a_fork_is_free():
    """Catch a child that keeps BLAS at one thread for a hold that is not its own."""
    made = Recorder(8)
    made.hold()
    made.reset()
    assert made.n == 8
    made.hold()
    made.release()
    assert made.n == 8


def test_unknown_blas_is_left_alone():
    """Catch an error where there is no OpenBLAS and no threadpoolctl."""
    made = Blas()
    made._searched = True
    made.hold()
    made.release()
    made.set(3)
    assert not made.known


@pytest.mark.skipif(not BLAS.known, reason="no way to set the threads of this BLAS")
def test_parts_have_one_thread():
    """Catch BLAS threads that compete with the pool's for the cores."""
    before = mi.get_num_threads()
    mi.set_num_threads(2)
    try:
        seen = [0, 0]
        barrier = threading.Barrier(2, timeout=20)

        def part(i):
            barrier.wait()
            seen[i] = BLAS.calls[1]()
            barrier.wait()

        share(part, 2)
        assert seen == [1, 1]
        assert BLAS.calls[1]() == 2
    finally:
        mi.set_num_threads(before)

"""Stages of programs: every part runs once, whoever takes it, and the next stage comes after."""

import threading

import numpy as np
import pytest

import minima as mi
from minima_numba.driver import WORDS
from minima_numba.jit import address_of
from minima_numba.printer import combine_source
from minima_numba.team import Team, stage

PARTS, SIZE, STAGES = 7, 50, 40


class Counting:
    """A program of stages: each adds what the one before has summed up, in the other direction."""

    def __init__(self):
        self.team = Team()
        self.values = [np.ones(PARTS * SIZE), np.ones(PARTS * SIZE)]
        add = address_of(combine_source("sum", "f8"))
        self.keep, records = [], []
        for i in range(STAGES):
            pair = [self.values[i % 2].ctypes.data, self.values[1 - i % 2].ctypes.data]
            table = np.array(pair, np.int64)
            parts = [[add, table.ctypes.data, p * SIZE, (p + 1) * SIZE] for p in range(PARTS)]
            inner = np.array(parts, np.int64)
            outer = np.array([self.team.state, inner.ctypes.data], np.int64)
            records.append([stage(), outer.ctypes.data, 0, PARTS])
            self.keep += [table, inner, outer]
        self.program = np.array(records, np.int64).reshape(-1, WORDS)

    def run(self):
        """Return whether the program gave Fibonacci's numbers."""
        self.values[0][:] = self.values[1][:] = 1.0
        self.team.run(self.program.ctypes.data, STAGES, PARTS)
        a = b = 1.0
        for i in range(STAGES):
            a, b = (a + b, b) if i % 2 == 0 else (a, a + b)
        return bool((self.values[0] == a).all() and (self.values[1] == b).all())


@pytest.fixture(params=[1, 2, 4])
def threads(request):
    before = mi.get_num_threads()
    mi.set_num_threads(request.param)
    yield request.param
    mi.set_num_threads(before)


def test_every_part_runs_once(threads):
    """Catches a part that is taken twice or by nobody, and a stage that begins too soon."""
    counting = Counting()
    assert all(counting.run() for _ in range(200))


def test_programs_of_several_threads(threads):
    """Catches a state that programs share which run at the same time."""
    wrong = []

    def caller():
        counting = Counting()
        for _ in range(100):
            if not counting.run():
                wrong.append(1)

    callers = [threading.Thread(target=caller) for _ in range(3)]
    for c in callers:
        c.start()
    for c in callers:
        c.join()
    assert not wrong


def test_threads_go_back_to_the_pool(threads):
    """Catches a thread that goes on waiting when its program has ended."""
    counting = Counting()
    for _ in range(20):
        counting.run()
        done = []
        barrier = threading.Barrier(threads, timeout=20)

        def part(i, done=done, barrier=barrier):
            barrier.wait()
            done.append(i)

        mi.threads.share(part, threads)
        assert sorted(done) == list(range(threads))

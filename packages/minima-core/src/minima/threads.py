"""Threads: one pool for all kernels, and BLAS held to one thread while the pool works.

`share` runs the parts of a job on the pool. What a part computes never depends on who runs it or
on how many threads there are, so neither does the result. NumPy gives the interpreter free while
it works on large arrays, which is what makes Python threads worth it here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread, local

from .blas import BLAS
from .errors import ArgumentError

__all__ = ["get_num_threads", "lend", "set_num_threads", "share"]


def cores() -> int:
    """Return how many cores this process may use.

    >>> from minima.threads import cores
    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Job:
    """The parts of one call of `share`, taken by whichever thread is free."""

    def __init__(self, function: Callable[[int], object], parts: int) -> None:
        self.function = function
        self.left = deque(range(parts))
        self.lock = Lock()
        self.running = 0
        self.error: tuple[int, BaseException] | None = None
        self.idle = Lock()
        self.waited = False

    def work(self) -> None:
        """Run parts until none is left; the first error, by number of part, stops the rest."""
        with self.lock:
            self.running += 1
        try:
            while self.left:
                try:
                    part = self.left.popleft()
                except IndexError:  # another thread took the last one
                    break
                try:
                    self.function(part)
                except BaseException as error:
                    self.fail(part, error)
        finally:
            with self.lock:
                self.running -= 1
                if not self.running and self.waited:
                    self.waited = False  # a thread that comes later finds nobody to wake
                    self.idle.release()

    def fail(self, part: int, error: BaseException) -> None:
        """Note the *error* of *part* and leave the parts that nobody began."""
        with self.lock:
            if self.error is None or part < self.error[0]:
                self.error = part, error
        self.left.clear()

    def wait(self) -> None:
        """Wait for the threads that still work on a part."""
        with self.lock:
            self.waited = self.running > 0
            if not self.waited:
                return
            self.idle.acquire()
        self.idle.acquire()


class Pool:
    """Threads, started when first needed, that take jobs from one queue."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all threads: after a fork the child has none of them."""
        self.lock = Lock()
        self.started = 0
        self.queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.local = local()

    def size(self) -> int:
        """Return the number of threads, the caller's among them, that work on a job."""
        if self.limit is None:
            self.limit = cores()
        return self.limit

    def start(self, count: int) -> None:
        """Have at least *count* threads beside the caller's."""
        with self.lock:
            while self.started < count:
                self.started += 1
                name = f"minima-{self.started}"
                Thread(target=self.serve, args=(self.queue,), name=name, daemon=True).start()

    def serve(self, queue: SimpleQueue[Callable[[], None]]) -> None:
        """Take jobs for ever."""
        self.local.busy = True
        while True:
            queue.get()()

    def share(self, function: Callable[[int], object], parts: int) -> None:
        """Call ``function(i)`` for each part; see `share`."""
        helpers = min(self.size(), parts) - 1
        if helpers < 1 or getattr(self.local, "busy", False):
            for i in range(parts):
                function(i)
            return
        if self.started < helpers:
            self.start(helpers)
        job = Job(function, parts)
        self.local.busy = True
        BLAS.hold()
        try:
            for _ in range(helpers):
                context = copy_context()  # of NumPy's errstate, for one
                self.queue.put(lambda run=context.run: run(job.work))  # type: ignore[misc]
            job.work()
            job.wait()
        except BaseException:  # as from Ctrl-C: leave no thread writing behind the caller's back
            job.left.clear()
            job.wait()
            raise
        finally:
            BLAS.release()
            self.local.busy = False
        if job.error is not None:
            error, job.error = job.error[1], None
            try:
                raise error
            finally:
                del error  # its traceback holds this frame

    def lend(self, function: Callable[[], None], work: Callable[[], None], most: int) -> None:
        """Call *work* while threads call *function*; see `lend`."""
        helpers = min(self.size() - 1, most)
        if helpers < 1 or getattr(self.local, "busy", False):
            work()
            return
        if self.started < helpers:
            self.start(helpers)
        self.local.busy = True
        BLAS.hold()
        try:
            for _ in range(helpers):
                self.queue.put(function)
            work()
        finally:
            BLAS.release()
            self.local.busy = False


POOL = Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.reset)


def share(function: Callable[[int], object], parts: int) -> None:
    """Call ``function(i)`` for i in 0 .. parts - 1, spread over the pool; return when all are done.

    Inside of a part BLAS uses one thread, and another `share` runs where it is. An error in a part
    is raised here, that of the first part if there are several; parts not begun are left out.

    >>> from minima.threads import share
    >>> squares = np.zeros(4)
    >>> def square(i):
    ...     squares[i] = i * i
    >>> share(square, 4)
    >>> squares
    array([0., 1., 4., 9.])
    """
    POOL.share(function, parts)


def lend(function: Callable[[], None], work: Callable[[], None], most: int) -> None:
    """Call *work*; beside it up to *most* threads of the pool each call *function* once.

    Nobody waits for these: *function* returns soon after *work* has, whenever it was called, and
    raises nothing. Inside of *work* BLAS uses one thread, `share` and `lend` run where they are.
    """
    POOL.lend(function, work, most)


def set_num_threads(n: int) -> None:
    """Let kernels work on *n* threads at most, and BLAS too where it can be told.

    Results do not depend on it, but for those of BLAS in the last bits.
    Raises: ArgumentError unless *n* is a positive integer.

    >>> before = mi.get_num_threads()
    >>> mi.set_num_threads(1)
    >>> mi.get_num_threads()
    1
    >>> mi.set_num_threads(before)
    """
    if isinstance(n, bool) or not hasattr(n, "__index__") or int(n) < 1:
        raise ArgumentError(f"set_num_threads: got {n!r}; expected a positive integer")
    POOL.limit = int(n)
    BLAS.set(POOL.limit)


def get_num_threads() -> int:
    """Return how many threads kernels work on: unless set, the cores that the process may use.

    >>> mi.get_num_threads() >= 1
    True
    """
    return POOL.size()

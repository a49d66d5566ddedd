"""One pool of threads: who runs what, errors, forks, and threads of the user's."""

import multiprocessing
import os
import threading
import time
import weakref

import numpy as np
import pytest

import minima as mi
from minima import threads
from minima.blas import BLAS
from minima.threads import POOL, lend, share


@pytest.fixture(autouse=True)
def _two_threads():
    """Work on two threads whatever the machine has."""
    before = mi.get_num_threads()
    mi.set_num_threads(2)
    yield
    mi.set_num_threads(before)


def meet(count):
    """Return a function of parts that returns only when *count* threads are in it at once."""
    barrier = threading.Barrier(count, timeout=20)
    names = [""] * count

    def part(i):
        names[i] = threading.current_thread().name
        barrier.wait()

    return part, names


def test_default_is_the_cores_of_the_process():
    """Catch counting the machine's cores where a container gives fewer."""
    assert threads.cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", None, True])
def test_what_is_no_number_of_threads(n):
    """Catch a number that would stop all work, or fail later inside of a kernel."""
    with pytest.raises(mi.ArgumentError, match=r"set_num_threads: .*expected a positive integer"):
        mi.set_num_threads(n)
    assert mi.get_num_threads() == 2


def test_parts_run_at_once():
    """Catch a pool that runs all parts one after the other."""
    part, names = meet(2)
    share(part, 2)
    assert len(set(names)) == 2
    assert threading.current_thread().name in names


def test_one_thread_is_the_callers():
    """Catch work on other threads after set_num_threads(1)."""
    mi.set_num_threads(1)
    names = set()
    share(lambda i: names.add(threading.current_thread().name), 8)
    assert names == {threading.current_thread().name}


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("parts", [0, 1, 2, 5, 100])
def test_each_part_runs_once(n, parts):
    """Catch a part that is left out or run twice."""
    mi.set_num_threads(n)
    runs = np.zeros(parts, int)

    def part(i):
        runs[i] += 1

    for _ in range(20):
        share(part, parts)
    assert (runs == 20).all()


def test_threads_are_started_once():
    """Catch a pool that starts threads at each call."""
    share(*meet(2)[:1], 2)
    before = threading.active_count()
    for _ in range(50):
        share(lambda i: None, 4)
    assert threading.active_count() == before


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_an_error_reaches_the_caller(bad):
    """Catch an error that is lost in a worker, or that stops the pool."""

    def part(i):
        if i == bad:
            raise ValueError(f"part {i}")

    with pytest.raises(ValueError, match=f"part {bad}"):
        share(part, 4)
    test_parts_run_at_once()


def test_of_several_errors_the_first_part_counts():
    """Catch an error that depends on who was quicker."""
    barrier = threading.Barrier(2, timeout=20)

    def part(i):
        barrier.wait()
        raise ValueError(f"part {i}")

    for _ in range(20):
        with pytest.raises(ValueError, match="part 0"):
            share(part, 2)


def test_interrupt_waits_for_the_other_threads():
    """Catch Ctrl-C that leaves a worker writing into memory that the caller reuses."""
    entered, let_go = threading.Event(), threading.Event()
    done = []

    def part(i):
        if threading.current_thread() is threading.main_thread():
            entered.wait(20)
            threading.Timer(0.01, let_go.set).start()
            raise KeyboardInterrupt
        entered.set()
        let_go.wait(20)
        done.append(i)

    with pytest.raises(KeyboardInterrupt):
        share(part, 2)
    assert len(done) == 1


def test_nested_calls_run_where_they_are():
    """Catch a part that waits for a worker which waits for it."""
    found = []

    def outer(i):
        mine = threading.current_thread()
        share(lambda j: found.append((i, j, threading.current_thread() is mine)), 3)

    for _ in range(50):
        found.clear()
        share(outer, 4)
        assert sorted(found) == [(i, j, True) for i in range(4) for j in range(3)]


def test_calls_from_many_threads():
    """Catch parts of one caller's job that another caller gets."""
    wrong = []

    def caller(k):
        for _ in range(100):
            mine = np.zeros(6)

            def part(i, mine=mine):
                mine[i] += k

            share(part, 6)
            if (mine != k).any():
                wrong.append(k)

    callers = [threading.Thread(target=caller, args=(k,)) for k in range(1, 6)]
    for c in callers:
        c.start()
    for c in callers:
        c.join()
    assert not wrong


def test_parts_see_the_callers_context():
    """Catch NumPy warnings in a worker that the caller has turned off, and no_grad forgotten."""
    seen = [None] * 2
    barrier = threading.Barrier(2, timeout=20)

    def part(i):
        barrier.wait()
        seen[i] = (np.geterr()["divide"], mi.is_grad_enabled())

    with np.errstate(divide="ignore"), mi.no_grad():
        share(part, 2)
    assert seen == [("ignore", False)] * 2


def test_nothing_is_kept():
    """Catch a pool that keeps the buffers of a finished job."""

    class Big:
        pass

    big = Big()
    gone = weakref.ref(big)
    share(lambda i, big=big: None, 2)
    share(*meet(2)[:1], 2)  # the worker has let go of the job before
    del big
    assert gone() is None


def run_pool(queue):
    part, names = meet(2)
    share(part, 2)
    queue.put(len(set(names)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_worker_process_has_a_pool_of_its_own():
    """Catch a DataLoader's worker that waits for threads which the fork did not copy."""
    share(*meet(2)[:1], 2)
    context = multiprocessing.get_context("fork")  # any other starts with nothing to inherit
    queue = context.Queue()
    process = context.Process(target=run_pool, args=(queue,))
    process.start()
    assert queue.get(timeout=60) == 2
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_fork_while_the_pool_works():
    """Catch a lock, or BLAS held to one thread, that the child inherits from a busy parent."""
    entered, let_go = threading.Event(), threading.Event()

    def part(i):
        entered.set()
        let_go.wait(20)

    busy = threading.Thread(target=share, args=(part, 2))
    busy.start()
    entered.wait(20)
    child = os.fork()
    if not child:
        code = 1
        try:
            inner, names = meet(2)
            share(inner, 2)
            free = not BLAS.known or BLAS.calls[1]() == 2
            code = 0 if len(set(names)) == 2 and free else 2
        finally:
            os._exit(code)
    limit = time.monotonic() + 60
    status = 0
    while time.monotonic() < limit:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        let_go.wait(0.01)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    let_go.set()
    busy.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_thread_that_comes_too_late_finds_nothing_to_do():
    """Catch a late thread that wakes a caller who was woken already, and dies of it."""
    job = threads.Job(lambda part: None, 0)
    job.idle.acquire()
    job.waited = True
    job.work()
    assert not job.idle.locked()
    job.work()


def test_pool_lives_in_this_process():
    """Catch a second pool beside the one whose size is set."""
    assert threads.POOL is POOL
    assert POOL.size() == 2


def test_lent_threads_come_beside_the_work():
    """Catch a thread that is not lent, or one too many."""
    mi.set_num_threads(3)
    barrier, seen = threading.Barrier(3, timeout=20), []

    def inner(i):
        lend(lambda: seen.append("lent"), lambda: seen.append("inside of a part"), 1)

    lend(barrier.wait, barrier.wait, 5)
    lend(lambda: seen.append("lent"), lambda: seen.append("alone"), 0)
    share(inner, 2)
    assert seen == ["alone", "inside of a part", "inside of a part"]

"""Streams and events: work of a simulated stream runs only when somebody waits for it."""

import threading

import numpy as np
import pytest

import minima as mi
import minima_cuda


@pytest.fixture
def x(cupy):
    return mi.Tensor([1.0, 2.0], device="cuda")


def doubled_on(stream, x):
    with minima_cuda.stream(stream):
        return x * 2


def ready(x, *streams):
    """Let *streams* wait for what the default stream has been given."""
    for stream in streams:
        stream.wait_stream(minima_cuda.current_stream(x.device))


def test_a_missing_wait_shows(x):
    """Catches a stand-in in which every order of streams gives the right result."""
    side = minima_cuda.Stream()
    ready(x, side)
    y = doubled_on(side, x)
    assert np.isnan(y.numpy()).all()
    side.synchronize()
    assert y.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("missing", [True, False])
def test_an_input_that_another_stream_makes(x, missing):
    """Catches a stream that is taken to wait for the one that its input comes from."""
    first, second = minima_cuda.Stream(), minima_cuda.Stream()
    ready(x, first, second)
    y = doubled_on(first, x)
    if not missing:
        second.wait_stream(first)
    z = doubled_on(second, y)
    second.synchronize()
    with minima_cuda.stream(second):
        assert np.isnan(z.numpy()).all() == missing


WAITS = {
    "wait_stream": lambda side: minima_cuda.current_stream().wait_stream(side),
    "event of the stream": lambda side: side.record_event().wait(),
    "wait_event": lambda side: minima_cuda.current_stream().wait_event(side.record_event()),
    "event, recorded": lambda side: minima_cuda.Event().record(side).wait(),
    "event, synchronized": lambda side: side.record_event().synchronize(),
    "stream, synchronized": lambda side: side.synchronize(),
    "device, synchronized": lambda side: minima_cuda.synchronize(),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_every_way_to_wait(x, wait):
    """Catches a wait that waits for the wrong stream, or for nothing."""
    side = minima_cuda.Stream()
    ready(x, side)
    y = doubled_on(side, x)
    wait(side)
    assert (y + 1).tolist() == [3.0, 5.0]


def test_an_event_is_a_point_and_not_an_end(x):
    """Catches an event that waits for what was launched after it."""
    side = minima_cuda.Stream()
    ready(x, side)
    y = doubled_on(side, x)
    event = side.record_event()
    z = doubled_on(side, y)
    assert not event.done
    event.synchronize()
    assert event.done
    assert not side.done
    assert y.tolist() == [2.0, 4.0]
    assert np.isnan(z.numpy()).all()


def test_time_between_events(x):
    """Catches milliseconds that are called seconds, and events that measure nothing."""
    start = minima_cuda.Event(timing=True).record()
    y = x * 2
    end = minima_cuda.Event(timing=True).record()
    assert 0 < start.elapsed(end) < 0.01  # the stand-in takes a millisecond for each kernel
    assert y.tolist() == [2.0, 4.0]
    with pytest.raises(mi.errors.ArgumentError, match="timing=True"):
        minima_cuda.Event().record().elapsed(end)


def test_the_stream_is_left_when_the_block_fails(x):
    """Catches a thread that stays on the stream of a block that raised."""
    before, seen = minima_cuda.current_stream(), set()

    def fails():
        with minima_cuda.stream(minima_cuda.Stream()) as side:
            seen.update([side, minima_cuda.current_stream()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert len(seen) == 1
    assert minima_cuda.current_stream() == before


def test_each_thread_has_a_current_stream_of_its_own(x):
    """Catches a stream that one thread sets and another one launches on."""
    side, seen = minima_cuda.Stream(), []
    with minima_cuda.stream(side):
        thread = threading.Thread(target=lambda: seen.append(minima_cuda.current_stream()))
        thread.start()
        thread.join()
    assert seen == [minima_cuda.current_stream()]
    assert seen[0] != side


def test_a_stream_of_the_second_gpu(cupy):
    """Catches CuPy's error for a stream that is not of the current GPU."""
    side = minima_cuda.Stream("cuda:1")
    with minima_cuda.stream(side):
        assert minima_cuda.current_stream("cuda:1") == side
        assert minima_cuda.current_stream("cuda:0") != side
        y = mi.ones(2, device="cuda:1") + 1
        assert y.tolist() == [2.0, 2.0]
    assert "cuda:1" in repr(side)


@pytest.mark.parametrize("recorded", [True, False])
def test_memory_that_another_stream_still_reads(x, recorded):
    """Catches memory that its stream uses anew while another one reads it."""
    side = minima_cuda.Stream()
    y = x * 1
    ready(x, side)
    z = doubled_on(side, y)
    if recorded:
        minima_cuda.record_stream(y, side)
    del y
    minima_cuda.current_stream().synchronize()
    side.synchronize()
    assert (z.tolist() == [2.0, 4.0]) == recorded


def test_recorded_memory_is_let_go_once_the_stream_is_done(x):
    """Catches memory that nobody gets back."""
    side = minima_cuda.Stream()
    for _ in range(5):
        y = mi.ones(1000, device="cuda")
        ready(x, side)
        doubled_on(side, y)
        minima_cuda.record_stream(y, side)
        del y
        side.synchronize()
    minima_cuda.record_stream(x, side)
    assert minima_cuda.memory_stats()["used"] == 512

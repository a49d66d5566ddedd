import signal
import threading

import pytest

from minima.train import Interrupted, StopSignals

numbers = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(autouse=True)
def _handlers(monkeypatch):
    """Give every test Python's own handlers, whatever the shell had set, and restore them."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@numbers
def test_signal_is_noted(number):
    """Catch a signal that ends the process, or is lost."""
    with StopSignals() as signals:
        signals.check()
        signal.raise_signal(number)
        with pytest.raises(Interrupted):
            signals.check()


@numbers
def test_second_signal_stops_at_once(number):
    """Catch a run that hangs and cannot be ended by Ctrl-C."""
    with StopSignals():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


def test_handlers_are_restored():
    """Catch a handler that outlives the run."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopSignals():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_ignored_stays_ignored():
    """Catch a background job that Ctrl-C to its shell's foreground stops."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopSignals() as signals:
        signal.raise_signal(signal.SIGINT)
        signals.check()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_work_without():
    """Catch a ValueError where training runs in a thread."""
    found = []

    def work():
        with StopSignals() as signals:
            signals.check()
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]

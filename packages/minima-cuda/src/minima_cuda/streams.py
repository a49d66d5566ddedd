"""Streams: queues of work, between which only an event gives an order."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from minima import Tensor
from minima.devices import Device, device
from minima.errors import ArgumentError

__all__ = ["Event", "Stream", "current_stream", "record_stream", "stream", "synchronize"]


class Event:
    """A point in a stream, to wait for or to measure times between.

    *timing*: whether `elapsed` will be asked for, which costs a little.
    """

    def __init__(self, device_name: str | Device = "cuda", *, timing: bool = False) -> None:
        self.device: Any = device(device_name)
        cuda = self.device.xp.cuda
        self._event = self._run("Event", cuda.Event, disable_timing=not timing)
        self._timing = timing

    def _run(self, name: str, function: Any, /, *inputs: Any, **more: Any) -> Any:
        return self.device.guard.run(name, function, *inputs, **more)

    def record(self, stream: Stream | None = None) -> Event:
        """Set the point behind what was launched so far on *stream*, by default the current one."""
        queue = current_stream(self.device) if stream is None else stream
        self._run("Event.record", self._event.record, queue._stream)
        return self

    def wait(self, stream: Stream | None = None) -> None:
        """Let what is launched on *stream* from now on run after this point."""
        queue = current_stream(self.device) if stream is None else stream
        queue._run("Event.wait", queue._stream.wait_event, self._event)

    def synchronize(self) -> None:
        """Wait until the GPU has reached the point."""
        self._run("Event.synchronize", self._event.synchronize)

    @property
    def done(self) -> bool:
        """Whether the GPU has reached the point."""
        return bool(self._run("Event.done", lambda: self._event.done))

    def elapsed(self, end: Event) -> float:
        """Return the seconds from this point to *end*, once the GPU has reached both."""
        if not (self._timing and end._timing):
            raise ArgumentError("elapsed: the events measure no time; expected Event(timing=True)")
        end.synchronize()
        cuda = self.device.xp.cuda
        milliseconds = self._run("Event.elapsed", cuda.get_elapsed_time, self._event, end._event)
        return float(milliseconds) / 1e3


class Stream:
    """A queue of work on one GPU; work of two queues runs in any order, unless one waits.

    It does not wait for the default stream either: call ``wait_stream``.
    """

    def __init__(self, device_name: str | Device = "cuda", *, wrapped: Any = None) -> None:
        self.device: Any = device(device_name)
        made = wrapped or self._run("Stream", self.device.xp.cuda.Stream, non_blocking=True)
        self._stream = made

    def _run(self, name: str, function: Any, /, *inputs: Any, **more: Any) -> Any:
        return self.device.guard.run(name, function, *inputs, **more)

    def synchronize(self) -> None:
        """Wait until all that was launched on this stream has finished."""
        self._run("Stream.synchronize", self._stream.synchronize)

    def wait_stream(self, other: Stream) -> None:
        """Let what is launched here from now on run after what *other* has been given so far."""
        Event(other.device).record(other).wait(self)

    def wait_event(self, point: Event) -> None:
        """Let what is launched here from now on run after *point*."""
        point.wait(self)

    def record_event(self, *, timing: bool = False) -> Event:
        """Return an event behind what this stream has been given so far."""
        return Event(self.device, timing=timing).record(self)

    @property
    def done(self) -> bool:
        """Whether all that was launched on this stream has finished."""
        return bool(self._run("Stream.done", lambda: self._stream.done))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device, self._stream) == (
            other.device,
            other._stream,
        )

    def __hash__(self) -> int:
        return hash((self.device, self._stream))

    def __repr__(self) -> str:
        return f"Stream({str(self.device)!r}, {self._stream})"


class stream:
    """Launch what the block computes on *stream*, in this thread and on that stream's GPU.

    >>> import minima_cuda
    >>> try:
    ...     side = minima_cuda.Stream("cuda")
    ...     with minima_cuda.stream(side):
    ...         y = mi.ones(3, device="cuda") * 2
    ...     minima_cuda.current_stream("cuda").wait_stream(side)
    ... except mi.DeviceUnavailableError:
    ...     pass
    """

    def __init__(self, stream: Stream) -> None:
        self._chosen = stream

    def __enter__(self) -> Stream:
        queue = self._chosen
        queue._run("stream", queue._stream.__enter__)
        return queue

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        queue = self._chosen
        queue._run("stream", queue._stream.__exit__, kind, error, where)


def current_stream(device_name: str | Device = "cuda") -> Stream:
    """Return the stream on which this thread launches the work of that GPU."""
    place: Any = device(device_name)
    found = place.guard.run("current_stream", place.xp.cuda.get_current_stream, place.index)
    return Stream(place, wrapped=found)


def synchronize(device_name: str | Device = "cuda") -> None:
    """Wait until that GPU has finished all that was launched on it, on every stream."""
    device(device_name).synchronize()


def record_stream(tensor: Tensor, stream: Stream) -> None:
    """Keep the memory of *tensor* until *stream* has run what it has been given so far.

    Memory goes back to the stream on which it was allocated, which may write over it while
    *stream* still reads: call this before the last reference to the tensor goes away.
    """
    place: Any = tensor.device
    place.guard.run("record_stream", _keep, stream._stream, tensor._array)


_kept: list[tuple[Any, Any]] = []


def _keep(raw: Any, buffer: Any) -> None:
    _kept[:] = [(event, kept) for event, kept in _kept if not event.done]
    _kept.append((raw.record(), buffer))

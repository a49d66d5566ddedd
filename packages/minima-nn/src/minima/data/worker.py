"""A worker process of a loader: what it runs, and what a data set may ask about it."""

from __future__ import annotations

import os
import pickle
import random
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from minima.data.errors import WorkerError
from minima.data.fetching import END, Recipe
from minima.data.transport import Slot, dumps, loads
from minima.random import manual_seed
from minima.threads import set_num_threads

__all__ = ["Answer", "Begin", "Failure", "Order", "WorkerInfo", "get_worker_info", "run"]

GRACE = 1.0  # seconds that a worker may take for the batch at hand when nobody wants it any more


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker process is: `id` from 0 to `num_workers` - 1, its `seed` in this pass.

    `dataset` is the worker's own copy.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: list[WorkerInfo | None] = [None]


def get_worker_info() -> WorkerInfo | None:
    """Return what worker process this is; None in a process that is none.

    An IterableDataset finds its share of the samples with it.

    >>> mi.data.get_worker_info() is None
    True
    """
    return _info[0]


class Begin(NamedTuple):
    """Begin pass number `turn`; what was ordered for another one is not wanted any more."""

    turn: int
    seed: int


class Order(NamedTuple):
    """Make batch number `number` of `indices` and put its arrays into slot `slot`."""

    turn: int
    number: int
    slot: int
    indices: Any


class Failure(NamedTuple):
    """An exception: its class, pickled where possible, its message, its name too, its traceback."""

    kind: bytes | None
    message: str
    summary: str
    text: str


class Answer(NamedTuple):
    """A batch, END or a Failure; in `edition` of slot `slot` lie buffers of these sizes."""

    turn: int
    number: int
    slot: int
    head: bytes | Failure
    edition: int
    sizes: tuple[int, ...]


def run(pipe: Connection, token: str, worker: int, workers: int, slots: int) -> None:
    """Answer the orders that come through *pipe* until the parent closes it, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    set_num_threads(1)
    desk = _Desk(pipe, worker, workers, [Slot(token, worker, i) for i in range(slots)])
    threading.Thread(target=desk.listen, daemon=True).start()
    try:
        desk.serve()
    except (BrokenPipeError, ConnectionResetError):  # nobody is there to answer any more
        pass
    finally:
        desk.finished.set()
        desk.clear()


class _Desk:
    """The state of a worker: a thread listens, so that a parent never waits to be heard."""

    def __init__(self, pipe: Connection, worker: int, workers: int, slots: list[Slot]) -> None:
        self.pipe = pipe
        self.worker, self.workers = worker, workers
        self.slots = slots
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        self.turn = 0
        self.finished = threading.Event()

    def listen(self) -> None:
        """Take in messages; when there are no more, end even if the data set never returns."""
        try:
            self.inbox.put(self.pipe.recv_bytes())
            while True:
                message = loads(self.pipe.recv_bytes())
                if isinstance(message, Begin):
                    self.turn = message.turn
                self.inbox.put(message)
        except (EOFError, OSError):
            self.inbox.put(None)
            if not self.finished.wait(GRACE):
                self.clear()
                os._exit(1)

    def serve(self) -> None:
        """Make batches."""
        first = self.inbox.get()
        if first is None:
            return
        recipe: Recipe | None = None
        make: Callable[[Any], Any] | Failure = _no_pass
        while (message := self.inbox.get()) is not None:
            if isinstance(message, Begin):
                try:
                    self.seed(message.seed, recipe)
                    if recipe is None:
                        recipe = self.unpack(first, message.seed)
                    make = recipe.begin()
                except BaseException as error:
                    make = _failure(error)
            elif message.turn == self.turn:
                self.answer(message, make)
            else:
                self.send(message, dumps(END))

    def unpack(self, data: bytes, seed: int) -> Recipe:
        """Return the recipe that was sent, with the user's function for new workers called."""
        try:
            recipe: Recipe = loads(data)
        except Exception as error:
            raise WorkerError(
                f"the data set that was sent cannot be made again here ({error}); define its "
                "class in a module that a new process can import, or use num_workers=0"
            ) from error
        self.seed(seed, recipe)
        if recipe.worker_init_fn is not None:
            recipe.worker_init_fn(self.worker)
        return recipe

    def seed(self, seed: int, recipe: Recipe | None) -> None:
        """Seed all that a data set may draw from, and say who this is."""
        manual_seed(seed)
        random.seed(seed)
        np.random.seed(np.random.SeedSequence(seed).generate_state(4))
        dataset = None if recipe is None else recipe.dataset
        _info[0] = WorkerInfo(self.worker, self.workers, seed, dataset)

    def answer(self, order: Order, make: Callable[[Any], Any] | Failure) -> None:
        """Make one batch and send it, or say why there is none."""
        if isinstance(make, Failure):
            return self.send(order, make)
        try:
            buffers: list[memoryview] = []
            head = dumps(make(order.indices), buffers)
            sizes = tuple(self.slots[order.slot].write(buffers))
        except BaseException as error:
            return self.send(order, _failure(error))
        return self.send(order, head, sizes)

    def send(self, order: Order, head: bytes | Failure, sizes: tuple[int, ...] = ()) -> None:
        edition = self.slots[order.slot].edition
        self.pipe.send(Answer(order.turn, order.number, order.slot, head, edition, sizes))

    def clear(self) -> None:
        """Remove the shared memory."""
        for slot in self.slots:
            slot.close(unlink=True)


def _failure(error: BaseException) -> Failure:
    try:
        kind = pickle.dumps(type(error))
    except Exception:  # a class made inside of a function has no name that another process finds
        kind = None
    summary = traceback.TracebackException.from_exception(error).format_exception_only()
    text = "".join(traceback.format_exception(error))
    return Failure(kind, str(error), "".join(summary).rstrip(), text)


def _no_pass(indices: Any) -> Any:
    raise RuntimeError(f"no pass has begun for {indices!r}")

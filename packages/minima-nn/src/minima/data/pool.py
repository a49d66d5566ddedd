"""The parent's side of worker processes: starting them, ordering batches, ending them."""

from __future__ import annotations

import os
import pickle
import secrets
import signal
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import current_process, get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from minima.data.errors import WorkerError
from minima.data.fetching import END, Recipe
from minima.data.transport import Slot, dumps, loads, remove, segment_name
from minima.data.worker import Answer, Begin, Failure, Order, run
from minima.errors import ArgumentError

__all__ = ["Pool", "context_of"]

STOP_GRACE = 2.0  # seconds for a worker to end by itself, once for all of them
GUARD = (
    'a script that starts workers runs its own work under `if __name__ == "__main__":`, as '
    "each worker imports it"
)


def context_of(method: Any) -> Any:
    """Return the multiprocessing context of *method*: forkserver where there is one, or spawn.

    A fork would copy a process while threads of it hold locks, and with it the GPU's state.

    Raises: ArgumentError for "fork" and unknown methods.

    >>> from minima.data.pool import context_of
    >>> context_of("spawn").get_start_method()
    'spawn'
    """
    known = [name for name in ("forkserver", "spawn") if name in get_all_start_methods()]
    if method is None:
        if known[0] == "forkserver":
            _preload()
        return get_context(known[0])
    name = method if isinstance(method, str) else method.get_start_method()
    if name not in known:
        raise ArgumentError(
            f"DataLoader: multiprocessing_context is {name!r}; expected one of {known}: a forked "
            "copy of a process that has threads can hang"
        )
    return get_context(method) if isinstance(method, str) else method


def _preload() -> None:
    """Have the fork server import minima once, in the place of every worker.

    Nothing in that import starts a thread of ours, and BLAS ends its own before a fork. A list
    that the user has set stays.
    """
    from multiprocessing import forkserver  # which not every system has

    server = getattr(forkserver, "_forkserver", None)
    if getattr(server, "_preload_modules", None) == ["__main__"]:
        forkserver.set_forkserver_preload(["__main__", "minima.data.worker"])


class _Worker:
    """One process, the pipe to it, and the slots of shared memory that it writes."""

    def __init__(self, context: Any, token: str, number: int, workers: int, slots: int) -> None:
        self.number = number
        self.slots = [Slot(token, number, i) for i in range(slots)]
        self.editions = [0] * slots
        self.free = list(range(slots))
        self.live = True  # in a stream: has more to give
        self.heard = False
        self.pipe: Connection
        self.pipe, other = context.Pipe()
        self.process = context.Process(
            target=run,
            args=(other, token, number, workers, slots),
            name=f"minima-loader-{number}",
            daemon=True,
        )
        try:
            self.process.start()
        except (EOFError, ConnectionError) as error:
            raise WorkerError(
                f"DataLoader: worker {number} could not be started ({error!r}); {GUARD}"
            ) from error
        finally:
            other.close()

    def send(self, message: Any) -> None:
        self.send_bytes(dumps(message))

    def send_bytes(self, data: bytes) -> None:
        try:
            self.pipe.send_bytes(data)
        except (BrokenPipeError, ConnectionError):
            raise self.death() from None

    def receive(self) -> Answer:
        try:
            answer: Answer = self.pipe.recv()
        except (EOFError, OSError):
            raise self.death() from None
        self.heard = True
        self.editions[answer.slot] = answer.edition
        return answer

    def death(self) -> WorkerError:
        """Say how the process ended."""
        self.process.join(STOP_GRACE)
        code = self.process.exitcode
        if code is None:
            end = "closed its pipe"
        elif code < 0:
            end = f"was ended by signal {-code} ({_signal_name(-code)})"
        else:
            end = f"ended with exit code {code}"
        return WorkerError(
            f"DataLoader: worker {self.number} (process {self.process.pid}) {end} "
            + (
                "while it made batches; its data set ends the process, or the system did for "
                "want of memory; num_workers=0 shows where"
                if self.heard
                else f"before its first batch; its data set ends the process, or: {GUARD}"
            )
        )

    def read(self, answer: Answer) -> Any:
        """Return the batch, or raise what was raised in the worker."""
        head = answer.head
        if isinstance(head, Failure):
            raise _raised(head, self.number)
        return loads(head, self.slots[answer.slot].read(answer.edition, answer.sizes))


class Pool:
    """The worker processes of one loader; they end with `close`, or with the pool itself."""

    def __init__(self, recipe: Recipe, context: Any, workers: int, slots: int) -> None:
        if current_process().daemon:
            raise ArgumentError(
                f"DataLoader: num_workers is {workers} inside of a worker process, which can "
                "start none; expected 0 there"
            )
        data = _packed(recipe)
        self.streams = recipe.streams
        self.turn = 0
        self.busy = False
        self.workers: list[_Worker] = []
        token = secrets.token_hex(4)
        self.close = weakref.finalize(self, _end, self.workers, token, os.getpid())
        try:
            for number in range(workers):
                self.workers.append(_Worker(context, token, number, workers, slots))
            for worker in self.workers:
                worker.send_bytes(data)
        except BaseException:
            self.close()
            raise

    def batches(
        self, seed: int, orders: Iterator[Any], timeout: float, in_order: bool
    ) -> Iterator[Any]:
        """Yield the batches of one pass; *orders* are the indices of each (of streams: any)."""
        self.turn += 1
        for worker in self.workers:
            worker.live = True
            worker.send(Begin(self.turn, seed + worker.number))
        self._forget(timeout)
        work = _Pass(self, orders, in_order)
        try:
            work.order()
            while work.open:
                worker, answer = work.next(timeout)
                try:
                    batch = worker.read(answer)
                finally:
                    worker.free.append(answer.slot)
                if batch is END:
                    worker.live = not self.streams
                work.order()
                if batch is not END:
                    yield batch
        finally:  # what was ready when the loop was left
            for worker, answer in work.ready.values():
                worker.free.append(answer.slot)

    def receive(self, timeout: float, limit: float) -> list[tuple[_Worker, Answer]]:
        """Wait until a worker has answered; raise when one has died, or after *timeout*.

        *limit* is what the loader's user gave, of which *timeout* is what is left.
        """
        pipes = {worker.pipe: worker for worker in self.workers}
        ends = {worker.process.sentinel: worker for worker in self.workers}
        ready = wait([*pipes, *ends], timeout or None)
        if not ready:
            raise WorkerError(
                f"DataLoader: no worker gave a batch within {limit:g} seconds; expected one in "
                "timeout; give a longer one, or 0 to wait for ever"
            )
        answers = [(pipes[r], pipes[r].receive()) for r in ready if r in pipes]
        if not answers:
            raise ends[ready[0]].death()
        return answers

    def _forget(self, timeout: float) -> None:
        """Take back the slots of a pass that was left early."""
        while any(len(worker.free) < len(worker.slots) for worker in self.workers):
            for worker, answer in self.receive(timeout, timeout):
                worker.free.append(answer.slot)


class _Pass:
    """Who makes which batch, and which of those that are ready is next."""

    def __init__(self, pool: Pool, orders: Iterator[Any], in_order: bool) -> None:
        self.pool = pool
        self.orders: Iterator[Any] | None = orders
        self.in_order = in_order
        self.sent = self.given = 0
        self.turn = 0
        self.ready: dict[int, tuple[_Worker, Answer]] = {}

    @property
    def open(self) -> bool:
        return self.given < self.sent

    def order(self) -> None:
        """Order batches ahead, from one worker after the other, while they have free slots.

        Which worker makes which batch does not depend on who is fast, so neither does what the
        workers draw.
        """
        while self.orders is not None and (worker := self._whose_turn()) is not None:
            try:
                indices = next(self.orders)
            except StopIteration:
                self.orders = None
                return
            self.turn = worker.number + 1
            worker.send(Order(self.pool.turn, self.sent, worker.free.pop(), indices))
            self.sent += 1

    def next(self, timeout: float) -> tuple[_Worker, Answer]:
        """Return the answer that is to be given next."""
        limit = time.monotonic() + timeout
        while not (self.given in self.ready or (self.ready and not self.in_order)):
            left = max(limit - time.monotonic(), 1e-3) if timeout else 0.0
            for worker, answer in self.pool.receive(left, timeout):
                self.ready[answer.number] = worker, answer
        number = self.given if self.in_order else next(iter(self.ready))
        self.given += 1
        return self.ready.pop(number)

    def _whose_turn(self) -> _Worker | None:
        workers = self.pool.workers
        after = [workers[(self.turn + i) % len(workers)] for i in range(len(workers))]
        live = [worker for worker in after if worker.live]
        if self.in_order:
            return live[0] if live and live[0].free else None
        return next((worker for worker in live if worker.free), None)


def _packed(recipe: Recipe) -> bytes:
    """Return the recipe as bytes, or say which part of it cannot be sent."""
    with suppress(*_UNSENDABLE):
        return dumps(recipe)
    for name in ("dataset", "collate_fn", "worker_init_fn"):
        part = getattr(recipe, name)
        try:
            dumps(part)
        except _UNSENDABLE as error:
            what = type(part).__name__ if name == "dataset" else getattr(part, "__name__", part)
            raise ArgumentError(
                f"DataLoader: {name} ({what}) cannot be sent to a worker process: {error}; define "
                "it at the top level of a module, without open files, locks or lambdas in it, or "
                "use num_workers=0"
            ) from error
    return dumps(recipe)


_UNSENDABLE = (pickle.PicklingError, AttributeError, TypeError, ValueError, OSError)


def _raised(failure: Failure, number: int) -> BaseException:
    """Return the worker's exception, of its class where that takes a message."""
    kind: Any = None
    with suppress(Exception):
        kind = None if failure.kind is None else pickle.loads(failure.kind)
    trace = f"raised in worker {number} of a DataLoader, where it was:\n{failure.text.rstrip()}"
    if isinstance(kind, type) and issubclass(kind, Exception) and kind is not StopIteration:
        with suppress(Exception):
            error = kind(_Text(f"{failure.message}\n{trace}"))
            if trace in str(error):
                return error
    return WorkerError(f"{failure.summary}\n{trace}")


class _Text(str):
    """A message of several lines, which KeyError would show in quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _end(workers: list[_Worker], token: str, owner: int) -> None:
    """End processes and remove what they leave; a forked copy of the parent ends nobody."""
    if os.getpid() != owner:
        return
    for worker in workers:
        worker.pipe.close()  # which ends the worker
    limit = time.monotonic() + STOP_GRACE
    for worker in workers:
        worker.process.join(max(limit - time.monotonic(), 0.0))
    for end in ("terminate", "kill"):
        for worker in workers:
            if worker.process.is_alive():
                getattr(worker.process, end)()
                worker.process.join(1.0)
    for worker in workers:
        for i, slot in enumerate(worker.slots):
            slot.close()
            if worker.process.exitcode != 0:
                for edition in (worker.editions[i], worker.editions[i] + 1):
                    remove(segment_name(token, worker.number, i, edition))
    workers.clear()

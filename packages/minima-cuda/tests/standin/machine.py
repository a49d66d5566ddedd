"""Two GPUs that are simulated: memory with a limit, queues of work, errors that surface later.

Work is queued and runs only when somebody waits for it, and memory holds NaN until then: what is
read without a wait for its stream shows. Memory that is let go is written over by the stream that
it was allocated on, as the next array there would do.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from weakref import WeakValueDictionary

import numpy as np

#: errors of the runtime by number, as CuPy's messages have them
MESSAGES = {
    2: "cudaErrorMemoryAllocation: out of memory",
    3: "cudaErrorInitializationError: initialization error",
    98: "cudaErrorInvalidDeviceFunction: invalid device function",
    700: "cudaErrorIllegalAddress: an illegal memory access was encountered",
    719: "cudaErrorLaunchFailure: unspecified launch failure",
    900: "cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing",
    901: "cudaErrorStreamCaptureInvalidated: operation failed due to an error during capture",
}
STICKY = {700, 719}
BLOCK = 512  # bytes to which CuPy's pool rounds
POISON = 0xFF  # four of them are NaN, and as an index the last element


class CUDARuntimeError(RuntimeError):
    """CuPy's error, with the runtime's error code in *status*."""

    def __init__(self, status, message=""):
        super().__init__(message or MESSAGES[status])
        self.status = status


class CUDADriverError(RuntimeError):
    """CuPy's error of the driver."""

    def __init__(self, status):
        super().__init__(MESSAGES[status])
        self.status = status


class OutOfMemoryError(MemoryError):
    """CuPy's error of its pool."""

    def __init__(self, size, total, limit=0):
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: {total:,}).")
        self._size, self._total, self._limit = size, total, limit


class Queue:
    """What a stream has been given: *done* of *given* pieces of work have run.

    *captured* is the work that goes into a graph instead, None where nothing is captured.
    """

    def __init__(self, gpu, blocking):
        self.gpu, self.blocking = gpu, blocking
        self.waiting, self.given, self.done = deque(), 0, 0
        self.captured, self.invalid = None, False

    def push(self, work):
        """Queue *work*, after what the default stream's rules put before it."""
        if self.captured is not None:
            self.captured.append(work)
            return
        for other in self.gpu.before(self):
            self.append(other.mark())
        self.append(work)
        if os.environ.get("CUDA_LAUNCH_BLOCKING") == "1":
            self.run()

    def append(self, work):
        self.waiting.append(work)
        self.given += 1

    def mark(self):
        """Return work that waits for all that this queue has been given so far."""
        given = self.given
        return lambda: self.run(given)

    def run(self, upto=None):
        """Do the work that was queued, up to the piece with that number."""
        self.gpu.check()
        self.refuse_in_capture()
        while self.waiting and (upto is None or self.done < upto):
            work = self.waiting.popleft()
            self.done += 1
            try:
                work()
            except CUDARuntimeError as error:
                if error.status in STICKY:
                    self.gpu.lost = error
                raise

    def refuse_transfer(self):
        """Raise, as CuPy does, where host memory would be copied while a graph is captured."""
        if self.captured is not None:
            raise RuntimeError("the current stream is capturing, so H2D transfers are disallowed")

    def refuse_in_capture(self):
        """Raise where a graph is being captured, which is lost by that."""
        if self.captured is not None:
            self.invalid = True
            raise CUDARuntimeError(900)


class Memory:
    """A piece of a GPU's memory; the pool has it back when nothing refers to it any more."""

    def __init__(self, gpu, size, queue):
        self.size = -(-size // BLOCK) * BLOCK
        self.device_id, self.gpu, self.queue = gpu.index, gpu, queue
        self.bytes = np.full(self.size, POISON, np.uint8)
        self.ptr = gpu.machine.address(self.size)

    def __del__(self):
        self.gpu.used -= self.size
        bytes_ = self.bytes
        self.queue.append(lambda: bytes_.fill(POISON))


class MemoryPointer:
    """An address within a `Memory`."""

    def __init__(self, mem):
        self.mem, self.ptr, self.device_id = mem, mem.ptr, mem.device_id
        mem.gpu.machine.at[self.ptr] = mem.bytes


class Pooled:
    """Memory of a `Pool`, which has it back when nothing refers to it any more."""

    def __init__(self, pool, memory):
        self.pool, self.memory = pool, memory
        self.size, self.ptr, self.bytes = memory.size, memory.ptr, memory.bytes
        self.device_id, self.gpu, self.queue = memory.device_id, memory.gpu, memory.queue

    def __del__(self):
        self.pool.free.append(self.memory)


class Pool:
    """A pool beside CuPy's own: it keeps what it has, for arrays of the same size and stream."""

    def __init__(self, machine):
        self.machine, self.free = machine, []

    def malloc(self, size):
        queue, rounded = self.machine.queue, -(-size // BLOCK) * BLOCK
        for memory in self.free:
            if memory.queue is queue and memory.size == rounded:
                self.free.remove(memory)
                return MemoryPointer(Pooled(self, memory))
        return MemoryPointer(Pooled(self, self.machine.gpu.malloc(size, queue).mem))


class Gpu:
    """One GPU: its queues, the bytes that arrays *used* and the pool has *reserved*."""

    def __init__(self, machine, index):
        self.machine, self.index, self.lost = machine, index, None
        self.used = self.reserved = 0
        self.null = Queue(self, blocking=True)
        self.queues = [self.null]

    def before(self, queue):
        """Return the queues that the default stream's rules let *queue* wait for."""
        if queue is self.null:
            return [q for q in self.queues if q.blocking and q is not queue and q.waiting]
        return [self.null] if queue.blocking and self.null.waiting else []

    def check(self):
        """Raise when the process is a fork, or an earlier kernel has broken the GPU."""
        if os.getpid() != self.machine.pid:
            raise CUDARuntimeError(3)
        if self.lost:
            raise self.lost

    def synchronize(self):
        for queue in self.queues:
            queue.run()

    def malloc(self, size, queue):
        queue.refuse_in_capture()
        rounded = -(-size // BLOCK) * BLOCK
        if self.used + rounded > self.machine.limit:
            raise OutOfMemoryError(rounded, self.reserved, self.machine.limit)
        self.used += rounded
        self.reserved = max(self.reserved, self.used)
        return MemoryPointer(Memory(self, size, queue))


class Machine:
    """The GPUs, and what this thread has chosen of them.

    *limit*: bytes that arrays of one GPU may take. *fails*: name of a call -> what it raises.
    *faults*: numbers of runtime errors that the next kernels meet when they run.
    """

    def __init__(self, gpus=2, limit=1 << 30, fails=None):
        self.limit, self.total, self.fails = limit, 4 << 30, fails or {}
        self.pid, self.calls, self.faults = os.getpid(), [], deque()
        self.kernel = None  # what runs a kernel of minima: called as `Launcher.launch`
        self.compute_capability, self._free_address = "90", 1 << 20
        self.at = WeakValueDictionary()  # address -> the bytes there
        self.gpus = [Gpu(self, index) for index in range(gpus)]
        self.local = threading.local()
        self.allocator = lambda size: self.gpu.malloc(size, self.queue)

    @property
    def current(self):
        return getattr(self.local, "device", 0)

    @property
    def gpu(self):
        return self.gpus[self.current]

    @property
    def streams(self):
        """This thread's stack of current streams, by GPU."""
        if not hasattr(self.local, "streams"):
            self.local.streams = {gpu.index: [] for gpu in self.gpus}
        return self.local.streams

    @property
    def queue(self):
        """The queue that this thread launches on."""
        stack = self.streams[self.current]
        return stack[-1].queue if stack else self.gpu.null

    def address(self, size):
        self._free_address += size + BLOCK
        return self._free_address - size

    def called(self, name):
        """Note a call of CuPy, and fail where it shall."""
        self.calls.append((name, self.current))
        if name in self.fails:
            raise self.fails[name]

    def launch(self, name, work):
        """Queue the kernel *name*, which meets the next of the planned faults, if any."""
        self.gpu.check()
        self.called(name)
        fault = self.faults.popleft() if self.faults else None

        def run():
            if fault:
                raise CUDARuntimeError(fault)
            work()

        self.queue.push(run)

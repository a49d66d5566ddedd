"""The module ``cupy`` that stands in for CuPy: what `calls` lists, and nothing else."""

from __future__ import annotations

import pickle
from contextlib import contextmanager
from operator import attrgetter
from types import ModuleType, SimpleNamespace

import numpy as np

from minima_cuda.launch import Pointers

from .arrays import arrays_in, call, change, ndarray, on_gpu
from .calls import AT, CONSTANTS, FUNCTIONS, UFUNCS
from .machine import (
    BLOCK,
    CUDADriverError,
    CUDARuntimeError,
    Machine,
    OutOfMemoryError,
    Pool,
    Queue,
)


class PinnedMemoryPointer(bytearray):
    """Pinned memory of the host."""


class Ufunc:
    """A function of NumPy by elements, with its ``at``."""

    def __init__(self, machine, name):
        self._machine, self._name, self._function = machine, name, getattr(np, name)

    def __call__(self, *args, **more):
        return call(self._machine, self._name, self._function, args, more)

    def at(self, a, indices, b=None):
        indices = on_gpu(self._machine, indices)
        if a.dtype.name not in AT[self._name]:
            raise TypeError(f"cupy.{self._name}.at only supports {AT[self._name]} as data type")
        change(self._machine, f"{self._name}.at", self._function.at, (a, indices, b))


def function(machine, name):
    found = attrgetter(name)(np)
    if name.startswith("linalg."):
        found = unchecked(found)
    return lambda *args, **more: call(machine, name, found, args, more)


def unchecked(function):
    """Return *function* of matrices as CuPy has it.

    It reads no result, so that none raises, and eigenvalues are complex whatever they are.
    """

    def run(a, *args, **more):
        try:
            found = function(a, *args, **more)
            if function is np.linalg.eig:
                return tuple(x.astype(np.result_type(x, np.complex64)) for x in found)
            return found
        except np.linalg.LinAlgError:  # NumPy's answer for another, to have its shape
            other = np.broadcast_to(np.eye(*a.shape[-2:], dtype=a.dtype), a.shape)
            found = function(other, *args, **more)
            lost = [x * np.nan for x in found] if isinstance(found, tuple) else found * np.nan
            return tuple(lost) if isinstance(lost, list) else lost

    return run


def standin(**settings):
    """Return a module for ``sys.modules["cupy"]`` with a machine of its own, as ``machine``."""
    machine = Machine(**settings)
    machine.by_ptr = {(gpu.index, 1): gpu.null for gpu in machine.gpus}
    cupy = ModuleType("cupy")
    machine.cupy = cupy
    cupy.machine, cupy.ndarray = machine, type("ndarray", (ndarray,), {})
    machine.ndarray = cupy.ndarray  # of this module alone, so that arrays of others do not count
    for name in CONSTANTS:
        setattr(cupy, name, getattr(np, name))
    cupy.fft, cupy.linalg = SimpleNamespace(), SimpleNamespace()
    for name in FUNCTIONS:
        family, _, last = name.rpartition(".")
        setattr(getattr(cupy, family) if family else cupy, last, function(machine, name))
    for name in UFUNCS:
        setattr(cupy, name, Ufunc(machine, name))
    vars(cupy).update(_creation(machine))
    cupy.cuda = _cuda(machine)
    cupy.get_default_memory_pool = lambda: cupy.cuda.pool
    linalg = SimpleNamespace(
        COMPUTE_TYPE_DEFAULT=1, COMPUTE_TYPE_TF32=7, set_compute_type=_compute_type(machine)
    )
    cupy._core = SimpleNamespace(_routines_linalg=linalg)
    return cupy


def tables(machine, argument):
    """Return, of an argument that is a table of addresses, what lies there."""
    if not isinstance(argument, np.void) or argument.dtype.names != ("at",):
        return argument
    addresses = argument["at"].tolist()
    return Pointers([machine.at[ptr] for ptr in addresses if ptr], len(addresses))


def _compute_type(machine):
    machine.compute_types = {}

    def set_compute_type(dtype, compute_type):
        machine.called("set_compute_type")
        machine.compute_types[dtype] = compute_type

    return set_compute_type


def _creation(machine):
    """Return the functions that make arrays, and those that copy to and from the host."""

    def empty(shape, dtype=float, order="C"):
        machine.called("empty")
        return machine.ndarray.empty(
            machine, shape if isinstance(shape, tuple) else (shape,), dtype
        )

    def made(name, function):
        def make(*args, **more):
            assert not arrays_in((args, more)), "the values would have to be read"
            value = np.asarray(function(*args, **more))
            if name in ("array", "asarray") and value.ndim:  # a number is filled in
                machine.queue.refuse_transfer()
            return copied(name, value, machine.ndarray.empty(machine, value.shape, value.dtype))

        return make

    def copied(name, source, out):
        target = out._host  # the work keeps no array alive
        machine.launch(name, lambda: np.copyto(target, source))
        return out

    def array(obj, dtype=None, copy=True):
        if not isinstance(obj, ndarray):
            return made("array", np.array)(obj, dtype)
        out = machine.ndarray.empty(machine, obj.shape, dtype or obj.dtype, like=obj._host)
        return copied("array", obj._host, out)  # which may lie on another GPU

    def asarray(a, dtype=None, order=None, *, copy=None):
        if isinstance(a, ndarray) and copy:
            return array(a, dtype)
        if isinstance(a, ndarray):
            machine.called("asarray")
            return a if dtype in (None, a.dtype) else a.astype(dtype)
        return made("asarray", np.array)(a, dtype)

    def asnumpy(a, stream=None):
        assert a.data.device_id == machine.current
        machine.called("asnumpy")
        return a.get(stream)

    def ascontiguousarray(a, dtype=None):
        return a if a.flags.c_contiguous else a.copy()

    def may_share_memory(a, b, max_work=None):
        return bool(np.may_share_memory(a._host, b._host))

    def from_dlpack(array, *, device=None, copy=None):
        kind, index = array.__dlpack_device__()
        assert (kind, index) == (2, machine.current)
        ptr = next(p for p, q in machine.by_ptr.items() if q is machine.queue)
        found = array.__dlpack__(stream=ptr[1], max_version=(1, 0), copy=copy)
        return machine.ndarray(machine, found.data, found._host)

    return {
        **{
            name: made(name, getattr(np, name))
            for name in ("zeros", "ones", "arange", "full", "eye")
        },
        **{f.__name__: f for f in (empty, array, asarray, asnumpy, ascontiguousarray)},
        **{f.__name__: f for f in (may_share_memory, from_dlpack)},
    }


def _cuda(machine):
    """Return the module ``cupy.cuda``."""

    class Device:
        def __init__(self, device=None):
            self.id = machine.current if device is None else device
            if not 0 <= self.id < len(machine.gpus):
                raise CUDARuntimeError(98)

        def __enter__(self):
            self.before, machine.local.device = machine.current, self.id
            return self

        def __exit__(self, *_):
            machine.local.device = self.before

        @property
        def compute_capability(self):
            return machine.compute_capability

        def synchronize(self):
            with self:
                machine.called("synchronize")
            machine.gpus[self.id].check()
            machine.gpus[self.id].synchronize()

    class Event:
        def __init__(self, block=False, disable_timing=False, interprocess=False):
            machine.gpu.check()
            self.queue, self.given, self.timed = None, 0, not disable_timing

        def record(self, stream=None):
            self.queue = stream.queue if stream else machine.queue
            self.given = self.queue.given

        @property
        def done(self):
            return self.queue is None or self.queue.done >= self.given

        def synchronize(self):
            if self.queue:
                self.queue.run(self.given)

    class Stream:
        def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
            machine.gpu.check()
            self.queue = machine.gpu.null if null else Queue(machine.gpu, not non_blocking)
            self.device_id = machine.current
            self.ptr = 0 if null else 2 + len(machine.by_ptr)
            if not null:
                machine.gpu.queues.append(self.queue)
                machine.by_ptr[(machine.current, self.ptr)] = self.queue

        def __eq__(self, other):
            return self.queue is other.queue

        def __hash__(self):
            return self.ptr

        def __enter__(self):
            if self.device_id != machine.current:
                raise RuntimeError("The device that the stream is created on does not match")
            machine.streams[self.device_id].append(self)
            return self

        def __exit__(self, *_):
            machine.streams[self.device_id].pop()

        def synchronize(self):
            machine.gpu.check()
            self.queue.run()

        @property
        def done(self):
            return not self.queue.waiting

        def record(self, event=None):
            event = event or Event()
            event.record(self)
            return event

        def wait_event(self, event):
            queue, given = event.queue, event.given
            if queue:
                self.queue.append(lambda: queue.run(given))

        def begin_capture(self, mode=None):
            if self.queue is machine.gpu.null:
                raise CUDARuntimeError(900)
            self.queue.captured, self.queue.invalid = [], False

        def is_capturing(self):
            return self.queue.captured is not None

        def end_capture(self):
            work, self.queue.captured = self.queue.captured, None
            if self.queue.invalid:
                raise CUDARuntimeError(901)
            return Graph(work)

    class Graph:
        def __init__(self, work):
            self.work = work

        def launch(self, stream=None):
            queue = stream.queue if stream else machine.queue
            machine.called("graph.launch")
            queue.push(lambda: [piece() for piece in self.work])

    @contextmanager
    def using_allocator(allocator=None):
        before, machine.allocator = machine.allocator, allocator
        try:
            yield
        finally:
            machine.allocator = before

    def get_current_stream(device_id=-1):
        index = machine.current if device_id == -1 else device_id
        stack = machine.streams[index]
        if stack:
            return stack[-1]
        with Device(index):
            return Stream(null=True)

    def get_elapsed_time(start_event, end_event):
        assert start_event.timed
        assert end_event.timed
        return float(end_event.given - start_event.given)  # a millisecond for each piece of work

    def get(value):
        return lambda: value

    def set_allocator(allocator=None):
        machine.allocator = allocator

    def alloc_pinned_memory(size):
        machine.called("alloc_pinned_memory")
        return PinnedMemoryPointer(size)

    class Function:
        ptr = 1

        def __init__(self, source, name):
            self.source, self.name = source, name

        def __call__(self, grid, block, args, *, shared_mem=0):
            given = [a._host if isinstance(a, ndarray) else tables(machine, a) for a in args]
            assert all(a.data.device_id == machine.current for a in arrays_in(args))
            kernel, source, name = machine.kernel, self.source, self.name
            machine.launch(name, lambda: kernel(source, name, grid, block, given, shared_mem))

    class Module:
        def load(self, cubin):
            self.source = pickle.loads(cubin)

        def get_function(self, name):
            return Function(self.source, name)

    def named(name, function):
        def named_call(*args):
            machine.called(name)
            return function(*args)

        return named_call

    pool = SimpleNamespace(
        used_bytes=lambda: machine.gpu.used,
        total_bytes=lambda: machine.gpu.reserved,
        free_all_blocks=lambda: setattr(machine.gpu, "reserved", machine.gpu.used),
    )
    runtime = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        streamCaptureModeThreadLocal=1,
        getDevice=lambda: machine.current,
        getDeviceCount=named("runtime.getDeviceCount", get(len(machine.gpus))),
        runtimeGetVersion=named("runtime.runtimeGetVersion", get(13020)),
        memGetInfo=named(
            "runtime.memGetInfo", lambda: (machine.total - machine.gpu.reserved, machine.total)
        ),
    )
    return SimpleNamespace(
        Device=Device, Event=Event, Stream=Stream, Graph=Graph, pool=pool,
        MemoryPool=lambda allocator=None: Pool(machine), using_allocator=using_allocator,
        runtime=runtime, BLOCK=BLOCK,
        PinnedMemoryPointer=PinnedMemoryPointer, alloc_pinned_memory=alloc_pinned_memory,
        get_current_stream=get_current_stream, get_elapsed_time=get_elapsed_time,
        get_allocator=lambda: machine.allocator, set_allocator=set_allocator,
        driver=SimpleNamespace(
            CUDADriverError=CUDADriverError,
            CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8,
            funcSetAttribute=lambda f, attribute, value: machine.called("funcSetAttribute"),
        ),
        function=SimpleNamespace(Module=Module),
        memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        nvrtc=SimpleNamespace(getVersion=named("nvrtc.getVersion", get((13, 2)))),
    )  # fmt: skip

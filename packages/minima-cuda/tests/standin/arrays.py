"""The stand-in's array, whose memory holds a result once its stream has computed it."""

from __future__ import annotations

import operator
import warnings
from types import SimpleNamespace

import numpy as np

from .calls import METHODS, OPERATORS


def mapped(function, value):
    """Apply *function* to the stand-in arrays within nested tuples, lists, dicts and slices."""
    if isinstance(value, ndarray):
        return function(value)
    if isinstance(value, tuple | list):
        return type(value)(mapped(function, item) for item in value)
    if isinstance(value, dict):
        return {key: mapped(function, item) for key, item in value.items()}
    return value


def arrays_in(value):
    found = []
    mapped(found.append, value)
    return found


def refuse_host_arrays(name, value):
    """CuPy takes no array of the host where it computes."""
    if isinstance(value, np.ndarray):
        raise TypeError(f"{name}: Unsupported type {type(value)}")
    if isinstance(value, tuple | list):
        for item in value:
            refuse_host_arrays(name, item)


def on_gpu(machine, index):
    """Return *index* with its lists and host arrays copied to the GPU, as CuPy does."""
    if isinstance(index, tuple):
        return tuple(on_gpu(machine, item) for item in index)
    if isinstance(index, list | np.ndarray):
        host = np.asarray(index)
        return machine.cupy.array(host if host.size or host.dtype == bool else host.astype(int))
    return index


class ndarray:
    """An array in the memory of a simulated GPU."""

    __array_priority__ = 100
    __array_ufunc__ = None  # an operator of NumPy leaves the work to this array

    def __init__(self, machine, data, host):
        self._machine, self.data, self._host = machine, data, host

    @classmethod
    def empty(cls, machine, shape, dtype, like=None):
        """Return an array of memory from the allocator; *like* gives it its strides."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        machine.gpu.check()
        data = machine.allocator(size)
        host = data.mem.bytes[:size].view(dtype).reshape(shape)
        if like is not None and like.ndim > 1 and not like.flags.c_contiguous:
            order = sorted(range(like.ndim), key=lambda axis: -abs(like.strides[axis]))
            back = np.argsort(order)
            host = host.reshape([shape[axis] for axis in order]).transpose(back)
        return cls(machine, data, host)

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    strides = property(lambda self: self._host.strides)
    flags = property(lambda self: self._host.flags)
    T = property(lambda self: type(self)(self._machine, self.data, self._host.T))
    device = property(lambda self: SimpleNamespace(id=self.data.device_id))
    __cuda_array_interface__ = property(lambda self: self._host.__array_interface__)

    def __len__(self):
        return len(self._host)

    def __getitem__(self, index):
        index = on_gpu(self._machine, index)
        return call(self._machine, "getitem", lambda x, i: x[i], (self, index), masks=True)

    def __setitem__(self, index, value):
        def put(x, i, v):
            x[i] = v

        change(self._machine, "setitem", put, (self, on_gpu(self._machine, index), value))

    def get(self, stream=None, order="C", out=None, blocking=True):
        (stream.queue if stream else self._machine.queue).run()
        self._machine.called("ndarray.get")
        return np.array(self._host, order=order)

    def set(self, arr, stream=None):
        """Copy from the host: of pinned memory, what is there when the copy runs."""
        from .module import PinnedMemoryPointer

        assert (arr.shape, arr.dtype) == (self.shape, self.dtype)
        base = arr
        while isinstance(base, np.ndarray):
            base = base.base
        pinned = isinstance(getattr(base, "obj", None), PinnedMemoryPointer)
        source, target = arr if pinned else arr.copy(), self._host
        queue = stream.queue if stream else self._machine.queue
        queue.refuse_transfer()
        self._machine.called("ndarray.set")
        queue.push(lambda: np.copyto(target, source))

    def item(self):
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    def __bool__(self):
        return bool(self.get())

    def __int__(self):
        return int(self.get())

    def __float__(self):
        return float(self.get())

    __hash__ = None

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    # ---- DLPack ----------------------------------------------------------------------------------
    def __dlpack_device__(self):
        return 2, self.data.device_id

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """Return this array in place of a capsule; the consumer's *stream* waits for ours."""
        machine = self._machine
        assert machine.current == self.data.device_id, "CuPy would ask the current GPU's stream"
        consumer = machine.by_ptr[(machine.current, stream or 1)]
        if consumer is not machine.queue:
            consumer.append(machine.queue.mark())
        return self


def call(machine, name, function, args, more=None, masks=False):
    """Queue ``function(*args, **more)`` and return the array that will hold its result.

    What it returns over the memory of an argument is a view, for which nothing runs.
    """
    more = more or {}
    if more.get("out") is not None:
        return change(machine, name, function, args, more, more["out"])
    inputs = checked(machine, name, (args, more))
    if masks and any(a.dtype == bool for a in arrays_in(args[1])):
        machine.queue.run()  # the size of the result depends on the values
        shape_of = [a._host.copy() for a in inputs]
    else:
        shape_of = [np.zeros_like(a._host) for a in inputs]
    real_args, real_more = mapped(lambda a: a._host, (args, more))
    result = quietly(function, *filled((args, more), shape_of))
    several = isinstance(result, tuple | list)
    trial = result[0] if several else result
    if not isinstance(trial, np.ndarray | np.generic):
        return result
    if not several and isinstance(trial, np.ndarray) and trial.base is not None:
        seen = quietly(function, real_args, real_more)
        for a in inputs:
            if seen.size and np.may_share_memory(seen, a._host) and seen.base is not None:
                machine.called(name)
                return machine.ndarray(machine, a.data, seen)
    results = [np.asarray(r) for r in (result if several else [result])]
    outs = [machine.ndarray.empty(machine, r.shape, r.dtype, like=r) for r in results]
    targets = [out._host for out in outs]

    def work():
        found = quietly(function, real_args, real_more)
        for target, value in zip(targets, found if several else [found]):
            np.copyto(target, value)

    machine.launch(name, work)
    return (tuple if isinstance(result, tuple) else list)(outs) if several else outs[0]


def change(machine, name, function, args, more=None, result=None):
    """Queue what writes into the memory of one of its arguments."""
    checked(machine, name, (args, more or {}))
    real_args, real_more = mapped(lambda a: a._host, (args, more or {}))
    machine.launch(name, lambda: quietly(function, real_args, real_more))
    return result


def checked(machine, name, given):
    """Return the arrays in *given*, all of which have to lie on the current GPU."""
    args, more = given
    refuse_host_arrays(name, (*args, *more.values()))
    found = arrays_in(given)
    for a in found:
        if a.data.device_id != machine.current:
            raise ValueError(
                f"{name}: The device where the array resides ({a.data.device_id}) is different "
                f"from the current device ({machine.current})."
            )
    return found


def filled(given, values):
    """Return *given* with *values* in place of its stand-in arrays, in order."""
    values = iter(values)
    return mapped(lambda _: next(values), given)


def quietly(function, args, more):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **more)


def _operator(name):
    def method(self, *others):
        return call(self._machine, name, getattr(np.ndarray, name), (self, *others))

    return method


def _reflected(name):
    function = getattr(operator, name.removeprefix("__r").removesuffix("__"))

    def method(self, other):
        return call(self._machine, name, lambda a, b: function(b, a), (self, other))

    return method


def _in_place(name):
    def method(self, other):
        function = getattr(np.ndarray, name)
        return change(self._machine, name, function, (self, other), result=self)

    return method


def _method(name):
    def method(self, *args, **more):
        function = getattr(np.ndarray, name)
        return call(self._machine, f"ndarray.{name}", function, (self, *args), more)

    return method


for _name in OPERATORS:
    _kind = _reflected if _name in ("__radd__", "__rmul__", "__rsub__", "__rtruediv__") else None
    _kind = _kind or (_in_place if _name in ("__iadd__", "__imul__", "__isub__") else _operator)
    setattr(ndarray, _name, _kind(_name))
for _name in METHODS:
    setattr(ndarray, _name, _method(_name))

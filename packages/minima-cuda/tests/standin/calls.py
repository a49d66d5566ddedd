"""Every call of CuPy that minima-cuda and minima's reference kernels make.

`test_calls` walks over both sources, so that the list is complete and has nothing to spare, and
holds each row to CuPy's own signature where CuPy is installed.
"""

#: calls of the device -> an example of their arguments, as CuPy's signature has to take them
CALLS = {
    "array": "obj",
    "asarray": "a",
    "asnumpy": "a",
    "ascontiguousarray": "a",
    "may_share_memory": "a, b",
    "from_dlpack": "array",
    "get_default_memory_pool": "",
    "cuda.Device": "device",
    "cuda.Event": "disable_timing=True",
    "cuda.Stream": "non_blocking=True",
    "cuda.get_current_stream": "device_id",
    "cuda.get_elapsed_time": "start_event, end_event",
    "cuda.alloc_pinned_memory": "size",
    "cuda.MemoryPool": "",
    "cuda.get_allocator": "",
    "cuda.set_allocator": "allocator",
    "cuda.using_allocator": "allocator",
    "cuda.driver.funcSetAttribute": "f, attribute, value",
    "cuda.function.Module": "",
    "cuda.nvrtc.getVersion": "",
    "cuda.runtime.getDevice": "",
    "cuda.runtime.getDeviceCount": "",
    "cuda.runtime.memGetInfo": "",
    "cuda.runtime.runtimeGetVersion": "",
    "_core._routines_linalg.set_compute_type": "dtype, compute_type",
}

#: classes and constants of CuPy that are not called
NAMES = (
    "ndarray cuda.PinnedMemoryPointer cuda.driver.CUDADriverError "
    "cuda.driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES cuda.memory.OutOfMemoryError "
    "cuda.runtime.CUDARuntimeError cuda.runtime.streamCaptureModeThreadLocal "
    "_core._routines_linalg.COMPUTE_TYPE_DEFAULT "
    "_core._routines_linalg.COMPUTE_TYPE_TF32"
).split()

#: methods and attributes of CuPy's objects -> an example of their arguments, None for attributes
MEMBERS = {
    "cuda.Device.compute_capability": None,
    "cuda.Device.synchronize": "",
    "cuda.Device.__enter__": "",
    "cuda.Device.__exit__": "kind, error, where",
    "cuda.Event.done": None,
    "cuda.Event.record": "stream",
    "cuda.Event.synchronize": "",
    "cuda.Stream.begin_capture": "mode",
    "cuda.Stream.done": None,
    "cuda.Stream.end_capture": "",
    "cuda.Stream.is_capturing": "",
    "cuda.Stream.record": "",
    "cuda.Stream.synchronize": "",
    "cuda.Stream.wait_event": "event",
    "cuda.Stream.__enter__": "",
    "cuda.Stream.__exit__": "kind, error, where",
    "cuda.function.Module.get_function": "name",
    "cuda.function.Module.load": "cubin",
    "cuda.Graph.launch": "stream",
    "cuda.MemoryPool.malloc": "size",
    "cuda.MemoryPool.used_bytes": "",
    "cuda.MemoryPool.total_bytes": "",
    "cuda.MemoryPool.free_all_blocks": "",
    "cuda.MemoryPointer.device_id": None,
    "cuda.MemoryPointer.mem": None,
    "cuda.MemoryPointer.ptr": None,
    "cuda.Memory.size": None,
    "ndarray.__dlpack__": "stream=1",
    "ndarray.__dlpack_device__": "",
    "ndarray.__setitem__": "index, value",
    "ndarray.data": None,
    "ndarray.dtype": None,
    "ndarray.flags": None,
    "ndarray.nbytes": None,
    "ndarray.set": "arr, stream",
    "ndarray.shape": None,
    "ndarray.size": None,
}

#: the Array API's functions by elements, as kernels call them
UFUNCS = (
    "abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert "
    "bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor ceil conj copysign cos cosh "
    "divide equal exp expm1 floor floor_divide greater greater_equal hypot isfinite isinf "
    "isnan left_shift less less_equal log log10 log1p log2 logaddexp logical_not matmul "
    "maximum minimum multiply negative nextafter not_equal pow remainder right_shift sign "
    "signbit sin sinh sqrt square subtract tan tanh trunc"
).split()

#: those that kernels use with ``at`` -> the dtypes for which CuPy has it
_AT = "int32 int64 uint32 uint64 float32 float64".split()
AT = {"add": [*_AT, "float16"], "maximum": _AT, "minimum": _AT}

#: its other functions; what makes arrays is among them
FUNCTIONS = (
    "all any argmax argmin argsort astype atleast_2d broadcast_to clip concat cumprod cumsum "
    "diagonal expand_dims fft.fftn fft.ifftn fft.irfft fft.rfft imag linalg.cholesky linalg.det "
    "linalg.eig linalg.eigh linalg.inv linalg.pinv linalg.qr linalg.slogdet linalg.solve "
    "linalg.svd max mean min permute_dims prod real reshape round searchsorted squeeze stack "
    "sum swapaxes take take_along_axis transpose where zeros_like"
).split()
MAKERS = "arange empty eye full ones zeros".split()
CONSTANTS = "iinfo inf".split()

#: methods and operators of arrays that reference kernels use
METHODS = "astype copy reshape transpose view".split()
OPERATORS = (
    "__add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ __imul__ __truediv__ "
    "__rtruediv__ __neg__ __invert__ __and__ __or__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__"
).split()

"""Names of PyTorch and NumPy that minima writes otherwise, for the error of who looks for them."""

from __future__ import annotations

from typing import Any

__all__ = ["missing_function", "missing_method"]

_DTYPE = "astype(mi.{})"
#: method of torch.Tensor or numpy.ndarray -> what to write after the tensor and the dot
_METHODS = {
    "view": "reshape(...)",
    "view_as": "reshape(other.shape)",
    "reshape_as": "reshape(other.shape)",
    "expand": "broadcast_to(...)",
    "expand_as": "broadcast_to(other.shape)",
    "cpu": 'to("cpu")',
    "cuda": 'to("cuda")',
    "float": _DTYPE.format("float32"),
    "double": _DTYPE.format("float64"),
    "half": _DTYPE.format("float16"),
    "bfloat16": _DTYPE.format("bfloat16"),
    "long": _DTYPE.format("int64"),
    "int": _DTYPE.format("int32"),
    "short": _DTYPE.format("int16"),
    "byte": _DTYPE.format("uint8"),
    "char": _DTYPE.format("int8"),
    "bool": _DTYPE.format("bool"),
    "type_as": "astype(other.dtype)",
    "dim": "ndim",
    "ndimension": "ndim",
    "numel": "size",
    "nelement": "size",
    "element_size": "dtype.itemsize",
    "itemsize": "dtype.itemsize",
    "t": "T",
    "adjoint": "mT.conj()",
    "copy": "clone()",
    "get_device": "device",
    "is_cuda": 'device == mi.device("cuda")',
    "is_floating_point": 'dtype.kind == "f"',
    "index": "[...]",
    "absolute": "abs()",
    "H": "mT.conj()",
    "is_complex": 'dtype.kind == "c"',
    "data_ptr": "numpy().ctypes.data",
    "random_": "copy_(values)",
    "exponential_": "copy_(values)",
    "bernoulli_": "copy_(mi.init.randb(*t.shape, p=p))",
    "apply_": "copy_(f(t))",
    "map_": "copy_(f(t, other))",
}
#: methods that take more words
_SAID = {
    "type": "use t.dtype, and t.astype(...)",
    **{
        f"new_{name}": f"use mi.{name}(..., dtype=t.dtype, device=t.device)"
        for name in ("zeros", "ones", "full", "empty")
    },
    "new_tensor": "use mi.Tensor(..., dtype=t.dtype, device=t.device)",
    "contiguous": "every operation takes any layout: leave it out, or use .clone() for a copy",
    "is_contiguous": "every operation takes any layout; t.numpy().flags tells of this one",
    "stride": "t.numpy().strides tells the bytes between elements",
    **dict.fromkeys(
        ("pin_memory", "is_pinned", "record_stream", "share_memory_", "is_shared"), "leave it out"
    ),
    **dict.fromkeys(("is_sparse", "to_sparse", "to_dense", "layout"), "all tensors are dense"),
    "dist": "use mi.norm(t - other)",
    "frac": "use t - mi.trunc(t)",
    "storage": "t.numpy() is the data",
}
#: name in torch or numpy -> what to write after ``mi.``
_FUNCTIONS = {
    "array": "asarray(...)",
    "as_tensor": "asarray(...)",
    "from_numpy": "asarray(...)",
    "cat": "concat(tensors, axis=...)",
    "row_stack": "vstack(...)",
    "clamp": "clip(x, min, max)",
    "permute": "permute_dims(x, axes)",
    "mm": "matmul(a, b)",
    "bmm": "matmul(a, b)",
    "mv": "matmul(a, b)",
    "dot": "matmul(a, b)",
    "addmm": "matmul(a, b) + bias",
    "ger": "outer(a, b)",
    "rand": "random.rand(2, 3)",
    "randn": "random.randn(2, 3)",
    "normal": "random.normal(mean, std, size)",
    "uniform": "random.uniform(low, high, size)",
    "rand_like": "random.rand_like(x)",
    "randn_like": "random.randn_like(x)",
    "randint": "random.randint(low, high, size)",
    "randperm": "random.randperm(n)",
    "multinomial": "random.multinomial(weights, num_samples)",
    "bernoulli": "random.bernoulli(p)",
    "shuffle": "random.permutation(x)",
    "sgn": "sign(x)",
    "trapz": "trapezoid(y, x)",
    "digitize": "bucketize(x, boundaries, right=True)",
    "seed": "manual_seed(n)",
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "cfloat": "complex64",
    "cdouble": "complex128",
    "grad": "func.grad(f), or mi.autograd.grad(outputs, inputs)",
    "value_and_grad": "func.value_and_grad(f)",
    "vmap": "func.vmap(f)",
    "vjp": "func.vjp(f, x)",
    "jvp": "func.jvp(f, x, v)",
    "jit": "compile(f)",
    "checkpoint": "func.checkpoint(f)",
    "norm": "linalg.vector_norm(x), or mi.linalg.norm(x)",
    "inverse": "linalg.inv(x)",
    "eq": "equal(a, b)",
    "ne": "not_equal(a, b)",
    "lt": "less(a, b)",
    "le": "less_equal(a, b)",
    "gt": "greater(a, b)",
    "ge": "greater_equal(a, b)",
    "sub": "subtract(a, b)",
    "mul": "multiply(a, b)",
    "div": "divide(a, b)",
    "true_divide": "divide(a, b)",
    "neg": "negative(x)",
    "concatenate": "concat(tensors, axis=...)",
    "arccos": "acos(x)",
    "arcsin": "asin(x)",
    "arctan": "atan(x)",
    "arctan2": "atan2(a, b)",
    "logical_invert": "logical_not(x)",
    "baddbmm": "matmul(a, b) + bias",
    "swapdims": "swapaxes(x, a, b)",
    "tensor_split": "array_split(x, n, axis=...)",
    "promote_types": "result_type(a, b)",
    "var_mean": "var(x, correction=1), and mi.mean(x)",
    "std_mean": "std(x, correction=1), and mi.mean(x)",
    "pinverse": "linalg.pinv(x)",
    "logdet": "linalg.slogdet(x)",
    "chain_matmul": "linalg.multi_dot(matrices)",
    "triangular_solve": "linalg.solve_triangular(a, b)",
    "is_floating_point": 'isdtype(x.dtype, "real floating")',
    "is_complex": 'isdtype(x.dtype, "complex floating")',
    "FloatTensor": "Tensor(data)",
    "DoubleTensor": 'Tensor(data, dtype="float64")',
    "LongTensor": 'Tensor(data, dtype="int64")',
    "BoolTensor": 'Tensor(data, dtype="bool")',
    "gru_cell": "nn.GRUCell",
    "lstm_cell": "nn.LSTMCell",
    "Module": "nn.Module",
    "save": "io.save(...)",
    "load": "io.load(...)",
}
#: functions that take more words
_WORDS = {
    "is_tensor": "use isinstance(x, mi.Tensor)",
    "numel": "use x.size",
    "t": "use x.T",
    "dtype": "dtypes are NumPy's: mi.float32, 'float32' and np.float32 are one",
    "set_printoptions": "tensors print as np.set_printoptions says, with at most 6 digits",
    "Parameter": "it is mi.nn.Parameter, in minima-nn",
    "inference_mode": "use mi.no_grad()",
    "clone": "use x.clone()",
    "detach": "use x.detach()",
    **{f"{name}_indices": f"use np.{name}_indices(n)" for name in ("tril", "triu")},
    "Size": "shapes are tuples",
    "cuda": 'devices go by name: x.to("cuda"), mi.device("cuda"); `minima devices` lists them',
    "backends": "leave it out: there are no such switches",
    "distributed": "a model runs on one device here",
    "utils": "minima.data has the data sets, minima.nn.utils the rest, mi.func.checkpoint that",
    "special": "its functions are those of mi: mi.erf, mi.logit, ...",
    "set_default_dtype": "new tensors are float32: give dtype=..., or write model.to(dtype)",
    "get_default_dtype": "it is mi.float32",
    "set_default_device": "give device=..., or write model.to(device)",
    "use_deterministic_algorithms": "leave it out: after mi.manual_seed(n) a run repeats",
    "set_float32_matmul_precision": "leave it out",
    **dict.fromkeys(
        ("channels_last", "contiguous_format", "preserve_format", "memory_format"),
        "leave it out: every operation takes any layout",
    ),
}


def missing_method(name: str) -> str:
    """Return what to say to who looks for ``t.name``.

    >>> from minima.habits import missing_method
    >>> missing_method("view")
    "a Tensor has no attribute 'view'; here it is t.reshape(...)"
    """
    said = f"a Tensor has no attribute {name!r}"
    if name in _SAID:
        return f"{said}; {_SAID[name]}"
    if name in _METHODS:
        return f"{said}; here it is t.{_METHODS[name]}"
    from . import fft, init, linalg, operators
    from .tensor import Tensor

    homes = ((operators, "mi"), (linalg, "mi.linalg"), (fft, "mi.fft"), (init, "mi.init"))
    for home, path in homes:
        if name in home.__all__:
            return f"{said}; it is a function: {path}.{name}(t, ...)"
    if name in _FUNCTIONS:
        return f"{said}; here it is mi.{_FUNCTIONS[name]}"
    if name in _WORDS:
        return f"{said}; {_WORDS[name]}"
    return said + _close(name, [n for n in dir(Tensor) if not n.startswith("_")], "t")


def missing_function(name: str, known: Any) -> str:
    """Return what to say to who looks for ``mi.name``, where there are the names *known*.

    >>> from minima.habits import missing_function
    >>> missing_function("cat", [])
    "module 'minima' has no attribute 'cat'; here it is mi.concat(tensors, axis=...)"
    """
    said = f"module 'minima' has no attribute {name!r}"
    if name in _WORDS:
        return f"{said}; {_WORDS[name]}"
    if name in _FUNCTIONS:
        return f"{said}; here it is mi.{_FUNCTIONS[name]}"
    from . import fft, init, linalg

    for home, path in ((linalg, "mi.linalg"), (fft, "mi.fft"), (init, "mi.init")):
        if name in home.__all__:
            return f"{said}; it is {path}.{name}"
    return said + _close(name, known, "mi")


def _close(name: str, known: Any, owner: str) -> str:
    """Return the hint at the names of *known* that look like *name*."""
    if name.startswith("_"):
        return ""
    from difflib import get_close_matches

    found = get_close_matches(name, known, 3, 0.75)
    return f"; did you mean {' or '.join(f'{owner}.{n}' for n in found)}?" if found else ""

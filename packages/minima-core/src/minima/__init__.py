"""minima: a deep-learning framework to read in an afternoon.

>>> import minima as mi
>>> x = mi.Tensor([[1.0, 2.0]], requires_grad=True)
>>> (x @ mi.ones((2, 1))).sum().backward()
>>> x.grad
Tensor([[1., 1.]])
"""

from __future__ import annotations

from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

__path__ = extend_path(__path__, __name__)  # lets minima-nn add minima.nn, minima.optim, ...

from . import autograd  # noqa: I001  (first: it brings Tensor, which all else builds on)
from . import devices, errors, operators, random, tensor
from .autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .devices import Device, KernelSet, device, use_kernels
from .dtypes import NAMES as _DTYPES
from .dtypes import as_dtype as _as_dtype
from .errors import *  # noqa: F403
from .errors import __all__ as _ERRORS
from .random import Generator, manual_seed
from .tensor import Tensor, asarray

if TYPE_CHECKING:
    from .operators import *  # noqa: F403, I001

    # what other distributions add is there only with them
    from . import amp, fft, func, init, linalg, profiler, registry, testing, viz
    from . import data as data  # type: ignore[attr-defined,import-not-found,unused-ignore]
    from . import io as io  # type: ignore[attr-defined,import-not-found,unused-ignore]
    from . import nn as nn  # type: ignore[attr-defined,import-not-found,unused-ignore]
    from . import optim as optim  # type: ignore[attr-defined,import-not-found,unused-ignore]
    from . import train as train  # type: ignore[attr-defined,import-not-found,unused-ignore]
    from .amp import GradScaler, autocast
    from .compiler.function import CompileWarning, compile
    from .datatypes import __array_namespace_info__ as __array_namespace_info__
    from .datatypes import can_cast, finfo, iinfo, isdtype, result_type
    from .dlpack import from_dlpack
    from .threads import get_num_threads, set_num_threads

    bool: Any
    int8: Any
    int16: Any
    int32: Any
    int64: Any
    uint8: Any
    uint16: Any
    uint32: Any
    uint64: Any
    float16: Any
    float32: Any
    float64: Any
    complex64: Any
    complex128: Any
    bfloat16: Any

globals().update({_name: _as_dtype(_name) for _name in _DTYPES})
if not TYPE_CHECKING:
    globals().update({_name: getattr(operators, _name) for _name in operators._HERE})

#: the version of the Python Array API standard that the names of this module follow
__array_api_version__ = "2025.12"
e, pi, inf, nan, newaxis = 2.718281828459045, 3.141592653589793, float("inf"), float("nan"), None

#: sub-packages that other distributions install into this one -> the distribution
_SPLIT = {"nn": "minima-nn", "optim": "minima-nn", "data": "minima-nn", "io": "minima-nn",
          "train": "minima-nn", "metrics": "minima-nn"}  # fmt: skip
#: what is used seldom or late, so that importing minima stays quick -> its module
_LATER = {
    **dict.fromkeys(
        "__array_namespace_info__ can_cast finfo iinfo isdtype result_type".split(), "datatypes"
    ),
    "compile": "compiler.function",
    "CompileWarning": "compiler.function",
    "GradScaler": "amp",
    "autocast": "amp",
    "from_dlpack": "dlpack",
    "get_num_threads": "threads",
    "set_num_threads": "threads",
}
_LAZY = (
    *("compiler", "testing", "registry", "hookspec", "command", "profiler", "func", "viz"),
    *("linalg", "fft", "amp", "init"),
)

__all__ = [
    *_DTYPES,
    *_ERRORS,
    *operators.__all__,  # type: ignore[attr-defined]
    "CompileWarning",
    "Device",
    "Generator",
    "GradScaler",
    "KernelSet",
    "Tensor",
    "amp",
    "asarray",
    "autocast",
    "autograd",
    "can_cast",
    "compile",
    "device",
    "devices",
    "e",
    "enable_grad",
    "errors",
    "fft",
    "finfo",
    "from_dlpack",
    "func",
    "get_num_threads",
    "iinfo",
    "inf",
    "init",
    "isdtype",
    "is_grad_enabled",
    "linalg",
    "manual_seed",
    "nan",
    "newaxis",
    "no_grad",
    "operators",
    "pi",
    "profiler",
    "random",
    "registry",
    "result_type",
    "set_grad_enabled",
    "set_num_threads",
    "tensor",
    "testing",
    "use_kernels",
    "viz",
]

if not TYPE_CHECKING:

    def __getattr__(name):
        if name in _SPLIT or name in _LAZY:
            from importlib import import_module

            home = _SPLIT.get(name, "minima-core")
            try:
                return import_module(f"{__name__}.{name}")
            except ModuleNotFoundError as error:
                if error.name != f"{__name__}.{name}":
                    raise  # the package is there, something that it imports is missing
                raise AttributeError(
                    f"minima.{name} is in {home}, which is not installed here: pip install {home}"
                ) from None
        if name in _LATER:
            from importlib import import_module

            return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        if name in operators.__all__:
            found = globals()[name] = getattr(operators, name)
            return found
        if name == "bfloat16":
            try:
                return _as_dtype(name)
            except errors.DTypeError as error:
                raise AttributeError(str(error)) from None
        if name == "__version__":
            from importlib.metadata import version

            return version("minima-core")
        if name.startswith("__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .habits import missing_function

        raise AttributeError(missing_function(name, __all__), name=name)

    def __dir__():
        return sorted({*globals(), *__all__, *_SPLIT, *_LAZY, *_LATER})

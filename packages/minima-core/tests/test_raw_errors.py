"""No public function lets an error of Python or NumPy through that does not name the function."""

import inspect
from importlib import import_module

import numpy as np
import pytest

import minima as mi

#: they register, run what the user gives, or change what holds for all
LEFT_OUT = {"composite", "operator", "in_place", "assign", "transfer", "use_kernels", "device",
            "set_num_threads", "set_grad_enabled", "compile", "manual_seed", "Arrays",
            "checkpoint", "linearize", "vjp"}  # fmt: skip
X = mi.Tensor([[1.0, 2.0], [3.0, 4.0]])
#: what a function gets in place of its arguments, as often as it asks for some
BAD = {
    "nothing": None,
    "text": "word",
    "object": object(),
    "texts": np.array(["a"]),
    "mapping": {},
    "ragged": [[1.0], [2.0, 3.0]],
    "mixture": (None, 1.5),
    "function": len,
    "several": np.arange(3),
}


def _functions():
    for name in ("", "linalg", "fft", "init", "func", "autograd", "viz"):
        home = import_module(f"minima.{name}".rstrip("."))
        for n in home.__all__:
            function = None if n in LEFT_OUT else getattr(home, n, None)
            if inspect.isfunction(function):
                yield f"{name}.{n}".lstrip("."), function


FUNCTIONS = dict(_functions())
METHODS = {
    n: getattr(mi.Tensor, n)
    for n in dir(mi.Tensor)
    if not n.startswith("_") and inspect.isfunction(getattr(mi.Tensor, n))
}


def _call(function, *args, **options):
    """Run the call; an error has to be one of minima, or to name the function."""
    name = function.__name__.rstrip("_")
    try:
        function(*args, **options)
    except mi.MinimaError:
        pass
    except TypeError as error:
        if error.__traceback__.tb_next is not None and name not in str(error):
            raise


def _required(function):
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    parameters = inspect.signature(function).parameters.values()
    return [p for p in parameters if p.kind in kinds and p.default is p.empty]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_function(function, bad):
    """Whatever takes the place of an argument, the error speaks of the function that was called."""
    count = len(_required(function))
    _call(function, *[bad] * count)
    _call(function, X, *[bad] * (count - 1))
    _call(function, X, X, *[bad] * (count - 2))


@pytest.mark.parametrize("function", METHODS.values(), ids=METHODS)
def test_method(function):
    """So it is with the methods of a Tensor, which a loop over the bad values covers."""
    count = len(_required(function)) - 1
    for bad in BAD.values():
        _call(function, X.clone(), *[bad] * count)
    _call(function, X.clone(), *[None] * count, bogus=1)

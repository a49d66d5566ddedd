"""Errors of modules; those of arguments, shapes and dtypes are `minima.errors`'."""

from __future__ import annotations

from minima.errors import MinimaError

__all__ = ["InverseMissingError", "MissingNameError", "ModuleInitError", "StateDictError"]


class ModuleInitError(MinimaError, RuntimeError):
    """A module is used before `Module.__init__` ran.

    >>> class Net(mi.nn.Module):
    ...     def __init__(self):
    ...         self.hidden = mi.nn.Linear(2, 2)
    >>> Net()
    Traceback (most recent call last):
    minima.nn.errors.ModuleInitError: Net: cannot assign 'hidden': Net.__init__ has to call \
super().__init__() first
    """


class InverseMissingError(MinimaError, NotImplementedError):
    """What a parametrisation computes cannot be assigned: it has no inverse."""


class MissingNameError(MinimaError, KeyError, AttributeError):
    """There is nothing of that name in a container or module.

    >>> mi.nn.ModuleDict()["head"]
    Traceback (most recent call last):
    minima.nn.errors.MissingNameError: ModuleDict: no module 'head'; expected one of none
    """

    __str__ = Exception.__str__


class StateDictError(MinimaError, ValueError, RuntimeError):
    """A state does not fit the module or optimiser; the message lists all that is wrong."""


def uninitialised(module: object, what: str) -> ModuleInitError:
    """Return the error for a module whose class forgot ``super().__init__()``."""
    name = type(module).__name__
    return ModuleInitError(f"{name}: {what}: {name}.__init__ has to call super().__init__() first")

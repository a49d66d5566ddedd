"""The executor ``numba`` of minima: plans as fused loops of vector code, for the cpu.

Importing this module compiles nothing and loads no compiler: the first plan does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minima.hookspec import hookimpl

if TYPE_CHECKING:
    from minima.compiler.numpy_executor import Executable
    from minima.compiler.plan import Plan
    from minima.registry import Registrar

__all__ = ["MINIMA_API", "executor", "minima_register_executors"]

MINIMA_API = 1


@hookimpl
def minima_register_executors(registry: Registrar) -> None:
    """Offer the executor ``numba``."""
    registry.add("numba", executor)


def executor(plan: Plan) -> Executable:
    """Return a function that replays *plan*, for ``mi.compile(executor="numba")``.

    Raises: DeviceError when the plan's tensors do not lie on the cpu.

    >>> @mi.compile(executor="numba")
    ... def half(x):
    ...     return mi.tanh(x) * 0.5
    >>> for _ in range(3):
    ...     y = half(mi.Tensor([0.0, 100.0]))
    >>> y
    Tensor([0. , 0.5])
    """
    from .writer import native

    return native(plan)


vars(executor)["devices"] = ("cpu",)

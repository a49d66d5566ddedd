"""The rows of modules made of others, and of those that pass on or reshape."""

from __future__ import annotations

from minima import ones

from . import (
    Flatten,
    Identity,
    Linear,
    ModuleDict,
    ModuleList,
    Parameter,
    ParameterDict,
    ParameterList,
    Residual,
    Sequential,
    Tanh,
    TiedLinear,
    Unflatten,
)
from .layer_case import LayerCase

__all__ = ["CONTAINERS"]

CONTAINERS = [
    LayerCase(lambda: Sequential(Linear(3, 4), Tanh(), Linear(4, 2)), (5, 3), (5, 2)),
    LayerCase(
        lambda: ModuleList([Linear(3, 4), Linear(4, 2)]),
        (5, 3),
        (5, 2),
        run=lambda layer, x: layer[1](layer[0](x)),
    ),
    LayerCase(
        lambda: ModuleDict({"a": Linear(3, 4), "b": Linear(4, 2)}),
        (5, 3),
        (5, 2),
        run=lambda layer, x: layer["b"](layer["a"](x)),
    ),
    LayerCase(
        lambda: ParameterList([ones(3), ones((2, 3))]),
        (2, 3),
        (2, 3),
        run=lambda layer, x: x * layer[0] + layer[1],
        batch=None,
    ),
    LayerCase(
        lambda: ParameterDict({"a": ones(3), "b": ones((2, 3))}),
        (2, 3),
        (2, 3),
        run=lambda layer, x: x * layer["a"] + layer["b"],
        batch=None,
    ),
    LayerCase(lambda: TiedLinear(Parameter(ones((2, 3)))), (4, 3), (4, 2)),
    LayerCase(lambda: TiedLinear(Parameter(ones((2, 3))), bias=True), (4, 3), (4, 2), note="bias"),
    LayerCase(lambda: Residual(Linear(3, 3)), (4, 3), (4, 3)),
    LayerCase(Identity, (4, 3), (4, 3)),
    LayerCase(Flatten, (2, 3, 4), (2, 12)),
    LayerCase(lambda: Unflatten(1, (3, -1)), (2, 12), (2, 3, 4)),
]

"""The rows of lazy layers, called once so that their parameters have shapes."""

from __future__ import annotations

from typing import Any

from minima import ones

from . import lazy
from .layer_case import LayerCase, Shape
from .module import Module

__all__ = ["LAZY"]


def _case(kind: type[Module], takes: Shape, gives: Shape, *args: int) -> LayerCase:
    def make() -> Module:
        layer: Any = kind(*args)
        layer.initialize_parameters(ones(takes))
        made: Module = layer
        return made

    return LayerCase(make, takes, gives)


LAZY = [
    _case(lazy.LazyLinear, (4, 3), (4, 2), 2),
    _case(lazy.LazyConv1d, (2, 2, 4), (2, 3, 3), 3, 2),
    _case(lazy.LazyConv2d, (1, 2, 3, 3), (1, 3, 2, 2), 3, 2),
    _case(lazy.LazyConv3d, (1, 1, 2, 2, 3), (1, 2, 1, 1, 2), 2, 2),
    _case(lazy.LazyConvTranspose1d, (2, 2, 2), (2, 3, 3), 3, 2),
    _case(lazy.LazyConvTranspose2d, (1, 2, 2, 2), (1, 3, 3, 3), 3, 2),
    _case(lazy.LazyConvTranspose3d, (1, 1, 1, 1, 2), (1, 2, 2, 2, 3), 2, 2),
    _case(lazy.LazyBatchNorm1d, (4, 3), (4, 3)),
    _case(lazy.LazyBatchNorm2d, (3, 2, 2, 2), (3, 2, 2, 2)),
    _case(lazy.LazyBatchNorm3d, (2, 2, 2, 1, 2), (2, 2, 2, 1, 2)),
    _case(lazy.LazyInstanceNorm1d, (2, 3, 4), (2, 3, 4)),
    _case(lazy.LazyInstanceNorm2d, (2, 2, 2, 2), (2, 2, 2, 2)),
    _case(lazy.LazyInstanceNorm3d, (1, 2, 2, 1, 3), (1, 2, 2, 1, 3)),
]

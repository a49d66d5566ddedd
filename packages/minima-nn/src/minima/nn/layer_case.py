"""A row of the table of layers: how to make one, what it takes and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minima import Tensor, manual_seed

from .module import Module

__all__ = ["LayerCase"]

Shape = tuple[int, ...]


def _call(layer: Module, *inputs: Tensor) -> Tensor:
    return layer(*inputs)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class LayerCase:
    """One row: how to make a layer, the shapes that it takes and the shape that it gives.

    *targets* follow the input in the call, for losses and offsets. With *below* the input holds
    integers below it. *run* calls the layer and returns one Tensor, where the layer takes or
    returns several. *eager* says why the layer cannot be compiled. *batch* is the axis of the
    input along which examples lie, None where there is one alone. ``str(case)`` is its name.

    >>> from minima.nn.testing import LayerCase
    >>> case = LayerCase(lambda: mi.nn.Linear(3, 2), (4, 3), (4, 2))
    >>> str(case), case.layer()(*case.inputs()).shape
    ('Linear', (4, 2))
    """

    make: Callable[[], Module]
    takes: Shape
    gives: Shape
    targets: Any = None
    note: str = ""
    below: int | None = None
    run: Callable[..., Tensor] = _call
    eager: str = ""
    batch: int | None = 0

    def __str__(self) -> str:
        return type(self.make()).__name__ + (f"-{self.note}" if self.note else "")

    def layer(self, dtype: str = "float32") -> Module:
        """Return the layer with the same parameters each time."""
        manual_seed(0)
        return self.make().to(dtype)

    def inputs(self, dtype: str = "float32", seed: int = 0) -> tuple[Tensor, ...]:
        """Return inputs whose elements all differ and keep away from 0, where kinks are."""
        n = int(np.prod(self.takes))
        order = np.random.default_rng(seed).permutation(n)
        x = ((order + 0.3) / n * 4.0 - 2.0).reshape(self.takes)
        rest = () if self.targets is None else (Tensor(np.asarray(self.targets)),)
        if rest and rest[0].dtype.kind == "f":
            rest = (rest[0].astype(dtype),)
        if self.below is not None:
            return (Tensor(order.reshape(self.takes) % self.below), *rest)
        return (Tensor(x.astype(dtype)), *rest)

    def leaf(self, x: Tensor) -> Tensor:
        """Return *x*, which from now on collects its gradient if it can have one."""
        return x if self.below is not None else x.requires_grad_()

"""Layers that tell a model where in a sequence a token is."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from minima import Tensor, expand_dims, init
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from . import functional as F
from .arguments import check_choice, check_floating, check_placed, integer, real
from .dropout import Dropout
from .module import Module
from .parameter import Parameter

__all__ = ["LearnedPositionalEmbedding", "RotaryEmbedding", "SinusoidalPositionalEncoding"]


class _Added(Module):
    """Rows, one for each place, that are added to what comes in."""

    def __init__(self, d_model: int, max_len: int, dropout: float, batch_first: bool) -> None:
        super().__init__()
        name = type(self).__name__
        self.d_model = integer(name, "d_model", d_model)
        self.max_len = integer(name, "max_len", max_len)
        self.batch_first = bool(batch_first)
        self.dropout = Dropout(real(name, "dropout", dropout, low=0.0, high=1.0))

    def _rows(self) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """Return x plus the rows of its places; the first is *offset*."""
        name = type(self).__name__
        check_floating(name, "x", x)
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
            layout = "(N, T, C)" if self.batch_first else "(T, N, C)"
            raise ShapeError(
                f"{name}: x has shape {x.shape}; expected {layout}, or (T, C) for a single "
                f"sample, with C = {self.d_model}"
            )
        check_placed(name, "x", x, self._rows())
        length = x.shape[1 if self.batch_first and x.ndim == 3 else 0]
        start = _check_places(name, offset, length, self.max_len)
        rows = self._rows()[start : start + length]
        if x.ndim == 3 and not self.batch_first:
            rows = expand_dims(rows, 1)
        return self.dropout(x + rows)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.d_model}, max_len={self.max_len}, batch_first={self.batch_first}"


class SinusoidalPositionalEncoding(_Added):
    """Add waves of many lengths to x, then drop out: y = x + `functional.sinusoidal_positions`.

    Shapes: x (T, N, d_model), or (N, T, d_model) with batch_first, or (T, d_model) -> as x.
    Raises: ShapeError when sizes differ, ArgumentError for more than max_len places.
    Source: Vaswani et al. 2017, section 3.5.

    >>> mi.nn.SinusoidalPositionalEncoding(4)(mi.zeros((1, 1, 4)))
    Tensor([[[0., 1., 0., 1.]]])
    """

    rows: Tensor

    def __init__(
        self,
        d_model: int,
        max_len: int = 5000,
        dropout: float = 0.0,
        batch_first: bool = False,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first)
        rows = F.sinusoidal_positions(max_len, d_model, device=device, dtype=dtype)
        self.register_buffer("rows", rows, persistent=False)

    def _rows(self) -> Tensor:
        return self.rows


class LearnedPositionalEmbedding(_Added):
    """Add trained rows, one for each place, to x, then drop out; ``weight`` (max_len, d_model).

    The rows are drawn from the normal distribution with deviation 0.02.

    Shapes: x (T, N, d_model), or (N, T, d_model) with batch_first, or (T, d_model) -> as x.
    Raises: ShapeError when sizes differ, ArgumentError for more than max_len places.
    Source: Radford et al. 2018.

    >>> mi.nn.LearnedPositionalEmbedding(4, 10)(mi.zeros((3, 2, 4)), offset=7).shape
    (3, 2, 4)
    """

    def __init__(
        self,
        d_model: int,
        max_len: int,
        dropout: float = 0.0,
        batch_first: bool = False,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first)
        self.weight = Parameter(init.zeros(max_len, d_model, device=device, dtype=dtype))
        init.normal_(self.weight, 0.0, 0.02)

    def _rows(self) -> Tensor:
        return self.weight


class RotaryEmbedding(Module):
    """Turn pairs of features by angles that grow with the place; see `functional.rotary`.

    The product of a query and a key turned so depends on how far apart they are. Of *dim* features
    each pair has a rate of its own; those after *dim* stay. *layout* says which make a pair:
    "half" or "interleaved". `MultiheadAttention` takes one as ``rotary=``.

    Shapes: x (*, T, D), D at least dim -> as x.
    Raises: ShapeError when sizes differ, ArgumentError for more than max_len places.
    Source: Su et al. 2021.

    >>> rotary = mi.nn.RotaryEmbedding(2)
    >>> rotary(mi.Tensor([[1.0, 0.0]]), offset=1)
    Tensor([[0.540302, 0.841471]])
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self,
        dim: int,
        max_len: int = 2048,
        base: float = 10000.0,
        layout: str = "half",
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = "RotaryEmbedding"
        self.dim, self.max_len = integer(name, "dim", dim), integer(name, "max_len", max_len)
        if self.dim % 2:
            raise ArgumentError(f"{name}: dim is {dim}; expected an even number, for pairs")
        self.base = real(name, "base", base, low=1.0)
        self.layout = check_choice(name, "layout", layout, ("half", "interleaved"))
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        cos, sin = F.rotary_angles(self.max_len, self.dim, self.base, **place)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """Return x, turned; its first place is *offset*."""
        check_floating("RotaryEmbedding", "x", x)
        if x.ndim < 2 or x.shape[-1] < self.dim:
            raise ShapeError(
                f"RotaryEmbedding: x has shape {x.shape}; expected (*, T, D) with D of at least "
                f"{self.dim}"
            )
        check_placed("RotaryEmbedding", "x", x, self.cos)
        length = x.shape[-2]
        start = _check_places("RotaryEmbedding", offset, length, self.max_len)
        places = slice(start, start + length)
        return F.rotary(x, self.cos[places], self.sin[places], self.layout)

    def extra_repr(self) -> str:
        """Return the sizes and options."""
        return f"{self.dim}, max_len={self.max_len}, base={self.base:g}, layout={self.layout!r}"


def _check_places(owner: str, offset: Any, length: int, most: int) -> int:
    """Return *offset* as an int, from which on there are *length* places below *most*."""
    start = integer(owner, "offset", offset, low=0)
    if start + length > most:
        raise ArgumentError(
            f"{owner}: x has {length} places from {start} on; expected at most max_len = {most} "
            "in all"
        )
    return start

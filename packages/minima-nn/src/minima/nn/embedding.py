"""Embedding: rows of a trained table, looked up by number, one by one or in bags."""

from __future__ import annotations

import numpy.typing as npt

from minima import Tensor, arange, embedding, embedding_bag, init, no_grad
from minima.devices import Device
from minima.errors import ArgumentError, DTypeError, ShapeError

from .arguments import check_choice, check_floating, integer
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


def _check_indices(owner: str, name: str, x: object) -> None:
    if not isinstance(x, Tensor):
        raise DTypeError(f"{owner}: {name} is a {type(x).__name__}; expected a Tensor of integers")
    if x.dtype.kind not in "iu":
        raise DTypeError(
            f'{owner}: {name} has dtype {x.dtype}; expected integers: x.astype("int64")'
        )


class _Table(Module):
    """What both embeddings share: the table, normal numbers, 0 in the row of the padding."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        device: str | Device | None,
        dtype: npt.DTypeLike,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.num_embeddings = integer(name, "num_embeddings", num_embeddings)
        self.embedding_dim = integer(name, "embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else self._padding(padding_idx)
        values = init.randn(self.num_embeddings, self.embedding_dim, device=device, dtype=dtype)
        self.weight = Parameter(values)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def _padding(self, padding_idx: int) -> int:
        """Return *padding_idx* counted from the front."""
        count = self.num_embeddings
        found = integer(type(self).__name__, "padding_idx", padding_idx, low=-count)
        if found >= count:
            raise ArgumentError(
                f"{type(self).__name__}: padding_idx is {found}; expected at most {count - 1}, as "
                f"num_embeddings is {count}"
            )
        return found % count

    def _repr(self, **options: object) -> str:
        padding = {} if self.padding_idx is None else {"padding_idx": self.padding_idx}
        shown = "".join(f", {k}={v!r}" for k, v in {**options, **padding}.items())
        return f"{self.num_embeddings}, {self.embedding_dim}{shown}"


class Embedding(_Table):
    """Look up rows of ``weight`` (num_embeddings, embedding_dim) by number.

    The row *padding_idx* starts as 0 and gets no gradient. The others start from the normal
    distribution.

    Shapes: x (*) integers -> (*, embedding_dim).
    Dtype: as weight.
    Raises: IndexRangeError for a number outside of 0 .. num_embeddings - 1, DTypeError when x does
    not hold integers.

    >>> mi.nn.Embedding(10, 3)(mi.Tensor([[1, 2], [4, 1]])).shape
    (2, 2, 3)
    >>> mi.nn.Embedding(10, 3, padding_idx=0)
    Embedding(10, 3, padding_idx=0)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return the rows that x names."""
        _check_indices("Embedding", "input", x)
        return embedding(x, self.weight, padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return self._repr()


class EmbeddingBag(_Table):
    """Reduce the rows of ``weight`` that each bag names: their "mean", "sum" or "max".

    Each row of a table of numbers is a bag. Bags of different sizes are given as one axis, with
    *offsets* saying where each begins; with *include_last_offset* the last offset is the end of
    the last bag. *per_sample_weights* scale the rows of a sum. Entries equal to *padding_idx* count
    for nothing, and a bag without entries gives 0.

    Shapes: x (B, n) integers, or (N) with offsets (B) -> (B, embedding_dim).
    Dtype: as weight.
    Gradient: of a maximum, goes to the first largest.
    Raises: IndexRangeError for a number or offset out of range, ArgumentError for an unknown mode
    or a combination of arguments that means nothing.

    >>> layer = mi.nn.EmbeddingBag(10, 3, mode="sum")
    >>> layer(mi.Tensor([1, 2, 4, 5, 4]), mi.Tensor([0, 2])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, device, dtype)
        self.mode = check_choice("EmbeddingBag", "mode", mode, ("sum", "mean", "max"))
        self.include_last_offset = bool(include_last_offset)

    def forward(
        self, x: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        """Return one row for each bag."""
        _check_indices("EmbeddingBag", "input", x)
        scales = per_sample_weights
        if scales is not None:
            check_floating("EmbeddingBag", "per_sample_weights", scales)
            if self.mode != "sum" or scales.shape != x.shape:
                raise ArgumentError(
                    f"EmbeddingBag: per_sample_weights have shape {scales.shape}, the mode is "
                    f"{self.mode!r}; expected the input's shape {x.shape} and mode 'sum'"
                )
            scales = scales.reshape((scales.size,))
        return embedding_bag(
            x.reshape((x.size,)),
            self._begins(x, offsets),
            self.weight,
            scales,
            mode=self.mode,
            padding_idx=self.padding_idx,
        )

    def _begins(self, x: Tensor, offsets: Tensor | None) -> Tensor:
        """Return where each bag begins in x flattened."""
        if x.ndim == 2 and offsets is None:
            return arange(x.shape[0], device=x.device) * x.shape[1]
        if x.ndim != 1 or offsets is None:
            given = "no offsets" if offsets is None else "offsets"
            raise ShapeError(
                f"EmbeddingBag: input has shape {x.shape} and there are {given}; expected (B, n) "
                "without offsets, or (N) with them"
            )
        _check_indices("EmbeddingBag", "offsets", offsets)
        return offsets[:-1] if self.include_last_offset else offsets

    def extra_repr(self) -> str:
        """Return sizes and mode."""
        last = {"include_last_offset": True} if self.include_last_offset else {}
        return self._repr(mode=self.mode, **last)

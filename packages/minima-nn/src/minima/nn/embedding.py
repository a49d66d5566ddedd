"""Embedding: rows of a trained table, looked up by number, one by one or in bags."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy.typing as npt

from minima import Tensor, init, no_grad
from minima.devices import Device
from minima.errors import ArgumentError, DTypeError, ShapeError

from . import functional as F
from .arguments import check_choice, check_floating, flag, integer, named, real
from .linear import check_turned
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]

T = TypeVar("T", bound="_Table")


def _check_indices(owner: str, name: str, x: object) -> None:
    if not isinstance(x, Tensor):
        raise DTypeError(f"{owner}: {name} is a {type(x).__name__}; expected a Tensor of integers")
    if x.dtype.kind not in "iu":
        raise DTypeError(
            f'{owner}: {name} has dtype {x.dtype}; expected integers: x.astype("int64")'
        )


class _Table(Module):
    """What both embeddings share: the table, normal numbers, 0 in the row of the padding."""

    def _table(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        given: Tensor | None,
        device: str | Device | None,
        dtype: npt.DTypeLike,
    ) -> None:
        name = type(self).__name__
        self.num_embeddings = integer(name, "num_embeddings", num_embeddings)
        self.embedding_dim = integer(name, "embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else self._padding(padding_idx)
        shape = (self.num_embeddings, self.embedding_dim)
        if given is not None:
            check_floating(name, "_weight", given)
            if given.shape != shape:
                raise ShapeError(f"{name}: _weight has shape {given.shape}; expected {shape}")
            self.weight = Parameter(given)
            return
        self.weight = Parameter(init.randn(*shape, device=device, dtype=dtype))
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def reset_parameters(self) -> None:
        """Draw the rows anew, as for a new layer; that of padding_idx is 0.

        >>> layer = mi.nn.Embedding(3, 2, padding_idx=0)
        >>> layer.reset_parameters()
        >>> layer.weight[0].tolist()
        [0.0, 0.0]
        """
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def _check_assignment(self, name: str, value: Tensor | Module) -> None:
        super()._check_assignment(name, value)
        if name == "weight" and isinstance(value, Parameter):
            shape = (self.num_embeddings, self.embedding_dim)
            remedy = "a Linear shares it as minima.nn.TiedLinear(embedding.weight)"
            check_turned(self, value, shape, remedy)

    def _norms(
        self, max_norm: float | None, norm_type: float, scale_grad_by_freq: bool, sparse: bool
    ) -> None:
        name = type(self).__name__
        self.max_norm = None if max_norm is None else real(name, "max_norm", max_norm, low=0.0)
        self.norm_type = real(name, "norm_type", norm_type)
        self.scale_grad_by_freq = flag(name, "scale_grad_by_freq", scale_grad_by_freq)
        self.sparse = flag(name, "sparse", sparse)
        if self.sparse:
            raise ArgumentError(
                f"{name}: sparse is True; expected False, as there are no sparse gradients"
            )

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

    @classmethod
    def _given(cls: type[T], embeddings: Any, freeze: bool, **options: Any) -> T:
        """Return a layer whose table is *embeddings*."""
        name = cls.__name__
        check_floating(name, "embeddings", embeddings)
        if embeddings.ndim != 2:
            raise ShapeError(
                f"{name}: embeddings have shape {embeddings.shape}; expected (V, D), a table"
            )
        layer = cls(*embeddings.shape, _weight=embeddings, **options)  # type: ignore[call-arg]
        layer.weight.requires_grad_(not flag(name, "freeze", freeze))
        return layer

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not the default."""
        defaults: dict[str, Any] = {"max_norm": None, "norm_type": 2.0, "mode": None}
        defaults |= {"scale_grad_by_freq": False, "include_last_offset": False, "padding_idx": None}
        others = {k: getattr(self, k, d) for k, d in defaults.items()}
        shown = "".join(f", {k}={v!r}" for k, v in others.items() if v != defaults[k])
        return f"{self.num_embeddings}, {self.embedding_dim}{shown}"


class Embedding(_Table):
    """Look up rows of ``weight`` (num_embeddings, embedding_dim) by number.

    The row *padding_idx* starts as 0 and gets no gradient. The others start from the normal
    distribution, or are those of *_weight*. With *max_norm* the rows that are looked up are first
    scaled down, in ``weight`` itself, to at most that *norm_type*-norm. With *scale_grad_by_freq*
    the gradient of a row is divided by how often it is looked up. *sparse* has to be False.

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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self._norms(max_norm, norm_type, scale_grad_by_freq, sparse)
        self._table(num_embeddings, embedding_dim, padding_idx, _weight, device, dtype)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """Return a layer whose table is *embeddings* (V, D), shared; trained unless *freeze*.

        Raises: ShapeError when embeddings are no table, DTypeError when they are not floating.

        >>> mi.nn.Embedding.from_pretrained(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))(mi.Tensor(1))
        Tensor([3., 4.])
        """
        options = {"padding_idx": padding_idx, "max_norm": max_norm, "norm_type": norm_type}
        last = {"scale_grad_by_freq": scale_grad_by_freq, "sparse": sparse}
        return cls._given(embeddings, freeze, **options, **last)

    def forward(self, x: Tensor) -> Tensor:
        """Return the rows that x names."""
        _check_indices("Embedding", "input", x)
        how = (self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)
        return named("Embedding", F.embedding, x, self.weight, *how)


class EmbeddingBag(_Table):
    """Reduce the rows of ``weight`` that each bag names: their "mean", "sum" or "max".

    Each row of a table of numbers is a bag. Bags of different sizes are given as one axis, with
    *offsets* saying where each begins; with *include_last_offset* the last offset is the end of
    the last bag. *per_sample_weights* scale the rows of a sum. Entries equal to *padding_idx* count
    for nothing, and a bag without entries gives 0. *max_norm*, *norm_type*, *scale_grad_by_freq*
    and *sparse* are those of `Embedding`.

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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self._norms(max_norm, norm_type, scale_grad_by_freq, sparse)
        self.mode = check_choice("EmbeddingBag", "mode", mode, ("sum", "mean", "max"))
        if self.scale_grad_by_freq and mode == "max":
            raise ArgumentError(
                "EmbeddingBag: scale_grad_by_freq is True and mode 'max'; expected mode 'sum' or "
                "'mean'"
            )
        self.include_last_offset = flag("EmbeddingBag", "include_last_offset", include_last_offset)
        self._table(num_embeddings, embedding_dim, padding_idx, _weight, device, dtype)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """Return a layer whose table is *embeddings* (V, D), shared; trained unless *freeze*.

        Raises: ShapeError when embeddings are no table, DTypeError when they are not floating.

        >>> table = mi.Tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> mi.nn.EmbeddingBag.from_pretrained(table)(mi.Tensor([[0, 1]]))
        Tensor([[2., 3.]])
        """
        options = {"max_norm": max_norm, "norm_type": norm_type, "mode": mode, "sparse": sparse}
        last = {"include_last_offset": include_last_offset, "padding_idx": padding_idx}
        freq = {"scale_grad_by_freq": scale_grad_by_freq}
        return cls._given(embeddings, freeze, **options, **last, **freq)

    def forward(
        self, x: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        """Return one row for each bag."""
        _check_indices("EmbeddingBag", "input", x)
        if offsets is not None:
            _check_indices("EmbeddingBag", "offsets", offsets)
        scales = per_sample_weights
        if scales is not None:
            check_floating("EmbeddingBag", "per_sample_weights", scales)
            if self.mode != "sum" or scales.shape != x.shape:
                raise ArgumentError(
                    f"EmbeddingBag: per_sample_weights have shape {scales.shape}, the mode is "
                    f"{self.mode!r}; expected the input's shape {x.shape} and mode 'sum'"
                )
        return named(
            "EmbeddingBag",
            F.embedding_bag,
            x,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            per_sample_weights=scales,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

"""Transformer: encoders, layers of attention and feed-forward networks, and both sides at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from minima import Tensor, full, init, triu
from minima.devices import Device
from minima.errors import ShapeError

from .arguments import integer
from .attention import MultiheadAttention
from .cache import KVCache
from .decoder import (
    TransformerDecoder,
    TransformerDecoderLayer,
    activation_of,
    check_module,
    check_sequence,
    copies,
)
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = ["Transformer", "TransformerEncoder", "TransformerEncoderLayer"]


class TransformerEncoderLayer(Module):
    """Add to x what self-attention makes of it, then what a feed-forward network does.

    x = norm1(x + self_attn(x)); x = norm2(x + linear2(activation(linear1(x)))), with dropout in
    front of each sum and of linear2. With *norm_first*, the norms act on what goes into attention
    and network instead. *activation* is "relu", "gelu" or a function.

    Shapes: x (T, N, d_model), or (N, T, d_model) with batch_first, or (T, d_model); masks as in
    `MultiheadAttention` -> as x.
    Raises: ShapeError when sizes differ.
    Source: Vaswani et al. 2017; Xiong et al. 2020, for norm_first.

    >>> layer = mi.nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16)
    >>> layer(mi.ones((5, 2, 8))).shape
    (5, 2, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = "TransformerEncoderLayer"
        size, wide = (
            integer(name, "d_model", d_model),
            integer(name, "dim_feedforward", dim_feedforward),
        )
        self.self_attn = MultiheadAttention(
            size, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype
        )
        self.linear1 = Linear(size, wide, bias, device=device, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(wide, size, bias, device=device, dtype=dtype)
        self.norm_first = bool(norm_first)
        self.norm1 = LayerNorm(size, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.norm2 = LayerNorm(size, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation_of(name, activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
        *,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Return what the layer makes of *src*; with *cache*, of tokens that follow others."""
        check_sequence("TransformerEncoderLayer", "src", src, self.self_attn)
        masks = src_mask, src_key_padding_mask, is_causal, cache
        if self.norm_first:
            x = src + self._attended(self.norm1(src), *masks)
            return x + self._fed(self.norm2(x))
        x = self.norm1(src + self._attended(src, *masks))
        return self.norm2(x + self._fed(x))  # type: ignore[no-any-return]

    def _attended(
        self,
        x: Tensor,
        mask: Tensor | None,
        padding: Tensor | None,
        causal: bool,
        cache: KVCache | None,
    ) -> Tensor:
        y, _ = self.self_attn(
            x,
            x,
            x,
            attn_mask=mask,
            key_padding_mask=padding,
            need_weights=False,
            is_causal=causal,
            cache=cache,
        )
        return self.dropout1(y)  # type: ignore[no-any-return]

    def _fed(self, x: Tensor) -> Tensor:
        y = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return self.dropout2(y)  # type: ignore[no-any-return]


class TransformerEncoder(Module):
    """Call *num_layers* copies of a `TransformerEncoderLayer`, then *norm*.

    The copies start from equal parameters, as PyTorch's do. *enable_nested_tensor* and
    *mask_check* choose ways to compute there, and nothing here.

    Shapes: as the layer.
    Raises: DTypeError when *encoder_layer* is no Module.
    Source: Vaswani et al. 2017.

    >>> layer = mi.nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16)
    >>> mi.nn.TransformerEncoder(layer, 2, norm=mi.nn.LayerNorm(8))(mi.ones((5, 2, 8))).shape
    (5, 2, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        name = "TransformerEncoder"
        self.num_layers = integer(name, "num_layers", num_layers)
        self.layers = copies(name, "encoder_layer", encoder_layer, self.num_layers)
        self.norm = check_module(name, "norm", norm)

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
        *,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Return what the layers, one after the other, make of *src*."""
        options: dict[str, Any] = {} if cache is None else {"cache": cache}
        for layer in self.layers:
            src = layer(
                src,
                src_mask=mask,
                src_key_padding_mask=src_key_padding_mask,
                is_causal=bool(is_causal),
                **options,
            )
        return src if self.norm is None else self.norm(src)


class Transformer(Module):
    """Encode one sequence and decode another that sees it: memory = encoder(src), decoder(tgt).

    Encoder and decoder are those given, or `TransformerEncoder` and `TransformerDecoder` of layers
    of these sizes, each with a `LayerNorm` at its end. Matrices start by Xavier's scheme.

    Shapes: src (S, N, d_model), tgt (T, N, d_model), the first two axes exchanged with
    batch_first, both without N for a single sample -> as tgt.
    Raises: ShapeError when sizes differ, ArgumentError for options out of range.
    Source: Vaswani et al. 2017, figure 1.

    >>> model = mi.nn.Transformer(8, 2, 1, 1, dim_feedforward=16)
    >>> model(mi.ones((5, 2, 8)), mi.ones((3, 2, 8)), tgt_is_causal=True).shape
    (3, 2, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = "Transformer"
        self.d_model = integer(name, "d_model", d_model)
        self.nhead = integer(name, "nhead", nhead)
        self.batch_first = bool(batch_first)
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        sizes = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps
        options = *sizes, batch_first, norm_first, bias

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, **place)

        self.encoder = check_module(name, "custom_encoder", custom_encoder)
        if self.encoder is None:
            layer = TransformerEncoderLayer(*options, **place)
            depth = integer(name, "num_encoder_layers", num_encoder_layers)
            self.encoder = TransformerEncoder(layer, depth, norm())
        self.decoder = check_module(name, "custom_decoder", custom_decoder)
        if self.decoder is None:
            other = TransformerDecoderLayer(*options, **place)
            depth = integer(name, "num_decoder_layers", num_decoder_layers)
            self.decoder = TransformerDecoder(other, depth, norm())
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return what the decoder makes of *tgt* and of what the encoder makes of *src*."""
        for what, x in (("src", src), ("tgt", tgt)):
            check_sequence("Transformer", what, x, self)
        batch = 0 if self.batch_first else 1
        if src.ndim != tgt.ndim or (src.ndim == 3 and src.shape[batch] != tgt.shape[batch]):
            raise ShapeError(
                f"Transformer: src has shape {src.shape}, tgt {tgt.shape}; expected equal numbers "
                f"of samples, on axis {batch}"
            )
        memory = self.encoder(  # type: ignore[misc]
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        return self.decoder(  # type: ignore[misc, no-any-return]
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: str | Device | None = None, dtype: npt.DTypeLike = "float32"
    ) -> Tensor:
        """Return (sz, sz), -inf where the key comes after the query and 0 elsewhere.

        >>> mi.nn.Transformer.generate_square_subsequent_mask(2)
        Tensor([[  0., -inf],
                [  0.,   0.]])
        """
        size = integer("generate_square_subsequent_mask", "sz", sz)
        return triu(full((size, size), float("-inf"), dtype=dtype, device=device), k=1)

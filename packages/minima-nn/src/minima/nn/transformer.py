"""Transformer: layers of self-attention and feed-forward networks."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy.typing as npt

from minima import Tensor, gelu, relu
from minima.devices import Device
from minima.errors import DTypeError, ShapeError

from .arguments import check_choice, check_floating, integer
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = ["TransformerEncoder", "TransformerEncoderLayer"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": relu, "gelu": gelu}


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
        if callable(activation):
            self.activation = activation
        else:
            self.activation = _ACTIVATIONS[
                check_choice(name, "activation", activation, ["relu", "gelu"])
            ]

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return what the layer makes of *src*."""
        check_floating("TransformerEncoderLayer", "src", src)
        size = self.self_attn.embed_dim
        if src.ndim not in (2, 3) or src.shape[-1] != size:
            layout = "(N, T, C)" if self.self_attn.batch_first else "(T, N, C)"
            raise ShapeError(
                f"TransformerEncoderLayer: src has shape {src.shape}; expected {layout}, or (T, C) "
                f"for a single sample, with C = {size}"
            )
        masks = src_mask, src_key_padding_mask, is_causal
        if self.norm_first:
            x = src + self._attended(self.norm1(src), *masks)
            return x + self._fed(self.norm2(x))
        x = self.norm1(src + self._attended(src, *masks))
        return self.norm2(x + self._fed(x))  # type: ignore[no-any-return]

    def _attended(
        self, x: Tensor, mask: Tensor | None, padding: Tensor | None, causal: bool
    ) -> Tensor:
        y, _ = self.self_attn(
            x,
            x,
            x,
            attn_mask=mask,
            key_padding_mask=padding,
            need_weights=False,
            is_causal=causal,
        )
        return self.dropout1(y)  # type: ignore[no-any-return]

    def _fed(self, x: Tensor) -> Tensor:
        y = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return self.dropout2(y)  # type: ignore[no-any-return]


class TransformerEncoder(Module):
    """Call *num_layers* copies of a `TransformerEncoderLayer`, then *norm*.

    The copies start from equal parameters, as PyTorch's do.

    Shapes: as the layer.
    Raises: DTypeError when *encoder_layer* is no Module.
    Source: Vaswani et al. 2017.

    >>> layer = mi.nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16)
    >>> mi.nn.TransformerEncoder(layer, 2, norm=mi.nn.LayerNorm(8))(mi.ones((5, 2, 8))).shape
    (5, 2, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        if not isinstance(encoder_layer, Module):
            raise DTypeError(
                f"TransformerEncoder: encoder_layer is {encoder_layer!r}; expected a Module, such "
                "as TransformerEncoderLayer(...)"
            )
        self.num_layers = integer("TransformerEncoder", "num_layers", num_layers)
        self.layers = ModuleList(deepcopy(encoder_layer) for _ in range(self.num_layers))
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return what the layers, one after the other, make of *src*."""
        for layer in self.layers:
            src = layer(
                src,
                src_mask=mask,
                src_key_padding_mask=src_key_padding_mask,
                is_causal=is_causal,
            )
        return src if self.norm is None else self.norm(src)

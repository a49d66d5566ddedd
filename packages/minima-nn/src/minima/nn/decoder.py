"""Decoders: layers that attend to what was written so far and to a memory."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy.typing as npt

from minima import Tensor, gelu, relu
from minima.devices import Device
from minima.errors import DTypeError, ShapeError

from .arguments import check_choice, check_floating, check_placed, integer
from .attention import MultiheadAttention
from .cache import KVCache
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = ["TransformerDecoder", "TransformerDecoderLayer"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": relu, "gelu": gelu}


class TransformerDecoderLayer(Module):
    """Add to x what self-attention, attention to a memory, and a feed-forward network make of it.

    x = norm1(x + self_attn(x)); x = norm2(x + multihead_attn(x, memory)); x = norm3(x +
    linear2(activation(linear1(x)))), with dropout in front of each sum and of linear2. With
    *norm_first*, the norms act on what goes into attention and network instead. *activation* is
    "relu", "gelu" or a function.

    With a `KVCache` the tokens follow those of the calls before, and the keys and values of the
    memory are those of the first call.

    Shapes: tgt (T, N, d_model), memory (S, N, d_model), the first two axes exchanged with
    batch_first, both without N for a single sample; masks as in `MultiheadAttention` -> as tgt.
    Raises: ShapeError when sizes differ.
    Source: Vaswani et al. 2017; Xiong et al. 2020, for norm_first.

    >>> layer = mi.nn.TransformerDecoderLayer(8, nhead=2, dim_feedforward=16)
    >>> layer(mi.ones((3, 2, 8)), mi.ones((5, 2, 8))).shape
    (3, 2, 8)
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
        name = "TransformerDecoderLayer"
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        size = integer(name, "d_model", d_model)
        wide = integer(name, "dim_feedforward", dim_feedforward)
        self.self_attn, self.multihead_attn = (
            MultiheadAttention(size, nhead, dropout, bias, batch_first=batch_first, **place)
            for _ in range(2)
        )
        self.linear1 = Linear(size, wide, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(wide, size, bias, **place)
        self.norm_first = bool(norm_first)
        self.norm1, self.norm2, self.norm3 = (
            LayerNorm(size, layer_norm_eps, bias=bias, **place) for _ in range(3)
        )
        self.dropout1, self.dropout2, self.dropout3 = (Dropout(dropout) for _ in range(3))
        self.activation = activation_of(name, activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        *,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Return what the layer makes of *tgt* and *memory*."""
        for what, x in (("tgt", tgt), ("memory", memory)):
            check_sequence("TransformerDecoderLayer", what, x, self.self_attn)
        own: dict[str, Any] = {
            "attn_mask": tgt_mask,
            "key_padding_mask": tgt_key_padding_mask,
            "is_causal": tgt_is_causal,
            "need_weights": False,
            "cache": cache,
        }
        other: dict[str, Any] = {
            "attn_mask": memory_mask,
            "key_padding_mask": memory_key_padding_mask,
            "is_causal": memory_is_causal,
            "need_weights": False,
            "cache": cache,
            "static": cache is not None,
        }

        def attend(x: Tensor) -> Tensor:
            return self.dropout1(self.self_attn(x, x, x, **own)[0])  # type: ignore[no-any-return]

        def recall(x: Tensor) -> Tensor:
            y, _ = self.multihead_attn(x, memory, memory, **other)
            return self.dropout2(y)  # type: ignore[no-any-return]

        def feed(x: Tensor) -> Tensor:
            y = self.linear2(self.dropout(self.activation(self.linear1(x))))
            return self.dropout3(y)  # type: ignore[no-any-return]

        x = tgt
        parts = (attend, self.norm1), (recall, self.norm2), (feed, self.norm3)
        for part, norm in parts:
            x = x + part(norm(x)) if self.norm_first else norm(x + part(x))
        return x


class TransformerDecoder(Module):
    """Call *num_layers* copies of a `TransformerDecoderLayer`, then *norm*.

    The copies start from equal parameters, as PyTorch's do.

    Shapes: as the layer.
    Raises: DTypeError when *decoder_layer* is no Module.
    Source: Vaswani et al. 2017.

    >>> layer = mi.nn.TransformerDecoderLayer(8, nhead=2, dim_feedforward=16)
    >>> decoder = mi.nn.TransformerDecoder(layer, 2, norm=mi.nn.LayerNorm(8))
    >>> decoder(mi.ones((3, 2, 8)), mi.ones((5, 2, 8)), tgt_is_causal=True).shape
    (3, 2, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        name = "TransformerDecoder"
        self.num_layers = integer(name, "num_layers", num_layers)
        self.layers = copies(name, "decoder_layer", decoder_layer, self.num_layers)
        self.norm = check_module(name, "norm", norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
        *,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Return what the layers, one after the other, make of *tgt* and *memory*."""
        options: dict[str, Any] = {} if cache is None else {"cache": cache}
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
                **options,
            )
        return tgt if self.norm is None else self.norm(tgt)


# ---- what encoders share -------------------------------------------------------------------------
def activation_of(
    owner: str, activation: str | Callable[[Tensor], Tensor]
) -> Callable[[Tensor], Tensor]:
    """Return the function that *activation* is or names."""
    if callable(activation):
        return activation
    return _ACTIVATIONS[check_choice(owner, "activation", activation, ["relu", "gelu"])]


def check_module(owner: str, argument: str, module: Any) -> Module | None:
    """Return *module* if it is a Module or None."""
    if module is None or isinstance(module, Module):
        return module
    raise DTypeError(f"{owner}: {argument} is {module!r}; expected a Module or None")


def copies(owner: str, argument: str, layer: Any, count: int) -> ModuleList:
    """Return *count* copies of *layer*."""
    if not isinstance(layer, Module):
        what = argument.partition("_")[0].capitalize()
        raise DTypeError(
            f"{owner}: {argument} is {layer!r}; expected a Module, such as "
            f"Transformer{what}Layer(...)"
        )
    return ModuleList(deepcopy(layer) for _ in range(count))


def check_sequence(owner: str, argument: str, x: Any, layer: Any) -> None:
    """Raise unless *x* is a sequence of the size that *layer*, an attention or model, takes."""
    check_floating(owner, argument, x)
    size = getattr(layer, "embed_dim", None) or layer.d_model
    if x.ndim not in (2, 3) or x.shape[-1] != size:
        layout = "(N, T, C)" if layer.batch_first else "(T, N, C)"
        raise ShapeError(
            f"{owner}: {argument} has shape {x.shape}; expected {layout}, or (T, C) for a single "
            f"sample, with C = {size}"
        )
    if isinstance(layer, MultiheadAttention):
        check_placed(owner, argument, x, layer.out_proj.weight)

"""The rows of attention, transformers and positions."""

from __future__ import annotations

from typing import Any

from minima import Tensor, concat, tanh

from . import (
    LayerNorm,
    LearnedPositionalEmbedding,
    MultiheadAttention,
    RotaryEmbedding,
    SinusoidalPositionalEncoding,
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)
from .layer_case import LayerCase

__all__ = ["ATTENTIONS"]


def _flat(*results: Any) -> Tensor:
    """Return all elements of *results* along one axis."""
    return concat([t.reshape((t.size,)) for t in results], axis=0)


ATTENTIONS = [
    LayerCase(
        lambda: MultiheadAttention(4, 2),
        (3, 2, 4),
        (42,),
        run=lambda m, x: _flat(*m(x, x * 0.5, x)),
        batch=1,
    ),
    LayerCase(
        lambda: MultiheadAttention(2, 2, 0.3, False, True, True, 3, 3, True),
        (2, 3, 3),
        (12,),
        run=lambda m, x: m(x[..., :2], x, x, is_causal=True, need_weights=False)[0].flatten(),
        note="options",
    ),
    LayerCase(
        lambda: MultiheadAttention(4, 2, rotary=RotaryEmbedding(2), batch_first=True),
        (2, 3, 4),
        (2, 3, 4),
        run=lambda m, x: m(x, x, x, need_weights=False)[0],
        note="rotary",
    ),
    LayerCase(lambda: TransformerEncoderLayer(4, 2, 3, 0.2, "gelu"), (3, 2, 4), (3, 2, 4), batch=1),
    LayerCase(
        lambda: TransformerEncoderLayer(4, 1, 3, 0.0, tanh, 0.1, True, True, False),
        (2, 3, 4),
        (2, 3, 4),
        run=lambda m, x: m(x, is_causal=True),
        note="options",
    ),
    LayerCase(
        lambda: TransformerEncoder(
            TransformerEncoderLayer(3, 1, 2, 0.0, "gelu", 0.1), 2, LayerNorm(3, 0.1)
        ),
        (2, 1, 3),
        (2, 1, 3),
        batch=1,
    ),
    LayerCase(
        lambda: TransformerDecoderLayer(4, 2, 3, 0.2, "gelu"),
        (3, 1, 4),
        (3, 1, 4),
        run=lambda m, x: m(x, x * 0.5),
        batch=1,
    ),
    LayerCase(
        lambda: TransformerDecoderLayer(4, 1, 3, 0.0, tanh, 0.1, True, True, False),
        (1, 3, 4),
        (1, 3, 4),
        run=lambda m, x: m(x, x * 0.5, tgt_is_causal=True),
        note="options",
    ),
    LayerCase(
        lambda: TransformerDecoder(
            TransformerDecoderLayer(3, 1, 2, 0.0, "gelu", 0.1), 1, LayerNorm(3, 0.1)
        ),
        (2, 1, 3),
        (2, 1, 3),
        run=lambda m, x: m(x, x * 0.5),
        batch=1,
    ),
    LayerCase(
        lambda: Transformer(2, 1, 1, 1, 2, 0.1, "gelu", layer_norm_eps=0.1),
        (2, 1, 2),
        (2, 1, 2),
        run=lambda m, x: m(x * 0.5, x, tgt_is_causal=True),
        batch=1,
    ),
    LayerCase(lambda: SinusoidalPositionalEncoding(4, 5, 0.2), (3, 2, 4), (3, 2, 4), batch=1),
    LayerCase(lambda: LearnedPositionalEmbedding(4, 5, batch_first=True), (2, 3, 4), (2, 3, 4)),
    LayerCase(lambda: RotaryEmbedding(4), (2, 3, 4), (2, 3, 4)),
    LayerCase(
        lambda: RotaryEmbedding(2, 8, 10.0, "interleaved"),
        (2, 3, 4),
        (2, 3, 4),
        run=lambda m, x: m(x, offset=2),
        note="options",
    ),
]

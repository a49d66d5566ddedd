"""Wrong calls of attention, transformers and positions."""

import numpy as np

import minima as mi
from minima import nn
from minima.devices import Device

from . import Bad

OTHER = Device("another", xp=np)
X = mi.ones((3, 2, 8))


def heads(*args, **options):
    return nn.MultiheadAttention(8, 2)(*args, **options)


def encode(*args, **options):
    return nn.TransformerEncoderLayer(8, 2, 16)(*args, **options)


def decode(*args, **options):
    return nn.TransformerDecoderLayer(8, 2, 16)(*args, **options)


def both(*args, **options):
    return nn.Transformer(8, 2, 1, 1, 16)(*args, **options)


def rows(name, call, argument):
    """Return the rows of inputs that do not fit: *call* takes the one that is wrong."""
    return [
        Bad(
            f"{name} {argument} size",
            lambda: call(X[..., :4]),
            mi.ShapeError,
            rf"{name}: {argument} has shape \(3, 2, 4\).*C = 8",
        ),
        Bad(
            f"{name} {argument} axes",
            lambda: call(X[0, 0]),
            mi.ShapeError,
            rf"{name}: {argument} has shape \(8,\).*C = 8",
        ),
        Bad(
            f"{name} {argument} dtype",
            lambda: call(X.astype("int64")),
            mi.DTypeError,
            rf"{name}: {argument} has dtype int64",
        ),
        Bad(
            f"{name} {argument} array",
            lambda: call(X.numpy()),
            mi.DTypeError,
            rf"{name}: {argument} is a ndarray",
        ),
        Bad(
            f"{name} {argument} device",
            lambda: call(X.to(OTHER)),
            mi.DeviceError,
            # a whole transformer leaves it to its layers
            rf"{name}\w*: (\w+) is on another; expected cpu",
        ),
    ]


def sizes(name, make, message, error=mi.ArgumentError):
    return Bad(f"{name} {message.split()[0]}", make, error, f"{name}: {message}")


MASKS = [
    Bad(
        "MultiheadAttention attn_mask shape",
        lambda: heads(X, X, X, attn_mask=mi.ones((2, 3))),
        mi.ShapeError,
        r"MultiheadAttention: attn_mask has shape \(2, 3\); expected \(3, 3\)",
    ),
    Bad(
        "MultiheadAttention attn_mask heads",
        lambda: heads(X, X, X, attn_mask=mi.ones((2, 3, 3))),
        mi.ShapeError,
        r"MultiheadAttention: attn_mask has shape .*\(4, 3, 3\)",
    ),
    Bad(
        "MultiheadAttention attn_mask dtype",
        lambda: heads(X, X, X, attn_mask=mi.ones((3, 3)).astype("int32")),
        mi.DTypeError,
        "MultiheadAttention: attn_mask is of int32",
    ),
    Bad(
        "MultiheadAttention attn_mask array",
        lambda: heads(X, X, X, attn_mask=np.ones((3, 3))),
        mi.DTypeError,
        "MultiheadAttention: attn_mask is of ndarray",
    ),
    Bad(
        "MultiheadAttention key_padding_mask shape",
        lambda: heads(X, X, X, key_padding_mask=mi.ones((3, 2))),
        mi.ShapeError,
        r"MultiheadAttention: key_padding_mask has shape \(3, 2\); expected \(2, 3\)",
    ),
    Bad(
        "MultiheadAttention key_padding_mask dtype",
        lambda: heads(X, X, X, key_padding_mask=mi.ones((2, 3)).astype("int64")),
        mi.DTypeError,
        "MultiheadAttention: key_padding_mask is of int64",
    ),
    Bad(
        "MultiheadAttention attn_mask device",
        lambda: heads(X, X, X, attn_mask=mi.ones((3, 3)).to(OTHER)),
        mi.DeviceError,
        "MultiheadAttention: attn_mask is on another",
    ),
    Bad(
        "MultiheadAttention samples",
        lambda: heads(X[:, :1], X, X),
        mi.ShapeError,
        r"MultiheadAttention: query has shape \(3, 1, 8\), key \(3, 2, 8\)",
    ),
    Bad(
        "MultiheadAttention keys and values",
        lambda: heads(X, X, X[:2]),
        mi.ShapeError,
        r"MultiheadAttention: .*value \(2, 2, 8\)",
    ),
    Bad(
        "MultiheadAttention single and batch",
        lambda: heads(X[0], X, X),
        mi.ShapeError,
        r"MultiheadAttention: key has shape \(3, 2, 8\)",
    ),
    Bad(
        "TransformerEncoderLayer src_mask",
        lambda: encode(X, mi.ones((2, 2))),
        mi.ShapeError,
        r"attn_mask has shape \(2, 2\); expected \(3, 3\)",
    ),
    Bad(
        "TransformerDecoderLayer memory_mask",
        lambda: decode(X, X[:2], memory_mask=mi.ones((3, 3))),
        mi.ShapeError,
        r"attn_mask has shape \(3, 3\); expected \(3, 2\)",
    ),
]

CONSTRUCTED = [
    sizes("MultiheadAttention", lambda: nn.MultiheadAttention(0, 2), "embed_dim is 0"),
    sizes("MultiheadAttention", lambda: nn.MultiheadAttention(8, -1), "num_heads is -1"),
    sizes("MultiheadAttention", lambda: nn.MultiheadAttention(8, 2, 1.5), "dropout is 1.5"),
    sizes("MultiheadAttention", lambda: nn.MultiheadAttention(8, 2, kdim=0), "kdim is 0"),
    sizes("MultiheadAttention", lambda: nn.MultiheadAttention(8, 2, vdim=-3), "vdim is -3"),
    Bad(
        "MultiheadAttention divides",
        lambda: nn.MultiheadAttention(8, 3),
        mi.ArgumentError,
        "MultiheadAttention: embed_dim is 8, num_heads 3",
    ),
    sizes(
        "MultiheadAttention",
        lambda: nn.MultiheadAttention(8, 2, rotary=3),
        "rotary is 3",
        mi.DTypeError,
    ),
    *(
        Bad(f"{name} {what}", call, error, f"{name}: {message}")
        for name, make in (
            ("TransformerEncoderLayer", nn.TransformerEncoderLayer),
            ("TransformerDecoderLayer", nn.TransformerDecoderLayer),
        )
        for what, call, error, message in (
            ("d_model", lambda m=make: m(0, 2), mi.ArgumentError, "d_model is 0"),
            ("d_model type", lambda m=make: m(8.0, 2), mi.DTypeError, "d_model is 8.0"),
            ("feedforward", lambda m=make: m(8, 2, -1), mi.ArgumentError, "dim_feedforward is -1"),
            (
                "activation",
                lambda m=make: m(8, 2, activation="swish"),
                mi.ArgumentError,
                "activation is 'swish'",
            ),
        )
    ),
    *(
        Bad(f"{name} {what}", call, error, f"{name}: {message}")
        for name, stack, layer in (
            ("TransformerEncoder", nn.TransformerEncoder, nn.TransformerEncoderLayer(8, 2, 8)),
            ("TransformerDecoder", nn.TransformerDecoder, nn.TransformerDecoderLayer(8, 2, 8)),
        )
        for what, call, error, message in (
            ("layers", lambda s=stack, t=layer: s(t, 0), mi.ArgumentError, "num_layers is 0"),
            ("layer", lambda s=stack: s(len, 1), mi.DTypeError, "..coder_layer is <built-in"),
            ("norm", lambda s=stack, t=layer: s(t, 1, 3), mi.DTypeError, "norm is 3"),
        )
    ),
    sizes("Transformer", lambda: nn.Transformer(0, 2), "d_model is 0"),
    sizes("Transformer", lambda: nn.Transformer(8, 0), "nhead is 0"),
    sizes("Transformer", lambda: nn.Transformer(8, 2, 0, 1, 8), "num_encoder_layers is 0"),
    sizes("Transformer", lambda: nn.Transformer(8, 2, 1, -1, 8), "num_decoder_layers is -1"),
    sizes(
        "Transformer",
        lambda: nn.Transformer(8, 2, custom_encoder=3),
        "custom_encoder is 3",
        mi.DTypeError,
    ),
    Bad(
        "Transformer samples",
        lambda: both(X, X[:, :1]),
        mi.ShapeError,
        r"Transformer: src has shape \(3, 2, 8\), tgt \(3, 1, 8\)",
    ),
]


def added(name, make):
    return [
        *rows(name, lambda x: make(8, 9)(x), "x"),
        Bad(f"{name} d_model", lambda: make(0, 9), mi.ArgumentError, f"{name}: d_model is 0"),
        Bad(f"{name} max_len", lambda: make(8, -1), mi.ArgumentError, f"{name}: max_len is -1"),
        Bad(f"{name} dropout", lambda: make(8, 9, 2), mi.ArgumentError, f"{name}: dropout is 2"),
        Bad(
            f"{name} places",
            lambda: make(8, 2)(X),
            mi.ArgumentError,
            f"{name}: x has 3 places from 0 on.*max_len = 2",
        ),
        Bad(
            f"{name} offset",
            lambda: make(8, 9)(X, offset=-1),
            mi.ArgumentError,
            f"{name}: offset is -1",
        ),
    ]


def turn(*args, **options):
    return nn.RotaryEmbedding(4, 8, **options)(*args)


ROTARY = [
    Bad(
        "RotaryEmbedding device",
        lambda: turn(X.to(OTHER)),
        mi.DeviceError,
        "RotaryEmbedding: x is on another",
    ),
    sizes("RotaryEmbedding", lambda: nn.RotaryEmbedding(3), "dim is 3"),
    sizes("RotaryEmbedding", lambda: nn.RotaryEmbedding(4, 0), "max_len is 0"),
    sizes("RotaryEmbedding", lambda: nn.RotaryEmbedding(4, base=0.0), "base is 0.0"),
    sizes("RotaryEmbedding", lambda: nn.RotaryEmbedding(4, layout="x"), "layout is 'x'"),
    sizes("RotaryEmbedding", lambda: turn(X[0, 0]), r"x has shape \(8,\)", mi.ShapeError),
    Bad(
        "RotaryEmbedding size",
        lambda: turn(X[..., :2]),
        mi.ShapeError,
        r"RotaryEmbedding: x has shape \(3, 2, 2\).*at least 4",
    ),
    Bad(
        "RotaryEmbedding dtype",
        lambda: turn(X.astype("int64")),
        mi.DTypeError,
        "RotaryEmbedding: x has dtype int64",
    ),
    Bad(
        "RotaryEmbedding places",
        lambda: turn(X, 7),
        mi.ArgumentError,
        "RotaryEmbedding: x has 2 places from 7 on.*max_len = 8",
    ),
]

ROWS = [
    *rows("MultiheadAttention", lambda x: heads(x, X, X), "query"),
    *rows("MultiheadAttention", lambda x: heads(X, x, X), "key"),
    *rows("MultiheadAttention", lambda x: heads(X, X, x), "value"),
    *MASKS,
    *rows("TransformerEncoderLayer", encode, "src"),
    *rows("TransformerDecoderLayer", lambda x: decode(x, X), "tgt"),
    *rows("TransformerDecoderLayer", lambda x: decode(X, x), "memory"),
    *rows("Transformer", lambda x: both(x, X), "src"),
    *rows("Transformer", lambda x: both(X, x), "tgt"),
    *CONSTRUCTED,
    *added("SinusoidalPositionalEncoding", nn.SinusoidalPositionalEncoding),
    *added("LearnedPositionalEmbedding", nn.LearnedPositionalEmbedding),
    *ROTARY,
    Bad(
        "scaled_dot_product_attention both masks",
        lambda: nn.functional.scaled_dot_product_attention(
            mi.ones((2, 3)), mi.ones((2, 3)), mi.ones((2, 3)), mi.ones((2, 2)) > 0, is_causal=True
        ),
        mi.ArgumentError,
        r"^scaled_dot_product_attention: is_causal is True and attn_mask has shape .*expected one",
    ),
]

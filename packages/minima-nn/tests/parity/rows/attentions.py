"""Attention and what is built of it: every option and mask, single samples and batches."""

from __future__ import annotations

import numpy as np

from ..table import Given, function, layer

CAUSAL = np.triu(np.ones((3, 3), bool), 1)
ADDED = np.where(CAUSAL, -np.inf, 0.0)
WIDE = np.tril(np.ones((3, 4), bool), -2)  # of 3 queries and 4 keys
EACH = np.stack([np.roll(WIDE, i, axis=1) for i in range(4)])  # for 2 samples and 2 heads
PADDED = np.array([[False, False, False, True], [False, True, False, False]])
BIAS = np.linspace(-1.0, 1.0, 12).reshape(3, 4)
ORDER = np.linspace(-1.0, 1.0, 8).reshape(2, 4)


def attention(*args, takes, label, batch_first=False, options=(), **call):
    """Return the row of a MultiheadAttention called with *call*; arrays there are masks."""

    def called(side, module, *inputs):
        named = {k: side.tensor(v) if isinstance(v, np.ndarray) else v for k, v in call.items()}
        return module(*inputs, **named)

    return layer(
        "MultiheadAttention",
        *args,
        kind="attention",
        takes=takes,
        call=called,
        label=label,
        batch_first=batch_first,
        modes=(len(label) % 2 == 0,),  # without dropout they differ in nothing else
        **dict(options),
    )


QKV = [(3, 2, 4), (4, 2, 4), (4, 2, 4)]
FIRST = [(2, 3, 4), (2, 4, 4), (2, 4, 4)]
SAME = [(3, 2, 4)] * 3
KWARGS = {"add_bias_kv": True, "add_zero_attn": True}

HEADS = [
    attention(4, 2, takes=QKV, label="plain"),
    attention(4, 1, takes=QKV, label="one-head"),
    attention(4, 2, takes=FIRST, label="batch-first", batch_first=True),
    attention(4, 2, takes=[(3, 4), (4, 4), (4, 4)], label="unbatched"),
    attention(4, 2, takes=QKV, label="no-weights", need_weights=False),
    attention(4, 2, takes=QKV, label="weights-of-heads", average_attn_weights=False),
    attention(4, 2, takes=QKV, label="bool-mask", attn_mask=WIDE),
    attention(4, 2, takes=QKV, label="bool-mask-no-weights", attn_mask=WIDE, need_weights=False),
    attention(4, 2, takes=QKV, label="float-mask", attn_mask=BIAS),
    attention(4, 2, takes=QKV, label="mask-of-heads", attn_mask=EACH),
    attention(4, 2, takes=QKV, label="float-mask-of-heads", attn_mask=EACH * -0.7),
    attention(4, 2, takes=QKV, label="padding", key_padding_mask=PADDED),
    attention(4, 2, takes=QKV, label="float-padding", key_padding_mask=ORDER),
    attention(4, 2, takes=QKV, label="both-masks", attn_mask=WIDE, key_padding_mask=PADDED),
    attention(4, 2, takes=QKV, label="float-masks", attn_mask=BIAS, key_padding_mask=PADDED * -1.0),
    attention(
        4,
        2,
        takes=[(3, 4), (4, 4), (4, 4)],
        label="unbatched-masks",
        attn_mask=EACH[:2],
        key_padding_mask=PADDED[0],
    ),
    attention(4, 2, takes=SAME, label="causal", attn_mask=CAUSAL, is_causal=True),
    attention(
        4, 2, takes=SAME, label="causal-float", attn_mask=ADDED, is_causal=True, need_weights=False
    ),
    attention(4, 2, takes=QKV, label="no-bias", options={"bias": False}),
    attention(4, 2, takes=QKV, label="bias-kv", options={"add_bias_kv": True}),
    attention(4, 2, takes=QKV, label="zero-attn", options={"add_zero_attn": True}),
    attention(
        4,
        2,
        takes=QKV,
        label="appended-masked",
        options=KWARGS,
        attn_mask=WIDE,
        key_padding_mask=PADDED,
    ),
    attention(
        4,
        2,
        takes=[(3, 2, 4), (4, 2, 3), (4, 2, 2)],
        label="kdim-vdim",
        options={"kdim": 3, "vdim": 2},
    ),
    attention(
        4,
        2,
        takes=[(2, 3, 4), (2, 4, 3), (2, 4, 4)],
        label="kdim-alone",
        batch_first=True,
        options={"kdim": 3, **KWARGS},
    ),
]


def by_weights(label, separate=False, **options):
    """Return the row of multi_head_attention_forward."""

    def target(side):
        def run(q, k, v, *rest):
            *weights, bias, out, out_bias = rest
            packed = None if separate else weights[0]
            if separate:
                names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
                options.update(zip(names, weights, strict=True))
            named = {
                n: side.tensor(o) if isinstance(o, np.ndarray) else o for n, o in options.items()
            }
            extra = named.pop("bias_k", None), named.pop("bias_v", None)
            zero = named.pop("add_zero_attn", False)
            return side.F.multi_head_attention_forward(
                q, k, v, 4, 2, packed, bias, *extra, zero, 0.0, out, out_bias,
                use_separate_proj_weight=separate, **named,
            )  # fmt: skip

        return run

    weights = [(4, 4), (4, 4), (4, 4)] if separate else [(12, 4)]
    return function(
        "attention",
        "multi_head_attention_forward",
        *QKV,
        *weights,
        (12,),
        (4, 4),
        (4,),
        call=target,
        label=label,
    )


FORWARD = [
    by_weights("plain"),
    by_weights("separate", separate=True, need_weights=False),
    by_weights("masks", attn_mask=WIDE, key_padding_mask=PADDED, average_attn_weights=False),
    by_weights("appended", bias_k=ORDER[:1, None], bias_v=ORDER[1:, None], add_zero_attn=True),
    by_weights("evaluation", training=False),
    by_weights(
        "static",
        static_k=np.linspace(-1.0, 1.0, 32).reshape(4, 4, 2),
        static_v=np.linspace(1.0, 0.0, 32).reshape(4, 4, 2),
    ),
]


def sdpa(*inputs, **options):
    return function("attention", "scaled_dot_product_attention", *inputs, **options)


DOTS = [
    sdpa((2, 3, 4), (2, 4, 4), (2, 4, 2)),
    sdpa((3, 4), (4, 4), (4, 2), label="one"),
    sdpa((2, 3, 4), (2, 4, 4), (2, 4, 2), scale=0.3),
    sdpa((2, 3, 4), (2, 3, 4), (2, 3, 2), is_causal=True),
    sdpa((2, 3, 4), (2, 4, 4), (2, 4, 2), label="bools", attn_mask=Given(~WIDE)),
    sdpa((2, 3, 4), (2, 4, 4), (2, 4, 2), label="floats", attn_mask=Given(BIAS)),
    sdpa((2, 3, 4), (2, 4, 4), (2, 4, 2), (3, 4), label="trained-mask"),
    sdpa((1, 4, 3, 2), (1, 2, 3, 2), (1, 2, 3, 2), enable_gqa=True),
    sdpa((1, 4, 3, 2), (1, 1, 3, 2), (1, 1, 3, 2), enable_gqa=True, is_causal=True, scale=1.0),
]


def encoder(name, *args, takes=(3, 2, 4), label="", make=None, masks=None, **options):
    """Return the row of an encoder or its layer, called with *masks*."""

    def called(side, module, *inputs):
        named = {
            k: side.tensor(v) if isinstance(v, np.ndarray) else v for k, v in (masks or {}).items()
        }
        return module(*inputs, **named)

    takes = takes if isinstance(takes, list) else [takes]
    return layer(
        name,
        *args,
        kind="attention",
        takes=takes,
        call=called,
        label=label,
        make=make,
        modes=(len(label) % 2 == 0,),  # without dropout they differ in nothing
        second="gelu" in label or "gelu" in args,
        **options,
    )


PLAIN = (4, 2, 3, 0.0)
PAD3 = PADDED[:, :3]


def layers(name, takes, masked):
    """Return the rows of a layer of an encoder or decoder."""
    first = [tuple(np.array(t)[[1, 0, 2]].tolist()) for t in takes]
    return [
        encoder(name, *PLAIN, takes=takes),
        encoder(name, *PLAIN, "gelu", 0.1, takes=takes),
        encoder(name, *PLAIN, takes=takes, norm_first=True),
        encoder(name, *PLAIN, takes=takes, bias=False),
        encoder(name, *PLAIN, "gelu", takes=first, batch_first=True, norm_first=True),
        encoder(name, *PLAIN, takes=[(t[0], t[2]) for t in takes], label="unbatched"),
        encoder(
            name,
            takes=takes,
            label="callable",
            make=lambda side: getattr(side.nn, name)(*PLAIN, side.F.silu),
        ),
        encoder(
            name,
            takes=takes,
            label="module",
            make=lambda side: getattr(side.nn, name)(*PLAIN, side.nn.Tanh()),
        ),
        *(
            encoder(name, *PLAIN, "gelu", takes=takes, label=f"gelu-{i}", masks=m)
            for i, m in enumerate(masked)
        ),
    ]


ENCODED = [
    {"src_mask": CAUSAL},
    {"src_mask": BIAS[:, :3]},
    {"src_mask": CAUSAL, "is_causal": True},
    {"src_key_padding_mask": PAD3},
    {"src_mask": CAUSAL, "src_key_padding_mask": np.roll(PAD3, 1, axis=1)[::-1] * -1.0},
]
DECODED = [
    {"tgt_mask": CAUSAL, "memory_mask": WIDE},
    {"tgt_mask": ADDED, "tgt_is_causal": True, "memory_key_padding_mask": PADDED},
    {"tgt_key_padding_mask": PAD3, "memory_mask": BIAS},
    {"memory_mask": np.triu(np.ones((3, 4), bool), 1), "memory_is_causal": True},
]


def stack(name, depth, takes, norm, label, masks=None):
    """Return the row of an encoder or decoder of *depth* layers."""

    def make(side):
        part = getattr(side.nn, f"{name}Layer")(*PLAIN, "gelu")
        return getattr(side.nn, name)(part, depth, side.nn.LayerNorm(4) if norm else None)

    return encoder(name, takes=takes, label=f"gelu-{label}", make=make, masks=masks)


def whole(label, *args, takes=((4, 2, 4), (3, 2, 4)), masks=None, **options):
    sizes = (4, 2, 1, 1, 3, 0.0, "gelu")
    return encoder(
        "Transformer",
        *sizes,
        *args,
        takes=list(takes),
        label=f"gelu-{label}",
        masks=masks,
        **options,
    )


def custom(side):
    """Return a Transformer of an encoder and decoder that were made before."""
    options = (*PLAIN, "gelu")
    inner = side.nn.TransformerEncoder(side.nn.TransformerEncoderLayer(*options), 2)
    outer = side.nn.TransformerDecoder(side.nn.TransformerDecoderLayer(*options), 1)
    return side.nn.Transformer(4, 2, custom_encoder=inner, custom_decoder=outer)


SQUARE = np.triu(np.ones((4, 4), bool), 1)
WHOLE = [
    whole("plain", tolerances={"float32": 1e-4}, why="its second order nearly cancels"),
    whole("batch-first", takes=((2, 4, 4), (2, 3, 4)), batch_first=True, norm_first=True),
    whole("no-bias", takes=((4, 4), (3, 4)), bias=False, layer_norm_eps=0.1),
    whole(
        "masks",
        masks={
            "src_mask": SQUARE,
            "tgt_mask": CAUSAL,
            "memory_mask": WIDE,
            "src_is_causal": True,
            "tgt_is_causal": True,
        },
    ),
    whole(
        "padding",
        masks={
            "src_key_padding_mask": PADDED,
            "tgt_key_padding_mask": PAD3,
            "memory_key_padding_mask": PADDED,
        },
    ),
    encoder("Transformer", takes=[(4, 2, 4), (3, 2, 4)], label="gelu-custom", make=custom),
    function(
        "attention",
        "generate_square_subsequent_mask",
        3,
        call=lambda side: side.nn.Transformer.generate_square_subsequent_mask,
    ),
]

ROWS = [
    *HEADS,
    *FORWARD,
    *DOTS,
    *layers("TransformerEncoderLayer", [(3, 2, 4)], ENCODED),
    *layers("TransformerDecoderLayer", [(3, 2, 4), (4, 2, 4)], DECODED),
    stack("TransformerEncoder", 2, [(3, 2, 4)], True, "norm"),
    stack(
        "TransformerEncoder",
        2,
        [(3, 2, 4)],
        False,
        "masks",
        {"mask": CAUSAL, "src_key_padding_mask": np.array([[False] * 3, [False, True, False]])},
    ),
    stack("TransformerDecoder", 2, [(3, 2, 4), (4, 2, 4)], True, "norm", {"tgt_mask": CAUSAL}),
    stack("TransformerDecoder", 1, [(3, 2, 4), (4, 2, 4)], False, "masks", DECODED[1]),
    *WHOLE,
]

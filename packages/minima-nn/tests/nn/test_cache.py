"""Decoding with a cache: step by step as all at once."""

import numpy as np
import pytest

import minima as mi
from minima import nn

RNG = np.random.default_rng(0)


def normal(*shape):
    return mi.Tensor(RNG.normal(size=shape).astype("float32"))


def close(got, expected):
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5, atol=2e-6)


def stepwise(call, x, sizes, axis=1):
    """Return what *call* gives for the parts of x, one after the other, put together."""
    found, at = [], 0
    with mi.no_grad():
        for size in sizes:
            part = x[:, at : at + size] if axis else x[at : at + size]
            found.append(call(part))
            at += size
    assert at == x.shape[axis]
    return mi.concat(found, axis=axis)


SIZES = [(1,) * 7, (3, 1, 1, 2), (7,), (1, 6)]
ATTENTIONS = {
    "plain": {},
    "rotary": {"rotary": nn.RotaryEmbedding(4)},
    "interleaved": {"rotary": nn.RotaryEmbedding(2, layout="interleaved")},
    "appended": {"add_bias_kv": True, "add_zero_attn": True},
    "sizes": {"kdim": 8, "vdim": 8, "bias": False},
}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("options", ATTENTIONS.values(), ids=ATTENTIONS)
@pytest.mark.parametrize("need", [False, True])
def test_attention(options, sizes, need):
    """Fault: a token that sees those after it, or is at the wrong place."""
    layer = nn.MultiheadAttention(8, 2, batch_first=True, **options)
    x, cache = normal(2, 7, 8), nn.KVCache(9)
    expected, _ = layer(x, x, x, is_causal=True)
    close(stepwise(lambda t: layer(t, t, t, need_weights=need, cache=cache)[0], x, sizes), expected)
    assert cache.length == 7


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_encoder(sizes, batch_first, turned):
    """Fault: layers that share a place in the cache."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=batch_first)
    if turned:
        layer.self_attn.rotary = nn.RotaryEmbedding(4)
    model = nn.TransformerEncoder(layer, 3, nn.LayerNorm(8))
    for part in model.layers:
        nn.init.normal_(part.linear1.weight)
    x, cache = normal(*((2, 7, 8) if batch_first else (7, 2, 8))), nn.KVCache(7)
    expected = model(x, is_causal=True)
    close(stepwise(lambda t: model(t, cache=cache), x, sizes, int(batch_first)), expected)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("norm_first", [False, True])
def test_decoder(sizes, norm_first):
    """Fault: a memory that is written behind itself at each step."""
    layer = nn.TransformerDecoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=norm_first)
    model, memory = nn.TransformerDecoder(layer, 2), normal(2, 5, 8)
    padding = mi.Tensor([[False] * 5, [False, False, True, False, True]])
    x, cache = normal(2, 7, 8), nn.KVCache(7)
    expected = model(x, memory, tgt_is_causal=True, memory_key_padding_mask=padding)

    def call(t):
        return model(t, memory, memory_key_padding_mask=padding, cache=cache)

    close(stepwise(call, x, sizes), expected)


def test_padding_and_masks_speak_of_all_keys():
    """Fault: a mask that is laid over the keys of the call alone."""
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    x, cache = normal(2, 4, 8), nn.KVCache(4)
    padding = np.array([[True, False, False, False], [False, False, True, False]])
    ahead = np.triu(np.ones((4, 4), bool), 1)
    extra = np.roll(np.eye(4, dtype=bool), -1, axis=1)[::-1].copy()
    for mask in (extra, np.where(extra, -1.0, 0.5).astype("float32")):
        cache.reset()
        full = ahead | mask if mask.dtype == bool else np.where(ahead, -np.inf, mask)
        options = {"attn_mask": mi.Tensor(full.astype(mask.dtype))}
        expected, _ = layer(x, x, x, key_padding_mask=mi.Tensor(padding), **options)
        with mi.no_grad():
            for a, b in ((0, 2), (2, 4)):
                part = x[:, a:b]
                y, _ = layer(
                    part,
                    part,
                    part,
                    key_padding_mask=mi.Tensor(padding[:, :b]),
                    attn_mask=mi.Tensor(mask[a:b, :b]),
                    cache=cache,
                )
                close(y, expected[:, a:b])


def test_nothing_is_copied_or_made_anew():
    """Fault: a step that costs as much as all tokens until then."""
    layer, cache = nn.MultiheadAttention(8, 2, batch_first=True), nn.KVCache(64)
    owner, x = nn.Identity(), mi.ones((1, 2, 1, 4))
    buffers = set()
    for n in range(1, 65):
        keys, values = cache.append(owner, x * n, x)
        assert keys.shape == values.shape == (1, 2, n, 4)
        buffers.add(keys.numpy().__array_interface__["data"][0])
    assert len(buffers) == 1
    np.testing.assert_array_equal(keys.numpy()[0, 0, :, 0], np.arange(1, 65))
    assert cache.length_of(layer) == 0


def test_reorder_follows_the_beams():
    """Fault: a beam that goes on from another's tokens."""
    layer = nn.TransformerDecoderLayer(8, 2, 16, 0.0, batch_first=True)
    x, memory, order = normal(3, 4, 8), normal(3, 5, 8), mi.Tensor([2, 0, 2])
    cache = nn.KVCache(4)
    with mi.no_grad():
        layer(x[:, :3], memory, cache=cache)
        cache.reorder(order)
        got = layer(x[:, 3:], memory, cache=cache)
    chosen = np.array([2, 0, 2])
    mixed = mi.Tensor(np.concatenate([x.numpy()[chosen, :3], x.numpy()[:, 3:]], axis=1))
    expected = layer(mixed, mi.Tensor(memory.numpy()[chosen]), tgt_is_causal=True)
    close(got, expected[:, 3:])


def test_reset_makes_room():
    """Fault: a text that goes on from the one before."""
    layer, cache = nn.MultiheadAttention(8, 2, batch_first=True), nn.KVCache(3)
    with mi.no_grad():
        x = normal(2, 3, 8)
        first = layer(x, x, x, cache=cache)[0]
        cache.reset()
        close(layer(x, x, x, cache=cache)[0], first)
        cache.reset()
        layer(x[:1], x[:1], x[:1], cache=cache)
    assert repr(cache) == "KVCache(max_len=3, length=3, layers=1)"


def decode(cache, x, **options):
    layer = nn.MultiheadAttention(8, 2, batch_first=True, **options)
    with mi.no_grad():
        layer(x, x, x, cache=cache)
        return layer(x, x, x, cache=cache)


X = mi.ones((2, 2, 8))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.KVCache(0), "max_len is 0; expected"),
        (lambda: nn.KVCache(2.5), "max_len is 2.5; expected"),
        (lambda: decode(nn.KVCache(3), X), "max_len is 3, and 4 tokens have come; expected room"),
        (
            lambda: nn.MultiheadAttention(8, 2)(X, X, X, cache=nn.KVCache(2)),
            "require a gradient; expected none, as under mi.no_grad",
        ),
        (
            lambda: [
                cache.append(X, mi.ones(s), mi.ones(s))
                for cache in [nn.KVCache(4)]
                for s in ((2, 2, 1, 3), (1, 2, 1, 3))
            ],
            r"keys have shape \(1, 2, 1, 3\); expected \(2, 2, 1, 3\)",
        ),
        (
            lambda: [
                (cache.append(0, mi.ones((2, 2, 1, 3)), mi.ones((2, 2, 1, 3))), cache.reorder(o))
                for cache in [nn.KVCache(4)]
                for o in [mi.Tensor([0])]
            ],
            r"samples has shape \(1,\); expected \(2,\)",
        ),
    ],
)
def test_errors(call, message):
    """Fault: tokens that are lost without a word."""
    with pytest.raises(mi.MinimaError, match=f"^KVCache: .*{message}"):
        call()

"""Embeddings, attention, transformers and recurrent layers with their options, as PyTorch's."""

import numpy as np
import pytest
import torch

import minima as mi
from minima import nn

T = torch.nn

TOLERANCES = [("float32", 1e-5), ("float64", 1e-10)]
precisions = pytest.mark.parametrize(("dtype", "rel"), TOLERANCES)


class Pair:
    """A layer of each library with the same state, and the inputs that both get."""

    def __init__(self, parity, make, dtype, rel, seed=0):
        self.parity, self.dtype, self.rel = parity, dtype, rel
        torch.manual_seed(seed)
        self.ours, self.theirs = make(nn).to(dtype), make(T).to(getattr(torch, dtype))
        assert list(self.ours.state_dict()) == list(self.theirs.state_dict())
        for p in self.theirs.parameters():
            torch.nn.init.normal_(p, std=0.5)
        parity.copy_state(self.theirs, self.ours)
        self.rng = np.random.default_rng(seed)

    def tensors(self, array, grad=True):
        """Return *array* in both libraries; floating ones require grad."""
        array = array.astype(self.dtype) if array.dtype.kind == "f" else array
        a, b = mi.Tensor(array), self.parity.to_torch(array)
        if grad and array.dtype.kind == "f":
            a.requires_grad_()
            b.requires_grad_()
        return a, b

    def normal(self, *shape):
        return self.tensors(self.rng.normal(size=shape))

    def compare(self, call, *inputs):
        """Call both, compare all results, and the gradients of inputs and parameters."""
        self.ours.zero_grad()
        self.theirs.zero_grad()
        results = [
            call(layer, *(pair[side] for pair in inputs))
            for side, layer in enumerate((self.ours, self.theirs))
        ]
        losses = [0.0, 0.0]
        for y, z in zip(*results, strict=True):
            self.parity.agree(y, z, self.rel)
            g = self.rng.normal(size=y.shape).astype(self.dtype)
            losses[0] = losses[0] + (y * mi.Tensor(g)).sum()
            losses[1] = losses[1] + (z * self.parity.to_torch(g)).sum()
        for loss in losses:
            loss.backward()
        for a, b in inputs:
            if b.grad is not None:
                self.parity.agree(a.grad, b.grad, self.rel)
        self.parity.gradients_agree(self.ours, self.theirs, self.rel)


# ---- embeddings ----------------------------------------------------------------------------------
@precisions
@pytest.mark.parametrize("padding", [None, 3, -1])
def test_embedding(padding, dtype, rel, parity):
    """Fault: a gradient that is lost or counted twice, or one for the padding."""
    pair = Pair(parity, lambda lib: lib.Embedding(7, 5, padding_idx=padding), dtype, rel)
    x = pair.tensors(pair.rng.integers(0, 7, size=(4, 9)))
    pair.compare(lambda layer, x: (layer(x),), x)


def test_the_padding_starts_as_zeros():
    """Fault: padding that means something."""
    assert not nn.Embedding(4, 3, padding_idx=-2).weight.numpy()[2].any()
    assert not nn.EmbeddingBag(4, 3, padding_idx=2).weight.numpy()[2].any()


@precisions
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize(
    ("shape", "offsets", "last"),
    [((5, 4), None, False), ((12,), [0, 0, 5, 9, 12], False), ((12,), [0, 3, 3, 12], True)],
    ids=["rows", "offsets", "last"],
)
def test_embedding_bag(shape, offsets, last, mode, padding, dtype, rel, parity):
    """Fault: bags cut elsewhere, another divisor, or padding that counts."""
    options = {"mode": mode, "padding_idx": padding, "include_last_offset": last}
    pair = Pair(parity, lambda lib: lib.EmbeddingBag(7, 3, **options), dtype, rel)
    inputs = [pair.tensors(pair.rng.integers(0, 7, size=shape))]
    if offsets is not None:
        inputs.append(pair.tensors(np.array(offsets)))
    pair.compare(lambda layer, *given: (layer(*given),), *inputs)


@precisions
@pytest.mark.parametrize("padding", [None, 2])
def test_scaled_bags(padding, dtype, rel, parity):
    """Fault: scales that act on another entry, or have another gradient."""
    options = {"mode": "sum", "padding_idx": padding}
    pair = Pair(parity, lambda lib: lib.EmbeddingBag(7, 3, **options), dtype, rel)
    x = pair.tensors(pair.rng.integers(0, 7, size=(4, 6)))
    pair.compare(lambda layer, x, w: (layer(x, per_sample_weights=w),), x, pair.normal(4, 6))


# ---- normalisation and pooling -------------------------------------------------------------------
@precisions
@pytest.mark.parametrize(
    "options",
    [
        {"normalized_shape": 5},
        {"normalized_shape": (4, 5), "eps": 0.1},
        {"normalized_shape": [5], "bias": False},
        {"normalized_shape": (3, 4, 5), "elementwise_affine": False},
    ],
    ids=str,
)
def test_layer_norm(options, dtype, rel, parity):
    """Fault: other axes, another variance, or an option that does nothing."""
    pair = Pair(parity, lambda lib: lib.LayerNorm(**options), dtype, rel)
    pair.compare(lambda layer, x: (layer(x),), pair.normal(2, 3, 4, 5))


@precisions
@pytest.mark.parametrize("size", [1, 3, (2, 5), (None, 4), (7, 9)], ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 6, 8), (3, 5, 7)], ids=str)
def test_adaptive_pooling(size, shape, dtype, rel, parity):
    """Fault: windows that begin or end elsewhere."""
    pair = Pair(parity, lambda lib: lib.AdaptiveAvgPool2d(size), dtype, rel)
    pair.compare(lambda layer, x: (layer(x),), pair.normal(*shape))


# ---- recurrent layers ----------------------------------------------------------------------------
RECURRENT = [
    {},
    {"bias": False},
    {"num_layers": 3},
    {"batch_first": True},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
]


def _results(found):
    """Return output and states as one tuple."""
    output, states = found
    return (output, *states) if isinstance(states, tuple) else (output, states)


@precisions
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "given"])
@pytest.mark.parametrize("single", [False, True], ids=["batch", "single"])
@pytest.mark.parametrize("options", RECURRENT, ids=str)
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent(kind, options, single, given, dtype, rel, parity):
    """Fault: gates in another order, a direction or layer mixed up, states that are lost."""
    pair = Pair(parity, lambda lib: getattr(lib, kind)(4, 3, **options), dtype, rel)
    shape = (6, 2, 4)
    inputs = [pair.normal(*((6, 4) if single else shape))]
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    samples = shape[0] if options.get("batch_first") else shape[1]
    if given:
        state = (count, 3) if single else (count, samples, 3)
        inputs += [pair.normal(*state) for _ in range(2 if kind == "LSTM" else 1)]

    def call(layer, x, *states):
        if not states:
            return _results(layer(x))
        return _results(layer(x, states if kind == "LSTM" else states[0]))

    pair.compare(call, *inputs)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_large_recurrent(kind, parity):
    """Fault: an error that grows with the steps, or with the size."""
    pair = Pair(parity, lambda lib: getattr(lib, kind)(16, 64, 2), "float32", 1e-5)
    for p, q in zip(pair.ours.parameters(), pair.theirs.parameters(), strict=True):
        with mi.no_grad(), torch.no_grad():
            p.mul_(0.25)
            q.mul_(0.25)
    pair.compare(lambda layer, x: _results(layer(x)), pair.normal(40, 8, 16))


# ---- attention -----------------------------------------------------------------------------------
ATTENTION = [
    {},
    {"bias": False},
    {"batch_first": True},
    {"kdim": 5, "vdim": 7},
    {"kdim": 8, "vdim": 7, "bias": False},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
]

MASKS = [
    {},
    {"attn": "bool"},
    {"attn": "float"},
    {"attn": "heads"},
    {"padding": "bool"},
    {"padding": "float"},
    {"attn": "bool", "padding": "bool"},
    {"attn": "float", "padding": "bool"},
    {"attn": "heads", "padding": "float"},
]


def _masks(pair, kinds, n, heads, rows, keys):
    """Return the masks of *kinds*; a query always sees the first key."""
    found = {}
    shape = (n * heads, rows, keys) if kinds.get("attn") == "heads" else (rows, keys)
    for name, kind, size in (
        ("attn_mask", kinds.get("attn"), shape),
        ("key_padding_mask", kinds.get("padding"), (n, keys)),
    ):
        if kind is None:
            continue
        values = pair.rng.normal(size=size)
        if kind == "bool":
            values = values > 0.3
            values[..., 0] = False
        found[name] = pair.tensors(values, grad=False)
    return found


@precisions
@pytest.mark.parametrize("need", ["output", "mean", "heads"])
@pytest.mark.parametrize("masks", MASKS, ids=str)
@pytest.mark.parametrize("options", ATTENTION, ids=str)
@pytest.mark.filterwarnings("ignore:Support for mismatched:UserWarning")
def test_attention(options, masks, need, dtype, rel, parity):
    """Fault: heads cut elsewhere, another scale, a mask that is inverted or reaches too far."""
    pair = Pair(parity, lambda lib: lib.MultiheadAttention(8, 2, **options), dtype, rel)
    n, rows, keys = 3, 4, 5
    sizes = [(rows, 8), (keys, options.get("kdim", 8)), (keys, options.get("vdim", 8))]
    inputs = [
        pair.normal(*((n, t, c) if options.get("batch_first") else (t, n, c))) for t, c in sizes
    ]
    given = _masks(pair, masks, n, 2, rows, keys)
    how = {"need_weights": need != "output", "average_attn_weights": need == "mean"}

    def call(layer, *arrays):
        side = 0 if isinstance(layer, nn.Module) else 1
        found = layer(*arrays, **{k: m[side] for k, m in given.items()}, **how)
        return found if how["need_weights"] else found[:1]

    pair.compare(call, *inputs)


@precisions
def test_attention_of_a_single_sample(dtype, rel, parity):
    """Fault: axes that are taken for those of a batch."""
    pair = Pair(parity, lambda lib: lib.MultiheadAttention(8, 2), dtype, rel)
    given = _masks(pair, {"attn": "heads"}, 1, 2, 4, 5)
    padding = pair.tensors(np.array([False, True, False, False, True]))

    def call(layer, *arrays):
        side = 0 if isinstance(layer, nn.Module) else 1
        attn = given["attn_mask"][side]
        if side == 1:
            return layer(*arrays, attn_mask=attn, key_padding_mask=padding[1].to(attn.dtype) * -1e9)
        scaled = padding[0].astype(attn.dtype) * -1e9
        return layer(*arrays, attn_mask=attn, key_padding_mask=scaled)

    pair.compare(call, pair.normal(4, 8), pair.normal(5, 8), pair.normal(5, 8))


@precisions
@pytest.mark.parametrize("need", [False, True])
@pytest.mark.parametrize("more", [False, True])
def test_causal_attention(more, need, dtype, rel, parity):
    """Fault: a look into the future, or appended keys that are hidden."""
    options = {"add_bias_kv": more, "add_zero_attn": more}
    pair = Pair(parity, lambda lib: lib.MultiheadAttention(8, 2, **options), dtype, rel)
    mask = torch.ones(5, 5, dtype=torch.bool).triu(1)

    def call(layer, x):
        if isinstance(layer, nn.Module):
            found = layer(x, x, x, is_causal=True, need_weights=need)
        else:
            found = layer(x, x, x, attn_mask=mask, need_weights=need)
        return found if need else found[:1]

    pair.compare(call, pair.normal(5, 3, 8))


# ---- transformers --------------------------------------------------------------------------------
TRANSFORMERS = [
    {},
    {"norm_first": True},
    {"activation": "gelu", "batch_first": True},
    {"bias": False, "layer_norm_eps": 0.1},
    {"activation": "gelu", "norm_first": True, "batch_first": True, "bias": False},
]


@precisions
@pytest.mark.parametrize("masks", [{}, {"attn": "bool"}, {"padding": "bool"}], ids=str)
@pytest.mark.parametrize("options", TRANSFORMERS, ids=str)
def test_transformer_layer(options, masks, dtype, rel, parity):
    """Fault: norms, sums or the activation in another place."""
    options = {"dim_feedforward": 16, "dropout": 0.0, **options}
    pair = Pair(parity, lambda lib: lib.TransformerEncoderLayer(8, 2, **options), dtype, rel)
    given = _masks(pair, masks, 3, 2, 5, 5)

    def call(layer, x):
        side = 0 if isinstance(layer, nn.Module) else 1
        masks = {"attn_mask": "src_mask", "key_padding_mask": "src_key_padding_mask"}
        return (layer(x, **{masks[k]: m[side] for k, m in given.items()}),)

    pair.compare(call, pair.normal(*((3, 5, 8) if options.get("batch_first") else (5, 3, 8))))


@precisions
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
def test_transformer(final, dtype, rel, parity):
    """Fault: layers that share parameters, or a final norm that is left out."""

    def make(lib):
        layer = lib.TransformerEncoderLayer(8, 2, 16, 0.0, norm_first=True)
        return lib.TransformerEncoder(layer, 3, lib.LayerNorm(8) if final else None)

    pair = Pair(parity, make, dtype, rel)
    padding = pair.tensors(np.arange(15).reshape(3, 5) % 4 == 3)

    def call(layer, x):
        side = 0 if isinstance(layer, nn.Module) else 1
        return (layer(x, src_key_padding_mask=padding[side]),)

    pair.compare(call, pair.normal(5, 3, 8))


def test_states_have_pytorchs_names_and_order():
    """Fault: a checkpoint of PyTorch's that does not load."""

    def make(lib):
        layer = lib.TransformerEncoderLayer(8, 2, 16)
        return lib.ModuleList(
            [
                lib.LSTM(3, 4, 2, bidirectional=True),
                lib.GRU(3, 4),
                lib.MultiheadAttention(8, 2, add_bias_kv=True, kdim=3),
                layer,
                lib.EmbeddingBag(3, 4),
                lib.LayerNorm(3),
            ]
        )

    ours, theirs = make(nn), make(T)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert list(ours.state_dict()) == list(theirs.state_dict())

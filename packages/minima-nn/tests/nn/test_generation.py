"""Writing on from tokens: choices, their shares, and the cache."""

import numpy as np
import pytest

import minima as mi
from minima import nn

LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.1]))


def shares(n=4000, **options):
    mi.manual_seed(0)
    drawn = nn.sample_tokens(mi.Tensor(np.tile(LOGITS, (n, 1))), **options).numpy()
    return np.bincount(drawn, minlength=4) / n


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.5, 0.25, 0.15, 0.1]),
        ({"temperature": 0.0}, [1, 0, 0, 0]),
        ({"temperature": 0.5}, np.array([100, 25, 9, 4]) / 138),
        ({"top_k": 2}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_k": 9}, [0.5, 0.25, 0.15, 0.1]),
        ({"top_p": 0.6}, [2 / 3, 1 / 3, 0, 0]),
        ({"top_p": 0.0}, [1, 0, 0, 0]),
        ({"top_p": 1.0}, [0.5, 0.25, 0.15, 0.1]),
        ({"top_k": 3, "top_p": 0.8}, [2 / 3, 1 / 3, 0, 0]),
    ],
)
def test_shares(options, expected):
    """Fault: another distribution than the one that was asked for."""
    np.testing.assert_allclose(shares(**options), expected, atol=0.025)


class Model(nn.Module):
    """A small causal transformer of tokens."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.positions = nn.SinusoidalPositionalEncoding(8, batch_first=True)
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(8, 11)
        self.lengths = []

    def forward(self, tokens, cache=None):
        self.lengths.append(tokens.shape[1])
        x = self.positions(self.embedding(tokens), offset=cache.length if cache else 0)
        return self.head(self.encoder(x, is_causal=True, cache=cache))


@pytest.mark.parametrize("options", [{}, {"temperature": 1.0, "top_k": 5}], ids=str)
def test_the_cache_changes_nothing_but_the_work(options):
    """Fault: a model that sees other tokens, or all of them again."""
    mi.manual_seed(0)
    model, tokens = Model().eval(), mi.Tensor([[1, 2, 3], [4, 5, 6]])
    found = []
    for cache in (None, nn.KVCache(20)):
        mi.manual_seed(1)
        found.append(nn.generate(model, tokens, 6, cache=cache, **options).numpy())
    np.testing.assert_array_equal(*found)
    assert found[0].shape == (2, 9)
    assert model.lengths == [3, 4, 5, 6, 7, 8, 3, 1, 1, 1, 1, 1]


def test_a_generator_repeats_its_tokens():
    """Fault: numbers that come from elsewhere."""
    model, tokens = Model().eval(), mi.Tensor([[1, 2, 3]])
    options = {"temperature": 2.0, "max_new_tokens": 12}
    a, b, c = (
        nn.generate(model, tokens, generator=mi.Generator(n), **options).numpy() for n in (1, 1, 2)
    )
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_rows_stop_each_at_its_own_time():
    """Fault: a text that goes on behind its end."""

    def count(tokens):
        return mi.one_hot(tokens + 1, 9).astype("float32")

    got = nn.generate(count, mi.Tensor([[1], [3]]), 6, stop_token=4)
    assert got.tolist() == [[1, 2, 3, 4], [3, 4, 4, 4]]
    assert nn.generate(count, mi.Tensor([[1]]), 0).tolist() == [[1]]


TOKENS, ONE = mi.Tensor([[1]]), mi.ones((1, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.sample_tokens(mi.ones(3)), r"sample_tokens: logits has shape \(3,\); expected"),
        (lambda: nn.sample_tokens(TOKENS), "sample_tokens: logits has dtype int64; expected"),
        (lambda: nn.sample_tokens(ONE, -1.0), "sample_tokens: temperature is -1.0; expected"),
        (lambda: nn.sample_tokens(ONE, top_k=0), "sample_tokens: top_k is 0; expected"),
        (lambda: nn.sample_tokens(ONE, top_p=1.5), "sample_tokens: top_p is 1.5; expected"),
        (lambda: nn.generate(len, ONE, 1), "generate: tokens is of float32; expected"),
        (lambda: nn.generate(len, TOKENS[0], 1), r"generate: tokens has shape \(1,\); expected"),
        (lambda: nn.generate(len, TOKENS, -1), "generate: max_new_tokens is -1; expected"),
        (lambda: nn.generate(len, TOKENS, 1, cache=3), "generate: cache is 3; expected a KVCache"),
        (
            lambda: nn.generate(lambda t: mi.ones((1, 5)), TOKENS, 1),
            r"generate: the model gave shape \(1, 5\); expected \(1, 1, V\)",
        ),
    ],
)
def test_errors(call, message):
    """Fault: an error that does not name the function, the argument and what is expected."""
    with pytest.raises(mi.MinimaError, match=f"^{message}"):
        call()

"""Embedding and EmbeddingBag; their values are compared with PyTorch's in oracle/."""

import numpy as np
import pytest

import minima as mi
from minima import nn


def test_rows_of_the_table():
    """Fault: another row, or a gradient that misses a repeated one."""
    layer = nn.Embedding(4, 2)
    y = layer(mi.Tensor([[3, 0], [3, 3]]))
    np.testing.assert_array_equal(y.numpy(), layer.weight.numpy()[[[3, 0], [3, 3]]])
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [3.0, 3.0]]


def test_the_padding_stays_as_it_is():
    """Fault: a row that training moves although it means nothing."""
    layer = nn.Embedding(4, 2, padding_idx=-1)
    layer(mi.Tensor([3, 1])).sum().backward()
    assert layer.padding_idx == 3
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_bags_given_as_rows_or_by_offsets_are_the_same():
    """Fault: an offset that begins a bag one too late."""
    layer = nn.EmbeddingBag(5, 3, mode="max")
    x = mi.Tensor([[0, 4, 1], [2, 2, 3]])
    expected = layer(x).tolist()
    assert layer(x.flatten(), mi.Tensor([0, 3])).tolist() == expected
    last = nn.EmbeddingBag(5, 3, mode="max", include_last_offset=True)
    last.load_state_dict(layer.state_dict())
    assert last(x.flatten(), mi.Tensor([0, 3, 6])).tolist() == expected


def test_a_bag_without_entries_is_zero():
    """Fault: minus infinity, NaN, or a neighbour's row."""
    for mode in ("sum", "mean", "max"):
        layer = nn.EmbeddingBag(5, 3, mode=mode, padding_idx=1)
        y = layer(mi.Tensor([1, 1, 2]), mi.Tensor([0, 2, 2]))
        assert not y.numpy()[:2].any()
        assert y.numpy()[2].any()


def test_rows_that_are_looked_up_are_scaled_down_in_the_table():
    """Fault: a row that was not asked for, or a table that stays as it is."""
    table = mi.Tensor([[3.0, 4.0], [6.0, 8.0], [0.3, 0.4], [30.0, 40.0]])
    layer = nn.Embedding.from_pretrained(table, max_norm=5.0)
    layer(mi.Tensor([1, 2, 1]))
    expected = [[3.0, 4.0], [3.0, 4.0], [0.3, 0.4], [30.0, 40.0]]
    np.testing.assert_allclose(layer.weight.numpy(), expected, rtol=1e-6)


def test_the_gradient_of_a_row_is_divided_by_its_own_count():
    """Fault: the count of another row."""
    x = mi.Tensor([[0, 1, 1], [4, 1, 0]])
    for layer in (nn.Embedding, nn.EmbeddingBag):
        options = {} if layer is nn.Embedding else {"mode": "sum"}
        made = layer(5, 1, scale_grad_by_freq=True, **options)
        made(x).sum().backward()
        assert made.weight.grad.tolist() == [[1.0], [1.0], [0.0], [0.0], [1.0]]


def test_a_given_table_is_shared_and_frozen():
    """Fault: a copy, or a table that training moves."""
    table = mi.ones((3, 2))
    for layer in (nn.Embedding, nn.EmbeddingBag):
        made = layer.from_pretrained(table)
        assert not made.weight.requires_grad
        assert layer.from_pretrained(table, freeze=False).weight.requires_grad
        assert np.shares_memory(made.weight.numpy(), table.numpy())


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.Embedding(5, 3, 0), "Embedding(5, 3, padding_idx=0)"),
        (lambda: nn.EmbeddingBag(5, 3), "EmbeddingBag(5, 3, mode='mean')"),
        (
            lambda: nn.Embedding(5, 3, max_norm=1.0, scale_grad_by_freq=True),
            "Embedding(5, 3, max_norm=1.0, scale_grad_by_freq=True)",
        ),
        (
            lambda: nn.EmbeddingBag(5, 3, mode="sum", include_last_offset=True),
            "EmbeddingBag(5, 3, mode='sum', include_last_offset=True)",
        ),
    ],
)
def test_repr(layer, text):
    """Fault: an option that does not show."""
    assert repr(layer()) == text


NUMBERS = mi.Tensor([[1, 2]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Embedding(0, 3), "Embedding: num_embeddings is 0"),
        (lambda: nn.Embedding(4, 3, 4), "Embedding: padding_idx is 4; expected at most 3"),
        (lambda: nn.Embedding(4, 3, -5), "Embedding: padding_idx is -5; .* at least -4"),
        (lambda: nn.Embedding(4, 3)(mi.ones(1)), "Embedding: input has dtype float32"),
        (lambda: nn.Embedding(4, 3)([1]), "Embedding: input is a list; expected a Tensor"),
        (lambda: nn.Embedding(2, 3)(NUMBERS), "Embedding: got index 2; expected 0 to 1"),
        (lambda: nn.EmbeddingBag(4, 3, mode="min"), "EmbeddingBag: mode is 'min'"),
        (lambda: nn.EmbeddingBag(4, 3)(NUMBERS, NUMBERS[0]), "EmbeddingBag: input has shape"),
        (lambda: nn.EmbeddingBag(4, 3)(NUMBERS[0]), "EmbeddingBag: .* offsets are None"),
        (
            lambda: nn.EmbeddingBag(4, 3)(NUMBERS[0], mi.zeros(1)),
            "EmbeddingBag: offsets has dtype float32",
        ),
        (
            lambda: nn.EmbeddingBag(4, 3)(NUMBERS, None, mi.ones((1, 2))),
            "EmbeddingBag: per_sample_weights .* the mode is 'mean'",
        ),
        (
            lambda: nn.EmbeddingBag(4, 3, mode="sum")(NUMBERS, None, mi.ones(2)),
            r"EmbeddingBag: per_sample_weights have shape \(2,\)",
        ),
    ],
)
def test_errors(call, message):
    """Fault: an error that does not name the layer, the argument and what is expected."""
    with pytest.raises(mi.MinimaError, match=f"^{message}"):
        call()

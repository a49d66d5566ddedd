"""Samplers, loaders, collation and resizing beside PyTorch's."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from torch.utils import data as theirs

import minima as mi
from minima import data as ours

Pair = namedtuple("Pair", "x y")


def plain(value):
    """Return a batch of either side as arrays in plain containers."""
    if isinstance(value, (mi.Tensor, torch.Tensor)):
        return (str(value.dtype).removeprefix("torch."), value.tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@pytest.mark.parametrize(
    "samples",
    [
        [1, 2],
        [np.float32(1), np.float32(2)],
        [np.arange(3), np.arange(3)],
        ["a", "b"],
        [(1, np.ones(2)), (2, np.zeros(2))],
        [{"a": [1, 2], "b": "x"}, {"a": [3, 4], "b": "y"}],
        [Pair(1, {"k": (1, 2)}), Pair(2, {"k": (3, 4)})],
        [True, False],
    ],
)
def test_collate(samples):
    """Fault: another dtype, order or nesting (floats are float64 in PyTorch)."""
    assert plain(ours.default_collate(samples)) == plain(theirs.default_collate(samples))


@pytest.mark.parametrize("size", [0, 1, 5, 10])
@pytest.mark.parametrize("drop_last", [False, True])
def test_shares_of_processes(size, drop_last):
    """Fault: another share, or another way to fill up."""
    for replicas in (1, 3, 4):
        for rank in range(replicas):
            options = {"shuffle": False, "drop_last": drop_last}
            mine = ours.DistributedSampler(range(size), replicas, rank, **options)
            if size < replicas and drop_last:
                continue  # PyTorch counts a share below zero there
            other = theirs.DistributedSampler(range(size), replicas, rank, **options)
            assert list(mine) == list(other)
            assert len(mine) == len(other)


@pytest.mark.parametrize("size", [1, 5, 6])
@pytest.mark.parametrize("batch_size", [None, 1, 2, 6, 7])
def test_loaders(size, batch_size):
    """Fault: another number of batches, or another last one."""
    for drop_last in (False, True) if batch_size else (False,):
        options = {"batch_size": batch_size, "drop_last": drop_last}
        mine = ours.DataLoader(list(range(size)), **options)
        other = theirs.DataLoader(list(range(size)), **options)
        assert plain(list(mine)) == plain(list(other))
        assert len(mine) == len(other)


@pytest.mark.filterwarnings("ignore:Length of split")
@pytest.mark.parametrize("fractions", [[0.5, 0.5], [0.3, 0.3, 0.4], [0.1, 0.9], [1.0]])
def test_splits(fractions):
    """Fault: what rounding leaves over goes to other parts."""
    for size in (1, 7, 10, 99):
        mine = ours.random_split(range(size), fractions)
        other = theirs.random_split(range(size), fractions)
        assert [len(part) for part in mine] == [len(part) for part in other]


@pytest.mark.parametrize("size", [(4, 5), (16, 3), (9, 11), (1, 1), (20, 24)])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("antialias", [False, True])
def test_resize(size, mode, antialias):
    """Fault: other places or weights of the old pixels."""
    if antialias and mode == "nearest":
        return
    images = np.random.default_rng(0).random((2, 3, 9, 11))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(images), size=size, mode=mode, antialias=antialias
    )
    found = ours.augment.Resize(size, mode, antialias)(images)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-10)

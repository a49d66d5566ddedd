"""Samplers that draw: what they draw, how often, and that a state repeats it."""

import numpy as np
import pytest

import minima as mi
from minima.data import (
    DistributedSampler,
    StratifiedSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

LABELS = np.repeat([0, 1, 2], [60, 30, 10])
MAKE = {
    "subset": lambda g: SubsetRandomSampler(list(range(5, 60)), g),
    "weighted": lambda g: WeightedRandomSampler(range(1, 50), 40, True, g),
    "weighted, once": lambda g: WeightedRandomSampler(range(1, 50), 40, False, g),
    "stratified": lambda g: StratifiedSampler(LABELS, generator=g),
    "stratified, some": lambda g: StratifiedSampler(LABELS, 50, generator=g),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_repeats_from_a_saved_state(make):
    """Catch hidden state beside the generator, an order drawn only once, a wrong length."""
    generator = mi.Generator(3)
    sampler = make(generator)
    first = list(sampler)
    state = generator.get_state()
    second = list(sampler)
    generator.set_state(state)
    assert list(sampler) == second != first
    assert len(first) == len(sampler)
    assert all(type(index) is int for index in first)


def test_subset():
    """Catch an index that is not of the subset."""
    assert sorted(SubsetRandomSampler([9, 4, 4])) == [4, 4, 9]
    assert list(SubsetRandomSampler([])) == []


def test_weights_are_shares():
    """Catch draws in proportion to something else, and one of weight 0."""
    weights = [0.0, 1.0, 0.0, 3.0, 0.0]
    drawn = list(WeightedRandomSampler(weights, 4000, generator=mi.Generator(0)))
    assert set(drawn) == {1, 3}
    assert drawn.count(3) / 4000 == pytest.approx(0.75, abs=0.03)
    first = [
        next(iter(WeightedRandomSampler([1.0, 3.0], 1, False, mi.Generator(seed))))
        for seed in range(800)
    ]
    assert sum(first) / 800 == pytest.approx(0.75, abs=0.06)
    once = list(WeightedRandomSampler(weights, 2, False, mi.Generator(1)))
    assert sorted(once) == [1, 3]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("batch", [4, 7, 10, 50])
def test_classes_are_in_proportion_in_every_batch(seed, batch):
    """Catch a batch without a class that should be in it: the bound of the docstring."""
    order = list(StratifiedSampler(LABELS, generator=mi.Generator(seed)))
    assert sorted(order) == list(range(100))
    for start in range(0, 101 - batch):
        counts = np.bincount(LABELS[order[start : start + batch]], minlength=3)
        share = np.array([0.6, 0.3, 0.1])
        assert (abs(counts - share * batch) <= 1 + 3 * share + 1e-9).all()


@pytest.mark.parametrize(("wanted", "counts"), [(10, [6, 3, 1]), (50, [30, 15, 5]), (1, [1, 0, 0])])
def test_some_of_each_class(wanted, counts):
    """Catch another number of samples than asked for, or of a class than its share."""
    order = list(StratifiedSampler(LABELS.tolist(), wanted, generator=mi.Generator(0)))
    assert np.bincount(LABELS[order], minlength=3).tolist() == counts
    assert len(set(order)) == wanted


def test_stratified_takes_any_labels():
    """Catch labels that have to be numbers from 0 on."""
    assert sorted(StratifiedSampler(["b", "a", "b"])) == [0, 1, 2]
    assert sorted(StratifiedSampler(mi.Tensor([5, -5]))) == [0, 1]
    assert list(StratifiedSampler([])) == []


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("size", "replicas"), [(10, 3), (9, 3), (2, 5), (1, 1), (0, 2)])
def test_replicas_share_the_samples(size, replicas, shuffle):
    """Catch samples that no process sees, and shares of different sizes."""
    for drop_last in (False, True):
        shares = [
            DistributedSampler(range(size), replicas, rank, shuffle, 7, drop_last)
            for rank in range(replicas)
        ]
        drawn = [list(share) for share in shares]
        assert {len(d) for d in drawn} == {len(shares[0])}
        every = [i for d in drawn for i in d]
        if not drop_last:
            assert set(every) == set(range(size))
        assert len(every) - len(set(every)) < max(replicas, 1) + (size == 0)


def test_epochs_differ_and_repeat():
    """Catch an order that does not follow set_epoch, or differs between processes."""
    one, other = (DistributedSampler(range(50), 2, rank) for rank in (0, 1))
    first = list(one)
    one.set_epoch(1)
    assert list(one) != first
    one.set_epoch(0)
    assert list(one) == first
    assert sorted(first + list(other)) == list(range(50))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WeightedRandomSampler([1.0], 0), "num_samples is 0"),
        (lambda: WeightedRandomSampler([1.0], 1, 1), "replacement is 1"),
        (lambda: WeightedRandomSampler([[1.0]], 1), r"weights have shape \(1, 1\)"),
        (lambda: WeightedRandomSampler([1.0, -1.0], 1), r"weights\[1\] is -1.0"),
        (lambda: WeightedRandomSampler([float("nan")], 1), r"weights\[0\] is nan"),
        (lambda: WeightedRandomSampler([float("inf")], 1), r"weights\[0\] is inf"),
        (lambda: WeightedRandomSampler([0.0, 0.0], 1), "0 weights are above 0"),
        (lambda: WeightedRandomSampler([0.0, 1.0], 2, False), "1 weights .* at least 2"),
        (lambda: WeightedRandomSampler([], 1), "0 weights"),
        (lambda: StratifiedSampler([[1]]), r"labels have shape \(1, 1\)"),
        (lambda: StratifiedSampler([1, 2], 3), "num_samples is 3; expected at most 2"),
        (lambda: StratifiedSampler([1, 2], 0), "num_samples is 0"),
        (lambda: DistributedSampler([1], 0, 0), "num_replicas is 0"),
        (lambda: DistributedSampler([1], 2, 2), "rank is 2; expected 0 to 1"),
        (lambda: DistributedSampler([1], 2, -1), "rank is -1"),
        (lambda: DistributedSampler([1], 2, 0.5), "rank is 0.5"),
        (lambda: DistributedSampler([1], 2, 0).set_epoch(-1), "set_epoch: got -1"),
    ],
)
def test_bad_calls(make, message):
    """Catch a sampler that draws nonsense, or an error that does not name the argument."""
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert isinstance(caught.value, mi.MinimaError)

import pytest

import minima as mi
from minima.data import BatchSampler, RandomSampler, SequentialSampler


def test_sequential():
    """Catch an order other than the data set's, and an iterator that two loops share."""
    sampler = SequentialSampler("abc")
    assert [(i, j) for i in sampler for j in sampler] == [
        (i, j) for i in range(3) for j in range(3)
    ]


def test_random_is_a_new_permutation_each_pass():
    """Catch samples that are left out or doubled, and an order drawn only once."""
    sampler = RandomSampler(range(100), generator=mi.Generator(0))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second


def test_random_repeats_from_a_saved_state():
    """Catch hidden state beside the generator, which would spoil an exact resume."""
    generator = mi.Generator(7)
    sampler = RandomSampler(range(100), generator=generator)
    list(sampler)
    state = generator.get_state()
    expected = [list(sampler), list(sampler)]
    generator.set_state(state)
    assert [list(sampler), list(sampler)] == expected


@pytest.mark.parametrize(
    ("size", "replacement", "wanted"),
    [(5, False, 3), (5, False, 5), (5, False, 12), (5, True, 12), (5, True, 2)],
)
def test_random_number_of_samples(size, replacement, wanted):
    """Catch a pass of another length than asked for, or an index outside."""
    sampler = RandomSampler(range(size), replacement, wanted, mi.Generator(0))
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == wanted
    assert set(drawn) <= set(range(size))
    if not replacement:
        counts = [drawn.count(i) for i in range(size)]
        assert max(counts) - min(counts) <= 1


def test_random_over_nothing():
    """Catch an endless loop over an empty data set."""
    assert list(RandomSampler([], generator=mi.Generator(0))) == []


@pytest.mark.parametrize(
    ("source", "wanted", "message"),
    [([1], 0, "num_samples is 0"), ([1], 1.5, "is 1.5"), ([], 3, "empty data set")],
)
def test_random_checks_number_of_samples(source, wanted, message):
    """Catch a pass without samples, or without an end."""
    with pytest.raises(ValueError, match=message):
        RandomSampler(source, num_samples=wanted)


@pytest.mark.parametrize(
    ("size", "batch_size", "drop_last", "expected"),
    [
        (5, 2, False, [[0, 1], [2, 3], [4]]),
        (5, 2, True, [[0, 1], [2, 3]]),
        (4, 2, True, [[0, 1], [2, 3]]),
        (1, 2, False, [[0]]),
        (1, 2, True, []),
        (0, 2, False, []),
    ],
)
def test_batches(size, batch_size, drop_last, expected):
    """Catch a last batch that is lost, kept or repeated, and a length that disagrees."""
    sampler = BatchSampler(range(size), batch_size, drop_last)
    assert list(sampler) == expected
    assert len(sampler) == len(expected)


@pytest.mark.parametrize("size", [0, -1, 2.0, True, None, "2"])
def test_batch_size_is_a_whole_number_above_zero(size):
    """Catch a size with which no batch is ever complete."""
    with pytest.raises(ValueError, match="BatchSampler: batch_size is") as caught:
        BatchSampler(range(3), size, drop_last=False)
    assert isinstance(caught.value, mi.MinimaError)

from itertools import chain

import numpy as np
import pytest

import minima as mi
from minima.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
)


class Counted(Dataset):
    """Ten numbers; counts how they are asked for."""

    def __init__(self, batched=None):
        self.single = 0
        if batched is not None:
            self.__class__ = type("Batched", (Counted,), {"__getitems__": batched})

    def __len__(self):
        return 10

    def __getitem__(self, index):
        self.single += 1
        return index


def batches(loader):
    return [batch.tolist() for batch in loader]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[i] for i in range(10)]),
        ({"batch_size": 4}, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
        ({"batch_size": 4, "drop_last": True}, [[0, 1, 2, 3], [4, 5, 6, 7]]),
        ({"batch_size": 99}, [list(range(10))]),
        ({"batch_size": np.int64(5)}, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]),
        ({"batch_size": 2, "sampler": [3, 1, 2]}, [[3, 1], [2]]),
        ({"batch_sampler": [[1, 2], [9]]}, [[1, 2], [9]]),
        ({"batch_sampler": BatchSampler(SequentialSampler("abc"), 2, True)}, [[0, 1]]),
    ],
)
def test_batches(options, expected):
    """Catch options that are ignored, and a length that disagrees with the loop."""
    loader = DataLoader(Counted(), **options)
    assert batches(loader) == expected
    assert len(loader) == len(expected)


def test_two_loops_at_once():
    """Catch an iterator that two loops share, as the notebook's Sequential had."""
    loader = DataLoader([1, 2], batch_size=1)
    assert [(a.item(), b.item()) for a in loader for b in loader] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
    ]


def test_without_batching():
    """Catch samples that are wrapped into batches of one."""
    loader = DataLoader("abc", batch_size=None)
    assert list(loader) == ["a", "b", "c"]
    assert len(loader) == 3
    assert list(DataLoader("abc", batch_size=None, collate_fn=str.upper)) == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "DataLoader: batch_size is 0"),
        ({"batch_size": -3}, "batch_size is -3"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"batch_size": True}, "batch_size is True"),
        ({"shuffle": True, "sampler": [0]}, "shuffle=True and a sampler"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "a batch_sampler sets batch_size"),
        ({"batch_sampler": [[0]], "shuffle": True}, "a batch_sampler sets"),
        ({"batch_sampler": [[0]], "sampler": []}, "a batch_sampler sets"),
        ({"batch_sampler": [[0]], "drop_last": True}, "a batch_sampler sets"),
        ({"batch_size": None, "drop_last": True}, "drop_last=True with batch_size=None"),
        ({"num_workers": -1}, "num_workers is -1"),
        ({"num_workers": 1.0}, r"num_workers is 1\.0"),
        ({"num_workers": True}, "num_workers is True"),
        ({"prefetch_factor": 2}, "prefetch_factor with num_workers=0"),
        ({"prefetch_factor": 0, "num_workers": 1}, "prefetch_factor is 0"),
        ({"persistent_workers": True}, "persistent_workers with num_workers=0"),
        ({"timeout": 3}, "timeout with num_workers=0"),
        ({"timeout": -1, "num_workers": 1}, "timeout is -1"),
        ({"timeout": "3", "num_workers": 1}, "timeout is '3'"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context is 'fork'"),
        ({"multiprocessing_context": "thread", "num_workers": 1}, "is 'thread'; expected one of"),
    ],
)
def test_contradictions_are_refused(options, message):
    """Catch an option that would be ignored, or a size that gives no batch."""
    with pytest.raises(ValueError, match=message) as caught:
        DataLoader(Counted(), **options)
    assert isinstance(caught.value, mi.MinimaError)


def test_shuffle_is_repeatable_and_differs_between_passes():
    """Catch an order that depends on more than the generator, or that never changes."""
    loader = DataLoader(Counted(), 3, shuffle=True, generator=mi.Generator(0))
    other = DataLoader(Counted(), 3, shuffle=True, generator=mi.Generator(0))
    first, second = batches(loader), batches(loader)
    assert [first, second] == [batches(other), batches(other)]
    assert first != second
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(10))


def test_pass_repeats_from_a_saved_state():
    """Catch state outside of the generator, which would spoil an exact resume."""
    generator = mi.Generator(1)
    loader = DataLoader(Counted(), 3, shuffle=True, generator=generator)
    batches(loader)
    state = generator.get_state()
    expected = batches(loader)
    generator.set_state(state)
    assert batches(loader) == expected


def test_a_loader_draws_nothing_before_its_loop():
    """Catch a draw at construction or at iter(), which moves the state that a resume restores."""
    generator = mi.Generator(1)
    state = generator.get_state()
    iter(DataLoader(Counted(), 3, shuffle=True, generator=generator))
    assert generator.get_state() == state


def test_ready_batches_are_taken_as_they_are():
    """Catch a fast path that still asks for single samples or collates what is ready."""
    data = Counted(batched=lambda self, indices: ("ready", tuple(indices)))
    assert list(DataLoader(data, 5)) == [("ready", (0, 1, 2, 3, 4)), ("ready", (5, 6, 7, 8, 9))]
    assert data.single == 0


def test_lists_of_samples_are_collated():
    """Catch the meaning that __getitems__ has in PyTorch."""
    data = Counted(batched=lambda self, indices: [float(i) for i in indices])
    assert batches(DataLoader(data, 5))[0] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_collate_fn_always_gets_samples():
    """Catch a collate_fn that the fast path skips."""
    data = Counted(batched=lambda self, indices: "never")
    assert list(DataLoader(data, 5, collate_fn=sum)) == [10, 35]


def test_fast_path_gives_what_collation_gives():
    """Catch a TensorDataset whose batches differ from its collated samples."""
    data = TensorDataset(mi.Tensor(np.arange(20.0).reshape(10, 2)), mi.Tensor(list(range(10))))
    order = list(RandomSampler(data, generator=mi.Generator(3)))
    fast = DataLoader(data, 4, sampler=order)
    slow = DataLoader(data, 4, sampler=order, collate_fn=mi.data.default_collate)
    for ready, collated in zip(fast, slow, strict=True):
        assert [t.tolist() for t in ready] == [t.tolist() for t in collated]
        assert [t.dtype for t in ready] == [t.dtype for t in collated]

import pytest

import minima as mi
from minima.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    random_split,
)


class Counting(IterableDataset):
    """0, ..., size - 1, without a length."""

    def __init__(self, size):
        self.size = size

    def __iter__(self):
        return iter(range(self.size))


class Sized(Counting):
    def __len__(self):
        return self.size


class Letters(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return "ab"[index]


def test_concat():
    """Catch an index that lands in the wrong part, an empty part among them."""
    data = ConcatDataset(["ab", "", "c"])
    assert [data[i] for i in range(len(data))] == ["a", "b", "c"]
    assert [data[-i] for i in (1, 2, 3)] == ["c", "b", "a"]
    assert data.cumulative_sizes == [2, 2, 3]
    assert list(Letters() + Letters()) == ["a", "b", "a", "b"]


def test_chain():
    """Catch parts that are left out, or consumed by the first loop."""
    data = Counting(2) + Counting(3)
    assert list(data) == list(data) == [0, 1, 0, 1, 2]
    assert len(ChainDataset([Sized(2), Sized(3)])) == 5


def test_stack():
    """Catch samples put together in another order, or under other names."""
    assert list(StackDataset([1, 2], "ab")) == [(1, "a"), (2, "b")]
    assert StackDataset(x=[1, 2], y="ab")[-1] == {"x": 2, "y": "b"}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ConcatDataset([]), ValueError, "ConcatDataset: got no data sets"),
        (lambda: ConcatDataset([[1], Counting(1)]), TypeError, r"ConcatDataset: datasets\[1\]"),
        (lambda: ConcatDataset([[1]])[1], IndexError, "ConcatDataset: index 1 .* of 1 samples"),
        (lambda: ConcatDataset([[1]])[-2], IndexError, "index -2"),
        (lambda: ChainDataset([Counting(1), [1]]), TypeError, r"ChainDataset: datasets\[1\]"),
        (lambda: StackDataset(), ValueError, "StackDataset: got 0 data sets by position"),
        (lambda: StackDataset([1], x=[1]), ValueError, "1 data sets by position and 1 by name"),
        (lambda: StackDataset([1], "ab"), ValueError, r"lengths differ: \[1, 2\]"),
        (lambda: StackDataset([1])[3], IndexError, "StackDataset: index 3"),
        (lambda: random_split([1, 2], [3]), ValueError, "random_split: lengths"),
        (lambda: len(DataLoader(Counting(3))), TypeError, "a Counting has no length"),
        (lambda: DataLoader(Counting(3), shuffle=True), ValueError, "got shuffle with an Iter"),
        (lambda: DataLoader(Counting(3), sampler=[0]), ValueError, "got sampler with an Iter"),
        (lambda: DataLoader(Counting(3), batch_sampler=[[0]]), ValueError, "got batch_sampler"),
    ],
)
def test_bad_calls(make, error, message):
    """Catch a wrong sample in silence, or an error that does not name what was wrong."""
    with pytest.raises(error, match=message) as caught:
        make()
    assert isinstance(caught.value, mi.MinimaError)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"batch_size": 2}, [[0, 1], [2, 3], [4]]),
        ({"batch_size": 2, "drop_last": True}, [[0, 1], [2, 3]]),
        ({"batch_size": 5}, [[0, 1, 2, 3, 4]]),
        ({"batch_size": 2, "collate_fn": list}, [[0, 1], [2, 3], [4]]),
        ({"batch_size": None}, [0, 1, 2, 3, 4]),
        ({"batch_size": None, "collate_fn": str}, list("01234")),
    ],
)
def test_streams_in_a_loader(options, expected):
    """Catch a last batch that is lost, an empty one at the end, and a wrong length."""
    loader = DataLoader(Sized(5), **options)
    for _ in range(2):
        found = [batch.tolist() if hasattr(batch, "tolist") else batch for batch in loader]
        assert found == expected
    assert len(loader) == len(expected)


def test_pin_memory():
    """Catch containers that change, and a hook of one's own that is not called."""

    class Own:
        pinned = False

        def pin_memory(self):
            self.pinned = True
            return self

    own = Own()
    loader = DataLoader(
        [1, 2], 2, pin_memory=True, collate_fn=lambda s: {"x": (mi.Tensor(s), "a"), "own": own}
    )
    batch = next(iter(loader))
    assert batch["x"][0].tolist() == [1, 2]
    assert batch["x"][1] == "a"
    assert own.pinned

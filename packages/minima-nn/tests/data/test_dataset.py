import numpy as np
import pytest

import minima as mi
from minima.data import Dataset, ImageDataset, Subset, TensorDataset, random_split


class Words(Dataset):
    """A data set without batched access."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return "abc"[index]


def images(n=6):
    pixels = np.arange(n * 4, dtype=np.uint8).reshape(n, 2, 2)
    return ImageDataset(pixels, np.arange(n) % 10, white=4)


def test_dataset_without_length_cannot_be_made():
    """Catch a Dataset whose missing method shows up only deep in a loop."""

    class Endless(Dataset):
        def __getitem__(self, index):
            return index

    with pytest.raises(TypeError, match="__len__"):
        Endless()


def test_tensor_dataset_batch_equals_samples():
    """Catch batched access that gives other rows, or another order, than single access."""
    data = TensorDataset(mi.Tensor(np.arange(12.0).reshape(6, 2)), mi.Tensor([5, 4, 3, 2, 1, 0]))
    rows, numbers = data.__getitems__([4, 0, 4])
    singles = [data[i] for i in (4, 0, 4)]
    assert rows.tolist() == [x.tolist() for x, _ in singles]
    assert numbers.tolist() == [n.item() for _, n in singles] == [1, 5, 1]


@pytest.mark.parametrize(
    ("tensors", "error", "message"),
    [
        ([], ValueError, "no tensors"),
        ([[1.0]], None, None),
        ([1.0], ValueError, r"shape \(\)"),
        ([[1.0, 2.0], [1.0]], ValueError, r"first sizes differ: \[2, 1\]"),
    ],
)
def test_tensor_dataset_checks_first_sizes(tensors, error, message):
    """Catch tensors that do not pair up and give labels of other samples."""
    tensors = [mi.Tensor(t) for t in tensors]
    if error is None:
        assert len(TensorDataset(*tensors)) == 1
        return
    with pytest.raises(error, match=message) as caught:
        TensorDataset(*tensors)
    assert isinstance(caught.value, mi.MinimaError)


def test_image_dataset_scales_to_one():
    """Catch a wrong scale, dtype or shape, in single, batched and whole access."""
    data = images()
    image, label = data[3]
    batch, labels = data.__getitems__([3, 0])
    assert image.shape == (1, 2, 2)
    assert batch.shape == (2, 1, 2, 2)
    assert image.dtype == batch.dtype == data.images.dtype == np.float32
    assert label.dtype == labels.dtype == data.labels.dtype == np.int64
    assert label.item() == 3
    np.testing.assert_array_equal(batch.numpy()[0], image.numpy())
    np.testing.assert_array_equal(data.images.numpy()[3], image.numpy())
    np.testing.assert_allclose(image.numpy().ravel() * 4, [12, 13, 14, 15], rtol=1e-6)


def test_image_dataset_is_not_changed_through_its_batches():
    """Catch a batch that shares memory with the data set, so that += spoils it."""
    data = images()
    data.labels.numpy()[:] = 9
    data.images.numpy()[:] = 9
    data.__getitems__([0, 1])[1].numpy()[:] = 9
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.images.numpy().max() == 23 / 4


@pytest.mark.parametrize(
    ("shape", "labels", "message"),
    [
        ((2, 3), [0, 1], r"pixels \(2, 3\)"),
        ((2, 3, 3), [0], r"labels \(1,\)"),
        ((2, 3, 3), [0, 10], "0 to 10; expected 0 to 9"),
        ((2, 3, 3), [-1, 0], "-1 to 0"),
    ],
)
def test_image_dataset_checks_sizes_and_labels(shape, labels, message):
    """Catch labels that index another row of the logits, or none."""
    with pytest.raises(ValueError, match=message):
        ImageDataset(np.zeros(shape, np.uint8), np.array(labels))


def test_subset_of_subset_keeps_order():
    """Catch indices that are taken of the wrong level."""
    subset = Subset(Subset(Words(), [2, 1, 0]), [0, 2])
    assert list(subset) == ["c", "a"]
    assert subset.__getitems__([1, 0]) == ["a", "c"]


def test_subset_uses_batched_access():
    """Catch a subset that hides the fast path of its data set."""
    batch, labels = Subset(images(), [5, 3, 1]).__getitems__([2, 0])
    assert batch.shape == (2, 1, 2, 2)
    assert labels.tolist() == [1, 5]


@pytest.mark.parametrize("index", [3, -4])
def test_subset_refuses_indices_outside(index):
    """Catch an index that fails only when a loop reaches it."""
    with pytest.raises(IndexError, match=f"index {index} lies outside"):
        Subset(Words(), [0, index])


@pytest.mark.parametrize(
    ("size", "lengths", "expected"),
    [
        (10, [7, 3], [7, 3]),
        (10, [10, 0], [10, 0]),
        (10, [0.75, 0.25], [8, 2]),
        (10, [1 / 3, 1 / 3, 1 / 3], [4, 3, 3]),
        (11, [1 / 3, 1 / 3, 1 / 3], [4, 4, 3]),
        (0, [0.5, 0.5], [0, 0]),
        (1, [1], [1]),
        (5, [1.0], [5]),
        (1797, [0.8, 0.2], [1438, 359]),
    ],
)
def test_random_split_lengths(size, lengths, expected):
    """Catch samples that are lost, doubled or counted into another part."""
    parts = random_split(range(size), lengths, generator=mi.Generator(1))
    assert [len(part) for part in parts] == expected
    assert sorted(i for part in parts for i in part) == list(range(size))


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([7, 4], "add up to 11; expected 10"),
        ([0.5, 0.4], "add up to 0.9"),
        ([11, -1], "none below 0"),
        ([float("nan"), 1], "none below 0"),
        ([], "add up to 0"),
    ],
)
def test_random_split_checks_lengths(lengths, message):
    """Catch a split that leaves samples out without a word."""
    with pytest.raises(ValueError, match=message):
        random_split(range(10), lengths)


def test_random_split_depends_on_generator_alone():
    """Catch a split that the global generator, or an earlier split, changes."""
    first, other = (
        random_split(range(50), [25, 25], generator=mi.Generator(seed))[0].indices
        for seed in (3, 4)
    )
    mi.manual_seed(99)
    again = random_split(range(50), [25, 25], generator=mi.Generator(3))[0].indices
    assert first == again != other


def test_random_split_draws_from_the_default_generator():
    """Catch a split that manual_seed does not make repeatable."""
    splits = []
    for _ in range(2):
        mi.manual_seed(5)
        splits.append(random_split(range(50), [25, 25])[0].indices)
    assert splits[0] == splits[1]


def test_arrays_become_tensors():
    """Catch batches that stay NumPy arrays, which no layer takes."""
    data = np.arange(6.0, dtype="float32").reshape(3, 2)
    dataset = mi.data.TensorDataset(data, np.arange(3))
    assert all(isinstance(part, mi.Tensor) for part in dataset[1])
    data[1] = 7.0
    assert dataset[1][0].tolist() == [7.0, 7.0]


def test_images_are_transformed_by_the_batch():
    """Catch a transform that single samples miss, or that changes what is kept."""
    data = images()
    data.transform = mi.data.augment.Normalize([0.5], [0.25])
    batch, _ = data.__getitems__([3, 1])
    singles = [data[i][0].tolist() for i in (3, 1)]
    assert batch.tolist() == singles
    np.testing.assert_allclose(batch.numpy(), (data.images.numpy()[[3, 1]] - 0.5) / 0.25)

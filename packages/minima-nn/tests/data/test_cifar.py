import numpy as np
import pytest

import minima as mi
from minima.data import CIFAR10, CIFAR100, DatasetError, read_cifar

RNG = np.random.default_rng(0)


def write(path, count=4, marks=1, label=None):
    rows = RNG.integers(0, 256, (count, marks + 3072)).astype(np.uint8)
    rows[:, :marks] = RNG.integers(0, 10, (count, marks)) if label is None else label
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(rows.tobytes())
    return rows


def test_ten_classes(tmp_path):
    """Catch colours or rows that are mixed up, files left out, a scale other than 255."""
    folder = tmp_path / "cifar-10-batches-bin"
    parts = [write(folder / f"data_batch_{i}.bin", 3) for i in range(1, 6)]
    test = write(folder / "test_batch.bin", 2)
    for root in (tmp_path, folder):
        train = CIFAR10(root)
        assert len(train) == 15
        assert train.targets.tolist() == np.concatenate(parts)[:, 0].tolist()
    image, label = CIFAR10(folder, train=False)[1]
    assert (image.shape, image.dtype, label.dtype) == ((3, 32, 32), "float32", "int64")
    np.testing.assert_allclose(image.numpy()[0].ravel(), test[1, 1:1025] / 255, rtol=1e-6)
    images, labels = next(iter(mi.data.DataLoader(train, batch_size=4)))
    assert (images.shape, labels.shape) == ((4, 3, 32, 32), (4,))
    small = CIFAR10(folder, False, transform=mi.data.augment.CenterCrop(8))
    assert small[0][0].shape == (3, 8, 8)
    assert len(CIFAR10.classes) == 10


def test_hundred_classes(tmp_path):
    """Catch the coarse label where the fine one is meant."""
    rows = write(tmp_path / "train.bin", 5, 2)
    assert CIFAR100(tmp_path).targets.tolist() == rows[:, 1].tolist()
    assert CIFAR100(tmp_path, coarse=True).targets.tolist() == rows[:, 0].tolist()
    images, labels = read_cifar(tmp_path / "train.bin", 100)
    assert (images.shape, labels.shape) == ((5, 3, 32, 32), (5, 2))


@pytest.mark.parametrize(
    ("data", "classes", "message"),
    [
        (b"", 10, "its 0 bytes are no whole number of records of 3073"),
        (bytes(3072), 10, "its 3072 bytes .* begins at byte 0"),
        (bytes(3073 + 5), 10, "begins at byte 3073"),
        (bytes(3073), 100, "records of 3074"),
        (bytes(3073) + b"\x0b" + bytes(3072), 10, "byte 3073 holds the label 11; expected 0 to 9"),
        (b"\x14" + bytes(3073), 100, "byte 0 holds the label 20; expected 0 to 19"),
        (b"\x00\x64" + bytes(3072), 100, "byte 1 holds the label 100; expected 0 to 99"),
        (b"\x80\x02}q\x01.", 10, r"pickled form .*fetch the binary form, cifar-10-binary\.tar\.gz"),
    ],
)
def test_damaged_files(tmp_path, data, classes, message):
    """Catch a file that is cut, too long, of the other set or pickled and yet is read."""
    path = tmp_path / "file.bin"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=message) as caught:
        read_cifar(path, classes)
    assert str(path) in str(caught.value)


def test_missing_files(tmp_path):
    """Catch an error that does not say what to fetch."""
    with pytest.raises(DatasetError, match=r"holds no data_batch_1\.bin; unpack cifar-10-binary"):
        CIFAR10(tmp_path)
    with pytest.raises(DatasetError, match=r"cannot be read: No such file"):
        read_cifar(tmp_path / "x")
    with pytest.raises(ValueError, match="classes is 11"):
        read_cifar(tmp_path / "x", 11)
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02")
    with pytest.raises(DatasetError, match="data_batch_1: is the pickled form of CIFAR-10"):
        CIFAR10(tmp_path)
    (tmp_path / "cifar-100-python").mkdir()
    with pytest.raises(DatasetError, match=r"pickled form of CIFAR-100.*cifar-100-binary\.tar"):
        CIFAR100(tmp_path)

import hashlib
import sys

import numpy as np
import pytest

import minima as mi
from minima.data import DatasetError, digits
from minima.data.digits import FILE

PER_CLASS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
FILE_SHA256 = "b3b9c8cc11d765ce4264d8748bf3edbafa5038d91c93cf713ddbd6ae8652b410"
TEST_SHA256 = "3c05733c55d710109b9a1878ea98f552bb9d33485cd2bddb57cbade1c3c55d6d"


def test_published_facts():
    """Catch images that are missing, doubled, transposed or mislabelled."""
    data = digits("all")
    assert data.pixels.shape == (1797, 8, 8)
    assert np.bincount(data.targets).tolist() == PER_CLASS
    assert data.pixels.sum() == 561718
    assert data.pixels.max() == 16
    # the first line of the source: a zero
    assert data.pixels[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert data.targets[:10].tolist() == list(range(10))


def test_bytes_of_the_file():
    """Catch a copy that was made anew from something else."""
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == FILE_SHA256
    assert (FILE.parent / "ATTRIBUTION.md").read_text("utf8").count("10.24432/C50P49") == 1


def test_tensors():
    """Catch another range, dtype or layout than networks are built for."""
    data = digits("train")
    assert data.images.shape == (1437, 1, 8, 8)
    assert data.images.dtype == np.float32
    assert data.labels.dtype == np.int64
    assert (data.images.numpy().min(), data.images.numpy().max()) == (0.0, 1.0)
    assert data.classes == tuple("0123456789")


def test_split_is_stratified_and_whole():
    """Catch a test image among the training images, and a class that one part lacks."""
    train, test, everything = digits("train"), digits("test"), digits("all")
    assert (len(train), len(test)) == (1437, 360)
    shares = np.bincount(test.targets) / PER_CLASS
    assert shares.min() > 0.19
    assert shares.max() < 0.21
    joined = np.concatenate([train.pixels, test.pixels]).reshape(1797, -1)
    assert sorted(map(bytes, joined)) == sorted(map(bytes, everything.pixels))


def test_split_never_changes():
    """Catch a split that would make accuracies of two versions incomparable."""
    assert hashlib.sha256(digits("test").pixels.tobytes()).hexdigest() == TEST_SHA256


def test_unknown_split():
    """Catch a typing error that silently trains on the test images."""
    with pytest.raises(ValueError, match="split is 'tets'") as caught:
        digits("tets")
    assert isinstance(caught.value, mi.MinimaError)


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "flipped"])
def test_damaged_copy(damage, tmp_path, monkeypatch):
    """Catch a traceback, or wrong images, from a broken installation."""
    copy = tmp_path / "digits.npz"
    content = bytearray(FILE.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    if damage != "missing":
        copy.write_bytes({"empty": b"", "truncated": content[:-100]}.get(damage, content))
    monkeypatch.setattr(sys.modules["minima.data.digits"], "FILE", copy)
    with pytest.raises(DatasetError, match="install minima-nn again"):
        digits("train")

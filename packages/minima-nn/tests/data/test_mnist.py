import gzip

import numpy as np
import pytest

import minima as mi
from minima.data import DatasetError, mnist

STEMS = {"train": 20, "t10k": 10}


def idx(array, code=8):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.tobytes()


def write(folder, mark="-", end="", **replaced):
    """Write a small set of four files; `replaced` gives other bytes for a part, or None."""
    pack = gzip.compress if end else bytes
    for stem, n in STEMS.items():
        pixels = np.arange(n * 64, dtype=np.uint8).reshape(n, 8, 8)
        parts = {
            f"{stem}-images{mark}idx3-ubyte{end}": ("images", idx(pixels)),
            f"{stem}-labels{mark}idx1-ubyte{end}": (
                "labels",
                idx((np.arange(n) % 10).astype("u1")),
            ),
        }
        for name, (part, content) in parts.items():
            content = replaced.get(part, content)
            if content is not None:
                (folder / name).write_bytes(pack(content))
    return folder


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("split", ["train", "test"])
def test_names(mark, end, split, tmp_path):
    """Catch a usual name that is not found, and the parts mixed up."""
    data = mnist(write(tmp_path, mark, end), split)
    assert len(data) == {"train": 20, "test": 10}[split]
    images, labels = data.__getitems__([1, 0])
    assert images.shape == (2, 1, 8, 8)
    assert images.dtype == np.float32
    assert labels.tolist() == [1, 0]
    assert images.numpy()[0, 0, 0, 1] == np.float32(65 / 255)


def test_plain_file_wins(tmp_path):
    """Catch a choice between two copies that depends on the order of the folder."""
    write(tmp_path, end="")
    for file in list(tmp_path.iterdir()):
        file.with_name(file.name + ".gz").write_bytes(b"broken")
    assert len(mnist(str(tmp_path))) == 20


EMPTY = idx(np.zeros((0, 8, 8), "u1"))
CASES = {
    "no images": ({"images": None}, "holds no train-images-idx3-ubyte"),
    "no labels": ({"labels": None}, "holds no train-labels-idx1-ubyte"),
    "damaged": ({"images": b"PK"}, "train-images-idx3-ubyte: not a sound IDX file"),
    "images as labels": ({"labels": idx(np.zeros((20, 8, 8), "u1"))}, "expected uint8 with 1 axes"),
    "labels as images": ({"images": idx(np.zeros(20, "u1"))}, "expected uint8 with 3 axes"),
    "signed": ({"images": idx(np.zeros((20, 8, 8), "i1"), code=9)}, "holds int8"),
    "counts differ": ({"labels": idx(np.zeros(19, "u1"))}, "19 labels for the 20 images"),
    "label 10": ({"labels": idx(np.full(20, 10, "u1"))}, "holds the label 10"),
    "nothing": ({"images": EMPTY, "labels": idx(np.zeros(0, "u1"))}, "holds no images"),
    "no pixels": ({"images": idx(np.zeros((20, 0, 8), "u1"))}, "images of no size"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_damaged(name, tmp_path):
    """Catch a folder that trains on nonsense or ends in a traceback."""
    replaced, message = CASES[name]
    with pytest.raises(DatasetError, match=message) as caught:
        mnist(write(tmp_path, **replaced))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_folder(tmp_path):
    """Catch an error about a file where the folder is wrong."""
    with pytest.raises(DatasetError, match="no such folder"):
        mnist(tmp_path / "absent")


def test_unknown_split(tmp_path):
    """Catch a typing error that silently reads another part."""
    with pytest.raises(ValueError, match="split is 't10k'") as caught:
        mnist(tmp_path, "t10k")
    assert isinstance(caught.value, mi.MinimaError)

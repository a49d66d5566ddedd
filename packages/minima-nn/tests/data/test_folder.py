import struct
import sys
import zlib

import pytest

import minima as mi
from minima.data import DatasetError, ImageFolder

Image = pytest.importorskip("PIL.Image", reason="reads pictures: the extra images")


@pytest.fixture
def root(tmp_path):
    for name, colour in (("dogs", (255, 0, 0)), ("cats", (0, 255, 0)), ("empty", None)):
        folder = tmp_path / name / "deeper"
        folder.mkdir(parents=True)
        for i in range(2 if colour else 0):
            Image.new("RGB", (4 + i, 3), colour).save(folder / f"{i}.PNG")
        (folder / "notes.txt").write_text("no picture")
    return tmp_path


def test_pictures(root):
    """Catch classes in the order of the disk, colours last, height and width swapped."""
    data = ImageFolder(root)
    assert data.classes == ("cats", "dogs", "empty")
    assert data.targets.tolist() == [0, 0, 1, 1]
    image, label = data[3]
    assert (image.shape, image.dtype, label.item()) == ((3, 3, 5), "float32", 1)
    assert image.numpy()[:, 0, 0].tolist() == [1.0, 0.0, 0.0]
    same = ImageFolder(root, mi.data.augment.RandomHorizontalFlip(), size=(2, 6))
    images, labels = next(iter(mi.data.DataLoader(same, batch_size=4)))
    assert (images.shape, labels.tolist()) == ((4, 3, 2, 6), [0, 0, 1, 1])
    assert ImageFolder(root, mode="L")[0][0].shape == (1, 3, 4)


def png(width, height, data=b""):
    """Return a PNG file whose header declares any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a sound picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a sound picture"),
        (png(4, 4, b"\0" * 20), "not a sound picture"),
        (png(60_000, 60_000), "declares 60000 x 60000 pixels|not a sound picture"),
        (png(10_000, 9_000), "declares 10000 x 9000 pixels; expected at most"),
    ],
)
def test_damaged_files(tmp_path, content, message):
    """Catch a file that is cut, a program in the place of a picture, and one that eats memory."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(content)
    data = ImageFolder(tmp_path)
    with pytest.raises(DatasetError, match=message) as caught:
        data[0]
    assert "x.png" in str(caught.value)


def test_bad_calls(root, monkeypatch):
    """Catch an empty data set, and an error that does not say what to install."""
    with pytest.raises(DatasetError, match="has 1 folders and no pictures"):
        ImageFolder(root / "empty")
    with pytest.raises(ValueError, match="mode is 'RGBA'"):
        ImageFolder(root, mode="RGBA")
    with pytest.raises(ValueError, match="size is 0"):
        ImageFolder(root, size=0)
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"pip install 'minima-nn\[images\]'"):
        ImageFolder(root)

import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from minima.errors import CheckpointError
from minima.io import load


def npy(descr="<f4", shape=(2,), content=bytes(8), version=1):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + content


def zipped(*members, compression=zipfile.ZIP_STORED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return data.getvalue()


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def declaring(size):
    """Return a zip whose only member declares `size` bytes."""
    content = zipped(("x.npy", npy()))
    real = len(npy()).to_bytes(4, "little")
    return content.replace(real * 2, size.to_bytes(4, "little") * 2)


HOSTILE = {
    "no zip": (b"PK\x03\x04 and nothing", "not a zip file"),
    "pickle": (pickle.dumps(Evil()), "not a zip file"),
    "pickled array": (zipped(("x.npy", npy("|O", (1,), pickle.dumps(Evil())))), "dtype object"),
    "compressed": (zipped(("x.npy", npy()), compression=zipfile.ZIP_DEFLATED), "is compressed"),
    "bomb": (
        zipped(("x.npy", npy(shape=(10**7,), content=bytes(4 * 10**7))), compression=8),
        "is compressed",
    ),
    "huge shape": (zipped(("x.npy", npy(shape=(2**40,)))), "has 8 bytes"),
    "shape that wraps": (zipped(("x.npy", npy(shape=(2**62, 4)))), "has 8 bytes"),
    "negative shape": (zipped(("x.npy", npy(shape=(-2,)))), "has 8 bytes"),
    "negative twice": (zipped(("x.npy", npy(shape=(-2, -1)))), "negative|reshape"),
    "short": (zipped(("x.npy", npy(content=bytes(7)))), "has 7 bytes"),
    "long": (zipped(("x.npy", npy(content=bytes(9)))), "has 9 bytes"),
    "no npy": (zipped(("x.npy", b"text")), "magic"),
    "npy 3": (zipped(("x.npy", npy(version=3))), "npy version"),
    "text": (zipped(("x.npy", npy("<U1", (2,)))), "not of plain numbers"),
    "structured": (zipped(("x.npy", npy([("a", "<f4")], (2,)))), "not of plain numbers"),
    "complex": (zipped(("x.npy", npy("<c8", (1,)))), "not of plain numbers"),
    "zero width": (zipped(("x.npy", npy("|V0", (2**62,), b""))), "not of plain numbers"),
    "code in header": (zipped(("x.npy", npy(shape="exit()"))), "header"),
    "deep header": (zipped(("x.npy", npy(shape="(" * 5000))), "header|parse|large"),
    "other member": (zipped(("x.npy", npy()), ("run.py", b"exit()")), "which is not an array"),
    "declared size": (declaring(2**31), "more bytes than the file has"),
    "metadata no text": (zipped(("__metadata__.npy", npy("|u1", (2,), b"{]"))), "Expecting|JSON"),
    "metadata no dict": (zipped(("__metadata__.npy", npy("|u1", (2,), b"[]"))), "not text by name"),
    "metadata numbers": (
        zipped(("__metadata__.npy", npy("|u1", (7,), b'{"a":1}'))),
        "not text by name",
    ),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile(name, tmp_path):
    """Catch code that runs, memory taken on the file's word, or a traceback."""
    content, message = HOSTILE[name]
    path = tmp_path / "hostile.npz"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=message) as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert "hostile.npz: not a sound .npz file" in str(caught.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name(tmp_path):
    """Catch an array that hides behind another."""
    path = tmp_path / "x.npz"
    path.write_bytes(zipped(("x.npy", npy()), ("x.npy", npy())))
    with pytest.raises(CheckpointError, match="two arrays of one name"):
        load(path)


def test_fortran_order(tmp_path):
    """Catch a matrix that comes back transposed or in another layout."""
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "x.npz", x=array)
    found = load(tmp_path / "x.npz")["x"].numpy()
    np.testing.assert_array_equal(found, array)
    assert found.flags["C_CONTIGUOUS"]

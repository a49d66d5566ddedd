import json

import numpy as np
import pytest

import minima as mi
from minima.errors import CheckpointError
from minima.io import load, save
from minima.io.checkpoint import CHECKSUM, STRUCTURE


def file(header, content=bytes(8)):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


HOSTILE = {
    "unknown dtype": {"x": entry("F33")},
    "dtype without numpy": {"x": entry("F8_E4M3", (8,))},
    "shape too large": {"x": entry(shape=(2**40,))},
    "shape that wraps": {"x": entry(shape=(2**63, 4))},
    "offsets beyond the end": {"x": entry(shape=(200,), offsets=(0, 800))},
    "offsets backwards": {"x": entry(offsets=(8, 0))},
    "overlap": {"x": entry(), "y": entry()},
    "a gap": {"x": entry(shape=(1,), offsets=(4, 8))},
    "no offsets": {"x": {"dtype": "F32", "shape": [2]}},
    "metadata no text": {"x": entry(), "__metadata__": {"a": 1}},
    "a list": [entry()],
    "checksum missing": {"x": entry(), "__metadata__": {"format": "minima"}},
    "checksum wrong": {"x": entry(), "__metadata__": {CHECKSUM: "0" * 64}},
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile(name, tmp_path):
    """Catch a header that is believed, or an error of the library that gets through."""
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(file(HOSTILE[name]))
    with pytest.raises(
        CheckpointError, match=r"hostile.safetensors: not a sound .safetensors file"
    ):
        load(path)


def test_structure_is_under_the_checksum(tmp_path):
    """Catch a counter, such as the epoch, that can change unnoticed."""
    path = tmp_path / "run.safetensors"
    save({"x": mi.Tensor([1.0]), "epoch": 3}, path)
    content = path.read_bytes()
    assert STRUCTURE.encode() in content
    path.write_bytes(content.replace(b'\\"epoch\\":3', b'\\"epoch\\":4'))
    assert path.read_bytes() != content
    with pytest.raises(CheckpointError, match="does not match its checksum"):
        load(path)


def test_layout_of_memory_does_not_matter(tmp_path):
    """Catch the library reading a transposed array's memory in the wrong order."""
    array = np.arange(6.0).reshape(2, 3)
    save({"x": mi.asarray(array.T), "y": mi.asarray(array[:, ::2])}, tmp_path / "x.safetensors")
    found = load(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(found["x"].numpy(), array.T)
    np.testing.assert_array_equal(found["y"].numpy(), array[:, ::2])

import os
import tracemalloc

import numpy as np
import pytest

import minima as mi
from minima.errors import CheckpointError
from minima.io import load, save

SUFFIXES = (".safetensors", ".npz")
STATE = {
    "model": {"weight": mi.Tensor([[1.5, -2.0]]), "count": mi.Tensor(3)},
    "optimizer": {"state": {0: {"step": 7, "exp_avg": mi.Tensor([0.1])}}, "groups": [{"lr": 1e-3}]},
    "generators": {"cpu": {"state": 2**127 - 1}},
    "epoch": 4,
}
suffixes = pytest.mark.parametrize("suffix", SUFFIXES)


def same(a, b):
    if isinstance(a, mi.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@suffixes
def test_round_trip(suffix, tmp_path):
    """Catch any part of a run's state that a file changes."""
    path = tmp_path / f"run{suffix}"
    save(STATE, path)
    assert same(load(str(path)), STATE)
    assert os.listdir(tmp_path) == [path.name]


@suffixes
@pytest.mark.parametrize(
    "dtype", ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_every_dtype_and_shape(suffix, dtype, shape, tmp_path):
    """Catch a type or shape that one of the formats changes."""
    array = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)
    save({"x": mi.Tensor(array)}, tmp_path / f"x{suffix}")
    found = load(tmp_path / f"x{suffix}")["x"].numpy()
    assert found.dtype == array.dtype
    assert found.shape == shape
    np.testing.assert_array_equal(found, array)


@suffixes
def test_special_numbers_survive(suffix, tmp_path):
    """Catch NaN payloads, signed zeros or infinities that are normalised away."""
    bits = np.array([0x7FC00001, 0x80000000, 0x7F800000, 0xFF800000, 1], np.uint32)
    state = {"x": mi.Tensor(bits.view(np.float32)), "lr": float("inf")}
    save(state, tmp_path / f"x{suffix}")
    again = load(tmp_path / f"x{suffix}")
    assert again["x"].numpy().view(np.uint32).tolist() == bits.tolist()
    assert again["lr"] == float("inf")


@suffixes
def test_loaded_tensors_can_be_changed(suffix, tmp_path):
    """Catch a tensor over memory of the file, which cannot be written or changes the file."""
    save({"x": mi.Tensor([1.0])}, tmp_path / f"x{suffix}")
    load(tmp_path / f"x{suffix}")["x"].numpy()[:] = 5
    assert load(tmp_path / f"x{suffix}")["x"].tolist() == [1.0]


def test_flat_state_is_a_plain_safetensors_file(tmp_path):
    """Catch a state_dict that other programs cannot read."""
    from safetensors.numpy import load_file

    save({"layer.weight": mi.Tensor([1.0, 2.0])}, tmp_path / "x.safetensors")
    assert load_file(tmp_path / "x.safetensors")["layer.weight"].tolist() == [1.0, 2.0]


def test_flat_state_is_a_plain_npz_file(tmp_path):
    """Catch a state_dict that NumPy cannot read."""
    save({"layer.weight": mi.Tensor([1.0, 2.0])}, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as file:
        assert file["layer.weight"].tolist() == [1.0, 2.0]


def test_files_of_other_programs(tmp_path):
    """Catch a reader that takes only what minima wrote."""
    from safetensors.numpy import save_file

    save_file({"w": np.ones(2, np.float32)}, tmp_path / "x.safetensors", metadata={"format": "pt"})
    np.savez(tmp_path / "x.npz", w=np.ones(2, np.float32))
    for suffix in SUFFIXES:
        assert load(tmp_path / f"x{suffix}")["w"].tolist() == [1.0, 1.0]


def damage(content):
    """Yield every kind of damage: cuts, growth, and one flipped bit in each byte."""
    yield from (content[:cut] for cut in range(0, len(content), 7))
    yield content[:-1]
    yield content + b"\0"
    for i in range(len(content)):
        flipped = bytearray(content)
        flipped[i] ^= 1 << i % 8
        yield bytes(flipped)


def outcome(path):
    """Return the message of the error that loading raises, and what it returns."""
    try:
        return None, load(path)
    except CheckpointError as error:
        return str(error), None


@suffixes
def test_no_damage_goes_unnoticed(suffix, tmp_path):
    """Catch a byte that no check covers: a broken file loads right, or not at all."""
    path = tmp_path / f"run{suffix}"
    save(STATE, path)
    for content in damage(path.read_bytes()):
        path.write_bytes(content)
        message, found = outcome(path)
        if message is None:  # a byte without meaning, such as the date in a zip
            assert same(found, STATE)
        else:
            assert message.startswith(f"{path}: ")
            assert "\n" not in message


@pytest.mark.parametrize("size", [b"\xff" * 8, (2**40).to_bytes(8, "little"), bytes(8)])
def test_hostile_header_size(size, tmp_path):
    """Catch memory taken on the word of the file."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(size + b"{}")
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=r"not a sound .safetensors file"):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.safetensors", "cannot be read: No such file"),
        ("missing.npz", "cannot be read: No such file"),
        ("folder.safetensors", "cannot be read: Is a directory"),
        ("folder.npz", "cannot be read: Is a directory"),
    ],
)
def test_unreadable(name, message, tmp_path):
    """Catch an error of the format's library where the file is not there."""
    if name.startswith("folder"):
        (tmp_path / name).mkdir()
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["x.pt", "x.pkl", "x", "x.npy"])
@pytest.mark.parametrize("call", [load, lambda path: save({}, path)], ids=["load", "save"])
def test_other_formats(name, call, tmp_path):
    """Catch a format that is guessed, or a pickle that is opened."""
    with pytest.raises(ValueError, match=r"expected one of .safetensors, .npz") as caught:
        call(tmp_path / name)
    assert isinstance(caught.value, mi.MinimaError)


@suffixes
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failed_write_keeps_the_old_file(suffix, step, tmp_path, monkeypatch):
    """Catch a full disk or a kill -9 that costs the checkpoint of before."""
    path = tmp_path / f"run{suffix}"
    save({"x": mi.Tensor([1.0])}, path)

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(CheckpointError, match="cannot be written: No space left"):
        save({"x": mi.Tensor([2.0])}, path)
    monkeypatch.undo()
    assert load(path)["x"].tolist() == [1.0]
    assert os.listdir(tmp_path) == [path.name]


@suffixes
def test_permissions_follow_umask(suffix, tmp_path):
    """Catch a checkpoint that only its writer can read."""
    save({"x": mi.Tensor([1.0])}, tmp_path / f"x{suffix}")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / f"x{suffix}").stat().st_mode == (tmp_path / "plain").stat().st_mode


@suffixes
def test_missing_folder(suffix, tmp_path):
    """Catch an error that names the temporary file instead of what is wrong."""
    with pytest.raises(CheckpointError, match=rf"absent/x{suffix}: cannot be written"):
        save({"x": mi.Tensor([1.0])}, tmp_path / "absent" / f"x{suffix}")


@pytest.mark.parametrize("name", ["__metadata__", "nul\0byte"])
def test_names_that_files_cannot_hold(name, tmp_path):
    """Catch a tensor that takes the place of the metadata or loses half its name."""
    with pytest.raises(ValueError, match="files cannot hold the name"):
        save({name: mi.Tensor([1.0])}, tmp_path / "x.npz")


@suffixes
@pytest.mark.parametrize("name", ["file", "a/b", "../up", "/root", "ü", "", "a.npy", "x" * 300])
def test_names_that_files_can_hold(suffix, name, tmp_path):
    """Catch a name that is an argument of numpy.savez, or is taken for a path."""
    save({name: mi.Tensor([1.0])}, tmp_path / f"x{suffix}")
    assert list(load(tmp_path / f"x{suffix}")) == [name]
    assert os.listdir(tmp_path) == [f"x{suffix}"]


@suffixes
def test_bfloat16_goes_round(suffix, tmp_path):
    """Fault: the state of a model in bfloat16 that no file takes."""
    pytest.importorskip("ml_dtypes", reason="ml_dtypes, which has bfloat16, is not installed")
    state = mi.nn.Linear(3, 2).bfloat16().state_dict()
    state = {name: state[name] for name in sorted(state)}  # safetensors sorts what is flat
    for given in (state, {"model": state, "scalar": state["bias"][0], "epoch": 1}):
        save(given, tmp_path / f"x{suffix}")
        assert same(load(tmp_path / f"x{suffix}"), given)


def test_bfloat16_of_another_program(tmp_path):
    """Fault: weights in bfloat16, which most are published in, that cannot be read."""
    pytest.importorskip("ml_dtypes", reason="ml_dtypes, which has bfloat16, is not installed")
    header = b'{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\xc0\x3f\x00\xc0")
    found = load(path)["x"]
    assert found.dtype.name == "bfloat16"
    assert found.tolist() == [1.5, -2.0]


@pytest.mark.parametrize("narrow", ["{", '["y"]', "5", '["x"]'])
def test_hostile_list_of_bfloat16(narrow, tmp_path):
    """Fault: an error of Python's where the list of an npz is broken or names no such array."""
    mi.io.npz.write(tmp_path / "x.npz", {"x": np.ones(2)}, {"minima.bfloat16": narrow})
    with pytest.raises(CheckpointError, match="list of bfloat16 arrays"):
        load(tmp_path / "x.npz")


def test_state_that_contains_itself(tmp_path):
    """Fault: Python's RecursionError, which says nothing of what to change."""
    state = {}
    state["again"] = state
    with pytest.raises(mi.ArgumentError, match="save: the state contains itself"):
        save(state, tmp_path / "x.npz")

import json
import os

import pytest

import minima as mi
from minima.errors import CheckpointError
from minima.train import Config, RunFolder

CONFIG = Config("digits", epochs=3, batch_size=64, lr=0.01, optimizer="adamw")


def test_create_and_open(tmp_path):
    """Catch a configuration that does not come back, or parents that are not made."""
    path = tmp_path / "a" / "b"
    RunFolder.create(path, CONFIG)
    assert os.listdir(path) == ["config.json"]
    assert RunFolder.open(path).config == CONFIG


def test_empty_folder_is_taken(tmp_path):
    """Catch a folder made by mktemp that is refused."""
    assert RunFolder.create(tmp_path, CONFIG).path == tmp_path


def test_default_folders_count_up(tmp_path, monkeypatch):
    """Catch a run that overwrites the one before."""
    monkeypatch.chdir(tmp_path)
    paths = [str(RunFolder.create(None, CONFIG).path) for _ in range(3)]
    assert paths == [os.path.join("runs", f"digits-{n}") for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("config.json", "holds a run already; continue it with --resume"),
        ("thesis.tex", "holds other files; choose a new or empty folder"),
    ],
)
def test_used_folder_is_refused(content, message, tmp_path):
    """Catch files of others that get mixed with, or lost to, a run's."""
    (tmp_path / content).write_text("mine")
    with pytest.raises(ValueError, match=message) as caught:
        RunFolder.create(tmp_path, CONFIG)
    assert isinstance(caught.value, mi.MinimaError)
    assert os.listdir(tmp_path) == [content]
    assert (tmp_path / content).read_text() == "mine"


@pytest.mark.parametrize("name", ["file", "file/run", "x" * 300, "new/" + "x" * 300, "nul\0"])
def test_folder_that_cannot_be_made(name, tmp_path):
    """Catch a traceback, or empty parents left behind."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="--out"):
        RunFolder.create(tmp_path / name, CONFIG)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failed_configuration_leaves_nothing(step, tmp_path, monkeypatch):
    """Catch a half-made run folder on a full disk."""

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(ValueError, match="No space left"):
        RunFolder.create(tmp_path / "a" / "b", CONFIG)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["absent", "file", "empty"])
def test_open_what_is_no_run(name, tmp_path):
    """Catch a typing error in --resume that ends in a traceback."""
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no run folder"):
        RunFolder.open(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{}"])
def test_open_damaged(content, tmp_path):
    """Catch an error that does not name the file."""
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config.json: cannot be read"):
        RunFolder.open(tmp_path)


def test_open_clears_what_a_crash_left(tmp_path):
    """Catch temporary files of killed processes that pile up."""
    run = RunFolder.create(tmp_path, CONFIG)
    (tmp_path / ".checkpoint.safetensors.0123abcd.tmp").write_text("half")
    (tmp_path / ".tmpnvbbW1").write_text("half")
    RunFolder.open(run.path)
    assert os.listdir(tmp_path) == ["config.json"]


def test_metrics(tmp_path):
    """Catch lines that are lost, doubled or torn."""
    run = RunFolder.create(tmp_path, CONFIG)
    run.append_metrics({"epoch": 1})
    run.append_metrics({"epoch": 2})
    with run.metrics.open("a") as file:
        file.write('{"epoch": 3, "tra')
    run.replace_metrics([{"epoch": 1}, {"epoch": 2}])
    run.append_metrics({"epoch": 3})
    lines = run.metrics.read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def test_unwritable_metrics(tmp_path):
    """Catch a traceback in the middle of a run."""
    run = RunFolder.create(tmp_path, CONFIG)
    run.metrics.mkdir()
    for write in (lambda: run.append_metrics({}), lambda: run.replace_metrics([])):
        with pytest.raises(CheckpointError, match=r"metrics.jsonl: cannot be written"):
            write()


def test_checkpoint(tmp_path):
    """Catch a state that is saved under one name and read from another."""
    run = RunFolder.create(tmp_path, CONFIG)
    run.save({"epoch": 3})
    assert RunFolder.open(tmp_path).load() == {"epoch": 3}
    run.checkpoint.unlink()
    with pytest.raises(CheckpointError, match=r"checkpoint.safetensors: cannot be read"):
        run.load()

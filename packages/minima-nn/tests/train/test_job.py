import dataclasses
import json

import numpy as np
import pytest

import minima as mi
from minima.data import ImageDataset, digits
from minima.errors import CheckpointError
from minima.io import load, save
from minima.train import Config, Interrupted, RunFolder
from minima.train.config import OPTIMIZERS, TASKS
from minima.train.job import OPTIMIZERS as MADE
from minima.train.job import Job
from minima.train.tasks import TASKS as LOADED


@pytest.fixture(autouse=True)
def _small_task(monkeypatch):
    """Let the digits be few and the network small: the parts are put together as ever."""

    def load(folder):
        return few(digits("train"), 160), few(digits("test"), 300)

    small = dataclasses.replace(LOADED["digits"], load=load, widths=(2, 2, 4))
    monkeypatch.setitem(LOADED, "digits", small)


def few(data, count):
    return ImageDataset(data.pixels[:count], data.targets[:count], white=16)


def config(**choices):
    usual = {"epochs": 3, "batch_size": 40, "lr": 0.005, "optimizer": "adamw"}
    return Config("digits", **{**usual, **choices})


def stop_after(count):
    left = [count]

    def check():
        left[0] -= 1
        if left[0] <= 0:
            raise Interrupted

    return check


def metrics(folder):
    """Return the lines of metrics.jsonl without their times."""
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def parameters(folder):
    return {name: x.numpy().tobytes() for name, x in folder.load()["model"].items()}


def test_every_choice_is_made():
    """Catch a name in the configuration that nothing stands behind."""
    assert tuple(MADE) == OPTIMIZERS
    assert tuple(LOADED) == TASKS


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_files_of_a_run(optimizer, tmp_path):
    """Catch an optimiser that does not run, or a file that is missing."""
    job = Job(config(epochs=1, optimizer=optimizer), quiet=True)
    job.start(tmp_path / "run")
    job.run(plot=False)
    names = sorted(file.name for file in (tmp_path / "run").iterdir())
    assert names == ["checkpoint.safetensors", "config.json", "metrics.jsonl"]
    (line,) = job.folder.metrics.read_text().splitlines()
    assert list(json.loads(line)) == [
        "epoch",
        "train_loss",
        "train_accuracy",
        "test_loss",
        "test_accuracy",
        "lr",
        "seconds",
    ]


def test_nothing_is_written_before_start(tmp_path, monkeypatch):
    """Catch a run folder that a later error leaves behind."""
    monkeypatch.chdir(tmp_path)
    Job(config(), quiet=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [1, 4, 5, 8])  # 4 batches and 2 of evaluation an epoch
def test_resumed_run_equals_whole_run(stop, tmp_path):
    """Catch any difference, in parameters or metrics, that a stop and a resume make."""
    whole = Job(config(), quiet=True)
    whole.start(tmp_path / "whole")
    whole.run(plot=False)

    stopped = Job(config(), stop_after(stop), quiet=True)
    stopped.start(tmp_path / "parts")
    with pytest.raises(Interrupted):
        stopped.run(plot=False)
    stopped.save()
    folder = RunFolder.open(tmp_path / "parts")
    resumed = Job(folder.config, quiet=True)
    resumed.resume(folder)
    resumed.run(plot=False)
    assert metrics(folder) == metrics(whole.folder)
    assert len(metrics(folder)) == 3
    assert parameters(folder) == parameters(whole.folder)


def test_killed_run_continues_from_its_last_epoch(tmp_path):
    """Catch metrics doubled or torn by a kill -9 between two files."""
    killed = Job(config(), stop_after(8), quiet=True)
    killed.start(tmp_path / "run")
    with pytest.raises(Interrupted):
        killed.run(plot=False)  # and no save
    with killed.folder.metrics.open("a") as file:
        file.write('{"epoch": 2, "tra')
    folder = RunFolder.open(tmp_path / "run")
    resumed = Job(folder.config, quiet=True)
    resumed.resume(folder)
    assert resumed.trainer.epoch == 1
    resumed.run(plot=False)
    assert [line["epoch"] for line in metrics(folder)] == [1, 2, 3]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failed_checkpoint_leaves_the_one_before(step, tmp_path, monkeypatch):
    """Catch a full disk that costs the whole run."""
    job = Job(config(), quiet=True)
    job.start(tmp_path / "run")
    before = parameters(job.folder)

    def fail(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(f"os.{step}", fail)
        with pytest.raises(CheckpointError, match="cannot be written: No space left"):
            job.run(plot=False)
    resumed = Job(config(), quiet=True)
    resumed.resume(RunFolder.open(tmp_path / "run"))
    assert resumed.trainer.epoch == 0
    assert parameters(resumed.folder) == before


def broken(state, part):
    """Return `state` with one part gone or changed."""
    if part == "flat":
        return {"weight": mi.Tensor([1.0])}
    if part == "text":
        return "state"
    if part == "totals":
        return {**state, "totals": {"batches": 0, "surprise": 1}}
    if part == "shape":
        model = {name: mi.init.zeros(1) for name in state["model"]}
        return {**state, "model": model}
    if part == "generator":
        return {**state, "generators": {"drawn": {}, "order": {}}}
    return {name: value for name, value in state.items() if name != part}


@pytest.mark.parametrize(
    "part", ["flat", "text", "totals", "shape", "generator", "model", "optimizer", "history"]
)
def test_checkpoint_of_something_else(part, tmp_path):
    """Catch a sound file with the wrong content that ends in a traceback."""
    job = Job(config(), quiet=True)
    job.start(tmp_path / "run")
    path = job.folder.checkpoint
    save(broken(load(path), part), path)
    with pytest.raises(CheckpointError, match=r"checkpoint.safetensors: does not fit the run"):
        Job(config(), quiet=True).resume(RunFolder.open(tmp_path / "run"))


def test_diverging_run_says_so(tmp_path):
    """Catch a run that goes on with a loss of nan to the end."""
    job = Job(config(optimizer="sgd", lr=1e30, epochs=2), quiet=True)
    job.start(tmp_path / "run")
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=r"the loss became (nan|inf) in epoch 1; choose a smaller"),
    ):
        job.run(plot=False)

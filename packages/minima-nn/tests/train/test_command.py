import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import minima as mi
from minima.train import plots

# a shell without job control starts background jobs with SIGINT ignored: begin as a terminal does
MINIMA = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from minima.command import main
sys.exit(main())
"""
SMALL = ("train", "mnist", "--data", "mnist")  # a few images that `place` has


def command(*words):
    return [sys.executable, "-W", "error", "-c", MINIMA, *map(str, words)]


def minima(*words, cwd):
    return subprocess.run(command(*words), cwd=cwd, capture_output=True, text=True, check=False)


def metrics(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_train_digits(tmp_path):
    """Catch a run without progress, result line, files or pictures."""
    done = minima("train", "digits", "--epochs", 1, "--batch-size", 128, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "digits-1"
    names = {file.name for file in run.iterdir()}
    pictures = {"loss.png", "accuracy.png", "confusion.png"} if plots.available() else set()
    assert names == {"config.json", "metrics.jsonl", "checkpoint.safetensors"} | pictures
    assert ("minima-nn[plot]" in done.stdout) == (not plots.available())
    assert "epoch 1/1: 100%" in done.stderr
    assert "accuracy" in done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("digits: test accuracy ")
    assert last.endswith(f"; run folder {Path('runs', 'digits-1')}")
    assert json.loads((run / "config.json").read_text())["batch_size"] == 128
    assert [line["epoch"] for line in metrics(run)] == [1]


def idx(*sizes):
    header = bytes([0, 0, 8, len(sizes)]) + b"".join(n.to_bytes(4, "big") for n in sizes)
    return header + bytes(n % 10 for n in range(int(mi.asarray(sizes).numpy().prod())))


@pytest.fixture
def place(tmp_path):
    """A folder with a file, a run, a run of which a file is damaged, and MNIST-like data."""
    (tmp_path / "file").write_text("mine")
    for name in ("run", "torn", "half"):
        (tmp_path / name).mkdir()
        choices = {
            "task": "digits",
            "epochs": 1,
            "batch_size": 480,
            "lr": 0.01,
            "optimizer": "adam",
        }
        (tmp_path / name / "config.json").write_text(json.dumps(choices))
    (tmp_path / "torn" / "config.json").write_text("{")
    (tmp_path / "half" / "checkpoint.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    for name in ("mnist", "short"):
        (tmp_path / name).mkdir()
        for part, n in (("train", 20), ("t10k", 10)):
            (tmp_path / name / f"{part}-images-idx3-ubyte").write_bytes(idx(n, 8, 8))
            (tmp_path / name / f"{part}-labels-idx1-ubyte").write_bytes(idx(n))
    (tmp_path / "short" / "t10k-images-idx3-ubyte").write_bytes(idx(10, 8, 8)[:-1])
    return tmp_path


def test_quiet_prints_the_result_alone(place):
    """Catch output that a script would trip over."""
    done = minima(*SMALL, "--epochs", 1, "--quiet", "--out", "new", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith("mnist: test accuracy ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_saves_and_resume_continues(number, place):
    """Catch a signal that loses work, and a resumed run that differs from an undisturbed one."""
    words = (*SMALL, "--epochs", 60, "--batch-size", 10, "--no-plot")
    process = subprocess.Popen(
        command(*words, "--out", "cut"),
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    shown = ""
    while "epoch  3/60" not in shown:
        shown += process.stderr.read(1) or pytest.fail(shown)
    process.send_signal(number)
    out, _ = process.communicate()
    assert process.returncode == 130
    assert "continue with: minima train mnist --resume cut" in out
    assert 2 <= len(metrics(place / "cut")) < 60

    resumed = minima("train", "mnist", "--resume", "cut", "--no-plot", "--quiet", cwd=place)
    whole = minima(*words, "--out", "whole", "--quiet", cwd=place)
    assert resumed.returncode == whole.returncode == 0, resumed.stderr
    assert metrics(place / "cut") == metrics(place / "whole")
    assert parameters(place / "cut") == parameters(place / "whole")


def parameters(run):
    model = mi.io.load(run / "checkpoint.safetensors")["model"]
    return {name: tensor.tolist() for name, tensor in model.items()}


BAD = {
    "no task": ("", "task"),
    "unknown task": ("poetry", "poetry"),
    "unknown option": ("digits --epoch 3", "--epoch"),
    "batch size 0": ("digits --batch-size 0", "--batch-size is 0; expected a whole number"),
    "batch size negative": ("digits --batch-size -1", "--batch-size"),
    "batch size text": ("digits --batch-size many", "--batch-size"),
    "epochs 0": ("digits --epochs 0", "--epochs is 0"),
    "lr 0": ("digits --lr 0", "--lr is 0"),
    "lr nan": ("digits --lr nan", "--lr is nan"),
    "seed negative": ("digits --seed=-1", "--seed is -1"),
    "optimizer": ("digits --optimizer adamant", "adamant"),
    "device": ("digits --device gpu", "gpu"),
    "device nonsense": ("digits --device cpu:x", "cpu:x"),
    "data for digits": ("digits --data mnist", "leave it out"),
    "no data": ("mnist", "mnist needs --data FOLDER"),
    "missing data": ("mnist --data absent", "absent: no such folder"),
    "data is a file": ("mnist --data file", "file: no such folder"),
    "empty data": ("mnist --data run", "holds no train-images-idx3-ubyte"),
    "damaged data": ("mnist --data short", "t10k-images-idx3-ubyte: not a sound IDX file"),
    "out is a file": ("digits --out file", "file: cannot be the run folder"),
    "out under a file": ("digits --out file/run", "run: cannot be the run folder"),
    "out holds a run": ("digits --out run", "continue it with --resume run"),
    "out holds other files": ("digits --out mnist", "holds other files"),
    "out and resume": ("digits --out new --resume run", "not allowed with"),
    "resume absent": ("digits --resume absent", "absent: no run folder"),
    "resume a file": ("digits --resume file", "file: no run folder"),
    "resume torn config": ("digits --resume torn", "config.json: cannot be read"),
    "resume without checkpoint": ("digits --resume run", "checkpoint.safetensors: cannot be read"),
    "resume torn checkpoint": ("digits --resume half", "not a sound .safetensors file"),
    "resume another task": ("mnist --data mnist --resume run", "is a run of digits, not of mnist"),
    "resume with other epochs": ("digits --resume run --epochs 9", "--epochs cannot change"),
    "resume with other seed": ("digits --resume run --seed 1", "--seed cannot change"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_mistakes_are_one_line(name, place, monkeypatch, capsys):
    """Catch a traceback, a message of many lines, exit code 1 or 0, and anything half-written."""
    from minima.command import main

    words, message = BAD[name]
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    code = main(["train", *words.split()])
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("minima train: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(place.rglob("*")) == before


def test_mistake_in_a_process_of_its_own(place):
    """Catch what only the real exit shows: a traceback from a thread or at shutdown."""
    done = minima("train", "digits", "--batch-size", 0, cwd=place)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_train_mnist(place):
    """Catch files that are found but not trained on, and data that moved before a resume."""
    words = ("train", "mnist", "--quiet", "--no-plot")
    done = minima(*words, "--data", "mnist", "--epochs", 1, "--out", "new", cwd=place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mnist: test accuracy ")
    config = json.loads((place / "new" / "config.json").read_text())
    assert config["data"] == os.path.realpath(place / "mnist")
    (place / "mnist").rename(place / "moved")
    lost = minima(*words, "--resume", "new", cwd=place)
    assert lost.returncode == 2
    assert "no such folder" in lost.stderr
    found = minima(*words, "--resume", "new", "--data", "moved", cwd=place)
    assert found.returncode == 0, found.stderr


def test_without_matplotlib(place):
    """Catch a run that fails, or says nothing, without the extra."""
    words = [*SMALL, "--epochs", "1", "--out", "new"]
    hidden = f"import sys; sys.modules['matplotlib'] = None; sys.argv = {['minima', *words]!r}"
    done = subprocess.run(
        [sys.executable, "-c", hidden + MINIMA],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("pip install 'minima-nn[plot]'") == 1
    assert not list((place / "new").glob("*.png"))


def test_imports_stay_light():
    """Catch a library that `minima --help` would load for nothing."""
    heavy = ["matplotlib", "tqdm", "safetensors", "minima.nn", "minima.optim"]
    script = f"import minima.train.command, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

"""`minima bench` from a shell."""

import json
import subprocess
import sys

import pytest


def bench(*words):
    command = [sys.executable, "-W", "error", "-m", "minima", "bench", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_bench(tmp_path):
    """Catch a command that needs more than minima is installed with."""
    file = tmp_path / "numbers.json"
    done = bench("mlp-small", "--quick", "--seconds", "0.01", "--rounds", "1", "--json", str(file))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Measured on ")
    assert "| MLP 64-32-10, batch 32 | training step |" in done.stdout
    kept = json.loads(file.read_text())
    assert {row["contender"] for row in kept["rows"]} >= {"minima eager", "minima numpy"}
    assert kept["machine"]["cores"] >= 1


def test_list():
    assert bench("--list").stdout.splitlines()[0].split()[0] == "mlp-small"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope"], "there is no workload 'nope'; choose from mlp-small,"),
        (["--rounds", "0"], "--rounds is 0; expected a positive number"),
        (["--seconds", "nan"], "--seconds is nan; expected a positive number"),
        (["--json", "/nowhere/x.json"], "--json is /nowhere/x.json; expected a file in a folder"),
        (["--seconds", "-1"], "--seconds is -1.0; expected a positive number"),
    ],
)
def test_mistakes_are_one_line(words, message):
    done = bench(*words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"minima bench: {message}")
    assert done.stderr.count("\n") == 1

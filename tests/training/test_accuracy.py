"""What the last training run into runs/ left behind: run it after ``tox -e train``."""

import json
from pathlib import Path

RUNS = Path(__file__).parents[2] / "runs"


def last_run():
    return max(RUNS.glob("digits-*"), key=lambda folder: folder.stat().st_mtime)


def metrics():
    lines = (last_run() / "metrics.jsonl").read_text("utf8").splitlines()
    return [json.loads(line) for line in lines]


def test_accuracy():
    """Catch a network that does not learn the digits."""
    assert metrics()[-1]["test_accuracy"] >= 0.95

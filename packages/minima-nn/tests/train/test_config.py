import json

import pytest

import minima as mi
from minima.errors import CheckpointError
from minima.train import Config

GOOD = {"task": "digits", "epochs": 3, "batch_size": 64, "lr": 0.01, "optimizer": "adamw"}


def test_round_trip():
    """Catch a choice that a resumed run would lose."""
    config = Config(**GOOD, seed=2**70, device="cpu", data="/data/ü")
    assert Config.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("choice", "value", "message"),
    [
        ("epochs", 0, "--epochs is 0; expected a whole number of at least 1"),
        ("batch_size", 0, "--batch-size is 0; expected a whole number of at least 1"),
        ("batch_size", -5, "--batch-size is -5"),
        ("seed", -1, "--seed is -1; expected a whole number of at least 0"),
        ("lr", 0.0, "--lr is 0.0; expected a number above 0"),
        ("lr", float("nan"), "--lr is nan"),
        ("lr", float("inf"), "--lr is inf"),
    ],
)
def test_numbers_outside(choice, value, message):
    """Catch a number with which training does nothing, or never ends."""
    with pytest.raises(ValueError, match=message) as caught:
        Config(**{**GOOD, choice: value})
    assert isinstance(caught.value, mi.MinimaError)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        json.dumps({}),
        json.dumps({**GOOD, "epochs": "3"}),
        json.dumps({**GOOD, "epochs": 3.5}),
        json.dumps({**GOOD, "epochs": True}),
        json.dumps({**GOOD, "epochs": -1}),
        json.dumps({**GOOD, "lr": None}),
        json.dumps({**GOOD, "task": 1}),
        json.dumps({**GOOD, "task": None}),
        json.dumps({**GOOD, "task": "poetry"}),
        json.dumps({**GOOD, "optimizer": "adamant"}),
        json.dumps({**GOOD, "surprise": 1}),
    ],
)
def test_damaged_text(text):
    """Catch a config.json that ends in a traceback, or in another run."""
    with pytest.raises(CheckpointError, match="not a sound configuration"):
        Config.from_json(text)

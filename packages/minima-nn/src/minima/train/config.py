"""The configuration of a run: what `minima train` was asked for, and all that it depends on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from minima.errors import ArgumentError, CheckpointError

__all__ = ["OPTIMIZERS", "TASKS", "Config"]

TASKS = ("digits", "mnist")
OPTIMIZERS = ("adamw", "adam", "sgd", "rmsprop", "adagrad")
TYPES: dict[str, Any] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "str | None": (str, type(None)),
}


@dataclass(frozen=True)
class Config:
    """All choices of one run, as `config.json` holds them.

    Raises: ArgumentError when a number lies outside of what training takes.

    >>> from minima.train import Config
    >>> Config("digits", epochs=2, batch_size=64, lr=0.01, optimizer="adamw").seed
    0
    """

    task: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: str
    seed: int = 0
    device: str = "cpu"
    data: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("task", TASKS), ("optimizer", OPTIMIZERS)):
            if getattr(self, name) not in known:
                raise ArgumentError(
                    f"{name} is {getattr(self, name)!r}; expected one of {', '.join(known)}"
                )
        for name, low in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            if getattr(self, name) < low:
                raise ArgumentError(
                    f"--{name.replace('_', '-')} is {getattr(self, name)}; expected a whole "
                    f"number of at least {low}"
                )
        if not 0 < self.lr < float("inf"):
            raise ArgumentError(f"--lr is {self.lr}; expected a number above 0")

    def to_json(self) -> str:
        """Return the text of `config.json`."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Config:
        """Read the text of `config.json`.

        Raises: CheckpointError when it is damaged, lacks a choice or has one too many.
        """
        try:
            choices = json.loads(text)
            if not isinstance(choices, dict):
                raise ValueError("it is not a JSON object")
            _check_types(choices)
            return cls(**choices)
        except (ValueError, TypeError, RecursionError) as error:
            raise CheckpointError(f"not a sound configuration: {error}") from error


def _check_types(choices: dict[str, Any]) -> None:
    for field in fields(Config):
        value = choices.get(field.name, field.default)
        expected = TYPES[str(field.type)]
        if isinstance(value, bool) or not isinstance(value, expected):
            raise ValueError(f"{field.name} is {value!r}; expected {field.type}")

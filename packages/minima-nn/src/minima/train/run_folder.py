"""The folder of a run: config.json, metrics.jsonl, checkpoint.safetensors and pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from minima.errors import ArgumentError, CheckpointError
from minima.io import load, save
from minima.io.atomic import write_text
from minima.train.config import Config

__all__ = ["RunFolder"]


class RunFolder:
    """Read and write the files of one run.

    >>> import tempfile, pathlib, minima as mi
    >>> path = pathlib.Path(tempfile.mkdtemp(), "first")
    >>> run = mi.train.RunFolder.create(path, mi.train.Config("digits", 2, 64, 0.01, "adamw"))
    >>> run.append_metrics({"epoch": 1, "test_accuracy": 0.9})
    >>> sorted(file.name for file in path.iterdir())
    ['config.json', 'metrics.jsonl']
    >>> mi.train.RunFolder.open(path).config.epochs
    2
    """

    def __init__(self, path: Path, config: Config) -> None:
        self.path = path
        self.config = config

    @property
    def checkpoint(self) -> Path:
        """Return the path of the newest state of the run."""
        return self.path / "checkpoint.safetensors"

    @property
    def metrics(self) -> Path:
        """Return the path of the measurements, one JSON line per epoch."""
        return self.path / "metrics.jsonl"

    @classmethod
    def create(cls, path: str | os.PathLike[str] | None, config: Config) -> RunFolder:
        """Make the folder, by default runs/TASK-1, -2, ..., and write the configuration.

        Raises: ArgumentError when the folder holds something already or cannot be made.
        """
        folder = _free(config.task) if path is None else Path(path)
        _check_free(folder)
        made: list[Path] = []
        try:
            for parent in [*reversed(folder.parents), folder]:
                if not parent.exists():
                    parent.mkdir()
                    made.append(parent)
            write_text(folder / "config.json", config.to_json())
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            for parent in reversed(made):
                parent.rmdir()
            raise _unusable(folder, error) from error
        return cls(folder, config)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunFolder:
        """Open the folder of a run that was started before, and clear what a crash left there.

        Raises: ArgumentError when it is no run folder; CheckpointError when it is damaged.
        """
        folder = Path(path)
        file = folder / "config.json"
        try:
            config = Config.from_json(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ArgumentError(
                f"{folder}: no run folder (it has no config.json); give one that minima train made"
            ) from error
        except (OSError, CheckpointError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{file}: cannot be read: {error}") from error
        for pattern in (".*.tmp", ".tmp*"):  # ours, and the safetensors library's
            for leftover in folder.glob(pattern):
                leftover.unlink(missing_ok=True)
        return cls(folder, config)

    def save(self, state: Any) -> None:
        """Replace the checkpoint."""
        save(state, self.checkpoint)

    def load(self) -> Any:
        """Return the state that the checkpoint holds.

        Raises: CheckpointError when there is none or it is damaged.
        """
        return load(self.checkpoint)

    def append_metrics(self, record: dict[str, float]) -> None:
        """Add one line to the measurements."""
        with _writing(self.metrics), self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def replace_metrics(self, history: Iterable[dict[str, float]]) -> None:
        """Write the measurements anew, so that they agree with the checkpoint."""
        with _writing(self.metrics):
            write_text(self.metrics, "".join(json.dumps(record) + "\n" for record in history))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn an error of the disk into one that names the file."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error.strerror or error}") from error


def _free(task: str) -> Path:
    """Return the first of runs/TASK-1, runs/TASK-2, ... that is not there yet."""
    return next(p for n in count(1) if not (p := Path("runs", f"{task}-{n}")).exists())


def _check_free(folder: Path) -> None:
    try:
        if not folder.exists():
            return
        names = {file.name for file in folder.iterdir()}
    except OSError as error:
        raise _unusable(folder, error) from error
    if "config.json" in names:
        raise ArgumentError(
            f"{folder}: holds a run already; continue it with --resume {folder} or choose "
            "another folder with --out"
        )
    if names:
        raise ArgumentError(f"{folder}: holds other files; choose a new or empty folder with --out")


def _unusable(folder: Path, error: Exception) -> ArgumentError:
    reason = getattr(error, "strerror", None) or error
    return ArgumentError(f"{folder}: cannot be the run folder: {reason}; choose another with --out")

"""The command `minima train`: parse options, check everything, train, and say what came out."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.errors import ArgumentError
from minima.hookspec import hookimpl
from minima.train.config import OPTIMIZERS, TASKS, Config

if TYPE_CHECKING:
    from minima.train.job import Job
    from minima.train.run_folder import RunFolder

__all__ = ["MINIMA_API", "add", "minima_register_commands", "run"]

MINIMA_API = 1
CHOICES = ("epochs", "batch_size", "lr", "optimizer", "seed", "device")  # fixed when a run starts
INTERRUPTED = 130  # exit code: 128 + SIGINT, as a shell reports it

EPILOG = """\
A run folder holds config.json, metrics.jsonl (a line per epoch), checkpoint.safetensors and, with
matplotlib, loss.png, accuracy.png and confusion.png. Ctrl-C saves and says how to continue.
"""


@hookimpl
def minima_register_commands(registry: Any) -> None:
    """Offer `train`."""
    registry.add("train", add)


def add(subparsers: Any) -> None:
    """Add the parser of `minima train`."""
    parser = subparsers.add_parser(
        "train",
        help="train a network on handwritten digits",
        description="Train a small convolutional network and keep all results in a run folder.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "task",
        choices=TASKS,
        help="digits: 1,797 images that come with minima-nn; mnist: the files in --data",
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder of the MNIST files")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training data")
    parser.add_argument("--batch-size", type=int, metavar="N", help="images per step")
    parser.add_argument("--lr", type=float, metavar="X", help="largest learning rate")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, help="by default adamw")
    parser.add_argument("--seed", type=int, metavar="N", help="equal seeds, equal runs; default 0")
    parser.add_argument("--device", metavar="NAME", help="default cpu; see minima devices")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, metavar="RUN", help="new run folder; runs/TASK-N")
    where.add_argument("--resume", type=Path, metavar="RUN", help="continue this run")
    parser.add_argument("--quiet", action="store_true", help="print the result alone")
    parser.add_argument("--no-plot", action="store_true", help="make no pictures")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train as `args` say; return 0, or 130 when a signal stopped the run.

    Raises: MinimaError when options or data are wrong, before anything is written.
    """
    from minima.train.signals import Interrupted, StopSignals

    with StopSignals() as signals:
        job = _prepare(args, signals.check)
        plot = _can_plot(args)
        try:
            job.run(plot=plot)
        except Interrupted:
            job.save()
            print(_how_to_continue(job))
            return INTERRUPTED
        print(_result(job))
    return 0


def _prepare(args: argparse.Namespace, check: Any) -> Job:
    """Check everything that can be wrong, then make or open the run folder."""
    from minima.train.job import Job
    from minima.train.run_folder import RunFolder

    if args.resume is None:
        job = Job(_new_config(args), check, quiet=args.quiet)
        job.start(args.out)
        return job
    folder = RunFolder.open(args.resume)
    job = Job(_old_config(args, folder), check, quiet=args.quiet)
    job.resume(folder)
    return job


def _new_config(args: argparse.Namespace) -> Config:
    """Return the configuration that the options ask for, completed by the task's own."""
    from minima.train import tasks

    task = tasks.TASKS[args.task]
    usual = {"epochs": task.epochs, "batch_size": task.batch_size, "lr": task.lr}
    chosen = {name: getattr(args, name) for name in CHOICES if getattr(args, name) is not None}
    data = None if args.data is None else str(args.data.resolve())
    return Config(
        **{"task": args.task, "optimizer": OPTIMIZERS[0], "data": data, **usual, **chosen}
    )


def _old_config(args: argparse.Namespace, folder: RunFolder) -> Config:
    """Return the run's configuration, in which only the place of the data may have changed.

    Raises: ArgumentError for an option that would make it another run.
    """
    changed = next((name for name in CHOICES if getattr(args, name) is not None), None)
    if changed is not None:
        option = f"--{changed.replace('_', '-')}"
        raise ArgumentError(
            f"{option} cannot change with --resume (the run has "
            f"{getattr(folder.config, changed)}); leave it out or start a new run"
        )
    if folder.config.task != args.task:
        raise ArgumentError(
            f"{folder.path} is a run of {folder.config.task}, not of {args.task}; continue it "
            f"with minima train {folder.config.task} --resume {shlex.quote(str(folder.path))}"
        )
    return (
        folder.config
        if args.data is None
        else replace(folder.config, data=str(args.data.resolve()))
    )


def _can_plot(args: argparse.Namespace) -> bool:
    """Say whether pictures are wanted and possible, and how to get them when only wanted."""
    from minima.train import plots

    if args.no_plot or plots.available():
        return not args.no_plot
    if not args.quiet:
        print("no pictures without matplotlib: pip install 'minima-nn[plot]'")
    return False


def _how_to_continue(job: Job) -> str:
    trainer, path = job.trainer, job.folder.path
    return (
        f"stopped in epoch {trainer.epoch + 1} of {job.config.epochs}, after "
        f"{trainer.totals.batches} of its batches; continue with: "
        f"minima train {job.config.task} --resume {shlex.quote(str(path))}"
    )


def _result(job: Job) -> str:
    last = job.trainer.history[-1]
    seconds = sum(record["seconds"] for record in job.trainer.history)
    return (
        f"{job.config.task}: test accuracy {last['test_accuracy']:.2%} after "
        f"{last['epoch']} epochs in {seconds:.1f} s; run folder {job.folder.path}"
    )

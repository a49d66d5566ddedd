"""Training: a loop that can stop and resume anywhere, run folders, and `minima train`."""

from minima.train.config import Config
from minima.train.loop import Evaluation, Totals, Trainer
from minima.train.run_folder import RunFolder
from minima.train.schedule import warmup_cosine
from minima.train.signals import Interrupted, StopSignals

__all__ = [
    "Config",
    "Evaluation",
    "Interrupted",
    "RunFolder",
    "StopSignals",
    "Totals",
    "Trainer",
    "warmup_cosine",
]

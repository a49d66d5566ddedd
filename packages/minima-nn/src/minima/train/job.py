"""One run of `minima train`: data, network, optimiser and folder, put together from a Config."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from minima import optim
from minima.data import DataLoader
from minima.devices import device as find_device
from minima.errors import ArgumentError, CheckpointError, MinimaError
from minima.random import Generator, default_generator, manual_seed
from minima.train import plots
from minima.train.config import Config
from minima.train.loop import Totals, Trainer
from minima.train.progress import Bars
from minima.train.run_folder import RunFolder
from minima.train.schedule import warmup_cosine
from minima.train.tasks import TASKS, conv_net, shifted

__all__ = ["OPTIMIZERS", "Job"]

OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "adamw": optim.AdamW,
    "adam": optim.Adam,
    "sgd": partial(optim.SGD, momentum=0.9),
    "rmsprop": optim.RMSProp,
    "adagrad": optim.AdaGrad,
}
TEST_BATCH = 256


class Job:
    """Prepare a run without writing anything; `start` or `resume` gives it a folder.

    `check` is called after every batch and may raise to stop the run.

    >>> import tempfile, pathlib, minima as mi
    >>> from minima.train.job import Job
    >>> config = mi.train.Config("digits", epochs=1, batch_size=480, lr=0.01, optimizer="adamw")
    >>> job = Job(config, quiet=True)
    >>> job.start(pathlib.Path(tempfile.mkdtemp()))
    >>> job.run(plot=False)
    >>> job.trainer.epoch
    1
    """

    folder: RunFolder

    def __init__(
        self, config: Config, check: Callable[[], None] = lambda: None, *, quiet: bool = False
    ) -> None:
        device = find_device(config.device)
        task = TASKS[config.task]
        train, self.test = task.load(None if config.data is None else Path(config.data))
        drawn = manual_seed(config.seed)
        order = Generator(drawn.integers(0, 2**62, ()).item())
        self.generators = {"drawn": drawn, "order": order}
        if device.name != "cpu":
            self.generators["device"] = default_generator(device)
        height, width = train.pixels.shape[1:]
        model = conv_net(height, width, len(train.classes), task.widths, task.pools)
        model.to(device)
        self.config = config
        self.check = check
        self.train_loader = DataLoader(train, config.batch_size, shuffle=True, generator=order)
        self.test_loader = DataLoader(self.test, TEST_BATCH)
        self.bars = Bars(config.epochs, len(self.train_loader), quiet=quiet)
        self.trainer = Trainer(
            model,
            OPTIMIZERS[config.optimizer](model.parameters(), lr=config.lr),
            schedule=warmup_cosine,
            augment=partial(shifted, generator=drawn),
            device=device,
            generators=self.generators,
            on_batch=self._on_batch,
            on_epoch=self._on_epoch,
        )

    def start(self, path: Path | None) -> None:
        """Make the run folder and write the state before the first batch to it."""
        self.folder = RunFolder.create(path, self.config)
        self.save()

    def resume(self, folder: RunFolder) -> None:
        """Take over the state in `folder`.

        Raises: CheckpointError when it is damaged or of another kind of run.
        """
        state = folder.load()
        try:
            self.trainer.load_state_dict(state)
        except (MinimaError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{folder.checkpoint}: does not fit the run that config.json describes: {error}"
            ) from error
        folder.replace_metrics(self.trainer.history)
        self.folder = folder

    def run(self, *, plot: bool) -> None:
        """Train to the end and, with `plot`, draw the pictures.

        Raises: ArgumentError when the loss is no longer a number.
        """
        self.bars.start(self.trainer.epoch + 1, self.trainer.totals.batches)
        try:
            self.trainer.fit(self.train_loader, self.test_loader, self.config.epochs)
        finally:
            self.bars.close()
        evaluation = self.trainer.evaluation
        if plot and evaluation is not None:
            history, classes = self.trainer.history, self.test.classes
            plots.save_plots(self.folder.path, history, evaluation.confusion, classes)

    def save(self) -> None:
        """Replace the checkpoint by the state of this moment."""
        self.folder.save(self.trainer.state_dict())

    def _on_batch(self, totals: Totals) -> None:
        if self.trainer.model.training:
            self.bars.batch(totals)
            if not math.isfinite(totals.loss_sum):
                raise ArgumentError(
                    f"the loss became {totals.loss_sum} in epoch {self.trainer.epoch + 1}; "
                    f"choose a smaller --lr than {self.config.lr:g}"
                )
        self.check()

    def _on_epoch(self, record: dict[str, float]) -> None:
        self.save()
        self.folder.append_metrics(record)
        self.bars.epoch(record)

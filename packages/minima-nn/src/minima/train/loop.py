"""The training loop: batches, epochs and evaluation of a classifier, stoppable anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from minima.autograd import no_grad
from minima.errors import ArgumentError
from minima.operators.loss import cross_entropy
from minima.random import Generator
from minima.tensor import Tensor

__all__ = ["Evaluation", "Totals", "Trainer"]

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class Totals:
    """What the batches of one pass add up to.

    >>> from minima.train import Totals
    >>> Totals(batches=2, samples=50, loss_sum=5.0, correct=40).accuracy
    0.8
    """

    batches: int = 0
    samples: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seconds: float = 0.0

    @property
    def loss(self) -> float:
        """Return the mean loss of a sample."""
        return self.loss_sum / max(self.samples, 1)

    @property
    def accuracy(self) -> float:
        """Return the share of samples whose largest logit was the right one."""
        return self.correct / max(self.samples, 1)


@dataclass
class Evaluation:
    """How a model does on a data set; confusion[i, j] counts samples of class i taken for j.

    >>> from minima.train import Evaluation
    >>> Evaluation(loss=0.5, confusion=np.array([[3, 1], [0, 4]])).accuracy
    0.875
    """

    loss: float
    confusion: np.ndarray[Any, Any]

    @property
    def accuracy(self) -> float:
        """Return the share of samples that the model got right."""
        return float(np.trace(self.confusion) / max(self.confusion.sum(), 1))


@dataclass
class Trainer:
    """Train a classifier for some epochs and evaluate it after each.

    `schedule` maps the share of all batches already done (0 to 1) to a factor of the learning
    rates that the optimiser had at the start. `augment` changes a batch of training images.
    `on_batch(totals)` is called after every batch, of training and of evaluation; whatever it
    raises stops the run at a point from which it can be continued. `on_epoch(record)` is called
    when an epoch is complete; the record is a dict of plain numbers and also goes to `history`.

    `state_dict` and `load_state_dict` carry everything that the rest of the run depends on:
    model, optimiser, the states of `generators`, counters and history. A run that is stopped
    and continued computes the same bits as one that never was.

    >>> import minima as mi
    >>> mi.manual_seed(0)  # doctest: +ELLIPSIS
    <...>
    >>> model = mi.nn.Sequential(mi.nn.Flatten(), mi.nn.Linear(64, 10))
    >>> loader = mi.data.DataLoader(mi.data.digits("test"), batch_size=60)
    >>> trainer = mi.train.Trainer(model, mi.optim.Adam(model.parameters(), lr=0.01))
    >>> records = trainer.fit(loader, loader, epochs=3)
    >>> records[2]["train_loss"] < records[0]["train_loss"]
    True
    """

    model: Any
    optimizer: Any
    loss_fn: Loss = cross_entropy
    schedule: Callable[[float], float] | None = None
    augment: Callable[[Tensor], Tensor] | None = None
    device: Any = None
    generators: Mapping[str, Generator] = field(default_factory=dict)
    on_batch: Callable[[Totals], None] = lambda totals: None
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None

    def __post_init__(self) -> None:
        self.epoch = 0
        self.totals = Totals()
        self.history: list[dict[str, float]] = []
        self.evaluation: Evaluation | None = None
        self._rates = [group["lr"] for group in self.optimizer.param_groups]
        self._epoch_start = self._generator_states()

    def fit(self, train: Any, test: Iterable[Any], epochs: int) -> list[dict[str, float]]:
        """Train until `epochs` are complete, counting those of the loaded state; return history.

        Raises: ArgumentError when the training loader has no batches.
        """
        if not len(train):
            raise ArgumentError("fit: the training loader gives no batches; give it samples")
        while self.epoch < epochs:
            self._train_epoch(train, epochs)
            start = time.perf_counter()
            self.evaluation = self.evaluate(test)
            self.totals.seconds += time.perf_counter() - start
            self._finish_epoch(self.evaluation)
        return self.history

    def evaluate(self, loader: Iterable[Any]) -> Evaluation:
        """Run the model over `loader` in evaluation mode, without recording gradients.

        Raises: ArgumentError when the loader has no batches.
        """
        from minima.metrics import ConfusionMatrix  # not before: `minima --help` loads this file

        totals, confusion = Totals(), None
        self.model.eval()
        with no_grad():
            for images, labels in loader:
                logits, loss = self._forward(images, labels)
                confusion = confusion or ConfusionMatrix(logits.shape[1])
                confusion.update(logits, labels)
                _add(totals, logits, labels, loss)
                self.on_batch(totals)
        if confusion is None:
            raise ArgumentError("evaluate: the loader gives no batches; give it samples")
        return Evaluation(totals.loss, confusion.compute())

    def state_dict(self) -> dict[str, Any]:
        """Return all that `load_state_dict` needs to go on from here, for `minima.io.save`."""
        evaluation = self.evaluation
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generators": self._generator_states(),
            "epoch_start": self._epoch_start,
            "epoch": self.epoch,
            "totals": asdict(self.totals),
            "history": self.history,
            "evaluation": evaluation
            and {"loss": evaluation.loss, "confusion": evaluation.confusion},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; model and optimiser must be of the same kind."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._set_generators(state["generators"])
        self._epoch_start = state["epoch_start"]
        self.epoch = state["epoch"]
        self.totals = Totals(**state["totals"])
        self.history = state["history"]
        self.evaluation = state["evaluation"] and Evaluation(**state["evaluation"])

    def _train_epoch(self, train: Any, epochs: int) -> None:
        """Train on the batches of the running epoch that are not done yet."""
        self.model.train()
        for images, labels in self._remaining(train):
            start = time.perf_counter()
            self._set_rates((self.epoch + self.totals.batches / len(train)) / epochs)
            if self.augment is not None:
                images = self.augment(images)
            logits, loss = self._forward(images, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            _add(self.totals, logits, labels, loss)
            self.totals.seconds += time.perf_counter() - start
            self.on_batch(self.totals)

    def _remaining(self, train: Any) -> Any:
        """Return the batches of this epoch after those that a stopped run has done.

        The order was drawn at the start of the epoch, so the generators go back to that moment,
        the loader repeats what it did, and then they take the state at which the run stopped.
        """
        if not self.totals.batches:
            self._epoch_start = self._generator_states()
            return train
        stopped = self._generator_states()
        self._set_generators(self._epoch_start)
        batches = iter(train)
        for _ in islice(batches, self.totals.batches):
            pass
        self._set_generators(stopped)
        return batches

    def _forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        if self.device is not None:
            images, labels = images.to(self.device), labels.to(self.device)
        logits = self.model(images)
        return logits, self.loss_fn(logits, labels)

    def _set_rates(self, done: float) -> None:
        if self.schedule is not None:
            factor = self.schedule(done)
            for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * factor

    def _finish_epoch(self, evaluation: Evaluation) -> None:
        self.epoch += 1
        record = {
            "epoch": self.epoch,
            "train_loss": self.totals.loss,
            "train_accuracy": self.totals.accuracy,
            "test_loss": evaluation.loss,
            "test_accuracy": evaluation.accuracy,
            "lr": self.optimizer.param_groups[0]["lr"],
            "seconds": self.totals.seconds,
        }
        self.history.append(record)
        self.totals = Totals()
        self.on_epoch(record)

    def _generator_states(self) -> dict[str, Any]:
        return {name: generator.get_state() for name, generator in self.generators.items()}

    def _set_generators(self, states: Mapping[str, Any]) -> None:
        for name, generator in self.generators.items():
            generator.set_state(states[name])


def _add(totals: Totals, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
    from minima.metrics import Accuracy

    right = Accuracy()
    right.update(logits, labels)
    totals.batches += 1
    totals.samples += len(labels)
    totals.loss_sum += loss.item() * len(labels)
    totals.correct += right.correct

import os

import numpy as np
import pytest

import minima as mi
from minima.data import DataLoader, TensorDataset
from minima.train import Evaluation, Interrupted, Totals, Trainer, warmup_cosine


def points(n=60):
    """Make points whose class says on which side of a line they lie."""
    x = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    return TensorDataset(mi.asarray(x), mi.asarray((x.sum(axis=1) > 0).astype(np.int64)))


def noisy(images, generator):
    return images + mi.asarray(generator.normal(images.shape, 0.0, 0.1, "float32"))


def make(seed=0, **options):
    """Return a trainer with dropout, batch norm, momentum and noise: all kinds of state."""
    drawn = mi.manual_seed(seed)
    order = mi.Generator(seed + 1)
    model = mi.nn.Sequential(
        mi.nn.Linear(4, 16),
        mi.nn.BatchNorm1d(16),
        mi.nn.ReLU(),
        mi.nn.Dropout(0.3),
        mi.nn.Linear(16, 2),
    )
    trainer = Trainer(
        model,
        mi.optim.AdamW(model.parameters(), lr=0.02),
        schedule=warmup_cosine,
        augment=lambda images: noisy(images, drawn),
        generators={"drawn": drawn, "order": order},
        **options,
    )
    train = DataLoader(points(), 16, shuffle=True, generator=order)
    return trainer, train, DataLoader(points(), 30)


def numbers(trainer):
    """Return all that two equal runs must agree in: every bit of the state, and the metrics."""
    state = trainer.state_dict()
    bits = {name: tensor.numpy().tobytes() for name, tensor in state["model"].items()}
    history = [{k: v for k, v in line.items() if k != "seconds"} for line in trainer.history]
    return bits, repr(state["optimizer"]), state["generators"], history


def stop_after(count):
    """Return an on_batch that stops the run after `count` batches of training and evaluation."""
    left = [count]

    def on_batch(totals):
        left[0] -= 1
        if not left[0]:
            raise Interrupted

    return on_batch


def test_learns():
    """Catch a step that does not follow the gradient."""
    trainer, train, test = make()
    history = trainer.fit(train, test, epochs=15)
    assert [record["epoch"] for record in history] == list(range(1, 16))
    assert history[-1]["test_loss"] < history[0]["test_loss"]
    assert history[-1]["test_accuracy"] > 0.9
    assert trainer.evaluation.accuracy == history[-1]["test_accuracy"]


def test_same_seed_same_bits():
    """Catch randomness that no generator of the run controls."""
    runs = []
    for seed in (0, 0, 1):
        trainer, train, test = make(seed)
        trainer.fit(train, test, epochs=2)
        runs.append(numbers(trainer))
    assert runs[0] == runs[1] != runs[2]


# 4 batches and 2 of evaluation an epoch: every place of the first two epochs, then epoch ends
@pytest.mark.parametrize("stop", [*range(1, 13), 18, 24])
def test_stopped_and_continued_run_has_the_same_bits(stop, tmp_path):
    """Catch any state that the checkpoint lacks: 4 epochs at once equal a stop and a resume."""
    whole, train, test = make()
    whole.fit(train, test, epochs=4)

    stopped, train, test = make(on_batch=stop_after(stop))
    with pytest.raises(Interrupted):
        stopped.fit(train, test, epochs=4)
    mi.io.save(stopped.state_dict(), tmp_path / "run.safetensors")

    continued, train, test = make(seed=99)
    continued.load_state_dict(mi.io.load(tmp_path / "run.safetensors"))
    continued.fit(train, test, epochs=4)
    assert numbers(continued) == numbers(whole)
    np.testing.assert_array_equal(continued.evaluation.confusion, whole.evaluation.confusion)


def test_two_epochs_and_two_more_equal_four(tmp_path):
    """Catch state that is lost between complete epochs (with the same schedule)."""
    whole, train, test = make()
    whole.schedule = None
    whole.fit(train, test, epochs=4)
    first, train, test = make()
    first.schedule = None
    first.fit(train, test, epochs=2)
    mi.io.save(first.state_dict(), tmp_path / "run.npz")
    second, train, test = make(seed=5)
    second.schedule = None
    second.load_state_dict(mi.io.load(tmp_path / "run.npz"))
    second.fit(train, test, epochs=4)
    assert numbers(second) == numbers(whole)
    assert os.listdir(tmp_path) == ["run.npz"]


def test_finished_run_trains_no_more():
    """Catch an epoch too many when a complete run is resumed."""
    trainer, train, test = make()
    before = numbers(trainer) if trainer.fit(train, test, epochs=1) else None
    trainer.fit(train, test, epochs=1)
    assert numbers(trainer) == before


def test_evaluation_changes_nothing():
    """Catch statistics, randomness or gradients that evaluation leaves behind."""
    trainer, train, test = make()
    trainer.fit(train, test, epochs=1)
    before = numbers(trainer)
    result = trainer.evaluate(test)
    assert numbers(trainer) == before
    assert result.confusion.sum() == 60
    assert result.accuracy == trainer.history[-1]["test_accuracy"]


def test_evaluation_weighs_samples_not_batches():
    """Catch a mean of means, which a short last batch distorts."""
    trainer, _, _ = make()
    whole = trainer.evaluate(DataLoader(points(), 60))
    parts = trainer.evaluate(DataLoader(points(), 50))
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    np.testing.assert_array_equal(parts.confusion, whole.confusion)


def test_confusion_rows_are_true_classes():
    """Catch a transposed confusion matrix."""
    trainer, _, _ = make()
    trainer.model = Constant()
    labels = mi.Tensor([0, 0, 1])
    result = trainer.evaluate([(mi.init.zeros(3, 4), labels)])
    assert result.confusion.tolist() == [[0, 2], [0, 1]]
    assert result.accuracy == pytest.approx(1 / 3)


class Constant(mi.nn.Module):
    """Take everything for class 1."""

    def forward(self, x):
        return mi.Tensor(np.array([[0.0, 1.0]] * len(x), np.float32))


def test_schedule_sees_the_whole_run():
    """Catch a schedule that starts again with each epoch, or that multiplies up."""
    seen = []

    def schedule(done):
        seen.append(done)
        return 0.5

    trainer, train, test = make()
    trainer.schedule = schedule
    trainer.fit(train, test, epochs=2)
    assert seen == [i / 8 for i in range(8)]
    assert trainer.optimizer.param_groups[0]["lr"] == 0.01


@pytest.mark.parametrize("part", ["train", "test"])
def test_nothing_to_loop_over(part):
    """Catch a division by zero, or epochs that do nothing."""
    trainer, train, test = make()
    train, test = ([], test) if part == "train" else (train, [])
    with pytest.raises(ValueError, match="gives no batches") as caught:
        trainer.fit(train, test, epochs=1)
    assert isinstance(caught.value, mi.MinimaError)


def test_means():
    """Catch sums reported as means, and a division by zero before the first batch."""
    assert (Totals(2, 10, 5.0, 8).loss, Totals(2, 10, 5.0, 8).accuracy) == (0.5, 0.8)
    assert (Totals().loss, Totals().accuracy) == (0.0, 0.0)
    assert Evaluation(0.0, np.zeros((2, 2))).accuracy == 0.0

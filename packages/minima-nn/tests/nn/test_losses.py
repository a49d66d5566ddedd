"""CrossEntropyLoss and MSELoss."""

import numpy as np
import pytest

import minima as mi
from minima import nn

RNG = np.random.default_rng(0)


def written_out(x, targets, weight=None, ignore=-100, smoothing=0.0):
    """Return the losses and the weights of the mean, one target after the other."""
    classes = x.shape[1]
    weight = np.ones(classes) if weight is None else weight
    losses, scales = np.zeros(targets.shape), np.zeros(targets.shape)
    for at in np.ndindex(targets.shape):
        if targets[at] == ignore:
            continue
        z = x[(at[0], slice(None), *at[1:])]
        log_p = z - np.log(np.exp(z).sum())
        losses[at] = -(1 - smoothing) * weight[targets[at]] * log_p[targets[at]]
        losses[at] -= smoothing / classes * (weight * log_p).sum()
        scales[at] = weight[targets[at]]
    return losses, scales


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 2), (2, 4, 3, 2)])
@pytest.mark.parametrize("weight", [None, [1.0, 0.5, 2.0, 3.0]])
@pytest.mark.parametrize("ignore", [None, -100, 1])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_class_numbers(shape, weight, ignore, smoothing):
    """Fault: one option that forgets another."""
    x = RNG.normal(size=shape)
    targets = RNG.integers(0, 4, size=shape[:1] + shape[2:])
    options = {"label_smoothing": smoothing}
    if ignore is not None:
        targets.flat[0] = ignore
        options["ignore_index"] = ignore
    w = None if weight is None else mi.Tensor(weight)
    expected, scale = written_out(x, targets, weight, -100 if ignore is None else ignore, smoothing)
    for reduction, value in (
        ("none", expected),
        ("sum", expected.sum()),
        ("mean", expected.sum() / scale.sum()),
    ):
        loss = nn.CrossEntropyLoss(w, reduction=reduction, **options)
        got = loss(mi.Tensor(x), mi.Tensor(targets))
        np.testing.assert_allclose(got.numpy(), value, rtol=1e-12)


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 2), (4,)])
def test_probabilities(shape):
    """Fault: probabilities taken for class numbers, or a mean over classes too."""
    x, p = RNG.normal(size=shape), RNG.uniform(size=shape)
    axis = 1 if len(shape) > 1 else 0
    log_p = x - np.log(np.exp(x).sum(axis=axis, keepdims=True))
    expected = -(p * log_p).sum(axis=axis)
    for reduction, value in (
        ("none", expected),
        ("sum", expected.sum()),
        ("mean", expected.mean()),
    ):
        got = nn.CrossEntropyLoss(reduction=reduction)(mi.Tensor(x), mi.Tensor(p))
        assert got.shape == np.shape(value)
        np.testing.assert_allclose(got.numpy(), value, rtol=1e-12)


def test_a_single_sample():
    """Fault: logits of one axis, whose classes are axis 0."""
    x = np.array([1.0, 2.0, 3.0])
    expected = np.log(np.exp(x).sum()) - 2.0
    for loss in (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(ignore_index=0)):
        np.testing.assert_allclose(loss(mi.Tensor(x), mi.Tensor(1)).item(), expected)


def test_ignored_targets_get_no_gradient():
    """Fault: a gradient for padding."""
    x = mi.Tensor(RNG.normal(size=(3, 4)), requires_grad=True)
    nn.CrossEntropyLoss()(x, mi.Tensor([1, -100, 2])).backward()
    assert (x.grad.numpy()[1] == 0).all()
    assert (x.grad.numpy()[[0, 2]] != 0).all()


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"ignore_index": 2}])
def test_large_logits_stay_finite(options):
    """Fault: e**1e4."""
    x = mi.Tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], requires_grad=True)
    loss = nn.CrossEntropyLoss(**options)(x, mi.Tensor([1, 1]))
    loss.backward()
    assert np.isfinite(loss.item())
    assert np.isfinite(x.grad.numpy()).all()


def test_the_class_weight_is_saved_and_not_trained():
    """Fault: a weight among the parameters."""
    loss = nn.CrossEntropyLoss(mi.Tensor([1.0, 2.0]))
    assert loss.parameters() == []
    assert list(loss.state_dict()) == ["weight"]
    assert loss(mi.ones((3, 2), dtype="float64"), mi.Tensor([0, 1, 1])).dtype == mi.float64


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_mean_squared_error(reduction):
    """Fault: a factor of a half, or another reduction."""
    x, t = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2))
    expected = {"none": (x - t) ** 2, "sum": ((x - t) ** 2).sum(), "mean": ((x - t) ** 2).mean()}
    got = nn.MSELoss(reduction=reduction)(mi.Tensor(x), mi.Tensor(t))
    np.testing.assert_allclose(got.numpy(), expected[reduction], rtol=1e-12)


X = mi.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.CrossEntropyLoss(reduction="avg"), "CrossEntropyLoss: reduction is 'avg'"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=2), "CrossEntropyLoss: label_smoothing is 2"),
        (lambda: nn.CrossEntropyLoss(mi.ones((2, 2))), "CrossEntropyLoss: weight has shape"),
        (lambda: nn.CrossEntropyLoss(ignore_index=0.5), "CrossEntropyLoss: ignore_index is 0.5"),
        (
            lambda: nn.CrossEntropyLoss(mi.ones(2))(X, mi.Tensor([0, 1])),
            r"CrossEntropyLoss: weight has shape \(2,\).* 3 classes",
        ),
        (
            lambda: nn.CrossEntropyLoss()(X, mi.Tensor([0, 1, 2])),
            r"CrossEntropyLoss: input has shape \(2, 3\), target \(3,\); expected .* \(2,\)",
        ),
        (
            lambda: nn.CrossEntropyLoss()(X, mi.Tensor([0, 3])),
            "CrossEntropyLoss: got class 3; expected 0 to 2",
        ),
        (lambda: nn.CrossEntropyLoss()(X, mi.Tensor([0, -1])), "CrossEntropyLoss: got class -1"),
        (lambda: nn.CrossEntropyLoss()(X, mi.Tensor([0.0, 0.5])), "target 0.5 is no class number"),
        (
            lambda: nn.CrossEntropyLoss()(X, mi.Tensor([0.0, np.nan])),
            "target nan is no class number",
        ),
        (lambda: nn.CrossEntropyLoss()(X, mi.Tensor([True, False])), "target has dtype bool"),
        (
            lambda: nn.CrossEntropyLoss()(mi.ones((2, 3), dtype="int64"), mi.Tensor([0, 1])),
            "input has dtype int64",
        ),
        (lambda: nn.MSELoss(reduction=None), "MSELoss: reduction is None"),
        (
            lambda: nn.MSELoss()(mi.ones((2, 1)), mi.ones(2)),
            r"MSELoss: input has shape \(2, 1\), target \(2,\); expected equal shapes",
        ),
    ],
)
def test_errors(call, message):
    """Fault: a broadcast that trains on the wrong pairs, a negative class that wraps around."""
    with pytest.raises(mi.MinimaError, match=message):
        call()


@pytest.mark.parametrize(
    ("loss", "first"),
    [
        (nn.CrossEntropyLoss(ignore_index=-1), [0, 1, 2]),
        (nn.CrossEntropyLoss(mi.Tensor([1.0, 2.0, 3.0, 4.0])), [0, 1, 2]),
        (nn.CrossEntropyLoss(), [0, -100, 2]),
    ],
)
def test_a_compiled_loss_takes_any_targets(loss, first):
    """Fault: a plan that was written down with no target to ignore, and refuses one later."""

    @mi.compile
    def run(x, targets):
        return loss(x, targets)

    x, no = mi.Tensor(RNG.normal(size=(3, 4))), loss.ignore_index
    for given in (first, first, [3, no, 2], [no, no, 1], [3, 3, 3]):
        targets = mi.Tensor(given)
        np.testing.assert_allclose(run(x, targets).item(), loss(x, targets).item(), rtol=1e-12)
    with pytest.raises(mi.IndexRangeError, match="got class 4"):
        run(x, mi.Tensor([0, 4, 1]))


def test_a_plan_made_without_ignored_targets_ignores_them():
    """Fault: a target that is no class, taken for one without a word."""
    loss = nn.CrossEntropyLoss()
    run, x = mi.compile(loss), mi.Tensor(RNG.normal(size=(3, 4)))
    for _ in range(2):  # the second is written down
        run(x, mi.Tensor([0, 1, 2]))
    for targets in (mi.Tensor([0, -100, 2]), mi.Tensor([3, 1, 2])):
        for _ in range(3):
            np.testing.assert_allclose(run(x, targets).item(), loss(x, targets).item(), rtol=1e-12)
    with pytest.raises(mi.IndexRangeError, match="got class -1"):
        run(x, mi.Tensor([0, -1, 2]))


@pytest.mark.parametrize("name", [n for n in nn.__all__ if n.endswith("Loss")])
def test_every_loss_shows_its_options(name):
    """Fault: a repr that hides what was asked for."""
    options = {"MultiMarginLoss": {"p": 2}, "CTCLoss": {"blank": 1}}.get(name, {})
    layer = getattr(nn, name)(reduction="sum", **options)
    shown = "".join(f", {k}={v}" for k, v in options.items())
    assert repr(layer) == f"{name}(reduction='sum'{shown})"


def test_arguments_have_pytorchs_names():
    """Fault: loss(input=..., target=...) is refused."""
    x, y = mi.Tensor([[0.5, 0.25]]), mi.Tensor([[1.0, 0.0]])
    for loss in (nn.MSELoss(), nn.BCELoss(), nn.HuberLoss(), nn.MultiLabelSoftMarginLoss()):
        assert loss(input=x, target=y).item() == loss(x, y).item()
    loss = nn.CrossEntropyLoss()
    assert loss(input=x, target=mi.Tensor([1])).item() == loss(x, mi.Tensor([1])).item()
    loss = nn.MarginRankingLoss(0.5)
    assert loss(input1=x, input2=y, target=y).item() == loss(x, y, y).item()

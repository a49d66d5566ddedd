"""vmap over every row of the table of samples, against a loop over the batch."""

import numpy as np
import pytest

import minima as mi
from minima.errors import MinimaError
from minima.testing.conformance import rows
from minima.testing.launch import arguments, call
from minima.testing.samples import COMPOSED, NOT_DIFFERENTIABLE, SAMPLES

CPU = mi.device("cpu")
SCALES = (1.0, 0.9, 0.8)
ROWS = SAMPLES + COMPOSED

#: functions that ask for values, or whose result's shape depends on them: an error says so
VALUES = set(
    "argwhere bincount histc histogram nonzero unique unique_all unique_consecutive unique_counts "
    "unique_inverse unique_values".split()
)


def vmap(function, axes):
    return mi.func.vmap(function, axes, randomness="same")


def batches(sample):
    """Return the inputs as arrays with a batch axis in front; floats differ, others do not."""
    found = []
    for a in arguments(sample, CPU):
        if isinstance(a, mi.Tensor):
            values = a.numpy()
            scales = SCALES if values.dtype.kind in "fc" else (1,) * len(SCALES)
            a = mi.asarray(np.stack([(values * s).astype(values.dtype) for s in scales]))
        found.append(a)
    return found


def mapped(sample, only=None):
    """Run the row on a batch: of all inputs, or of input number *only*."""
    given, plain = batches(sample), arguments(sample, CPU)
    tensors = [i for i, t in enumerate(given) if isinstance(t, mi.Tensor)]
    if only is not None:
        tensors = [t for t in tensors if given[t].dtype.kind == "f"][:1] or tensors[:1]
    chosen = [given[i] if i in tensors else plain[i] for i in range(len(given))]
    axes = tuple(0 if i in tensors else None for i in range(len(given)))

    def run(*args):
        mi.manual_seed(0)
        return call(sample, list(args))

    def loop():
        return [run(*(c if a is None else c[i] for c, a in zip(chosen, axes))) for i in range(3)]

    return run, chosen, axes, loop


def close(got, expected):
    want = np.stack([np.asarray(e.detach().numpy()) for e in expected])
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-9, atol=1e-11)


@pytest.fixture(autouse=True)
def silent_numpy():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("only", [None, 0], ids=["all", "first"])
@rows(ROWS)
def test_value(sample, only):
    """A batch gives what its elements give one by one."""
    count = sum(isinstance(t, mi.Tensor) for t in arguments(sample, CPU))
    if count < (1 if only is None else 2):
        return
    run, chosen, axes, loop = mapped(sample, only)
    if sample.operator in VALUES and (only is None or sample.operator != "bincount"):
        with pytest.raises(MinimaError, match="vmap"):
            vmap(run, axes)(*chosen)
        return
    close(vmap(run, axes)(*chosen), loop())


def _differentiable(sample):
    if sample.operator in NOT_DIFFERENTIABLE or not sample.smooth or not sample.floating:
        return False
    return sample.operator not in VALUES


@rows([s for s in ROWS if _differentiable(s)])
def test_gradient(sample):
    """The gradient of each element, and the gradient through the batch, are those of the loop."""
    run, chosen, axes, _ = mapped(sample)
    numbers = [i for i, t in enumerate(chosen) if isinstance(t, mi.Tensor) and t.dtype.kind == "f"]
    if run(*arguments(sample, CPU)).dtype.kind != "f":
        return

    def loss(*args):
        y = run(*args)
        return (y * y).sum()

    each = vmap(mi.func.grad(loss, tuple(numbers)), axes)(*chosen)
    whole = mi.func.grad(lambda *args: vmap(loss, axes)(*args).sum(), tuple(numbers))
    outside = whole(*chosen)
    one = mi.func.grad(loss, tuple(numbers))
    loops = [one(*(c if a is None else c[i] for c, a in zip(chosen, axes))) for i in range(3)]
    for place, (inner, outer) in enumerate(zip(each, outside)):
        close(inner, [found[place] for found in loops])
        close(outer, [found[place] for found in loops])

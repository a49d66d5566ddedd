"""Optimisers on the device: steps of many parameters at once, by the kernels for them."""

import numpy as np
import pytest
from emulator import needs_emulator

import minima as mi

optim = pytest.importorskip("minima.optim", reason="minima-nn is not installed")

pytestmark = needs_emulator

SHAPES = [(3, 5), (7,), (), (0, 2), (2, 2)]
ROWS = {
    "SGD": ("SGD", {"lr": 0.1, "weight_decay": 0.1}, "sgd"),
    "SGD with momentum": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}, "sgd_momentum"),
    "SGD, nesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, "sgd_momentum"),
    "Adam": ("Adam", {"lr": 0.1, "weight_decay": 0.1}, "adam"),
    "AdamW": ("AdamW", {"lr": 0.1, "weight_decay": 0.1, "betas": (0.8, 0.9)}, "adam"),
}

#: kernel -> launches more where one parameter has no first step
LATE = {"sgd": 0, "sgd_momentum": 1, "adam": 2}


def trained(name, options, place, *, late=False, flat=True):
    """Return parameters, state and versions after three steps; *late*: one has no first step."""
    rng = np.random.default_rng(0)
    given = [rng.normal(size=s).astype("float32") for s in SHAPES]
    params = [mi.Tensor(a, device=place, requires_grad=True) for a in given]
    if not flat:
        params[0] = mi.Tensor(given[0].T, device=place).T.detach().requires_grad_()
    optimizer = getattr(optim, name)(params, **options)
    aliases = [p.detach() for p in params]  # from now on versions are counted
    for step in range(3):
        for i, p in enumerate(params):
            g = rng.normal(size=p.shape).astype("float32")
            p.grad = None if late and not i and not step else mi.Tensor(g, device=place)
        optimizer.step()
    states = [
        {k: v.numpy() if isinstance(v, mi.Tensor) else v for k, v in optimizer.state[p].items()}
        for p in params
    ]
    return [p.numpy() for p in params], states, [p.version for p in aliases]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_steps_are_those_of_the_cpu_in_one_launch(row, late, launcher):
    """Catches an option that is lost on the way, a step miscounted, and a launch for each."""
    name, options, kernel = ROWS[row]
    values, states, versions = trained(name, options, "cuda", late=late)
    assert launcher.launched.count(kernel) == 3 + late * LATE[kernel]
    wanted, wanted_states, _ = trained(name, options, "cpu", late=late)
    for value, state, expected, expected_state in zip(
        values, states, wanted, wanted_states, strict=True
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
        assert state.keys() == expected_state.keys()
        for key in state:
            np.testing.assert_allclose(state[key], expected_state[key], rtol=1e-5, atol=1e-6)
    assert versions == [3 - late, 3, 3, 3, 3]


@pytest.mark.parametrize("row", ROWS)
def test_what_does_not_lie_flat_is_updated_one_by_one(row, launcher):
    """Catches a parameter that a kernel refuses and nobody updates, or a buffer left behind."""
    name, options, kernel = ROWS[row]
    values, _, _ = trained(name, options, "cuda", flat=False)
    assert kernel not in launcher.launched
    for value, expected in zip(values, trained(name, options, "cpu")[0], strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)

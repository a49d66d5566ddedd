"""How minima and PyTorch are brought to the same values, and compared."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the package parity


def to_torch(array):
    return torch.from_numpy(np.array(array))


def in_our_layout(theirs, name, value):
    """Return a value of the torch module as minima has it: only Linear's weight is transposed."""
    module = theirs.get_submodule(name.rpartition(".")[0])
    array = value.detach().numpy()
    return array.T if isinstance(module, torch.nn.Linear) and name.endswith("weight") else array


def copy_state(theirs, ours):
    """Give the minima module the state of the torch module."""
    values = [in_our_layout(theirs, *item) for item in theirs.state_dict().items()]
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))


def agree(got, expected, rel):
    """Compare relative to the largest value of the tensor."""
    got, expected = (
        t if isinstance(t, np.ndarray) else t.detach().numpy() for t in (got, expected)
    )
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    scale = max(float(np.abs(expected).max(initial=0.0)), 1e-30)
    assert float(np.abs(got - expected).max(initial=0.0)) <= rel * scale


def states_agree(ours, theirs, rel):
    """Compare every parameter and buffer."""
    items = zip(ours.state_dict().values(), theirs.state_dict().items(), strict=True)
    for mine, item in items:
        agree(mine, in_our_layout(theirs, *item), rel)


def gradients_agree(ours, theirs, rel):
    """Compare the gradient of every parameter."""
    for p, (name, q) in zip(ours.parameters(), theirs.named_parameters(), strict=True):
        agree(p.grad, in_our_layout(theirs, name, q.grad), rel)


@pytest.fixture
def parity():
    """The functions of this file, by name."""
    functions = to_torch, copy_state, agree, states_agree, gradients_agree
    return SimpleNamespace(**{f.__name__: f for f in functions})

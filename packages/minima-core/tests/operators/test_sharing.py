"""What makes new tensors never returns its input, or a view of it, with nothing to do."""

import numpy as np
import pytest

import minima as mi

CALLS = {
    "roll": lambda x: mi.roll(x, 0, axis=0),
    "roll all": lambda x: mi.roll(x, 6),
    "tile": lambda x: mi.tile(x, 1),
    "tile axes": lambda x: mi.tile(x, (1, 1, 1)),
    "repeat": lambda x: mi.repeat(x, 1, axis=0),
    "pad": lambda x: mi.pad(x, 0),
    "pad reflect": lambda x: mi.pad(x, 0, mode="reflect"),
    "pad cuts": lambda x: mi.pad(x, ((0, -1), (0, 0))),
    "pad one element": lambda x: mi.pad(x[:1], ((1, 1), (0, 0)), mode="replicate"),
    "diff": lambda x: mi.diff(x, n=0),
    "logcumsumexp": lambda x: mi.logcumsumexp(x[:1], axis=0),
    "fftshift": lambda x: mi.fft.fftshift(x[:1], axes=0),
    "interpolate nearest": lambda x: mi.interpolate(x.reshape(1, 2, 3), size=3),
    "interpolate linear": lambda x: mi.interpolate(x.reshape(1, 2, 3), size=3, mode="linear"),
    "sort": lambda x: mi.sort(x[:1], axis=0),
    "concat": lambda x: mi.concat([x]),
    "clip": mi.clip,
    "sum": lambda x: mi.sum(x, axis=()),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_new_memory(call):
    """A change of the result is possible, and does not reach the input."""
    x = mi.Tensor(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    before = x.tolist()
    y = call(x)
    y += 1.0
    assert x.tolist() == before


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_gradient_goes_through(call):
    """The copy is part of the graph."""
    x = mi.ones((2, 3), requires_grad=True)
    call(x).sum().backward()
    assert np.any(x.grad.numpy() != 0)

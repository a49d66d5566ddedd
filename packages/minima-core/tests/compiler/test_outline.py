"""Outlines: laid out as the buffers that they stand for, of which a plan keeps none."""

from __future__ import annotations

import gc
from weakref import ref

import numpy as np
import pytest

import minima as mi
from minima.compiler.outline import Buffers, outline, outline_like
from minima.compiler.tape import Tape

LAYOUTS = {
    "dense": lambda x: x,
    "transposed": lambda x: x.transpose(2, 0, 1),
    "part": lambda x: x[1:, ::2, 1],
    "reversed": lambda x: x[::-1, :, ::-1],
    "scalar": lambda x: x[0, 0, 0:1].reshape(()),
    "broadcast": lambda x: np.broadcast_to(x[:1], (5, *x.shape[1:])),
    "empty": lambda x: x[:0],
}


def properties(array):
    return array.shape, array.dtype, array.strides, array.flags.c_contiguous


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_outline_lies_as_its_array(layout):
    """Catch a plan that is laid out in another way than the run was."""
    array = LAYOUTS[layout](np.ones((3, 4, 6), np.float32))
    found = outline(array.shape, array.dtype, array.strides)
    assert properties(found) == properties(array)
    assert not found.flags.writeable


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_view_lies_at_the_same_place_of_its_outline(layout):
    """Catch the part of a buffer that is taken for another part."""
    whole = np.ones((3, 4, 6), np.float32)
    part = LAYOUTS[layout](whole)
    buffers = Buffers()
    outer, inner = buffers.add(whole), buffers.add(part, whole)
    assert properties(inner) == properties(part)
    assert inner.ctypes.data - outer.ctypes.data == part.ctypes.data - whole.ctypes.data
    assert buffers.known(part) is inner
    assert whole in buffers


@pytest.mark.parametrize("layout", LAYOUTS)
def test_alike_is_dense_in_the_order_of_axes(layout):
    """Catch another order than NumPy's own."""
    array = LAYOUTS[layout](np.ones((3, 4, 6), np.float32))
    long = [axis for axis, n in enumerate(array.shape) if n > 1 and array.strides[axis]]
    expected, found = np.empty_like(array), outline_like(array)
    assert found.nbytes == expected.nbytes
    assert all(found.strides[a] == expected.strides[a] for a in long) or 0 in array.shape


def test_a_number_that_is_used_again_is_another_buffer():
    """Catch a buffer that is taken for one that is gone."""
    buffers = Buffers()
    for size in range(1, 50):
        array = np.ones(size)
        assert array not in buffers
        found = buffers.add(array)
        assert buffers.known(array) is found
        assert found.shape == (size,)
        del array


def test_neither_tape_nor_plan_keeps_what_the_run_computed(monkeypatch):
    """Catch the memory of a whole training step that stays as long as its plan does."""
    seen, alive = [], []
    launch = Tape.launch

    def watched(self, name, inputs, attrs, output, device, **more):
        if name in ("matmul", "tanh"):
            seen.append(ref(output))
            alive.append(sum(r() is not None for r in seen))
        launch(self, name, inputs, attrs, output, device, **more)

    monkeypatch.setattr(Tape, "launch", watched)
    w = mi.ones((4, 4)).requires_grad_()

    @mi.compile
    def step(x):
        w.grad = None
        for _ in range(5):
            x = mi.tanh(x @ w)[1:]
        x.sum().backward()
        return x.detach()

    for _ in range(2):
        y = step(mi.ones((9, 4)))
    assert len(seen) == 5 + 5 + 5 + 4
    assert max(alive) < 12
    assert alive[-1] < 6
    w.grad = None
    del y
    gc.collect()
    assert [r for r in seen if r() is not None] == []

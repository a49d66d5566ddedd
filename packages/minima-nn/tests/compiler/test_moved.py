"""Parameters and their state lie in one flat buffer once a step is compiled, and nowhere else."""

from __future__ import annotations

import gc
from weakref import ref

import minima as mi
from minima import nn, optim


def test_the_old_memory_of_parameters_and_moments_is_let_go():
    """Fault: a tape, a plan or a view that keeps what was moved, three times the parameters."""
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 7), nn.Tanh(), nn.Linear(7, 5))
    optimizer = optim.Adam(network.parameters(), lr=0.01)
    loss_function = nn.CrossEntropyLoss()

    @mi.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = loss_function(network(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    x, y = mi.ones((4, 6)), mi.asarray([0, 1, 2, 3])
    step(x, y)
    moments = [t for s in optimizer.state.values() for t in s.values() if isinstance(t, mi.Tensor)]
    tensors = [*network.parameters(), *moments]
    before = [ref(t._array) for t in tensors]
    for _ in range(3):
        step(x, y)
    gc.collect()
    assert len(before) == 18
    assert [r for r in before if r() is not None] == []

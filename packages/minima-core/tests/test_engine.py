"""The engine under load: depth, memory, threads."""

import asyncio
import gc
import sys
import threading

import numpy as np
import pytest

import minima as mi

DEPTH = 100_000


def deep(x, depth=DEPTH):
    y = x
    for _ in range(depth):
        y = y * 1.0001
    return y


def test_deep_graph():
    """100,000 operations deep: a sweep that recurses would overflow the stack."""
    x = mi.Tensor(1.0, dtype="float64", requires_grad=True)
    deep(x).backward()
    assert x.grad.item() == pytest.approx(1.0001**DEPTH)


def test_deep_graph_is_freed():
    """Dropped without backward, a deep graph goes too: freeing it must not recurse either."""
    x = mi.Tensor(1.0, requires_grad=True)
    y = deep(x)
    node = y.grad_fn
    assert node is not None
    del node, y


def test_deep_graph_to_an_inner_tensor():
    """grad() finds its way through a deep graph to a tensor in the middle."""
    x = mi.Tensor(1.0, dtype="float64", requires_grad=True)
    middle = deep(x, DEPTH // 2)
    (g,) = mi.autograd.grad(deep(middle, DEPTH // 2), middle)
    assert g.item() == pytest.approx(1.0001 ** (DEPTH // 2))


def test_second_order_through_a_deep_graph():
    """The graph of the gradient is as deep, and can be gone through as well."""
    x = mi.Tensor(1.0, dtype="float64", requires_grad=True)
    y = x
    for _ in range(5_000):
        y = mi.sin(y)
    (g,) = mi.autograd.grad(y, x, create_graph=True)
    (gg,) = mi.autograd.grad(g, x)
    value, first, second = 1.0, 1.0, 0.0
    for _ in range(5_000):  # by the chain rule, forward
        slope, bend = np.cos(value), -np.sin(value)
        second = bend * first**2 + slope * second
        first, value = slope * first, np.sin(value)
    assert g.item() == pytest.approx(first, rel=1e-9)
    assert gg.item() == pytest.approx(second, rel=1e-9)


def test_wide_graph():
    """Ten thousand uses of one leaf add up."""
    x = mi.Tensor([1.0, 2.0], requires_grad=True)
    mi.stack([x * float(i % 3) for i in range(10_000)]).sum().backward()
    assert x.grad.tolist() == [9999.0, 9999.0]


def test_diamonds_are_visited_once():
    """A graph with 2**200 paths takes 400 steps: each node waits for all that comes to it."""
    x = mi.Tensor(1.0, dtype="float64", requires_grad=True)
    y = x
    for _ in range(200):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad.item() == pytest.approx(1.0)


class Model:
    """A small network with its own optimiser, for all that trains below."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.x = mi.asarray(rng.standard_normal((16, 8)).astype("float32"))
        self.targets = mi.asarray(rng.integers(0, 4, 16))
        shapes = ((8, 16), (16,), (16, 4), (4,))
        self.weights = [
            mi.asarray(rng.standard_normal(s).astype("float32") * 0.3).requires_grad_()
            for s in shapes
        ]
        self.momenta = [mi.zeros(s) for s in shapes]

    def step(self):
        w1, b1, w2, b2 = self.weights
        hidden = mi.relu(self.x @ w1 + b1)
        hidden = hidden - hidden.mean(axis=0, keepdims=True)
        loss = mi.cross_entropy(mi.operators.linear(hidden, w2, b2), self.targets)
        loss.backward()
        with mi.no_grad():
            for w, m in zip(self.weights, self.momenta):
                m.mul_(0.9).add_(w.grad)
                w.sub_(m, alpha=0.01)
                w.grad.zero_()
        return loss.item()

    def train(self, steps):
        losses = [self.step() for _ in range(steps)]
        return losses, [w.numpy().copy() for w in self.weights]


def test_a_thousand_steps_leave_nothing():
    """Training makes no cycle and keeps no object: with the collector off nothing grows."""
    model = Model(0)
    gc.disable()
    try:
        model.train(100)
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(1000):
            model.step()
        assert gc.collect() == 0  # and empties the free lists, which count as allocated
        grown = sys.getallocatedblocks() - before
    finally:
        gc.enable()
    assert grown < 500  # one object a step would be a thousand


def test_threads_train_as_one_does():
    """Eight models trained in eight threads at once come out as one after the other."""
    serial = [Model(seed).train(60) for seed in range(8)]
    found = [None] * 8
    start = threading.Barrier(8)

    def work(seed):
        model = Model(seed)
        start.wait()
        found[seed] = model.train(60)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(switch)
    for (losses, weights), (serial_losses, serial_weights) in zip(found, serial):
        assert losses == serial_losses
        assert all(np.array_equal(a, b) for a, b in zip(weights, serial_weights))


def test_no_grad_is_of_its_thread():
    """no_grad in one thread, also while another enters and leaves it, is not another's."""
    inside, done = threading.Event(), threading.Event()
    seen = []

    def other():
        with mi.no_grad():
            inside.set()
            done.wait()
        seen.append(mi.is_grad_enabled())

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    recorded = (mi.ones(2, requires_grad=True) * 2).requires_grad
    done.set()
    thread.join()
    assert recorded
    assert seen == [True]


def test_no_grad_is_of_its_task():
    """Two asyncio tasks that take turns do not see each other's no_grad."""

    async def silent(turn, back):
        with mi.no_grad():
            turn.set()
            await back.wait()
            return mi.is_grad_enabled()

    async def loud(turn, back):
        await turn.wait()
        found = mi.is_grad_enabled()
        back.set()
        return found

    async def both():
        turn, back = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(silent(turn, back), loud(turn, back))

    assert asyncio.run(both()) == [False, True]


def test_an_error_in_backward_leaves_the_mode():
    """After a backward that raised, operators record again as before."""
    x = mi.Tensor([1.0], requires_grad=True)
    y = x * 2

    def fail(g):
        raise RuntimeError("on purpose")

    y.register_hook(fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        y.sum().backward()
    assert mi.is_grad_enabled()
    assert (x * 2).requires_grad

"""Which steps become one group, and which must not."""

from __future__ import annotations

import numpy as np
import pytest

import minima as mi
from minima.compiler import replay
from minima.compiler.fusion import FusedStep, fuse
from minima.compiler.loops import Schedule


class Stop(Exception):
    """The plan is made; it need not run."""


@pytest.fixture
def fused(monkeypatch):
    """Return a function that captures one and returns its plan, fused."""

    def of(function, *args):
        found = []

        def executor(plan):
            fuse(plan)
            found.append(plan)
            raise Stop

        monkeypatch.setattr(replay, "find_executor", lambda *_: executor)
        compiled = mi.compile(function)
        compiled(*args)
        with pytest.raises(Stop):
            compiled(*args)
        return found[0]

    return of


def normal(*shape):
    return mi.asarray(np.random.default_rng(0).standard_normal(shape, dtype=np.float32))


def names(plan):
    return [s.name for s in plan.launches()]


def group(plan):
    """Return the only group of *plan*."""
    [step] = plan.launches()
    assert isinstance(step, FusedStep)
    return step


def _in_place(x, y):
    total = mi.zeros(x.shape).add_(x)
    doubled = total * 2.0
    total.mul_(y)
    return doubled + total


TARGETS = mi.Tensor([0, 1, 2, 3])
CHAINS = {
    "elementwise": lambda x, y: mi.tanh(x * y + 1.0) / 3.0,
    "two results": lambda x, y: (x + y, x - y),
    "row and column": lambda x, y: (x + y[0]) * y[:, :1],
    "softmax and what follows": lambda x, y: mi.softmax(x) * y - x,
    "layer norm and what comes before": lambda x, y: mi.layer_norm(x + y, None, None, axes=-1),
    "a reduction along rows is used again": lambda x, y: x - x.mean(1, keepdims=True) * y,
    "without keepdims": lambda x, y: mi.exp(x - x.max(1).reshape((-1, 1))),
    "sums over rows and over columns": lambda x, y: ((x * y).sum(0), (x * y).sum(1)),
    "loss": lambda x, y: mi.cross_entropy(x * y, TARGETS),
    "transposed": lambda x, y: x.T * y.T + 1.0,
    "in place": _in_place,
}


@pytest.mark.parametrize("name", CHAINS)
def test_one_group(fused, name):
    """Catches steps that could share a loop and do not."""
    plan = fused(CHAINS[name], normal(4, 5), normal(4, 5))
    assert isinstance(group(plan), FusedStep)


def test_values_inside_of_a_group_need_no_buffer(fused):
    """Catches a store that nobody reads."""
    step = group(fused(lambda x: mi.exp(x) * 2.0 + 1.0, normal(4, 5)))
    assert len(step.outputs) == 1
    assert [v.kind for v in step.reads()] == ["input"]


def test_values_that_are_returned_are_stored(fused):
    """Catches a result that is dropped because its only reader is in its group."""

    def function(x):
        y = mi.exp(x)
        return y, y * 2.0

    assert len(group(fused(function, normal(3))).outputs) == 2


def test_bias_and_activation_follow_the_product(fused):
    """Catches a bias that is added in a pass of its own."""
    plan = fused(lambda x, w, b: mi.relu(mi.linear(x, w, b)), normal(4, 5), normal(5, 6), normal(6))
    assert names(plan) == ["matmul", "add+relu"]


# ---- what must stay apart ------------------------------------------------------------------------
def _reversed(x):
    y = mi.exp(x)
    return y + y[::-1]


def _columns(x):
    return x * x.sum(0)


def _square(x):
    return x + x.max(1)


def _product_between(x):
    y = mi.exp(x)
    return (y @ y) + y


APART = {
    "another order of elements": (_reversed, 2),
    "sums over columns used again": (_columns, 2),
    "rows added as columns": (_square, 2),
    "a product between": (_product_between, 3),
    "an integer division": (lambda x: mi.floor_divide(x + 1.0, 2.0) * 3.0, 3),
}


@pytest.mark.parametrize("name", APART)
def test_stay_apart(fused, name):
    """Catches elements that are read before they are there."""
    function, count = APART[name]
    assert len(fused(function, normal(4, 4)).launches()) == count


def test_readers_of_old_values_run_before_they_change(fused):
    """Catches an update that joins a group which runs before a reader of the old value."""
    weight, x = normal(4, 4), normal(4, 4)

    def function(x):
        y = x * 2.0
        product = weight @ y
        with mi.no_grad():
            weight.add_(y)
        return product

    plan = fused(function, x)
    order = names(plan)
    assert order.index("matmul") < next(i for i, n in enumerate(order) if "add" in n)


# ---- loops ---------------------------------------------------------------------------------------
def schedule(plan):
    return Schedule(group(plan).group)


def test_contiguous_axes_become_one_loop(fused):
    """Catches an inner loop over a short axis."""
    found = schedule(fused(lambda x: mi.exp(x) + x, normal(4, 5, 6)))
    assert [loop.size for loop in found.outer + found.inner] == [120]
    assert found.divisible


def test_softmax_walks_a_row_three_times_and_keeps_the_exponential(fused):
    """Catches an exponential that is computed twice."""
    found = schedule(fused(lambda x: mi.softmax(x), normal(4, 5)))
    assert len(found.passes) == 3
    assert [n.op for n in found.saved] == ["exp"]
    assert found.row == 5
    assert found.divisible


def test_sums_over_columns_are_told(fused):
    """Catches two threads that add to one sum."""
    assert len(schedule(fused(lambda x: x.sum(0), normal(4, 5))).sums) == 1
    assert schedule(fused(lambda x: mi.softmax(x), normal(4, 5))).sums == []


def test_memory_that_is_read_in_a_later_walk_is_written_in_the_last(fused):
    """Catches an update in place that a second walk over the row would see."""

    def function(x):
        y = mi.zeros(x.shape).add_(x)
        y.sub_(y.mean(1, keepdims=True))
        return y.sub_(y.max(1, keepdims=True))

    found = schedule(fused(function, normal(4, 5)))
    assert [bool(p.stores) for p in found.passes] == [False] * (len(found.passes) - 1) + [True]


def test_live_numbers_are_arguments(fused):
    """Catches a learning rate that is written into the code."""
    nn = pytest.importorskip("minima.nn", reason="minima-nn is not installed")
    weight = nn.Parameter(normal(3).numpy())
    optimizer = mi.optim.SGD([weight], lr=0.5)

    def step(x):
        loss = (weight * x).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    plan = fused(step, normal(3))
    [numbers] = [s.group.numbers for s in plan.launches() if s.group.numbers]
    assert [live.value for live in numbers.values()] == [-0.5]


# ---- normalisation along scattered axes ----------------------------------------------------------
def channels_last(*shape):
    n, c, h, w = shape
    return mi.asarray(normal(n, h, w, c).numpy().transpose(0, 3, 1, 2))


def test_batch_norm_with_the_channels_last_keeps_only_its_result(fused):
    """Catches a pass that stores what the next one could compute itself."""

    def function(x, w, b):
        return mi.relu(mi.layer_norm(x, w, b, axes=(0, 2, 3)))

    w, b = normal(3, 1, 1), normal(3, 1, 1)
    plan = fused(function, channels_last(4, 3, 5, 5), w, b)
    large = [v for s in plan.launches() for v in s.writes() if v.array.size > 3]
    assert len(large) == 1
    assert sum(isinstance(s, FusedStep) for s in plan.launches()) == len(plan.launches())
    assert len(fused(function, normal(4, 3, 5, 5), w, b).launches()) == 1

"""`minima.compile`: bit for bit as eager, a new plan when it must be, eager where it cannot."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minima as mi
from minima import registry
from minima.compiler import replay
from minima.compiler.function import Compiled
from minima.compiler.plan import Plan


def normal(*shape: int, seed: int = 0) -> mi.Tensor:
    return mi.asarray(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


def same(a: mi.Tensor, b: mi.Tensor) -> bool:
    return a.dtype == b.dtype and np.array_equal(a.numpy(), b.numpy(), equal_nan=True)


def calls(function: Compiled, *args: object, times: int = 4) -> list[mi.Tensor]:
    """Call through warming up, capturing and replaying."""
    return [function(*args) for _ in range(times)]


FUNCTIONS = {
    "chain": lambda x: mi.exp(-x * x) / (1.0 + mi.abs(x)),
    "reductions": lambda x: (x.sum(0), x.mean(1, keepdims=True), x.max(), x.var(axis=0)),
    "views": lambda x: (x.T.reshape(-1)[::2] + 1.0, x[1:, None].squeeze(1)),
    "view of an argument": lambda x: x.T,
    "the argument itself": lambda x: x,
    "twice the same": lambda x: (x * 2.0 + x * 2.0, x * 2.0),
    "softmax": lambda x: mi.softmax(x) @ mi.log_softmax(x).T,
    "constants": lambda x: x + mi.arange(x.shape[1]) * mi.full((1,), 0.5),
    "dictionary": lambda x: {"a": [x + 1, 3], "b": (x - 1,)},
    "written parts": lambda x: _written(x),
    "in place": lambda x: mi.zeros(x.shape).add_(x).mul_(3.0).sub_(1.0),
    "indices": lambda x: x[mi.Tensor(2)] if False else x[[0, 2, 2]],
    "where": lambda x: mi.where(x > 0, x, x * 0.1).clip(-1, 1),
}


def _written(x: mi.Tensor) -> mi.Tensor:
    y = mi.zeros(x.shape)
    y[1:] = x[:-1]
    y[0] += 1.0
    return y


def leaves(value: object) -> list[mi.Tensor]:
    if isinstance(value, mi.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for v in value for t in leaves(v)] if isinstance(value, list | tuple) else []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_replays_equal_eager_bit_for_bit(name):
    function = FUNCTIONS[name]
    compiled = mi.compile(function)
    for seed in range(5):
        x = normal(4, 3, seed=seed)
        for a, b in zip(leaves(compiled(x)), leaves(function(x)), strict=True):
            assert same(a, b)
    assert len(compiled.plans) == 1


def test_results_of_one_call_outlive_the_next():
    double = mi.compile(lambda x: x * 2.0)
    first = [double(mi.ones(3) * float(i)) for i in range(5)]
    assert [t.numpy()[0] for t in first] == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_other_shapes_dtypes_and_plain_arguments_make_other_plans():
    scale = mi.compile(lambda x, by: x * by)
    for x in (mi.ones(2), mi.ones(3), mi.ones(2, dtype="float64")):
        for by in (2.0, 3.0):
            for result in calls(scale, x, by):
                assert same(result, x * by)
    assert len(scale.plans) == 6


def test_a_changed_value_around_the_function_makes_a_new_plan():
    options = {"by": 2.0}
    scale = mi.compile(lambda x: x * options["by"])
    assert calls(scale, mi.ones(1))[-1].item() == 2.0
    options["by"] = 3.0
    assert calls(scale, mi.ones(1))[-1].item() == 3.0
    options["by"] = 2.0
    assert scale(mi.ones(1)).item() == 2.0
    assert len(scale.plans) == 2


def test_a_tensor_around_the_function_is_read_where_it_lies():
    weight = mi.ones(2)
    scale = mi.compile(lambda x: x * weight)
    calls(scale, mi.ones(2))
    weight.fill_(5.0)
    assert scale(mi.ones(2)).tolist() == [5.0, 5.0]


def test_no_grad_has_a_plan_of_its_own():
    function = mi.compile(lambda x: x * 2.0)
    calls(function, mi.ones(1))
    with mi.no_grad():
        calls(function, mi.ones(1))
    assert len(function.plans) == 2


# ---- gradients -----------------------------------------------------------------------------------
def step_for(w: mi.Tensor, clear: bool) -> object:
    def step(x: mi.Tensor) -> mi.Tensor:
        if clear:
            w.grad = None
        loss = mi.tanh(x @ w).sum()
        loss.backward()
        return loss

    return step


@pytest.mark.parametrize("clear", [True, False], ids=["cleared", "accumulated"])
def test_gradients_are_set_or_accumulated_as_eagerly(clear):
    a, b = (mi.asarray(normal(3, 2), copy=True).requires_grad_() for _ in range(2))
    eager, compiled = step_for(a, clear), mi.compile(step_for(b, clear))
    for seed in range(6):
        x = normal(4, 3, seed=seed)
        assert same(eager(x), compiled(x))
        assert same(a.grad, b.grad)


def test_forgetting_the_gradient_outside_is_noticed():
    w = normal(3, 2).requires_grad_()
    compiled = mi.compile(step_for(w, False))
    for _ in range(5):
        w.grad = None
        compiled(mi.ones((4, 3)))
        once = w.grad.numpy().copy()
    compiled(mi.ones((4, 3)))
    np.testing.assert_array_equal(w.grad.numpy(), once + once)


@pytest.mark.parametrize("source", ["argument", "computed"])
def test_a_leaf_of_the_functions_own_needs_one_plan(source):
    """Catch a plan that waits for the gradient of a leaf that is long gone."""

    def function(x):
        leaf = (x if source == "argument" else x * 2.0).detach().requires_grad_()
        (leaf * leaf).sum().backward()
        return leaf.grad

    compiled = mi.compile(function)
    for seed in range(5):
        x = normal(3, seed=seed)
        assert same(compiled(x), function(x))
    assert len(compiled.plans) == 1


def test_a_plan_within_a_plan_is_part_of_it():
    inner = mi.compile(lambda x: x + 1.0)
    outer = mi.compile(lambda x: inner(x) * 2.0)
    assert [t.item() for t in calls(outer, mi.ones(1))] == [4.0] * 4
    assert len(outer.plans) == 1


# ---- random numbers ------------------------------------------------------------------------------
def test_each_replay_draws_anew_and_as_eagerly():
    def noisy(x):
        return x + mi.init.randn(3) + mi.init.randb(3, p=0.5, dtype="float32")

    mi.manual_seed(3)
    expected = [noisy(mi.zeros(3)).tolist() for _ in range(6)]
    compiled = mi.compile(noisy)
    mi.manual_seed(3)
    assert [compiled(mi.zeros(3)).tolist() for _ in range(6)] == expected
    assert len(compiled.plans) == 1


# ---- what cannot be replayed ---------------------------------------------------------------------
KEPT: list[mi.Tensor] = []
COUNT = {"calls": 0}


def branch(x):
    if x.sum() > 0:
        return x
    return -x


def reads(x):
    return x * float(x.max())


def keeps(x):
    y = x + 1
    KEPT[:] = [y]
    return y * 2


def keeps_detached(x):
    y = x + 1
    KEPT[:] = [y.detach()]
    return y * 2


def counts(x):
    COUNT["calls"] += 1
    return x * COUNT["calls"]


def brings_data(x):
    return x + np.arange(3.0)


BREAKS = {
    branch: "bool|numpy",
    reads: "numpy",
    keeps: "kept outside|changed while it ran",
    keeps_detached: "kept outside|changed while it ran",
    counts: "changed while it ran",
    brings_data: "from outside",
}


@pytest.mark.parametrize("function", BREAKS, ids=lambda f: f.__name__)
def test_what_cannot_be_replayed_runs_eagerly_with_one_warning_that_names_it(function):
    compiled = mi.compile(function)
    COUNT["calls"] = 0
    with pytest.warns(mi.CompileWarning, match=BREAKS[function]) as caught:
        results = [compiled(normal(3, seed=s)).tolist() for s in range(5)]
    assert len(caught) == 1
    if function in (branch, reads, brings_data):
        assert "test_function.py" in str(caught[0].message)
    COUNT["calls"] = 0
    assert results == [function(normal(3, seed=s)).tolist() for s in range(5)]
    assert compiled.plans == []


def test_an_error_in_the_function_is_the_users_and_leaves_no_plan():
    compiled = mi.compile(lambda x: x @ mi.ones((5, 2)))
    for _ in range(3):
        with pytest.raises(mi.ShapeError, match="matmul: inner sizes differ"):
            compiled(mi.ones((2, 3)))
    assert compiled.plans == []


def test_too_many_plans_of_one_kind_end_in_eager_with_a_warning():
    options = {"by": 0.0}
    compiled = mi.compile(lambda x: x * options["by"])

    def changing():
        for i in range(40):
            options["by"] = float(i)
            yield compiled(mi.ones(1)).item()

    with pytest.warns(mi.CompileWarning, match="change from call to call"):
        results = list(changing())
    assert results == [float(i) for i in range(40)]


def test_the_number_of_plans_is_bounded():
    compiled = mi.compile(lambda x: x + 1)
    for n in range(1, 40):
        calls(compiled, mi.ones(n), times=2)
    assert len(compiled.plans) == 16


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [(3, mi.ArgumentError, "expected a function"), ("x", mi.ArgumentError, "got 'x'")],
)
def test_bad_arguments(bad, error, words):
    with pytest.raises(error, match=words):
        mi.compile(bad)


def test_an_unknown_executor_is_named_at_once():
    with pytest.raises(mi.PluginError, match="nonsense"):
        mi.compile(lambda x: x, executor="nonsense")


# ---- random programs -----------------------------------------------------------------------------
OPERATIONS = [
    lambda a, b: a + b,
    lambda a, b: mi.tanh(a) * b,
    lambda a, b: a - b * 0.5,
    lambda a, b: mi.maximum(a, b),
    lambda a, b: mi.tanh(a),
    lambda a, b: a.T.T + b.mean(axis=0),
    lambda a, b: mi.relu(mi.tanh(a)) @ mi.tanh(b).T @ mi.tanh(b),
    lambda a, b: a.reshape(-1)[::-1].reshape(4, 3),
    lambda a, b: mi.softmax(a + b, axis=0),
    lambda a, b: mi.concat([a[:2], b[2:]]),
    lambda a, b: a.clone().add_(b).mul_(0.5),
    lambda a, b: a - a.sum(axis=1, keepdims=True),
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(OPERATIONS) - 1), st.integers(0, 9)), max_size=12))
def test_random_programs_with_their_gradients_equal_eager(program):
    def run(x, w):
        w.grad = None
        values = [x, w]
        for operation, other in program:
            values.append(OPERATIONS[operation](values[-1], values[other % len(values)]))
        loss = mi.tanh(values[-1]).sum() + (w * w).sum()
        loss.backward()
        return loss, values[-1]

    a, b = (mi.asarray(normal(4, 3, seed=9), copy=True).requires_grad_() for _ in range(2))
    compiled = mi.compile(run)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(4):
            x = normal(4, 3, seed=seed)
            for one, two in zip(run(x, a), compiled(x, b), strict=True):
                assert same(one.detach(), two)
            assert same(a.grad, b.grad)
    assert len(compiled.plans) == 1


@pytest.fixture
def executors(monkeypatch, site, working):
    """Two executors that work, on the cpu and on ``elsewhere``, and one that is broken."""
    monkeypatch.delenv("MINIMA_EXECUTOR")
    monkeypatch.setattr(replay, "BEST", ("broken", "counting", "absent"))
    hook = "minima_register_executors"
    for name, module, place in (("counting", "good", "cpu"), ("distant", "far", "elsewhere")):
        source = working.format(hook=hook, name=name, obj="executor") + COUNTING
        source += f"executor.devices = ({place!r},)\n"
        site.install(module, f"[minima.executors]\n{name} = {module}\n", **{module: source})
    site.install("bad", "[minima.executors]\nbroken = bad\n", bad="raise RuntimeError('no')")
    registry.rescan()


def test_the_executor_is_the_best_that_works(executors, monkeypatch):
    """Catch a plugin that is not taken, and a broken one that stops everybody."""
    compiled = mi.compile(lambda x: x + 1.0)
    assert [t.item() for t in calls(compiled, mi.ones(1))] == [2.0] * 4
    counting = replay.find_executor("counting")
    assert counting.__globals__["built"] == [1]
    monkeypatch.setattr(replay, "BEST", ("broken", "absent"))
    assert replay.find_executor(None, mi.device("cpu")) is counting
    with pytest.raises(mi.PluginError, match="broken"):
        replay.find_executor("broken")


def test_the_executor_runs_where_the_tensors_lie(executors, monkeypatch):
    """Catch one for another device that is taken unasked, and one for this that is not."""
    elsewhere = mi.devices.Device("elsewhere", 1, xp=np)
    counting, distant = map(replay.find_executor, ("counting", "distant"))
    assert replay.find_executor(None, elsewhere) is distant
    nowhere = mi.devices.Device("nowhere", xp=np)
    assert replay.find_executor(None, nowhere) is replay.numpy_executor
    with pytest.raises(mi.DeviceError, match="'distant' runs on elsewhere, the tensors lie on cpu"):
        replay.find_executor("distant", mi.device("cpu"))
    monkeypatch.setenv("MINIMA_EXECUTOR", "counting")  # where it runs, and else the best
    assert replay.find_executor(None, mi.device("cpu")) is counting
    assert replay.find_executor(None, elsewhere) is distant


def test_buffers_that_numpy_cannot_write_are_refused():
    """Catch a plan whose steps would write to memory of the host."""
    plan = Plan(mi.devices.Device("elsewhere", xp=np, buffer=list))
    with pytest.raises(mi.DeviceError, match="no executor for plans on elsewhere"):
        replay.numpy_executor(plan)


COUNTING = """
from minima.compiler.numpy_executor import numpy_executor

built = []

def executor(plan):
    built.append(1)
    return numpy_executor(plan)
"""


@pytest.mark.parametrize("fresh", [False, True], ids=["same argument", "new arguments"])
@pytest.mark.filterwarnings("ignore::minima.compiler.function.CompileWarning")
def test_gradients_of_arguments_are_theirs(fresh):
    """Catch a replay that writes an argument's gradient anew, or adds it to another's."""

    def step(x):
        loss = (x * x).sum()
        loss.backward()
        return loss

    compiled = mi.compile(step)
    x = mi.Tensor([1.0, 2.0], requires_grad=True)
    other = mi.Tensor([1.0, 2.0], requires_grad=True)
    for i in range(6):
        if fresh and i % 2 == 0:
            x = mi.Tensor([1.0, float(i)], requires_grad=True)
            other = mi.Tensor([1.0, float(i)], requires_grad=True)
        compiled(x)
        step(other)
        assert x.grad.tolist() == other.grad.tolist()


def test_a_view_may_be_the_result():
    """Catch a base that counts as kept outside because the view that is returned holds it."""
    step = mi.compile(lambda x: mi.reshape(x * 2.0, (6,))[1:])
    for i in range(3):
        x = mi.ones((2, 3)) + i
        assert step(x).tolist() == [2.0 * (i + 1)] * 5
    assert len(step.plans) == 1

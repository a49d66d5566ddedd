"""Random programs, special values, and what a plan does to memory."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minima as mi

SHAPES = [(4, 6), (1, 6), (4, 1), (6,), ()]
UNARY = {
    "exp": lambda x: mi.exp(mi.clip(x, -4, 4)),
    "tanh": mi.tanh,
    "relu": mi.relu,
    "gelu": mi.gelu,
    "negative": mi.negative,
    "square root": lambda x: mi.sqrt(mi.abs(x) + 1.0),
    "softmax": lambda x: mi.softmax(x) if x.ndim else mi.sigmoid(x),
    "log_softmax": lambda x: mi.log_softmax(x) if x.ndim else x,
    "layer_norm": lambda x: mi.layer_norm(x, None, None, axes=-1) if x.ndim else x,
    "sum": lambda x: x.sum(-1) if x.ndim else x,
    "mean": lambda x: x.mean(0, keepdims=True) if x.ndim else x,
    "max": lambda x: x.max(-1, keepdims=True) if x.ndim else x,
    "all": lambda x: x.sum() * 0.1,
    "transpose": lambda x: x.T if x.ndim == 2 else x,
    "reshape": lambda x: x.reshape(-1),
    "reverse": lambda x: x[::-1] if x.ndim else x,
    "part": lambda x: x[..., 1:] if x.ndim and x.shape[-1] > 1 else x,
}
BINARY = {
    "add": mi.add,
    "subtract": mi.subtract,
    "multiply": lambda a, b: mi.tanh(a) * mi.tanh(b),
    "divide": lambda a, b: a / (mi.abs(b) + 1.0),
    "maximum": mi.maximum,
    "where": lambda a, b: mi.where(a > b, a, b * 0.5),
    "matmul": lambda a, b: a @ b.T * 0.1 if a.ndim == b.ndim == 2 else a,
}
UPDATES = {
    "add_": lambda t, x: t.add_(x),
    "mul_": lambda t, x: t.mul_(x * 0.5),
    "write": lambda t, x: t.__setitem__(slice(1, None), x[1:]),
    "view": lambda t, x: t.T.add_(x.T),
}
steps = st.one_of(
    st.tuples(st.sampled_from(sorted(UNARY)), st.integers(0, 30)),
    st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 30), st.integers(0, 30)),
    st.tuples(st.sampled_from(sorted(UPDATES)), st.integers(0, 30)),
)


def program(lines):
    """Return the function that runs *lines* on three values, and returns all that it made."""

    def run(*inputs):
        values, target = list(inputs), mi.zeros((4, 6), dtype=inputs[0].dtype)
        for name, *places in lines:
            args = [values[i % len(values)] for i in places]
            try:
                if name in UPDATES:
                    if args[0].shape == (4, 6):
                        UPDATES[name](target, args[0])
                        values.append(target * 1.5)
                else:
                    values.append((UNARY | BINARY)[name](*args))
            except mi.ShapeError:
                continue
        return [*values[len(inputs) :], target]

    return run


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(steps, min_size=1, max_size=14),
    shapes=st.tuples(*[st.sampled_from(SHAPES)] * 3),
    seed=st.integers(0, 5),
)
def test_random_programs(lines, shapes, seed):
    """Catches a group that reads what another step has not written yet, or has written over."""
    rng = np.random.default_rng(seed)
    inputs = [mi.asarray(rng.uniform(-2, 2, s).astype(np.float32)) for s in shapes]
    run = program(lines)
    compiled = mi.compile(run, executor="numba")
    expected = run(*inputs)
    exact = run(*(t.astype("float64") for t in inputs))
    with warnings.catch_warnings():
        warnings.simplefilter("error", mi.CompileWarning)
        for _ in range(3):
            found = compiled(*inputs)
    for a, b, c in zip(found, expected, exact, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        lost = float(np.abs(b.numpy() - c.numpy()).max(initial=0.0))
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=2e-5 + 10 * lost)


nan, inf = float("nan"), float("inf")
SPECIAL = {
    "elementwise": lambda x: mi.relu(x) * 2.0 + mi.maximum(x, 0.5),
    "softmax": mi.softmax,
    "log_softmax": mi.log_softmax,
    "logsumexp": lambda x: mi.logsumexp(x, axis=1),
    "layer_norm": lambda x: mi.layer_norm(x, None, None, axes=-1),
    "reductions": lambda x: (x.sum(0), x.sum(1), x.max(1), x.min(1), x.max(0), x.mean()),
    "functions": lambda x: (mi.exp(x), mi.log(x), mi.tanh(x), mi.erf(x), mi.sigmoid(x), mi.gelu(x)),
    "choices": lambda x: (mi.where(x > 0, x, -x), mi.clip(x, -1, 1), mi.isfinite(x), mi.sign(x)),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_nan_and_infinity_go_the_same_way(name):
    """Catches arithmetic that takes for granted that there are none."""
    rows = [
        [1, nan, 2, 3],
        [inf, 1, 2, 0],
        [-inf, -inf, -inf, -inf],
        [inf, -inf, 0, -1],
        [1, 2, 3, 4],
    ]
    x = mi.Tensor(rows)
    function = SPECIAL[name]
    compiled = mi.compile(function, executor="numba")
    with np.errstate(all="ignore"):
        expected = function(x)
        for _ in range(3):
            found = compiled(x)
    pairs = zip(found, expected) if isinstance(found, tuple) else [(found, expected)]
    for a, b in pairs:
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("name", ["gelu", "softmax", "tanh", "layer_norm"])
def test_large_groups_are_divided_between_threads(name, threads):
    """Catches a part that is left out, or done twice."""
    before = mi.get_num_threads()
    x = mi.asarray(np.random.default_rng(0).standard_normal((1500, 611), dtype=np.float32))
    try:
        mi.set_num_threads(threads)
        compiled = mi.compile(UNARY[name], executor="numba")
        for _ in range(3):
            found = compiled(x)
        np.testing.assert_allclose(found.numpy(), UNARY[name](x).numpy(), rtol=2e-6, atol=2e-6)
    finally:
        mi.set_num_threads(before)


def test_long_sums_are_as_exact_as_numpys():
    """Catches a sum that is taken in one go in single precision."""
    x = np.random.default_rng(0).random((2, 300_000), dtype=np.float32)
    compiled = mi.compile(lambda x: (x.sum(1), x.sum()), executor="numba")
    for _ in range(3):
        rows, whole = compiled(mi.asarray(x))
    np.testing.assert_allclose(rows.numpy(), x.sum(1, dtype=np.float64), rtol=2e-7)
    np.testing.assert_allclose(whole.numpy(), x.sum(dtype=np.float64), rtol=2e-7)


def test_inputs_may_lie_in_another_way_than_those_captured():
    """Catches strides of the captured run that are taken for those of every run."""
    compiled = mi.compile(lambda x, y: (x * 2.0 + y, x @ y), executor="numba")
    base = np.random.default_rng(0).standard_normal((6, 6)).astype(np.float32)
    for x in (base, base, base.T, base[::-1], np.broadcast_to(base[0], (6, 6)), base):
        found = compiled(mi.asarray(x), mi.asarray(base.copy()))
        np.testing.assert_allclose(found[0].numpy(), x * 2 + base, rtol=1e-6)
        np.testing.assert_allclose(found[1].numpy(), x @ base, rtol=1e-5, atol=1e-5)
    assert len(compiled.plans) == 1


STACKS = [
    ((3, 4), (4, 5)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 5, 3, 4), (2, 5, 4, 6)),
    ((2, 1, 3, 4), (5, 4, 6)),
    ((2, 3, 2, 3, 4), (2, 3, 1, 4, 6)),
    ((1, 4), (4, 1)),
    ((4,), (4, 5)),
]


@pytest.mark.parametrize("order", ["plain", "first", "second", "both"])
@pytest.mark.parametrize("shapes", STACKS, ids=str)
def test_products(shapes, order):
    """Catches a flag, a row length or a step from matrix to matrix that is wrong."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s).astype(np.float32) for s in shapes)
    if a.ndim > 1 and order in ("first", "both"):
        a = np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
    if order in ("second", "both"):
        b = np.ascontiguousarray(b.swapaxes(-1, -2)).swapaxes(-1, -2)
    compiled = mi.compile(lambda a, b: a @ b, executor="numba")
    for _ in range(3):
        found = compiled(mi.asarray(a), mi.asarray(b))
    np.testing.assert_allclose(found.numpy(), a @ b, rtol=1e-5, atol=1e-5)
    if a.ndim > 1 and len(shapes[0]) < 5:
        assert "np.matmul" not in compiled.plans[0].source


def test_other_devices_are_refused():
    """Catches loops over memory that is not the cpu's."""
    import minima_numba
    from minima.compiler.plan import Plan

    with pytest.raises(mi.DeviceError, match="executor 'numba' runs on the cpu"):
        minima_numba.executor(Plan(mi.devices.Device("elsewhere", xp=np)))


@pytest.mark.parametrize("target", [-1, 4])
def test_wrong_classes_are_refused_in_a_replay_too(target):
    """Catches a loss that takes no class for one."""
    loss = mi.compile(
        lambda x, y: (mi.cross_entropy(x, y), mi.one_hot(y[:, None].reshape(-1), 4)),
        executor="numba",
    )
    for _ in range(3):
        loss(mi.ones((2, 4)), mi.Tensor([0, 3]))
    with pytest.raises(mi.IndexRangeError, match=f"got class {target}; expected 0 to 3"):
        loss(mi.ones((2, 4)), mi.Tensor([0, target]))


@pytest.mark.parametrize("kind", ["sum", "max", "min"])
def test_sums_are_the_same_on_any_number_of_threads(kind):
    """Catches parts that are added up in another order, or one that is forgotten."""
    before = mi.get_num_threads()
    x = np.random.default_rng(0).standard_normal((9000, 257), dtype=np.float32)
    found = []
    try:
        for threads in (2, 3):
            mi.set_num_threads(threads)
            compiled = mi.compile(
                lambda x: getattr(mi.tanh(x) + mi.exp(x), kind)(0), executor="numba"
            )
            for _ in range(3):
                y = compiled(mi.asarray(x))
            found.append(y.numpy())
    finally:
        mi.set_num_threads(before)
    expected = getattr(np, kind)(np.tanh(x.astype(float)) + np.exp(x.astype(float)), axis=0)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0], expected, rtol=2e-5)

"""Native kernels of recurrent layers: sizes that tiles do not divide, layouts, threads."""

import numpy as np
import pytest

import minima as mi
from minima_numba.writer import KERNELS

#: steps, samples, units: fewer than a vector, one vector and a rest, tiles of unequal rows
SIZES = [(1, 1, 1), (3, 2, 5), (4, 7, 16), (2, 13, 20), (5, 1, 48), (2, 3, 33), (20, 33, 80)]
LARGEST = SIZES[-1]
OPERATORS = {"lstm": 4, "gru": 3}


def inputs(name, sizes, dtype, bias=True):
    """Return gates, states, weight and bias of *name*, so small that errors do not grow."""
    steps, n, size = sizes
    rng = np.random.default_rng(0)
    wide = OPERATORS[name] * size
    shapes = [(steps, n, wide), (n, size), (n, size), (wide, size)]
    if name == "gru":
        shapes = [shapes[0], shapes[1], shapes[3], *[(wide,)] * bias]
    bound = size**-0.5
    return [mi.asarray(rng.uniform(-bound, bound, shape).astype(dtype)) for shape in shapes]


def run(name, lay=lambda tensors: tensors):
    """Return the function that gives the result of *name* and all its gradients."""

    def step(*given):
        given = [t.detach().requires_grad_() for t in given]
        y = getattr(mi, name)(*lay(given))
        weight = mi.reshape(mi.arange(y.size).astype(y.dtype) % 7 - 3.0, y.shape)
        return [y.detach(), *mi.autograd.grad((y * weight).sum(), given)]

    return step


def compiled(step, given):
    """Return what the executor makes of *step*, and the plan."""
    function = mi.compile(step, executor="numba")
    for _ in range(3):
        found = function(*given)
    return [t.numpy() for t in found], function.plans[0]


def check(step, given):
    """Compare with eager; return the lines of the replay."""
    found, plan = compiled(step, given)
    exact = step(*[t.astype("float64") for t in given])
    tolerance = 2e-5 if given[0].dtype == np.float32 else 1e-12
    for a, b in zip(found, exact, strict=True):
        b = b.numpy()
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1, np.abs(b).max(initial=0)))
    return str(plan.source)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", OPERATORS)
def test_sizes(name, sizes, dtype):
    """Catches a tail that is left out or written past its end, and a step that falls back."""
    source = check(run(name), inputs(name, sizes, dtype))
    assert "out=" not in source  # as a call of NumPy's kernels has it


LAYOUTS = {
    "steps backward": lambda g, *rest: (g[::-1], *rest),
    "samples in front": lambda g, *rest: (mi.permute_dims(g.reshape(7, 4, -1), (1, 0, 2)), *rest),
    "gates apart": lambda g, *rest: (mi.concat([g, g], axis=-1)[..., : g.shape[2]], *rest),
    "units apart": lambda g, *rest: (mi.stack([g, g], axis=-1)[..., 0], *rest),
    "states turned": lambda g, h, *rest: (g, (h.T + 0.0).T, *rest),
    "weight turned": lambda g, *rest: (g, *rest[:-1], (rest[-1].T + 0.0).T),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", OPERATORS)
def test_layouts(name, layout):
    """Catches strides that are not those of the operand."""
    check(run(name, lambda t: LAYOUTS[layout](*t)), inputs(name, (4, 7, 16), "float32", bias=False))


@pytest.mark.parametrize("name", OPERATORS)
def test_nothing_to_do(name):
    """Catches a kernel that is called for no steps, or no samples."""
    for sizes in ((0, 2, 3), (2, 0, 3)):
        check(run(name), inputs(name, sizes, "float32"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPERATORS)
def test_threads(name, dtype):
    """Catches a result that depends on how the work is divided."""
    given, before = inputs(name, LARGEST, dtype), mi.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            mi.set_num_threads(count)
            values, plan = compiled(run(name), given)
            found.append(values)
            for step in plan.launches():
                if step.name.startswith(name):
                    assert max(map(len, KERNELS[step.name](step))) >= count
    finally:
        mi.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 4e-7), ("float64", 1e-15)])
def test_gates(dtype, tolerance):
    """Catches a coefficient with a wrong digit, a gate out of its range, NaN that is lost."""
    x = np.concatenate([np.linspace(-100, 100, 999), np.linspace(-10, 10, 9999), [np.inf, -np.inf]])
    x = np.append(x, np.nan).astype(dtype)
    gates, zeros = mi.asarray(np.tile(x[:, None], 4)[None]), mi.zeros((x.size, 1), dtype=dtype)
    ((y,), _) = compiled(
        lambda *g: [mi.lstm(*g)], [gates, zeros, zeros, mi.zeros((4, 1), dtype=dtype)]
    )
    wide = x.astype("float64")
    with np.errstate(over="ignore"):
        sigmoid, tanh = 1 / (1 + np.exp(-wide)), np.tanh(wide)
    for found, exact in zip(y[2:, 0, :, 0], (sigmoid, sigmoid, tanh, sigmoid)):
        np.testing.assert_allclose(found, exact, rtol=0, atol=tolerance)
        inside = found[:-1]
        assert inside.max() <= 1
        assert inside.min() >= (-1 if exact is tanh else 0)
        # near 0 what matters is how many digits are right
        if exact is tanh:
            np.testing.assert_allclose(found, exact, rtol=2 * tolerance)

"""Plans that index by tensors: the indices are inputs, and differ from call to call."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import minima as mi

EXECUTORS = ["numpy", *(n for n in mi.registry.names("executor") if n == "numba")]


def real(*shape):
    return lambda rng: mi.asarray(rng.standard_normal(shape, np.float32)).requires_grad_()


def index(*shape, dtype="int64"):
    return lambda rng: mi.asarray(rng.integers(-3, 3, shape).astype(dtype))


def once(n, size):
    return lambda rng: mi.asarray(rng.permutation(size)[:n])


def mask(*shape):
    return lambda rng: mi.asarray(rng.random(shape) > 0.5)


def written(where, *value):
    """Return a function that writes a value, its last argument if it is not given, in place."""

    def function(x, *others):
        y = x * 2.0
        y[where(*others)] = value[0] if value else others[-1]
        return y * y

    return function


def changed_index(x, i):
    j = i + 0
    y = x[j] * 1.0
    j += 1
    return y * x[j]


def added(x, i):
    y = x * 1.0
    y[i] += 2.0 * x[i]
    return y


X = real(4, 5, 3)
ROWS = {
    "rows": (lambda x, i: x[i] * 2, [X, index(2, 3)]),
    "int32": (lambda x, i: x[i] * 2, [X, index(7, dtype="int32")]),
    "one row": (lambda x, i: x[i] * 2, [X, index()]),
    "columns": (lambda x, i: x[:, i] * 2, [X, index(7)]),
    "last": (lambda x, i: x[..., i] * 2, [X, index(7)]),
    "pairs": (lambda x, i, j: x[i, j] * 2, [X, index(7), index(7)]),
    "apart": (lambda x, i, j: x[i, :, j] * 2, [X, index(7), index(7)]),
    "broadcast": (lambda x, i, j: x[i, j] * 2, [X, index(7, 1), index(2)]),
    "slices and None": (lambda x, i: x[1:, i, None] * 2, [X, index(7)]),
    "number": (lambda x, i: x[0, i] * 2, [X, index(7)]),
    "list": (lambda x, i: x[i, [0, 1]] * 2, [X, index(2)]),
    "an element": (lambda x, i, j, k: x[i, j, k] * 2, [X, index(), index(), index()]),
    "computed": (lambda x, i: x[(i + 1) % 3] * 2, [X, index(7)]),
    "sorted": (lambda x: x[mi.argsort(x[:, 0, 0])] * x, [X]),
    "changed": (changed_index, [X, once(2, 3)]),
    "write a number": (written(lambda i: i, 0.5), [X, index(2)]),
    "write rows": (written(lambda i, v: i), [X, once(2, 4), real(2, 5, 3)]),
    "write columns": (written(lambda i, v: (slice(None), i)), [X, once(2, 5), real(4, 2, 3)]),
    "write pairs": (written(lambda i, j, v: (i, j)), [X, once(2, 4), index(2), real(3)]),
    "add": (added, [X, once(2, 4)]),
    "write by a mask": (written(lambda m: m, 0.5), [X, mask(4)]),
    "mask of all": (written(lambda m: m, 0.5), [X, mask(4, 5, 3)]),
    "mask of columns": (written(lambda m: (slice(None), m), 0.5), [X, mask(5)]),
    "mask at the end": (written(lambda m: (..., m), 0.5), [X, mask(3)]),
    "mask and row": (written(lambda m, v: m), [X, mask(4), real(1, 5, 3)]),
    "mask and values": (written(lambda m, v: (slice(None), m)), [X, mask(5), real(4, 1, 3)]),
    "masked_fill": (lambda x, m: mi.masked_fill(x, m, 2.0) * 2, [X, mask(5, 3)]),
    "index_update": (
        lambda x, i, v: mi.index_update(x, i, v) * 2,
        [X, once(2, 4), real(2, 5, 3)],
    ),
    "update by a mask": (lambda x, m: mi.index_update(x, m, 0.0) * 2, [X, mask(4)]),
    "index_add": (lambda x, i, v: mi.index_add(x, i, v) * 2, [X, index(7), real(7, 5, 3)]),
    "take": (lambda x, i: mi.take(x, i, axis=1) * 2, [X, index(7)]),
    "put_along_axis": (
        lambda x, i: mi.put_along_axis(x, i, 2.0, axis=0) * 2,
        [X, index(1, 5, 3)],
    ),
    "vmap": (lambda x, i: mi.func.vmap(lambda a, j: a[j])(x, i) * 2, [X, index(4, 2)]),
    "vmap, one index": (lambda x, i: mi.func.vmap(lambda a: a[i])(x) * 2, [X, index(2)]),
    "vmap, one x": (lambda x, i: mi.func.vmap(lambda j: x[j])(i) * 2, [X, index(2, 2)]),
}


@pytest.mark.parametrize("inner", [False, True], ids=["outside", "inside"])
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", ROWS)
def test_indices_are_inputs(name, executor, inner):
    """Catches a plan that keeps an index, or what a mask picked, or is not made; so for gradients,
    which are taken outside of the plan or inside of it."""
    function, made = ROWS[name]

    def gradients(*args):
        y = function(*args)
        leaves = [t for t in args if t.requires_grad]
        return [y.detach(), *mi.autograd.grad((y * y).sum(), leaves)]

    compiled = mi.compile(gradients if inner else function, executor=executor)
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", mi.CompileWarning)
        for _ in range(4):
            args = [make(rng) for make in made]
            expected = gradients(*args)
            if inner:
                found = compiled(*args)
            else:
                y = compiled(*args)
                leaves = [t for t in args if t.requires_grad]
                found = [y.detach(), *mi.autograd.grad((y * y).sum(), leaves)]
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)
    assert len(compiled.plans) == 1


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x, i: x[:, i] * 1.0, "getitem"),
        (written(lambda i: (slice(None), i), 1.0), "assign"),
        (lambda x, i: mi.index_update(x, (slice(None), i), 1.0), "(put|index_update)"),
        (lambda x, i: mi.index_add(x, (slice(None), i), 1.0), "(scatter|index_add)"),
    ],
    ids=["getitem", "assign", "put", "scatter"],
)
def test_an_index_out_of_range_in_a_replay(function, name, executor):
    """Catches NumPy's bare error, or one of another name than eager code raises."""
    compiled = mi.compile(function, executor=executor)
    x = mi.ones((2, 3))
    for _ in range(3):
        compiled(x, mi.Tensor([0, 1]))
    assert compiled.plans
    text = f"{name}: index 7 at .* is out of range for axis 1 of size 3; expected -3 to 2"
    for run in (function, compiled):
        with pytest.raises(mi.IndexRangeError, match=text):
            run(x, mi.Tensor([0, 7]))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x, m: x[m].sum(), "takes a mask as an index"),
        (written(lambda m: m, [1.0]), "takes a mask as an index|data in from outside"),
        (lambda x, m: x[np.flatnonzero([True, False, True])], "a NumPy array as an index"),
    ],
    ids=["read by a mask", "write as many", "NumPy"],
)
def test_what_depends_on_values_runs_eagerly(function, text):
    """Catches a plan that keeps how many elements a mask picked, or the user's array."""
    compiled = mi.compile(function)
    x = mi.Tensor([1.0, 2.0, 3.0])
    picks = [mi.Tensor(m) for m in ([True, False, False], [False, True, False], [False] * 3)]
    expected = [function(x, m).tolist() for m in picks]
    with pytest.warns(mi.CompileWarning, match=text):
        found = [compiled(x, m).tolist() for m in picks]
    assert found == expected
    assert not compiled.plans

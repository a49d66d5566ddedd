"""Laws that hold for any shape, index and axis: NumPy is the oracle."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minima as mi

settings.register_profile("core", deadline=None, derandomize=True, database=None)
settings.load_profile("core")

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def numbered(shape, dtype="float64"):
    """Return an array in which every element is another number."""
    return np.arange(1, math.prod(shape) + 1, dtype=dtype).reshape(shape)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4))
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "maximum", "less"])
def test_broadcasting(name, both):
    """Shapes that broadcast give NumPy's result; gradients have the inputs' shapes, and add up."""
    a, b = (numbered(s) for s in both.input_shapes)
    x, y = (mi.asarray(t, copy=True).requires_grad_() for t in (a, b))
    z = getattr(mi, name)(x, y)
    assert z.shape == both.result_shape
    assert np.array_equal(z.numpy(), getattr(np, name)(a, b))
    if name == "add":
        z.sum().backward()
        for t in (x, y):
            assert t.grad.shape == t.shape
            assert (t.grad.numpy() == (z.size / t.size if t.size else 0)).all()


@given(shapes, shapes)
def test_shapes_that_do_not_broadcast(first, second):
    """Exactly the shapes that NumPy refuses are refused, with both of them named."""
    try:
        np.broadcast_shapes(first, second)
    except ValueError:
        with pytest.raises(mi.ShapeError) as caught:
            mi.ones(first) + mi.ones(second)
        assert str(first) in str(caught.value)
        assert str(second) in str(caught.value)
    else:
        assert (mi.ones(first) + mi.ones(second)).ndim == max(len(first), len(second))


@st.composite
def indexed(draw, *, unique=False):
    """Draw a shape and an index that NumPy takes."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    kind = draw(st.sampled_from(["basic", "array", "mixed", "mask"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    if kind == "mask":
        return shape, draw(hnp.arrays(bool, shape[: draw(st.integers(1, len(shape)))]))
    if kind == "array" and not unique:
        part = hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=3)
        return shape, draw(hnp.integer_array_indices(shape, result_shape=part))
    axis = draw(st.integers(0, len(shape) - 1))
    size = shape[axis]
    picked = draw(st.lists(st.integers(0, size - 1), unique=unique, min_size=1, max_size=4))
    before = tuple(draw(st.sampled_from([slice(None), slice(None, None, -1)])) for _ in range(axis))
    return shape, (*before, picked)


@given(indexed())
def test_getitem(drawn):
    """Any index picks what NumPy picks; the gradient counts how often each element was picked."""
    shape, index = drawn
    array = numbered(shape)
    x = mi.asarray(array, copy=True).requires_grad_()
    y = x[index]
    assert np.array_equal(y.numpy(), array[index])
    assert y.shape == array[index].shape
    y.sum().backward()
    counts = np.zeros(shape)
    np.add.at(counts, index, 1.0)
    assert np.array_equal(x.grad.numpy(), counts)


@given(indexed())
def test_getitem_with_tensors(drawn):
    """Index arrays may be Tensors."""
    shape, index = drawn
    parts = index if isinstance(index, tuple) else (index,)
    tensors = tuple(mi.Tensor(p) if isinstance(p, np.ndarray | list) else p for p in parts)
    array = numbered(shape)
    assert np.array_equal(mi.asarray(array)[tensors].numpy(), array[parts])


@given(indexed(unique=True), st.booleans())
def test_setitem(drawn, whole):
    """Assigning writes where NumPy writes, a number or an array, and gradients follow."""
    shape, index = drawn
    array = numbered(shape)
    part = array[index].shape
    value = -numbered(part) if whole else np.float64(-1.0)
    t, source = mi.Tensor(array), mi.Tensor(value, requires_grad=True)
    old = mi.Tensor(array, requires_grad=True)
    array[index] = value
    t[index] = value
    assert np.array_equal(t.numpy(), array)
    recorded = old * 1
    recorded[index] = source
    assert np.array_equal(recorded.numpy(), array)
    (recorded * 3).sum().backward()
    assert source.grad.shape == value.shape
    assert (source.grad.numpy() == (3.0 if whole else 3.0 * math.prod(part))).all()
    kept = np.full(shape, 3.0)
    kept[index] = 0.0
    assert np.array_equal(old.grad.numpy(), kept)


@given(shapes, st.data())
def test_reshape(shape, data):
    """Elements keep their order, one size may be left out, and back again is the same."""
    array = numbered(shape)
    new = data.draw(st.sampled_from(factorings(array.size)))
    x = mi.asarray(array)
    assert np.array_equal(x.reshape(new).numpy(), array.reshape(new))
    assert np.array_equal(x.reshape(new).reshape(shape).numpy(), array)
    if new and array.size:
        place = data.draw(st.integers(0, len(new) - 1))
        assert x.reshape((*new[:place], -1, *new[place + 1 :])).shape == new
    reversed_axes = range(x.ndim)[::-1]  # a layout of which reshape has to make a copy
    turned = x.permute(*reversed_axes).reshape(new)
    assert np.array_equal(turned.numpy(), array.T.reshape(new))


def factorings(size):
    """Return shapes of up to three axes with *size* elements."""
    if not size:
        return [(0,), (2, 0), (0, 3, 1)]
    pairs = [(a, size // a) for a in range(1, size + 1) if size % a == 0]
    return [(size,), *pairs, *((a, 1, b) for a, b in pairs), *([()] if size == 1 else [])]


@given(shapes, st.lists(st.integers(0, 6), max_size=3))
def test_reshape_of_another_size(shape, new):
    """Another number of elements is refused, with both shapes named."""
    assume(math.prod(shape) != math.prod(new))
    with pytest.raises(mi.ShapeError) as caught:
        mi.ones(shape).reshape(tuple(new))
    assert str(tuple(new)) in str(caught.value)
    assert str(shape) in str(caught.value)


@given(shapes, st.data(), st.booleans())
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "var", "all", "any"])
def test_reductions(name, shape, data, keepdims):
    """Along any axes, kept or not, a reduction is NumPy's."""
    axes = (
        st.lists(st.integers(-len(shape), len(shape) - 1), max_size=len(shape))
        if shape
        else st.just([])
    )
    axis = data.draw(st.none() | axes.map(tuple))
    if axis is not None:
        assume(len({a % len(shape) for a in axis}) == len(axis))
    array = numbered(shape) % 7 - 3
    reduced = range(len(shape)) if axis is None else axis
    none = not math.prod(shape[a] for a in reduced)
    x = mi.asarray(array)
    if none and name in ("max", "min"):
        with pytest.raises(mi.ShapeError, match="nothing to choose from"):
            getattr(mi, name)(x, axis, keepdims)
        return
    found = getattr(mi, name)(x, axis, keepdims)
    if none and name in ("mean", "var"):
        assert np.isnan(found.numpy()).all()
        return
    expected = getattr(np, name)(array, axis=axis, keepdims=keepdims)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, 1e-12, 1e-12)


@given(hnp.array_shapes(min_dims=1, max_dims=4, max_side=4), st.data())
def test_permutations(shape, data):
    """Any order of the axes, and the gradient comes back in the old one."""
    axes = data.draw(st.permutations(range(len(shape))))
    array = numbered(shape)
    x = mi.asarray(array, copy=True).requires_grad_()
    y = x.permute(*axes)
    assert np.array_equal(y.numpy(), array.transpose(axes))
    y.backward(mi.asarray(numbered(y.shape)))
    assert np.array_equal(x.grad.numpy(), numbered(y.shape).transpose(np.argsort(axes)))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(-2, 1), st.booleans())
def test_concat_undoes_slicing(sizes, axis, flip):
    """Parts of any size, put together, are the whole; each gets its part of the gradient."""
    shape = [2, 2]
    shape[axis] = sum(sizes)
    array = numbered(tuple(shape))
    cuts = np.cumsum(sizes)[:-1]
    parts = [mi.Tensor(p, requires_grad=True) for p in np.split(array, cuts, axis)]
    whole = mi.concat(parts, axis=axis)
    assert np.array_equal(whole.numpy(), array)
    seed = array[::-1].copy() if flip else array
    whole.backward(mi.asarray(seed))
    for part, expected in zip(parts, np.split(seed, cuts, axis)):
        assert np.array_equal(part.grad.numpy(), expected)


@given(st.lists(st.integers(0, 3), max_size=2), st.lists(st.integers(0, 3), max_size=2), st.data())
def test_matmul(first, second, data):
    """Batches broadcast as in NumPy, also where something is empty; gradients fit."""
    n, k, m = (data.draw(st.integers(0, 3)) for _ in range(3))
    try:
        np.broadcast_shapes(tuple(first), tuple(second))
    except ValueError:
        assume(False)
    a, b = numbered((*first, n, k)), numbered((*second, k, m))
    x, y = (mi.asarray(t, copy=True).requires_grad_() for t in (a, b))
    z = x @ y
    assert np.array_equal(z.numpy(), a @ b)
    z.sum().backward()
    ones = np.ones(z.shape)
    for t, full in ((x, ones @ np.swapaxes(b, -1, -2)), (y, np.swapaxes(a, -1, -2) @ ones)):
        axes = tuple(range(full.ndim - t.ndim))
        summed = full.sum(axes)
        stretched = tuple(i for i, n in enumerate(t.shape) if n == 1 and summed.shape[i] != 1)
        assert np.array_equal(t.grad.numpy(), summed.sum(stretched, keepdims=True))

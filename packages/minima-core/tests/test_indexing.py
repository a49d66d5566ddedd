"""Indices as NumPy has them, reading and writing, and words for each that does not fit."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minima as mi

settings.register_profile("core", deadline=None, derandomize=True, database=None)
settings.load_profile("core")

SHAPE = (4, 3, 2)
MASK = np.array([True, False, True, True])

#: what an index is made of, from integers to masks of no axes
INDICES = {
    "integer": 1,
    "last": -4,
    "numpy integer": np.int32(2),
    "slice": slice(1, 3),
    "step": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "backwards by two": slice(3, 0, -2),
    "too far": slice(-99, 99),
    "none": slice(3, 1),
    "nothing": (),
    "ellipsis": ...,
    "all integers": (1, 2, 0),
    "ellipsis in front": (..., 0),
    "ellipsis within": (1, ..., slice(None, None, -1)),
    "ellipsis for nothing": (1, ..., 2, 0),
    "new axis": (None, 1, None, slice(None), None),
    "array": np.array([0, 2, 2, -1]),
    "unsigned": np.array([0, 3], "uint8"),
    "array of two axes": np.array([[0, 1], [3, 0]]),
    "array of no axes": np.array(2),
    "empty": [],
    "empty of two axes": [[]],
    "nested list": [[0, 1], [2, 3]],
    "tuple within": ((0, 1), 1),
    "two arrays": ([0, 1], [2, 0]),
    "arrays that broadcast": ([[0], [1]], [2, 0]),
    "array and integer": ([0, 1, 3], 1),
    "integer and array": (1, [0, 2]),
    "array behind a slice": (slice(None), [0, 2, 2]),
    "arrays with a slice between": ([0, 1], slice(None), [1, 0]),
    "integer, slice, array": (0, slice(None), [1, 0]),
    "array, new axis, array": ([0, 1], None, [1, 0]),
    "array and ellipsis": ([0, 1], ..., [1, 0]),
    "new axis and array": (None, [0, 1], slice(1)),
    "mask": MASK,
    "mask as a list": [True, False, False, True],
    "mask of all axes": np.arange(24).reshape(SHAPE) % 5 == 0,
    "mask of two axes": np.arange(12).reshape(4, 3) % 2 == 0,
    "mask and integer": (MASK, 1),
    "mask and array": (MASK, [0, 1, 2]),
    "mask behind a slice": (slice(None), [True, False, True]),
    "mask of nothing": np.zeros(4, bool),
    "True": True,
    "False": False,
    "True and a slice": (True, slice(1, 3)),
    "mask of no axes": np.array(True),
    "two masks": (MASK, np.array([True, True, True])),
}


def x_and_array():
    values = np.arange(24, dtype="float64").reshape(SHAPE)
    return mi.Tensor(values, dtype="float64", requires_grad=True), values


def as_tensors(index):
    """Return *index* with Tensors for its arrays and lists."""
    if isinstance(index, tuple):
        return tuple(map(as_tensors, index))
    if isinstance(index, list):
        index = np.array(index, None if index and index != [[]] else int)
    return mi.Tensor(index) if isinstance(index, np.ndarray) else index


def as_arrays(index):
    if isinstance(index, tuple):
        return tuple(map(as_arrays, index))
    return np.array(index, int) if index in ([], [[]]) else index


@pytest.mark.parametrize("convert", [lambda i: i, as_tensors], ids=["given", "tensors"])
@pytest.mark.parametrize("name", INDICES)
def test_reading(name, convert):
    """A part has NumPy's shape and values; its gradient is added up where it came from."""
    index = INDICES[name]
    x, values = x_and_array()
    y = x[convert(index)]
    expected = values[index if not isinstance(index, list) else as_arrays(index)]
    assert y.shape == np.shape(expected)
    assert np.array_equal(y.numpy(), expected)
    g = np.arange(1.0, y.size + 1).reshape(y.shape)
    slopes = np.zeros(SHAPE)
    np.add.at(slopes, index if not isinstance(index, list) else as_arrays(index), g)
    y.backward(g)
    assert np.array_equal(x.grad.numpy(), slopes)


@pytest.mark.parametrize("convert", [lambda i: i, as_tensors], ids=["given", "tensors"])
@pytest.mark.parametrize("name", INDICES)
def test_writing(name, convert):
    """Assigning writes what NumPy writes; gradients go to the value, and to what it left alone."""
    index = INDICES[name]
    found = index if not isinstance(index, list) else as_arrays(index)
    x, values = x_and_array()
    part = values[found].shape
    new = -1.0 - np.arange(np.prod(part, dtype=int)).reshape(part)
    value = mi.Tensor(new, dtype="float64", requires_grad=True)
    y = x * 1.0
    y[convert(index)] = value
    expected = values.copy()
    expected[found] = new
    assert np.array_equal(y.numpy(), expected)
    g = np.arange(1.0, 25).reshape(SHAPE)
    y.backward(g)
    left = g.copy()
    left[found] = 0
    if x.grad is None:  # nothing is left of it
        assert not left.any()
    else:
        assert np.array_equal(x.grad.numpy(), left)
    if len(np.unique(np.arange(24).reshape(SHAPE)[found])) == value.size:
        assert np.array_equal(value.grad.numpy(), g[found])


@pytest.mark.parametrize("name", INDICES)
def test_adding_to_a_part(name):
    """``x[index] += v`` adds once where NumPy adds once, and the slope is 1 for both."""
    index = INDICES[name]
    found = index if not isinstance(index, list) else as_arrays(index)
    x, values = x_and_array()
    y = x * 1.0
    y[index] += 0.5
    values[found] += 0.5
    assert np.array_equal(y.numpy(), values)
    if len(np.unique(np.arange(24).reshape(SHAPE)[found])) == values[found].size:
        y.sum().backward()
        assert np.array_equal(x.grad.numpy(), np.ones(SHAPE))


shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def mixed(shape):
    """Return indices into *shape* that mix slices, integers and arrays."""
    one = [
        st.slices(n)
        if not n
        else st.one_of(
            st.slices(n),
            st.integers(-n, n - 1),
            st.lists(st.integers(-n, n - 1), min_size=2, max_size=2).map(np.array),
            hnp.arrays(bool, n),
        )
        for n in shape
    ]
    return st.integers(0, len(shape)).flatmap(lambda k: st.tuples(*one[:k]))


@settings(max_examples=300)
@given(st.data())
def test_any_index(data):
    """Whatever NumPy takes gives NumPy's part and slopes; what it refuses is an error of minima."""
    shape = data.draw(shapes)
    index = data.draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True),
            mixed(shape),
        )
    )
    values = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    x = mi.Tensor(values, dtype="float64", requires_grad=True)
    try:
        expected = values[index]
    except IndexError:
        with pytest.raises(mi.MinimaError):
            x[index]
        return
    y = x[index]
    assert np.array_equal(y.numpy(), expected)
    slopes = np.zeros(shape)
    np.add.at(slopes, index, 1.0)
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), slopes)
    copy = x.detach().clone()
    copy[index] = 0.0
    values[index] = 0.0
    assert np.array_equal(copy.numpy(), values)


# ---- errors --------------------------------------------------------------------------------------
X = mi.Tensor(np.zeros(SHAPE))
IN_RANGE = "is out of range for axis"

#: an index that fits nothing -> its error, and what that says
BAD = {
    "integer": (4, IndexError, f"index 4 {IN_RANGE} 0 of size 4; expected -4 to 3"),
    "negative": ((0, -4), IndexError, f"index -4 {IN_RANGE} 1 of size 3; expected -3 to 2"),
    "behind ...": ((..., 2), IndexError, f"index 2 {IN_RANGE} 2 of size 2"),
    "behind a new axis": ((None, 0, None, 3), IndexError, f"index 3 {IN_RANGE} 1 of size 3"),
    "behind a mask": ((MASK, 3), IndexError, f"index 3 {IN_RANGE} 1 of size 3"),
    "list": ([0, 9], IndexError, rf"index 9 at \(1,\) of the indices {IN_RANGE} 0 of size 4"),
    "nested": ([[0, 1], [1, -5]], IndexError, rf"index -5 at \(1, 1\) .* {IN_RANGE} 0 of size 4"),
    "tensor": (mi.Tensor([4]), IndexError, rf"index 4 at \(0,\) .* {IN_RANGE} 0 of size 4"),
    "second array": (([0, 1], [0, 3]), IndexError, rf"index 3 at \(1,\) .* {IN_RANGE} 1 of size 3"),
    "array behind ...": ((..., [5]), IndexError, rf"index 5 .* {IN_RANGE} 2 of size 2"),
    "0-d array": (np.array(7), IndexError, f"index 7 {IN_RANGE} 0 of size 4"),
    "too many": ((0, 0, 0, 0), IndexError, r"got 4 indices for shape \(4, 3, 2\)"),
    "too many masks": ((MASK,) * 4, IndexError, "got 4 indices"),
    "two ellipses": ((..., 0, ...), IndexError, "more than one '...'"),
    "mask": ([True, False], IndexError, r"mask of shape \(2,\) for axis 0 of size 4"),
    "mask of two axes": (
        np.ones((4, 2), bool),
        IndexError,
        r"mask of shape \(4, 2\) for the 2 axes",
    ),
    "arrays": (([0, 1, 2], [0, 1]), ValueError, r"shapes \(3,\) and \(2,\) do not broadcast"),
    "mask and array": ((MASK, [0, 1]), ValueError, r"shapes \(3,\) and \(2,\) do not broadcast"),
    "float": (1.0, TypeError, r"got the index 1\.0; expected integers"),
    "floats": ([0.5], TypeError, "index of float64; expected integers or bools"),
    "float tensor": (mi.Tensor([1.0]), TypeError, "index of float32"),
    "float slice": (slice(0.0, 2), TypeError, "got the slice"),
    "text": ("a", TypeError, "got the index 'a'"),
    "texts": (["a"], TypeError, "index of <U1"),
    "ragged": ([[0], [1, 2]], TypeError, "got the index"),
    "step of 0": (slice(None, None, 0), ValueError, "expected a step other than 0"),
}


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
@pytest.mark.parametrize("name", BAD)
def test_bad_index(name, write):
    """An index that does not fit says which, where, and what would; nothing is written."""
    index, error, text = BAD[name]
    x = X.clone()
    call = (lambda: x.__setitem__(index, 1.0)) if write else (lambda: x[index])
    with pytest.raises(error, match=text) as caught:
        call()
    assert isinstance(caught.value, mi.MinimaError)
    assert str(caught.value).startswith("assign: " if write else "getitem: ")
    assert not x.numpy().any()
    assert x.detach().version == 0


def test_an_empty_axis_has_no_index():
    with pytest.raises(IndexError, match="expected none, for the axis is empty"):
        mi.zeros((0, 2))[0]
    with pytest.raises(IndexError, match="expected none, for the axis is empty"):
        mi.zeros((0, 2))[[0]]
    assert mi.zeros((0, 2))[[]].shape == (0, 2)


@pytest.mark.parametrize(
    ("index", "value"),
    [(slice(0, 2), np.zeros((3, 3, 2))), (MASK, np.zeros((2, 3, 2))), ((0, 0, 0), [1.0, 2.0])],
    ids=["slice", "mask", "element"],
)
@pytest.mark.parametrize("recorded", [False, True])
def test_bad_value(index, value, recorded):
    """A value that does not broadcast names both shapes; nothing is written."""
    x = mi.zeros(SHAPE, requires_grad=recorded) * 1.0
    with pytest.raises(mi.ShapeError, match=r"assign: a value of shape .* does not broadcast"):
        x[index] = value
    assert not x.numpy().any()


@pytest.mark.parametrize(
    ("dtype", "value", "holds"),
    [
        ("int64", float("nan"), "-9223372036854775808"),
        ("int32", float("inf"), "2147483647"),
        ("int8", 200, "-128 to 127"),
        ("int8", mi.Tensor([1.0, -129.5]), "-128 to 127"),
        ("uint8", -1, "0 to 255"),
        ("uint64", mi.Tensor([-1, 1]), "0 to"),
    ],
)
def test_numbers_that_integers_cannot_hold(dtype, value, holds):
    """What NumPy would turn into other numbers in silence raises, and says what fits."""
    x = mi.zeros(2, dtype=dtype)
    with pytest.raises(mi.DTypeError, match=rf"assign: cannot write .* into {dtype}.*{holds}"):
        x[:] = value
    assert x.tolist() == [0, 0]


def test_casts_that_are_taken():
    """Floats lose their fraction in integers; all else keeps its value as far as the type goes."""
    x = mi.zeros(2, dtype="int8")
    x[:] = mi.Tensor([1.9, -128.7])
    assert x.tolist() == [1, -128]
    x[0] = True
    assert x.tolist() == [1, -128]
    b = mi.Tensor([False, False])
    b[:] = mi.Tensor([0.5, 0.0])
    assert b.tolist() == [True, False]
    with pytest.raises(mi.DTypeError, match="complex64 into float32; take the real part"):
        mi.zeros(2)[0] = 1j


def test_index_arrays_are_kept_as_they_were():
    """An index changed after the fact, or on the way back, changes no gradient."""
    x = mi.ones(3, requires_grad=True)
    place = np.array([0, 1])
    y, z = x[place], x * 1.0
    z[place] = 0.0
    place[:] = 2
    (y.sum() + z.sum()).backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


def test_gradient_of_the_gradient():
    x = mi.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x**3
    y[1:] *= x[:-1]
    (g,) = mi.autograd.grad(y[[0, 1, 1]].sum(), x, create_graph=True)
    (h,) = mi.autograd.grad(g.sum(), x)
    # y0 + 2 y1 = x0**3 + 2 x1**3 x0
    assert g.tolist() == [3.0 + 16.0, 24.0, 0.0]
    assert h.tolist() == [6.0 + 24.0, 24.0 + 24.0, 0.0]


def test_compiled_with_an_index_that_changes():
    """A plan must not keep the first call's index: it takes it as an input."""
    pick = mi.compile(lambda x, i: mi.take_along_axis(x, i, 0) * 2)
    x = mi.Tensor([1.0, 2.0, 3.0])
    for i in ([0, 1], [2, 2], [1, 0], [0, 0]):
        assert pick(x, mi.Tensor(i)).tolist() == [2 * x.tolist()[k] for k in i]


# ---- functions -----------------------------------------------------------------------------------
def test_repeated_indices_add_up():
    """Catches a gradient that a repeated index overwrites."""
    for function in (
        lambda x, i: mi.take(x, i, axis=0),
        lambda x, i: mi.gather(x, 0, i),
        lambda x, i: mi.index_select(x, 0, i),
        lambda x, i: mi.take_along_axis(x, i, axis=0),
        lambda x, i: x[i],
    ):
        x = mi.Tensor([1.0, 2.0, 3.0], requires_grad=True)
        function(x, mi.Tensor([0, 2, 2, -1])).sum().backward()
        assert x.grad.tolist() == [1.0, 0.0, 3.0]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_scatter_in_place(axis):
    """``scatter_`` and ``scatter_add_`` are loops over the index, as PyTorch states them."""
    rng = np.random.default_rng(0)
    index = rng.permutation(3)[None, :2] if axis else rng.permutation(4)[:2, None]
    src = rng.random(index.shape)
    x = rng.random((4, 3))
    for name in ("scatter_", "scatter_add_"):
        t = mi.asarray(x, copy=True)
        expected = x.copy()
        for place in itertools.product(*map(range, index.shape)):
            there = list(place)
            there[axis] = index[place]
            expected[tuple(there)] = src[place] + (expected[tuple(there)] if "add" in name else 0)
        assert getattr(t, name)(axis, mi.Tensor(index), mi.asarray(src)) is t
        np.testing.assert_allclose(t.numpy(), expected)


BAD_CALLS = {
    "take float": (lambda: mi.take(X, [0.5], axis=0), mi.DTypeError, "take: got indices of float"),
    "take range": (lambda: mi.take(X, [4], axis=0), IndexError, "index 4 .*axis 0 of size 4"),
    "take axis": (lambda: mi.take(X, [0], axis=3), mi.ShapeError, "take: axis 3"),
    "along range": (
        lambda: mi.take_along_axis(X, np.full((4, 3, 1), -3)),
        IndexError,
        "take_along_axis: index -3 is out of range for axis 2 of size 2; expected -2 to 1",
    ),
    "along shape": (
        lambda: mi.take_along_axis(X, [0]),
        mi.ShapeError,
        r"take_along_axis: got indices of shape \(1,\) for shape \(4, 3, 2\)",
    ),
    "gather shape": (lambda: mi.gather(X, 0, np.zeros((1, 9, 1), int)), mi.ShapeError, "gather: "),
    "gather range": (lambda: mi.gather(X, 0, [[[4]]]), IndexError, "index 4 .*axis 0 of size 4"),
    "scatter_add src": (
        lambda: mi.scatter_add(X, 0, np.zeros((2, 1, 1), int), np.zeros((1, 1, 1))),
        mi.ShapeError,
        "scatter_add: got values of shape",
    ),
    "select": (lambda: mi.index_select(X, 0, [[0]]), mi.ShapeError, "index_select: got an index"),
    "fill mask": (lambda: mi.masked_fill(X, [1, 0], 0.0), mi.DTypeError, "mask of int64"),
    "fill shape": (
        lambda: mi.masked_fill(X, [True, False, True], 0.0),
        mi.ShapeError,
        r"mask of shape \(3,\) and shape \(4, 3, 2\) do not broadcast",
    ),
    "nonzero": (lambda: mi.nonzero(mi.Tensor(1.0)), mi.ArgumentError, "at least one axis"),
    "update": (
        lambda: mi.index_update(X, 0, np.zeros(5)),
        mi.ShapeError,
        r"index_update: a value of shape \(5,\) does not broadcast to shape \(3, 2\)",
    ),
    "add": (
        lambda: mi.index_add(X, [9], 1.0),
        IndexError,
        r"index_add: index 9 at \(0,\) of the indices is out of range",
    ),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_call(name):
    call, error, text = BAD_CALLS[name]
    with pytest.raises(error, match=text) as caught:
        call()
    assert isinstance(caught.value, mi.MinimaError)


def test_an_index_out_of_range_on_replay():
    """Catches a bare IndexError of NumPy where a plan looks rows up."""
    rows = mi.compile(lambda i, w: mi.embedding(i, w) * 2)
    weight = mi.ones((3, 2))
    for _ in range(2):
        rows(mi.Tensor([0, 1]), weight)
    with pytest.raises(mi.IndexRangeError, match="embedding: got index 5; expected 0 to 2"):
        rows(mi.Tensor([0, 5]), weight)
    pick = mi.compile(lambda x, i: mi.take_along_axis(x, i, 0))
    for _ in range(2):
        pick(mi.ones(3), mi.Tensor([0]))
    with pytest.raises(mi.IndexRangeError, match="take_along_axis: index 3 is out of range"):
        pick(mi.ones(3), mi.Tensor([3]))

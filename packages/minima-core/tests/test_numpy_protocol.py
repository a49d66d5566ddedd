"""NumPy's functions on Tensors: values by NumPy, Tensors as results, gradients that flow."""

import numpy as np
import pytest

import minima as mi
from minima.errors import ArgumentError, AutogradError, DTypeError, ShapeError
from minima.testing import gradcheck

RNG = np.random.default_rng(0)
M = RNG.uniform(0.5, 2.0, (3, 4))
S = RNG.uniform(0.5, 2.0, (3, 3)) + 3 * np.eye(3)
P = S @ S.T
V = RNG.uniform(0.5, 2.0, 3)
U = RNG.uniform(-0.9, 0.9, (2, 3))
WHOLES = np.array([[5, 2], [7, 4]])
NAN = np.array([1.0, np.nan, np.inf])

UNARY = (
    "negative positive abs absolute fabs sign exp exp2 expm1 log log2 log10 log1p sqrt square "
    "reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh floor ceil trunc "
    "rint isfinite isinf isnan signbit conjugate logical_not"
).split()
BINARY = (
    "add subtract multiply divide true_divide floor_divide remainder mod power maximum minimum "
    "hypot arctan2 logaddexp logaddexp2 copysign nextafter equal not_equal less less_equal greater "
    "greater_equal logical_and logical_or logical_xor"
).split()
WHOLE = "bitwise_and bitwise_or bitwise_xor left_shift right_shift".split()

#: function, arguments in which arrays become Tensors, options
ROWS = [
    ("sum", (M,), {}),
    ("sum", (M,), {"axis": 1, "keepdims": True}),
    ("sum", (M, 0), {}),
    ("prod", (M,), {"axis": 0}),
    ("mean", (M,), {"axis": (0, 1)}),
    ("var", (M,), {"axis": 0, "ddof": 1}),
    ("std", (M,), {"axis": 1}),
    ("max", (M,), {"axis": 1}),
    ("amin", (M,), {}),
    ("all", (M,), {"axis": 0}),
    ("any", (M,), {}),
    ("argmax", (M,), {"axis": 1}),
    ("argmin", (M,), {}),
    ("ptp", (M,), {"axis": 0}),
    ("cumsum", (M,), {"axis": 1}),
    ("cumprod", (M,), {"axis": 0}),
    ("cumulative_sum", (V,), {"include_initial": True}),
    ("median", (M,), {"axis": 1}),
    ("quantile", (M, 0.3), {"axis": 1}),
    ("percentile", (M, 30), {"axis": 1}),
    ("nansum", (NAN,), {}),
    ("nanmax", (NAN,), {}),
    ("diff", (M,), {"n": 2}),
    ("count_nonzero", (M,), {"axis": 0}),
    ("concatenate", ([M, M],), {"axis": 1}),
    ("concatenate", ([M, M], 1), {}),
    ("append", (M, V), {}),
    ("append", (M, M), {"axis": 0}),
    ("average", (M,), {}),
    ("average", (M,), {"axis": 1, "keepdims": True}),
    ("average", (M, 0), {"weights": M * M}),
    ("average", (M, -1), {"weights": np.arange(1.0, M.shape[-1] + 1)}),
    ("flatnonzero", (M,), {}),
    ("unstack", (M,), {"axis": 1}),
    ("astype", (M, "float64"), {}),
    ("round", (M, 1), {}),
    ("around", (M,), {"decimals": -1}),
    ("round", (np.arange(3), 1), {}),
    ("clip", (M,), {"min": V[:1], "max": V[:1] + 1}),
    ("stack", ([M, M],), {"axis": -1}),
    ("vstack", ([V, V],), {}),
    ("hstack", ([V, V],), {}),
    ("dstack", ([V, V],), {}),
    ("column_stack", ([V, V],), {}),
    ("split", (M, 2), {"axis": 1}),
    ("array_split", (M, 3), {"axis": 1}),
    ("reshape", (M, (4, 3)), {}),
    ("reshape", (M, -1), {"order": "C"}),
    ("ravel", (M,), {}),
    ("transpose", (M[None],), {}),
    ("transpose", (M[None], (1, 0, 2)), {}),
    ("permute_dims", (M, (1, 0)), {}),
    ("swapaxes", (M, 0, 1), {}),
    ("moveaxis", (M[None], 0, -1), {}),
    ("expand_dims", (M, 1), {}),
    ("squeeze", (M[None],), {"axis": 0}),
    ("broadcast_to", (V, (2, 3)), {}),
    ("broadcast_arrays", (V, V[:, None]), {}),
    ("flip", (M,), {"axis": 1}),
    ("flip", (M,), {}),
    ("fliplr", (M,), {}),
    ("flipud", (M,), {}),
    ("roll", (M, 2), {"axis": 1}),
    ("roll", (M, 2), {}),
    ("rot90", (M,), {"k": 3}),
    ("tile", (V, (2, 2)), {}),
    ("repeat", (M, 2), {"axis": 1}),
    ("atleast_2d", (V,), {}),
    ("meshgrid", (V, V), {"indexing": "ij"}),
    ("diagonal", (S,), {"offset": 1}),
    ("diag", (V,), {}),
    ("tril", (S,), {"k": -1}),
    ("triu", (S, 1), {}),
    ("trace", (S,), {}),
    ("trace", (RNG.uniform(size=(2, 2, 3)),), {}),
    ("sort", (M,), {"axis": 0}),
    ("argsort", (M,), {}),
    ("searchsorted", (np.sort(V), V), {"side": "right"}),
    ("take", (M, np.array([2, 0])), {"axis": 1}),
    ("take_along_axis", (M, np.argsort(M, 1)), {"axis": 1}),
    ("nan_to_num", (NAN,), {"nan": 1.0, "posinf": 2.0}),
    ("real", (M,), {}),
    ("copy", (M,), {}),
    ("zeros_like", (M,), {}),
    ("ones_like", (M,), {"dtype": "float32"}),
    ("full_like", (M, 2.0), {}),
    ("unique", (WHOLES,), {}),
    ("nonzero", (WHOLES,), {}),
    ("argwhere", (WHOLES,), {}),
    ("isin", (WHOLES, np.array([5])), {"invert": True}),
    ("bincount", (WHOLES.ravel(),), {"minlength": 3}),
    ("where", (M > 1, M, -M), {}),
    ("where", (M > 1,), {}),
    ("clip", (M, 0.7, 1.5), {}),
    ("clip", (M, None, 1.5), {}),
    ("clip", (M,), {"min": 0.7}),
    ("round", (M,), {}),
    ("pad", (M, 1), {"constant_values": 2.0}),
    ("pad", (M, 1), {"mode": "edge"}),
    ("dot", (M, M.T), {}),
    ("dot", (V, V), {}),
    ("dot", (V, 2.0), {}),
    ("dot", (M[None], RNG.uniform(size=(2, 4, 3))), {}),
    ("inner", (M, M), {}),
    ("vdot", (M, M), {}),
    ("tensordot", (M, M), {"axes": ([0], [0])}),
    ("outer", (V, V), {}),
    ("kron", (V, V), {}),
    ("cross", (V, V[::-1].copy()), {}),
    ("einsum", ("ij,kj->ik", M, M), {}),
    ("linalg.norm", (M,), {}),
    ("linalg.norm", (M,), {"axis": 1, "ord": 1}),
    ("linalg.inv", (S,), {}),
    ("linalg.det", (S,), {}),
    ("linalg.slogdet", (S,), {}),
    ("linalg.solve", (S, V[:, None]), {}),
    ("linalg.cholesky", (P,), {}),
    ("linalg.eigvalsh", (P,), {}),
    ("linalg.pinv", (M,), {}),
    ("linalg.matrix_power", (S, 3), {}),
    ("linalg.matrix_rank", (S,), {}),
    ("linalg.multi_dot", ([M, M.T, M],), {}),
    ("linalg.svdvals", (M,), {}),
    ("fft.fft", (M,), {"axis": 0}),
    ("fft.rfft", (M,), {}),
    ("fft.fft2", (M,), {}),
    ("fft.fftshift", (M,), {}),
]


def function(name):
    found = np
    for part in name.split("."):
        found = getattr(found, part)
    return found


def tensors(value):
    """Return *value* with its arrays made Tensors."""
    if isinstance(value, np.ndarray):
        return mi.asarray(value.copy())
    if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        return [tensors(v) for v in value]
    return value


def same(got, expected):
    if isinstance(expected, tuple | list):
        assert len(got) == len(expected)
        for g, e in zip(got, expected):
            same(g, e)
        return
    assert isinstance(got, mi.Tensor)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r[0]}-{','.join(map(str, r[2]))}")
def test_function(row):
    """A function of NumPy gives Tensors with NumPy's values."""
    name, args, options = row
    same(function(name)(*map(tensors, args), **options), function(name)(*args, **options))


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    """A ufunc of one argument does."""
    x = U if name in ("arcsin", "arccos", "arctanh") else M
    same(getattr(np, name)(tensors(x)), getattr(np, name)(x))


@pytest.mark.parametrize("name", BINARY + WHOLE)
def test_binary(name):
    """A ufunc of two does, whichever of them is a Tensor, a number on either side included."""
    a, b = (WHOLES, np.array([[1, 2], [3, 1]])) if name in WHOLE else (M, M[::-1].copy())
    ufunc, number = getattr(np, name), 2 if name in WHOLE else 1.5
    for one, other in ((a, b), (a, number), (number, a)):
        expected = ufunc(one, other)
        same(ufunc(tensors(one), tensors(other)), expected)
    same(ufunc(tensors(a), b), ufunc(a, b))
    same(ufunc(a, tensors(b)), ufunc(a, b))


def test_operands_in_either_order():
    """Arrays and NumPy's numbers beside a Tensor give a Tensor that is recorded."""
    t = mi.Tensor(V, requires_grad=True)
    for y in (V + t, t + V, V * t, V / t, V - t, V @ t, t @ V, np.float64(2) * t, V**t, V // t):
        assert isinstance(y, mi.Tensor)
    for y in (V + t, V * t, V @ t, np.float64(2) * t):
        assert y.requires_grad
    same(V.__lt__(t), np.zeros(3, bool))
    same(np.float32(2) * mi.Tensor([1.0]), [2.0])


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum", "logaddexp"])
def test_methods(name):
    """reduce, accumulate and outer run what does the same here, along axis 0 unless told."""
    ufunc = getattr(np, name)
    for axis in ({}, {"axis": 1}):
        same(ufunc.reduce(tensors(M), **axis), ufunc.reduce(M, **axis))
        same(ufunc.accumulate(tensors(M), **axis), ufunc.accumulate(M, **axis))
    same(ufunc.reduce(tensors(M), axis=None, keepdims=True), ufunc.reduce(M, None, keepdims=True))
    same(ufunc.outer(tensors(V), M), ufunc.outer(V, M))
    same(np.logical_and.reduce(tensors(M > 1)), np.logical_and.reduce(M > 1))


def test_gradients():
    """Results are differentiable: through sums, products, joining and NumPy's linear algebra."""
    x = mi.Tensor(S, requires_grad=True)

    def f(t):
        joined = np.concatenate([np.exp(t / 5), np.sin(t)], axis=1)
        return np.sum(np.dot(joined, joined.T) * np.linalg.inv(t)) + np.mean(np.square(t))

    gradcheck(f, [x])


def test_refusals():
    """What has no counterpart says how to get NumPy's own; out= and where= say what to use."""
    t = mi.Tensor(V)
    with pytest.raises(DTypeError, match=r"np\.interp\(t\.numpy\(\)\)"):
        np.interp(t, t, t)
    with pytest.raises(TypeError, match=r"np\.linalg\.tensorinv\(t\.numpy\(\)\)"):
        np.linalg.tensorinv(t)
    with pytest.raises(DTypeError, match=r"np\.spacing"):
        np.spacing(t)
    with pytest.raises(DTypeError, match=r"np\.add\.reduceat"):
        np.add.reduceat(t, [0, 1])
    with pytest.raises(DTypeError, match=r"np\.exp: got out="):
        np.exp(t, out=np.zeros(3))
    with pytest.raises(DTypeError, match=r"np\.exp: got where=.*mi\.where"):
        np.exp(t, where=V > 1)
    with pytest.raises(DTypeError, match=r"np\.add: dtype="):
        np.add(t, t, dtype="float32")
    with pytest.raises(DTypeError, match=r"np\.sum: got where="):
        np.sum(t, where=V > 1)
    with pytest.raises(DTypeError, match=r"np\.sum: got out="):
        np.sum(t, out=np.zeros(()))
    array = V.copy()
    with pytest.raises(DTypeError, match=r"np\.add: got out="):
        array += t
    with pytest.raises(ShapeError, match=r"np\.average: got weights of shape \(2,\)"):
        np.average(t, axis=0, weights=np.ones(2))
    with pytest.raises(ShapeError, match=r"np\.split: .*array_split"):
        np.split(t, 2)
    with pytest.raises(ArgumentError, match="copyto"):
        np.copyto(t, V)


def test_bare_values():
    """Functions whose result has no gradient run on the values."""
    t = mi.Tensor(V, requires_grad=True)
    assert np.allclose(t, V)
    assert np.array_equal(t, V)
    assert (np.shape(t), np.ndim(t), np.size(t)) == ((3,), 1, 3)
    assert np.result_type(t, np.float32) == np.float64
    array = np.zeros(3)
    np.copyto(array, t.detach())
    np.testing.assert_array_equal(array, V)


def test_asarray():
    """np.asarray gives the values, in the type asked for; not those of what requires grad."""
    t = mi.Tensor(V)
    assert np.shares_memory(np.asarray(t), t.numpy())
    assert np.asarray(t, dtype="float32").dtype == np.float32
    assert not np.shares_memory(np.array(t, copy=True), t.numpy())
    with pytest.raises(ValueError, match="copy"):
        np.asarray(t, dtype="float32", copy=False)
    with pytest.raises(AutogradError, match=r"detach\(\)"):
        np.asarray(t.requires_grad_())
    assert t.__array_priority__ > 0


def test_other_libraries():
    """An operand of a type unknown to both is left to that type."""

    class Other:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "other"

    class Speaks:
        def __array_ufunc__(self, *args, **kwargs):
            return "speaks"

        def __array_function__(self, *args, **kwargs):
            return "speaks"

    assert mi.Tensor(V).__array_ufunc__(np.add, "__call__", mi.Tensor(V), Other()) is NotImplemented
    assert np.add(mi.Tensor(V), Speaks()) == "speaks"
    assert np.concatenate([mi.Tensor(V), Speaks()]) == "speaks"

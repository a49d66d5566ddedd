"""Tensor: what it is made of, what it is, and what its methods do."""

import copy
import pickle

import numpy as np
import pytest

import minima as mi


# ---- made of -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1.0, "float32", ()),
        (1, "int64", ()),
        (True, "bool", ()),
        (1j, "complex64", ()),
        ([1.0, 2], "float32", (2,)),
        ([1, 2], "int64", (2,)),
        ([True, False], "bool", (2,)),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        (((1, 2), (3, 4)), "int64", (2, 2)),
        (range(3), "int64", (3,)),
        (np.zeros(2), "float64", (2,)),
        (np.zeros(2, "float16"), "float16", (2,)),
        (np.zeros((2, 0), "int8"), "int8", (2, 0)),
        (np.float64(1.0), "float64", ()),
        (np.int8(1), "int8", ()),
        ([np.float64(1.0), np.float64(2.0)], "float64", (2,)),
        ([np.zeros(2), np.ones(2)], "float64", (2, 2)),
        (np.zeros(2, ">f4"), "float32", (2,)),
    ],
    ids=repr,
)
def test_made_of(data, dtype, shape):
    """Python numbers take the usual types, arrays keep theirs."""
    t = mi.Tensor(data)
    assert (t.dtype, t.shape) == (np.dtype(dtype), shape)
    assert t.numpy().dtype.isnative
    assert t.device is mi.device("cpu")
    assert np.array_equal(t.numpy(), np.asarray(data))


def test_made_of_tensors():
    """A Tensor keeps its type and is copied; rows of Tensors are stacked."""
    t = mi.Tensor([1, 2], dtype="int8")
    other = mi.Tensor(t)
    other[0] = 9
    assert (t.tolist(), other.dtype) == ([1, 2], np.int8)
    assert mi.Tensor([t, t]).dtype == "int8"
    assert mi.Tensor([t, t]).tolist() == [[1, 2], [1, 2]]
    assert not mi.Tensor(mi.ones(2, requires_grad=True)).requires_grad


@pytest.mark.parametrize("dtype", ["float16", np.float16, np.dtype("float16"), mi.float16])
def test_dtype_names(dtype):
    """A type is named by a string, by NumPy's class or dtype, or by minima's."""
    assert mi.Tensor([1, 2], dtype=dtype).dtype == mi.float16


def test_a_tensor_copies_and_asarray_shares():
    """Tensor() never shares the caller's memory; asarray does unless told."""
    array = np.zeros(2, "float32")
    copied, shared, told = mi.Tensor(array), mi.asarray(array), mi.asarray(array, copy=True)
    array[0] = 1.0
    assert [t.tolist()[0] for t in (copied, shared, told)] == [0.0, 1.0, 0.0]
    assert mi.asarray(shared) is shared
    assert mi.asarray(array, dtype="float64").dtype == "float64"


def test_asarray_without_a_copy():
    """copy=False shares or raises."""
    array = np.zeros(2, "float32")
    assert np.shares_memory(mi.asarray(array, copy=False).numpy(), array)
    for obj, options in (
        ([1.0], {}),
        (array, {"dtype": "int8"}),
        (mi.asarray(array), {"dtype": "int8"}),
    ):
        with pytest.raises(mi.ArgumentError, match="copy=False"):
            mi.asarray(obj, copy=False, **options)


def test_asarray_of_a_tensor_keeps_the_graph():
    """Another dtype is a recorded cast."""
    x = mi.ones(2, requires_grad=True)
    mi.asarray(x, dtype="float64").sum().backward()
    assert x.grad.dtype == "float32"


# ---- what it is ----------------------------------------------------------------------------------
def test_facts():
    """Sizes are counted right, also of nothing."""
    t = mi.zeros((2, 3, 4))
    assert (t.ndim, t.size, t.nbytes, len(t)) == (3, 24, 96, 2)
    assert (mi.zeros((2, 0)).size, mi.Tensor(1.0).size, mi.Tensor(1.0).ndim) == (0, 1, 0)
    assert t.T.shape == t.mT.shape == (2, 4, 3)
    assert isinstance(t.shape, tuple)


def test_numpy_shares_memory():
    """numpy() is no copy on the cpu, of a tensor that requires grad too."""
    t = mi.zeros(2, requires_grad=True)
    t.numpy()[0] = 5.0
    assert t.tolist() == [5.0, 0.0]


def test_data():
    """data is the detached tensor over the same memory; assigning writes the values in."""
    t = mi.zeros(2, requires_grad=True)
    array = t.numpy()
    t.data[0] = 1.0
    assert not t.data.requires_grad
    t.data = mi.Tensor([3.0, 4.0])
    assert (t.tolist(), t.requires_grad) == ([3.0, 4.0], True)
    assert np.shares_memory(array, t.numpy())
    t.data = np.ones(2, "float32")
    assert array.tolist() == [1.0, 1.0]


def test_numbers():
    """One element converts to a Python number."""
    assert (float(mi.Tensor([2.5])), int(mi.Tensor(2.5)), bool(mi.Tensor(0.0))) == (2.5, 2, False)
    assert mi.Tensor([[7]]).item() == 7
    assert type(mi.Tensor([1.5]).item()) is float
    assert [10, 20, 30][mi.Tensor(1)] == 20
    assert mi.Tensor([1, 2]).tolist() == [1, 2]


def test_iteration():
    """Rows one after the other, which differentiate; a tensor of shape () has none."""
    x = mi.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * second).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    with pytest.raises(TypeError, match=r"shape \(\)"):
        iter(mi.Tensor(1.0)).__next__()


def test_numpy_takes_no_gradient_away():
    """np.asarray of a tensor that requires grad raises and says detach."""
    x = mi.ones(2, requires_grad=True)
    for convert in (np.asarray, np.array, lambda t: np.asarray(t * 2)):
        with pytest.raises(mi.AutogradError, match=r"detach\(\)"):
            convert(x)
    assert np.asarray(x.detach()).dtype == "float32"
    assert np.asarray(mi.ones(2), dtype="float64").dtype == "float64"
    assert np.shares_memory(np.asarray(x.detach()), x.numpy())


def test_mixed_with_numpy():
    """NumPy on the left defers to the Tensor, and its scalars do not widen."""
    x = mi.ones(2, requires_grad=True)
    for y in (
        np.ones(2, "float32") + x,
        np.float64(2.0) * x,
        x * np.float64(2.0),
        x / np.float64(2.0),
        np.int64(2) - x,
        x ** np.float64(2.0),
        np.float64(2.0) ** x,
        mi.maximum(x, np.float64(0.5)),
        mi.where(x > np.float64(0.5), x, np.float64(0.0)),
    ):
        assert isinstance(y, mi.Tensor)
        assert y.requires_grad
        assert y.dtype == "float32"
    assert isinstance(np.ones(2) == mi.ones(2), mi.Tensor)
    assert (np.ones((2, 2), "float32") @ x).shape == (2,)


def test_hash_and_identity():
    """Tensors are told apart as keys by identity, whatever their values."""
    a, b = mi.ones(2), mi.ones(2)
    assert {a: 1, b: 2}[b] == 2
    assert len({a, b, a}) == 2
    assert a.__eq__(None) is NotImplemented
    assert (a != None) is True  # noqa: E711


# ---- copies --------------------------------------------------------------------------------------
def test_pickling_is_refused():
    """Nothing here unpickles; the error says what saves a tensor."""
    with pytest.raises(mi.DTypeError, match=r"minima\.io"):
        pickle.dumps(mi.ones(2))


def test_deepcopy_of_leaves():
    """Copies of leaves share nothing, keep flags, gradients and sharing among themselves."""
    x = mi.Tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    first, second = copy.deepcopy([x, x])
    assert first is second
    assert first.requires_grad
    assert first.is_leaf
    assert first.grad.tolist() == [3.0, 3.0]
    first.grad += 1
    first.detach().zero_()
    assert (x.tolist(), x.grad.tolist()) == ([1.0, 2.0], [3.0, 3.0])
    with pytest.raises(mi.AutogradError, match="leaves"):
        copy.deepcopy(x * 2)


def test_deepcopy_of_a_subclass():
    """A subclass stays one, with its attributes."""

    class Named(mi.Tensor):
        pass

    x = Named([1.0], requires_grad=True)
    x.name = ["w"]
    other = copy.deepcopy(x)
    assert type(other) is Named
    assert other.name == ["w"]


def test_clone_is_recorded():
    """clone has memory of its own and passes gradients on; detach neither."""
    x = mi.ones(2, requires_grad=True)
    y = x.clone()
    assert not np.shares_memory(x.numpy(), y.numpy())
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert np.shares_memory(x.numpy(), x.detach().numpy())


def test_to():
    """to() takes a dtype or a device, and is the tensor itself where nothing changes."""
    x = mi.ones(2)
    assert x.to("float64").dtype == x.to(mi.float64).dtype == np.float64
    assert x.to("cpu") is x.to(mi.device("cpu")) is x.to("float32") is x.astype("float32") is x
    assert x.to_device("cpu:0") is x


# ---- printing ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (lambda: mi.Tensor([1.0, 2.5]), "Tensor([1. , 2.5])"),
        (lambda: mi.Tensor([1, 2]), "Tensor([1, 2])"),
        (lambda: mi.Tensor(True), "Tensor(True)"),
        (lambda: mi.ones(1, dtype="float64"), "Tensor([1.], dtype=float64)"),
        (lambda: mi.zeros((0, 2)), "Tensor([], shape=(0, 2))"),
        (lambda: mi.ones(1, requires_grad=True), "Tensor([1.], requires_grad=True)"),
        (lambda: mi.ones(1, requires_grad=True) * 2, "Tensor([2.], grad_fn=<multiply>)"),
        (
            lambda: mi.ones(1, device=mi.Device("toy", xp=np)),
            "Tensor([1.], device='toy')",
        ),
    ],
)
def test_repr(tensor, text):
    """What is not the default is shown."""
    assert repr(tensor()) == text


# ---- methods -------------------------------------------------------------------------------------
A = np.array([[0.5, 1.5, 2.5], [3.5, 4.5, 5.5]])
METHODS = {
    "exp": (lambda t: t.exp(), np.exp),
    "log": (lambda t: t.log(), np.log),
    "sqrt": (lambda t: t.sqrt(), np.sqrt),
    "abs": (lambda t: (-t).abs(), np.abs),
    "builtin abs": (lambda t: abs(-t), np.abs),
    "tanh": (lambda t: t.tanh(), np.tanh),
    "sigmoid": (lambda t: t.sigmoid(), lambda a: 1 / (1 + np.exp(-a))),
    "relu": (lambda t: (t - 2).relu(), lambda a: np.maximum(a - 2, 0)),
    "clip": (lambda t: t.clip(1, 4), lambda a: a.clip(1, 4)),
    "sum": (lambda t: t.sum(axes=(0,)), lambda a: a.sum(0)),
    "mean": (lambda t: t.mean(1, True), lambda a: a.mean(1, keepdims=True)),
    "var": (lambda t: t.var(0, correction=1), lambda a: a.var(0, ddof=1)),
    "max": (lambda t: t.max(axis=1), lambda a: a.max(1)),
    "min": (lambda t: t.min(), lambda a: a.min()),
    "argmax": (lambda t: t.argmax(1), lambda a: a.argmax(1)),
    "argmin": (lambda t: t.argmin(), lambda a: a.argmin()),
    "all": (lambda t: (t > 1).all(0), lambda a: (a > 1).all(0)),
    "any": (lambda t: (t > 5).any(0), lambda a: (a > 5).any(0)),
    "logsumexp": (lambda t: t.logsumexp(1), lambda a: np.logaddexp.reduce(a, axis=1)),
    "softmax": (lambda t: t.softmax(), lambda a: np.exp(a) / np.exp(a).sum(-1, keepdims=True)),
    "log_softmax": (
        lambda t: t.log_softmax(),
        lambda a: a - np.logaddexp.reduce(a, axis=-1, keepdims=True),
    ),
    "reshape": (lambda t: t.reshape(3, -1), lambda a: a.reshape(3, -1)),
    "reshape tuple": (lambda t: t.reshape((6,)), lambda a: a.reshape(6)),
    "broadcast_to": (lambda t: t.broadcast_to(2, 2, 3), lambda a: np.broadcast_to(a, (2, 2, 3))),
    "transpose": (lambda t: t.transpose(), lambda a: a.T),
    "transpose two": (lambda t: t.transpose(0, 1), lambda a: a.T),
    "permute": (lambda t: t.permute(1, 0), lambda a: a.T),
    "expand_dims": (lambda t: t.expand_dims(1), lambda a: a[:, None]),
    "squeeze": (lambda t: t.expand_dims(0).squeeze(), lambda a: a),
    "flatten": (lambda t: t.flatten(), lambda a: a.ravel()),
    "neg": (lambda t: -t, np.negative),
    "pos": (lambda t: +t, np.positive),
    "radd": (lambda t: 1 + t, lambda a: 1 + a),
    "rsub": (lambda t: 1 - t, lambda a: 1 - a),
    "rmul": (lambda t: 2 * t, lambda a: 2 * a),
    "truediv": (lambda t: t / 2, lambda a: a / 2),
    "rtruediv": (lambda t: 1 / t, lambda a: 1 / a),
    "floordiv": (lambda t: t // 2, lambda a: a // 2),
    "rfloordiv": (lambda t: 7 // t, lambda a: 7 // a),
    "mod": (lambda t: t % 2, lambda a: a % 2),
    "rmod": (lambda t: 7 % t, lambda a: 7 % a),
    "pow": (lambda t: t**2, lambda a: a**2),
    "pow tensor": (lambda t: t**t, lambda a: a**a),
    "rpow": (lambda t: 2**t, lambda a: 2**a),
    "matmul": (lambda t: t @ t.T, lambda a: a @ a.T),
    "rmatmul": (lambda t: np.ones((1, 2)) @ t, lambda a: np.ones((1, 2)) @ a),
    "invert": (lambda t: ~(t > 1), lambda a: ~(a > 1)),
    "and": (lambda t: (t > 1) & (t < 5), lambda a: (a > 1) & (a < 5)),
    "or": (lambda t: (t < 1) | (t > 5), lambda a: (a < 1) | (a > 5)),
    "xor": (lambda t: (t < 3) ^ (t > 2), lambda a: (a < 3) ^ (a > 2)),
    "rand": (lambda t: True & (t > 1), lambda a: a > 1),
    "eq": (lambda t: t == 1.5, lambda a: a == 1.5),
    "ne": (lambda t: t != 1.5, lambda a: a != 1.5),
    "le": (lambda t: t <= 1.5, lambda a: a <= 1.5),
    "ge": (lambda t: t >= 1.5, lambda a: a >= 1.5),
    "reflected lt": (lambda t: 1.5 < t, lambda a: a > 1.5),  # noqa: SIM300
}


@pytest.mark.parametrize(("method", "oracle"), METHODS.values(), ids=METHODS)
def test_method(method, oracle):
    """Each method and each operator sign does what its name says, in the tensor's type."""
    found, expected = method(mi.Tensor(A)), oracle(A)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected, 1e-12)


def changed(name, *args, **options):
    def run(t):
        before = t.numpy()
        assert getattr(t, name)(*args, **options) is t
        assert t.numpy() is before or np.shares_memory(t.numpy(), before)
        return t

    return run


B = np.array([10.0, 20.0, 30.0], "float16")  # widens none of the targets
A16 = A.astype("float16")
IN_PLACE = {
    "iadd": (changed("__iadd__", 1), lambda a: a + 1),
    "isub": (changed("__isub__", B), lambda a: a - B),
    "imul": (changed("__imul__", 2.5), lambda a: a * 2.5),
    "itruediv": (changed("__itruediv__", 4), lambda a: a / 4),
    "ipow": (changed("__ipow__", 2), lambda a: a**2),
    "add_": (changed("add_", B, alpha=0.5), lambda a: a + 0.5 * B),
    "add_ one": (changed("add_", B), lambda a: a + B),
    "sub_": (changed("sub_", B, alpha=0.5), lambda a: a - 0.5 * B),
    "sub_ one": (changed("sub_", 1), lambda a: a - 1),
    "mul_": (changed("mul_", B), lambda a: a * B),
    "div_": (changed("div_", B), lambda a: a / B),
    "lerp_": (changed("lerp_", B, 0.25), lambda a: a + 0.25 * (B - a)),
    "addcmul_": (changed("addcmul_", B, B, value=0.5), lambda a: a + 0.5 * B * B),
    "addcdiv_": (changed("addcdiv_", B, A16, value=2), lambda a: a + 2 * B / A),
    "clip_": (changed("clip_", 1, 4), lambda a: a.clip(1, 4)),
    "copy_": (changed("copy_", B), lambda a: np.broadcast_to(B, a.shape)),
    "fill_": (changed("fill_", 7), lambda a: np.full_like(a, 7)),
    "zero_": (changed("zero_"), np.zeros_like),
    "setitem": (lambda t: t.__setitem__(0, 9) or t, lambda a: np.stack([np.full(3, 9.0), a[1]])),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(("change", "oracle"), IN_PLACE.values(), ids=IN_PLACE)
def test_in_place(change, oracle, dtype):
    """In place: the same tensor, the same memory, the same type, one version more."""
    t = mi.Tensor(A, dtype=dtype, requires_grad=True)
    alias = t.detach()
    with mi.no_grad():
        assert change(t) is t
    assert t.dtype == dtype
    assert t.requires_grad
    assert alias.version == 1
    np.testing.assert_allclose(alias.numpy(), oracle(A), 1e-2 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("change", ["add_", "sub_", "mul_", "lerp_", "copy_"])
def test_in_place_with_overlapping_memory(change):
    """A source that overlaps the target is read before it is overwritten."""
    array = np.arange(9.0).reshape(3, 3)
    expected, t = mi.Tensor(array), mi.Tensor(array)
    more = (0.5,) if change == "lerp_" else ()
    getattr(t, change)(t.T, *more)
    getattr(expected, change)(mi.Tensor(array.T.copy()), *more)
    assert t.tolist() == expected.tolist()
    s = mi.Tensor(array)
    s[1:] = s[:-1]
    assert s.tolist() == [*array[:1].tolist(), *array[:-1].tolist()]


def test_creation():
    """The functions of the standard that make tensors give what NumPy gives."""
    assert mi.arange(5).dtype == "int64"
    assert mi.arange(0, 1, 0.25).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert mi.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert mi.linspace(0, 1, 5).tolist() == np.linspace(0, 1, 5).tolist()
    assert mi.linspace(0, 1, 4, endpoint=False).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert mi.eye(2, 3, k=1).tolist() == np.eye(2, 3, 1).tolist()
    assert mi.full((2,), 3).dtype == "int64"
    assert mi.full((2,), 3, dtype="float16").dtype == "float16"
    assert mi.zeros_like(mi.ones(2, dtype="int8")).dtype == "int8"
    assert mi.ones_like(mi.zeros((2, 3)), dtype="bool").shape == (2, 3)
    assert mi.empty((2, 0)).shape == (2, 0)
    assert mi.ones(3).shape == (3,)
    assert mi.zeros((), requires_grad=True).requires_grad

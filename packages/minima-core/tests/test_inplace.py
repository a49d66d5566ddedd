"""In-place methods: what they write, what they say, and what a later backward sees of them."""

import re

import numpy as np
import pytest

import minima as mi
from minima.changing import Changing
from minima.operators import COMPOSITES, TABLE
from minima.testing import gradcheck
from minima.testing.launch import arguments, call
from minima.testing.samples import SAMPLES


def tensor(*values, dtype="float64"):
    return mi.Tensor(list(values), dtype=dtype)


X = np.array([0.4, -0.7, 1.6])
Y = np.array([0.5, 1.5, 2.0])
MASK = np.array([True, False, True])
PLACE = np.array([2, 0])

#: method -> its arguments, and NumPy's answer for x
METHODS = {
    "add_": ([Y], lambda x: x + Y),
    "sub_": ([Y], lambda x: x - Y),
    "mul_": ([Y], lambda x: x * Y),
    "multiply_": ([2.0], lambda x: x * 2),
    "div_": ([Y], lambda x: x / Y),
    "divide_": ([2], lambda x: x / 2),
    "floor_divide_": ([0.5], lambda x: x // 0.5),
    "remainder_": ([0.5], lambda x: x % 0.5),
    "pow_": ([2], lambda x: x**2),
    "maximum_": ([Y], lambda x: np.maximum(x, Y)),
    "minimum_": ([Y], lambda x: np.minimum(x, Y)),
    "lerp_": ([Y, 0.25], lambda x: x + 0.25 * (Y - x)),
    "addcmul_": ([Y, Y, 0.5], lambda x: x + 0.5 * Y * Y),
    "addcdiv_": ([Y, Y, 0.5], lambda x: x + 0.5),
    "clip_": ([-0.5, 1.0], lambda x: np.clip(x, -0.5, 1.0)),
    "clamp_": ([None, 1.0], lambda x: np.minimum(x, 1.0)),
    "abs_": ([], np.abs),
    "ceil_": ([], np.ceil),
    "cos_": ([], np.cos),
    "erf_": ([], lambda x: np.array([0.42839235504666845, -0.6778011938374185, 0.976348383344644])),
    "exp_": ([], np.exp),
    "expm1_": ([], np.expm1),
    "floor_": ([], np.floor),
    "log_": ([], np.log),
    "log10_": ([], np.log10),
    "log1p_": ([], np.log1p),
    "log2_": ([], np.log2),
    "neg_": ([], np.negative),
    "negative_": ([], np.negative),
    "reciprocal_": ([], np.reciprocal),
    "relu_": ([], lambda x: np.maximum(x, 0)),
    "round_": ([], np.round),
    "rsqrt_": ([], lambda x: 1 / np.sqrt(x)),
    "sigmoid_": ([], lambda x: 1 / (1 + np.exp(-x))),
    "sign_": ([], np.sign),
    "sin_": ([], np.sin),
    "sqrt_": ([], np.sqrt),
    "square_": ([], np.square),
    "tan_": ([], np.tan),
    "tanh_": ([], np.tanh),
    "trunc_": ([], np.trunc),
    "copy_": ([Y], lambda x: Y),
    "fill_": ([2.5], lambda x: np.full(3, 2.5)),
    "zero_": ([], np.zeros_like),
    "masked_fill_": ([MASK, 9.0], lambda x: np.where(MASK, 9.0, x)),
    "index_add_": ([0, np.array([1, 1, 2]), Y, 2.0], lambda x: x + np.array([0.0, 4.0, 4.0])),
    "index_copy_": ([0, PLACE, Y[:2]], lambda x: np.array([1.5, x[1], 0.5])),
    "index_fill_": ([0, PLACE, 3.0], lambda x: np.array([3.0, x[1], 3.0])),
    "index_put_": ([PLACE, Y[:2], True], lambda x: x + np.array([1.5, 0.0, 0.5])),
    "scatter_": ([0, PLACE, Y[:2]], lambda x: np.array([1.5, x[1], 0.5])),
    "scatter_add_": ([0, np.array([1, 1]), Y[:2]], lambda x: x + np.array([0.0, 2.0, 0.0])),
}
#: those of integers and bools -> the values before, the argument, NumPy's function
WHOLE = {
    "logical_and_": ([True, False], [True, True], np.logical_and),
    "logical_or_": ([True, False], [False, False], np.logical_or),
    "logical_xor_": ([True, False], [True, True], np.logical_xor),
    "logical_not_": ([True, False], None, np.logical_not),
    "bitwise_and_": ([6, 3], [2, 1], np.bitwise_and),
    "bitwise_or_": ([6, 3], [1, 4], np.bitwise_or),
    "bitwise_xor_": ([6, 3], [2, 1], np.bitwise_xor),
    "bitwise_invert_": ([6, 3], None, np.bitwise_invert),
    "__iand__": ([6, 3], [2, 1], np.bitwise_and),
    "__ior__": ([6, 3], [1, 4], np.bitwise_or),
    "__ixor__": ([6, 3], [2, 1], np.bitwise_xor),
    "__ilshift__": ([6, 3], [2, 1], np.left_shift),
    "__irshift__": ([6, 3], [2, 1], np.right_shift),
    "__ifloordiv__": ([6, -3], [4, 2], np.floor_divide),
    "__imod__": ([6, -3], [4, 2], np.remainder),
    "__iadd__": ([6, 3], [2, 1], np.add),
    "__isub__": ([6, 3], [2, 1], np.subtract),
    "__imul__": ([6, 3], [2, 1], np.multiply),
    "__ipow__": ([6, 3], [2, 1], np.power),
}
ODD = ("__itruediv__", "__imatmul__", "__setitem__")


def test_every_method_is_here():
    """Catches a method without a row, or one whose operator does not exist."""
    names = {n for n, v in vars(Changing).items() if n.endswith("_") and callable(v)}
    assert names == {*METHODS, *WHOLE, *ODD}


def on_device(values):
    return [mi.asarray(v) if isinstance(v, np.ndarray) else v for v in values]


@pytest.mark.parametrize("name", METHODS)
def test_method(name):
    """It writes NumPy's answer into the memory it has, returns the tensor, counts one version."""
    given, oracle = METHODS[name]
    x = mi.asarray(X, copy=True)
    array, alias = x.numpy(), x.detach()
    assert getattr(x, name)(*on_device(given)) is x
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(array, oracle(X), rtol=1e-12)
    assert alias.version == 1


@pytest.mark.parametrize("name", METHODS)
def test_method_on_a_part(name):
    """On a view it writes that part, and nothing around it."""
    given, oracle = METHODS[name]
    wide = np.full((2, 6), 7.0)
    wide[1, ::2] = X
    x = mi.asarray(wide, copy=True)
    getattr(x[1, ::2], name)(*on_device(given))
    with np.errstate(all="ignore"):
        wide[1, ::2] = oracle(X)
    np.testing.assert_allclose(x.numpy(), wide, rtol=1e-12)


STEPS = "floor_divide_ remainder_ ceil_ floor_ round_ sign_ trunc_".split()


@pytest.mark.parametrize("name", [n for n in METHODS if n not in STEPS])
def test_gradient(name):
    """Changed in place while recorded, whole or in part, the slopes are those of the answer."""
    given, _ = METHODS[name]
    numbers = [i for i, v in enumerate(given) if isinstance(v, np.ndarray) and v.dtype.kind == "f"]

    def arguments_of(tensors):
        found = on_device(given)
        for i, t in zip(numbers, tensors):
            found[i] = t
        return found

    def whole(x, *others):
        y = x * 1.0
        return getattr(y, name)(*arguments_of(others)) * 3.0

    def part(x, *others):
        y = mi.stack([x, x * 2.0], axis=1)
        column = y[:, 0]
        getattr(column, name)(*arguments_of(others))
        return y * column.expand_dims(1)

    start = X / 4 if name == "tan_" else X
    start = np.abs(X) if name in ("log_", "log10_", "log1p_", "log2_", "rsqrt_", "sqrt_") else start
    inputs = [
        mi.Tensor(v, dtype="float64", requires_grad=True)
        for v in (start, *(given[i] for i in numbers))
    ]
    gradcheck(whole, inputs)
    gradcheck(part, inputs)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name):
    before, other, oracle = WHOLE[name]
    x = mi.Tensor(before)
    array = x.numpy()
    expected = oracle(np.array(before), *([] if other is None else [np.array(other)]))
    found = getattr(x, name)(*([] if other is None else [mi.Tensor(other)]))
    assert found is x
    assert np.array_equal(array, expected)


def test_augmented_assignment():
    """Each keeps tensor and memory: a name bound to the same tensor sees the change."""
    x = tensor(1.0, 2.0)
    other = x
    x /= 2
    x **= 2
    x += 1
    x -= tensor(0.25, 0.0)
    x *= 4.0
    x //= 1.0
    x %= 5.0
    assert other is x
    assert x.tolist() == [4.0, 3.0]
    m = mi.Tensor([[1.0, 2.0], [3.0, 4.0]])
    n = m
    m @= mi.Tensor([[0.0, 1.0], [1.0, 0.0]])
    assert n is m
    assert m.tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_augmented_assignment_to_parts():
    w = mi.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    x = w * 1.0
    x[1:] += 1
    x[[0, 2]] *= w[1:]
    x[x > 5] /= 2.0
    x[...] **= 2
    assert x.tolist() == [4.0, 9.0, 36.0]
    assert x.detach().version == 1 + 1 + 1 + 1
    x.sum().backward()
    # x0 = (w0 w1)**2, x1 = (w1 + 1)**2, x2 = ((w2 + 1) w2 / 2)**2
    assert w.grad.tolist() == [8.0, 4.0 + 6.0, 2 * 6.0 * 3.5]


def test_a_tensor_by_itself():
    """``x *= x`` reads the x of before, forward and backward."""
    w = mi.Tensor([3.0], requires_grad=True)
    x = w * 1.0
    x *= x
    x += x
    x.backward()
    assert (x.item(), w.grad.item()) == (18.0, 12.0)


INT = mi.Tensor([1, 2])
SMALL = mi.Tensor([1.0, 2.0], dtype="float16")
BAD = {
    "float into integers": (
        lambda: INT.clone().__iadd__(0.5),
        mi.DTypeError,
        r"add: the result has dtype float32; in place it must keep int64: .*x\.astype\('float32'\)",
    ),
    "division": (lambda: INT.clone().__itruediv__(2), mi.DTypeError, "divide: .*must keep int64"),
    "wider": (
        lambda: SMALL.clone().__imul__(mi.ones(2)),
        mi.DTypeError,
        "multiply: the result has dtype float32; in place it must keep float16",
    ),
    "complex": (lambda: mi.ones(1).__iadd__(1j), mi.DTypeError, "complex64; .* keep float32"),
    "larger": (
        lambda: mi.ones(2).__iadd__(mi.ones((3, 2))),
        mi.ShapeError,
        r"add: the result has shape \(3, 2\); in place it must keep \(2,\): make a new tensor",
    ),
    "shapes": (lambda: mi.ones(2).__iadd__(mi.ones(3)), mi.ShapeError, "do not broadcast"),
    "product": (lambda: mi.ones((2, 2)).__imatmul__(mi.ones(2)), mi.ShapeError, "matmul: .*keep"),
    "shift": (lambda: mi.ones(2).__ilshift__(1), mi.MinimaError, "bitwise_left_shift"),
    "fill": (lambda: INT.clone().fill_(float("nan")), mi.DTypeError, "cannot write nan into int64"),
    "scatter": (lambda: mi.ones(2).scatter_(0, [5], 1.0), IndexError, "index 5 .*axis 0 of size 2"),
    "scatter size": (lambda: mi.ones(2).scatter_(0, [[0]], 1.0), mi.ShapeError, "scatter: got"),
    "index_add": (lambda: mi.ones(2).index_add_(0, [[0]], 1.0), mi.ShapeError, "one axis"),
    "index_fill": (
        lambda: mi.ones(2).index_fill_(0, [0.5], 1.0),
        mi.DTypeError,
        "indices of float",
    ),
    "index_copy": (
        lambda: mi.ones(2).index_copy_(1, [0], 1.0),
        mi.ShapeError,
        "copy: axis 1",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_change(name):
    """The error says what does not fit, and the way out."""
    change, error, text = BAD[name]
    with pytest.raises(error, match=text) as caught:
        change()
    assert isinstance(caught.value, mi.MinimaError)


def test_a_failed_change_changes_nothing():
    w = mi.ones(2, requires_grad=True)
    x = w * 2.0
    node = x.grad_fn
    for change in (
        lambda: x.__iadd__(mi.ones((3, 2))),
        lambda: x.__setitem__(5, 1.0),
        lambda: x.__setitem__(0, mi.ones(2)),
    ):
        with pytest.raises(mi.MinimaError):
            change()
    assert x.grad_fn is node
    assert x.tolist() == [2.0, 2.0]
    assert x.detach().version == 0


def test_overwriting_ends_the_graph_before():
    """A buffer that is filled anew at each step does not hold on to the steps before."""
    w = mi.ones(2, requires_grad=True)
    x = w * 2.0
    first = x.grad_fn
    x.copy_(w * 3.0)
    assert first not in x.grad_fn.edges
    x.zero_()
    assert x.requires_grad
    (g,) = mi.autograd.grad(x.sum(), w)
    assert g.tolist() == [0.0, 0.0]


# ---- faults that a later backward must see -------------------------------------------------------
def saving():
    """Return a row, and a place, for each value that the gradient of an operator keeps."""
    found = {}
    for sample in SAMPLES:
        entry = TABLE[sample.operator]
        if not (entry.differentiable and sample.floating):
            continue
        inputs = sample.arrays()
        keeps = entry.save_inputs * len(inputs) if entry.variadic else entry.save_inputs
        for i, (keep, given) in enumerate(zip(keeps, inputs)):
            if keep and isinstance(given, np.ndarray) and given.size:
                found.setdefault((entry.name, i), sample)
        if entry.save_output and sample.expected().size:
            found.setdefault((entry.name, "y"), sample)
    return [pytest.param(s, p, id=f"{name}-{p}") for (name, p), s in found.items()]


@pytest.mark.parametrize(("sample", "place"), saving())
def test_change_after_it_was_kept(sample, place):
    """Backward names the operator, both versions and the way out: it never uses other values."""
    device = mi.device("cpu")
    given = arguments(sample, device, requires_grad=True)
    y = call(sample, given)
    if not y.requires_grad:
        pytest.skip("the result does not depend on the inputs")
    changed = y if place == "y" else given[place]
    with mi.no_grad():
        changed.detach()[...] = 0
    text = rf"backward: a tensor that {sample.operator} needs .* changed in place: it was kept at "
    with pytest.raises(mi.AutogradError, match=text + r"version 0 and is at version 1.*clone\(\)"):
        y.backward(mi.ones(y.shape, dtype=y.dtype))


def test_every_saving_operator_is_in_the_table():
    covered = {p.id.rsplit("-", 1)[0] for p in saving()}
    for name, entry in TABLE.items():
        if entry.differentiable and (any(entry.save_inputs) or entry.save_output):
            assert name in covered, f"{name} keeps values, but no row shows that a change is seen"


def test_names_are_spelled_once():
    """Each one-line method says which operator it runs, and that one exists."""
    for name, method in vars(Changing).items():
        found = re.search(r"`minima\.(\w+)`", getattr(method, "__doc__", None) or "")
        if found:
            assert found[1] in TABLE or found[1] in COMPOSITES, name


def test_what_no_gradient_reads_may_change():
    """A factor that is a constant does not keep the other one, nor a divisor the quotient."""
    w = mi.ones(2, requires_grad=True)
    x = w * 1.0
    y, z = x * 2.0, x / 4.0
    y += z
    x += 5.0
    z += 1.0
    (y.sum() + z.sum()).backward()
    assert w.grad.tolist() == [2.5, 2.5]
    x = w * 1.0
    y = x * w
    x += 1.0
    with pytest.raises(mi.AutogradError, match=r"multiply needs .* changed in place"):
        y.sum().backward()

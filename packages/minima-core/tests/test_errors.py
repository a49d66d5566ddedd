"""Bad calls: the class of the error, and the words that have to be in it."""

import gc
import inspect
import weakref
from contextlib import suppress

import numpy as np
import pytest

import minima as mi
from minima import errors

X = mi.Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
V = mi.Tensor([1.0, 2.0])
IMAGE = mi.ones((1, 2, 4, 4))
TOY = mi.Device("toy", xp=np)
W = mi.ones(2, requires_grad=True)

CALLS = {
    # shapes
    "add": (lambda: X + V, mi.ShapeError, r"add: shapes \(2, 3\) and \(2,\) do not broadcast"),
    "iadd": (lambda: V.__iadd__(X[:, :2]), mi.ShapeError, r"add: "),
    "where": (
        lambda: mi.where(V > 0, X, V),
        mi.ShapeError,
        r"where: shapes \(2,\) and \(2, 3\) and \(2,\) do not broadcast",
    ),
    "matmul": (
        lambda: X @ X,
        mi.ShapeError,
        r"matmul: inner sizes differ: a \(2, 3\), b \(2, 3\); expected a\.shape\[-1\] == b\.shape",
    ),
    "matmul batches": (
        lambda: mi.ones((2, 1, 1)) @ mi.ones((3, 1, 1)),
        mi.ShapeError,
        "batch axes .* do not broadcast",
    ),
    "matmul number": (lambda: mi.Tensor(1.0) @ V, mi.ShapeError, "at least one axis"),
    "linear": (
        lambda: mi.operators.linear(X, X),
        mi.ShapeError,
        r"linear: got x \(2, 3\), weight \(2, 3\)",
    ),
    "linear bias": (
        lambda: mi.operators.linear(X, mi.ones((3, 4)), V),
        mi.ShapeError,
        r"bias of shape \(2,\); expected \(4,\)",
    ),
    "reshape": (
        lambda: X.reshape(4),
        mi.ShapeError,
        r"reshape: cannot make shape \(4,\) of shape \(2, 3\) with 6 elements",
    ),
    "reshape two": (lambda: X.reshape(-1, -1), mi.ShapeError, "at most one -1"),
    "broadcast_to": (
        lambda: X.broadcast_to(3, 2),
        mi.ShapeError,
        r"broadcast_to: cannot broadcast shape \(2, 3\) to \(3, 2\)",
    ),
    "permute": (lambda: X.permute(0), mi.ShapeError, "permute_dims: got 1 axes .* expected 2"),
    "permute twice": (lambda: X.permute(0, 0), mi.ArgumentError, "names an axis twice"),
    "squeeze": (lambda: X.squeeze(0), mi.ShapeError, "axis 0 .* has size 2; expected 1"),
    "axis": (lambda: X.sum(2), mi.ShapeError, "sum: axis 2 is out of range for 2 axes"),
    "axis flag": (lambda: X.sum(True), mi.DTypeError, "sum: got axis True; expected an integer"),
    "keepdims": (
        lambda: X.sum(0, 1),
        mi.DTypeError,
        r"sum: got keepdims 1; expected True or False; several axes .*axis=\(0, 1\)",
    ),
    "keepdims of composites": (lambda: mi.median(X, 0, 1), mi.DTypeError, "median: got keepdims 1"),
    "flag": (
        lambda: mi.sort(X, descending="no"),
        mi.DTypeError,
        "sort: got descending 'no'; expected True or False",
    ),
    "number": (
        lambda: mi.addcmul(X, X, X, value=None),
        mi.DTypeError,
        "addcmul: got value None; expected a number",
    ),
    "number of composites": (
        lambda: mi.leaky_relu(X, None),
        mi.DTypeError,
        "leaky_relu: got negative_slope None",
    ),
    "number with a gradient": (
        lambda: mi.lerp(X, X, weight=W),
        mi.DTypeError,
        r"lerp: got weight float32\[2\]; expected a number, which has no gradient",
    ),
    "part of a composite": (
        lambda: mi.count_nonzero(X, axis="a"),
        mi.DTypeError,
        "^count_nonzero: got axis 'a'; expected an integer",
    ),
    "dtype of an operator": (
        lambda: mi.astype(X, "word"),
        mi.DTypeError,
        "^astype: dtype: got 'wo",
    ),
    "fraction of a diagonal": (
        lambda: mi.tril(X, k=0.5),
        mi.DTypeError,
        "tril: got k 0.5; expected",
    ),
    "fraction in an offset": (lambda: mi.diag(V, 1.5), mi.DTypeError, "diag: got offset 1.5"),
    "least length": (
        lambda: mi.bincount(mi.Tensor([1]), minlength=-3),
        mi.ArgumentError,
        "bincount: got minlength -3; expected at least 0",
    ),
    "none for a composite": (lambda: mi.mish(None), mi.DTypeError, "mish: got None for x"),
    "axis of a number": (lambda: mi.Tensor(1.0).sum(0), mi.ShapeError, r"sum: .*shape \(\)"),
    "axis twice": (lambda: X.mean((0, -2)), mi.ArgumentError, "mean: .*names an axis twice"),
    "axis type": (lambda: X.max("0"), mi.DTypeError, "max: got axis '0'; expected an integer"),
    "max of none": (lambda: mi.ones((0, 2)).max(0), mi.ShapeError, "max: .*nothing to choose from"),
    "argmax of none": (lambda: mi.ones((0,)).argmax(), mi.ShapeError, "argmax: .*nothing to"),
    "concat": (
        lambda: mi.concat([X, V]),
        mi.ShapeError,
        r"concat: got shapes \(2, 3\), \(2,\); expected the same number of axes",
    ),
    "concat sizes": (
        lambda: mi.concat([X, mi.ones((2, 2))]),
        mi.ShapeError,
        r"concat: input 1 has shape \(2, 2\), the first \(2, 3\)",
    ),
    "concat none": (lambda: mi.concat([]), mi.ArgumentError, "concat: got no tensors"),
    "stack": (lambda: mi.stack([V, X[0]]), mi.ShapeError, r"stack: input 1 has shape \(3,\)"),
    "flatten": (lambda: X.flatten(1, 0), mi.ArgumentError, "start_dim 1 lies behind end_dim 0"),
    "conv2d": (
        lambda: mi.operators.conv2d(IMAGE, mi.ones((3, 1, 2, 2))),
        mi.ShapeError,
        r"conv2d: got x \(1, 2, 4, 4\), weight \(3, 1, 2, 2\), groups 1",
    ),
    "conv2d axes": (lambda: mi.operators.conv2d(X, X), mi.ShapeError, r"\(N, C, H, W\)"),
    "conv2d size": (
        lambda: mi.operators.conv2d(IMAGE, mi.ones((1, 2, 5, 5))),
        mi.ShapeError,
        "a window of size 5 .* does not fit into 4",
    ),
    "conv2d stride": (
        lambda: mi.operators.conv2d(IMAGE, mi.ones((1, 2, 2, 2)), stride=0),
        mi.ArgumentError,
        "conv2d: got stride 0; expected at least 1",
    ),
    "conv2d bias": (
        lambda: mi.operators.conv2d(IMAGE, mi.ones((1, 2, 2, 2)), V),
        mi.ShapeError,
        r"bias of shape \(2,\); expected \(1,\)",
    ),
    "pool": (lambda: mi.operators.max_pool2d(X, 2), mi.ShapeError, "max_pool2d: got x of shape"),
    "pool padding": (
        lambda: mi.operators.avg_pool2d(IMAGE, 2, padding=2),
        mi.ArgumentError,
        "padding 2 for kernel_size 2; expected at most half",
    ),
    "pool kernel": (
        lambda: mi.operators.max_pool2d(IMAGE, (2, 2, 2)),
        mi.DTypeError,
        r"kernel_size \(2, 2, 2\); expected an integer or 2 of them",
    ),
    "layer_norm": (
        lambda: mi.operators.layer_norm(X, V),
        mi.ShapeError,
        r"layer_norm: weight of shape \(2,\) does not broadcast to x \(2, 3\)",
    ),
    "batch_norm": (
        lambda: mi.operators.batch_norm(X, V, V),
        mi.ShapeError,
        r"batch_norm: got mean of shape \(2,\) for x \(2, 3\); expected \(3,\)",
    ),
    "cross_entropy": (
        lambda: mi.cross_entropy(X, mi.Tensor([0, 1, 2])),
        mi.ShapeError,
        r"cross_entropy: got logits \(2, 3\) and targets \(3,\)",
    ),
    "cross_entropy class": (
        lambda: mi.cross_entropy(X, mi.Tensor([0, 3])),
        mi.IndexRangeError,
        "cross_entropy: got class 3; expected 0 to 2",
    ),
    "cross_entropy float": (
        lambda: mi.cross_entropy(X, mi.Tensor([0.0, 1.0])),
        mi.DTypeError,
        r"float32; expected integers: use \.astype\('int64'\)",
    ),
    "cross_entropy reduction": (
        lambda: mi.cross_entropy(X, mi.Tensor([0, 1]), reduction="max"),
        mi.ArgumentError,
        "'max'; expected one of mean, sum, none",
    ),
    "cross_entropy smoothing": (
        lambda: mi.cross_entropy(X, mi.Tensor([0, 1]), label_smoothing=1.5),
        mi.ArgumentError,
        "label_smoothing 1.5; expected 0 to 1",
    ),
    "full": (lambda: mi.ones((-1,)), mi.ShapeError, r"shape \(-1,\); expected"),
    # indices
    "index": (
        lambda: X[2],
        mi.IndexRangeError,
        "getitem: index 2 is out of range for axis 0 of size 2; expected -2 to 1",
    ),
    "index axis": (lambda: X[0, ..., -4], mi.IndexRangeError, "index -4 .* axis 1 of size 3"),
    "index count": (lambda: X[0, 0, 0], mi.IndexRangeError, r"3 indices for shape \(2, 3\)"),
    "index array": (lambda: X[[0, 5]], mi.IndexRangeError, "getitem: index 5 .*axis 0 of size 2"),
    "index mask": (lambda: X[V > 0, V > 0, V > 0], mi.IndexRangeError, "getitem: "),
    "index float": (lambda: X[1.5], mi.DTypeError, "getitem: got the index 1.5"),
    "index float tensor": (lambda: X[V], mi.DTypeError, "index of float32; expected integers"),
    "index name": (lambda: X["a"], mi.DTypeError, "getitem: got the index 'a'"),
    "setitem": (lambda: X.clone().__setitem__(5, 1.0), mi.IndexRangeError, "index 5"),
    "setitem shape": (
        lambda: X.clone().__setitem__(0, V),
        mi.ShapeError,
        "assign: a value of shape",
    ),
    "one_hot": (lambda: mi.one_hot(V, 3), mi.DTypeError, "one_hot: got class indices of float32"),
    "one_hot classes": (lambda: mi.one_hot(mi.Tensor([0]), 0), mi.ArgumentError, "positive"),
    # types
    "text": (lambda: mi.Tensor("abc"), mi.DTypeError, "Tensor: .*str.*expected numbers"),
    "nothing": (lambda: mi.Tensor(None), mi.DTypeError, "NoneType.*expected numbers"),
    "ragged": (lambda: mi.Tensor([[1], [1, 2]]), mi.DTypeError, "cannot make a tensor of list"),
    "objects": (lambda: mi.Tensor([object()]), mi.DTypeError, "object"),
    "huge": (lambda: mi.Tensor(10**30), mi.DTypeError, "expected numbers"),
    "dtype": (lambda: V.astype("float33"), mi.DTypeError, "'float33'; expected one of"),
    "add text": (lambda: V + "a", mi.DTypeError, "add: cannot make a tensor of str"),
    "add none": (lambda: V + None, mi.DTypeError, "add: got None for b; expected"),
    "small integer": (
        lambda: mi.ones(2, dtype="int8") + 300,
        mi.DTypeError,
        r"300 does not fit into int8.*astype",
    ),
    "unsigned": (
        lambda: mi.ones(2, dtype="uint8") * -1,
        mi.DTypeError,
        "-1 does not fit into uint8",
    ),
    "negative bool": (lambda: -(V > 0), mi.DTypeError, "negative: "),
    "bits of floats": (lambda: V & V, mi.DTypeError, "bitwise_and: .*float32"),
    "where condition": (lambda: mi.where(V, V, V), mi.DTypeError, "condition has dtype float32"),
    "clip tensor in place": (lambda: V.clip_(V), mi.DTypeError, "clip: min=.*mi.clip"),
    "clip by another kind": (
        lambda: mi.arange(3).clip(mi.ones(3)),
        mi.DTypeError,
        "clip: min has dtype float32",
    ),
    "clip fraction": (lambda: mi.arange(3).clip(0.5), mi.DTypeError, "min=0.5 does not fit into"),
    "power": (lambda: mi.arange(3) ** -1, mi.DTypeError, r"int64 to the power -1 .*astype"),
    "gelu": (lambda: mi.gelu(V, "fast"), mi.ArgumentError, "'fast'; expected 'none' or 'tanh'"),
    "in place type": (
        lambda: mi.arange(3).__itruediv__(2),
        mi.DTypeError,
        "divide: .*float32; in place it must keep int64",
    ),
    "in place shape": (
        lambda: mi.ones(1).__iadd__(V),
        mi.ShapeError,
        "add: ",
    ),
    "in place of a list": (
        lambda: mi.operators.in_place("add", [1.0], 1),
        mi.DTypeError,
        "add: got list; expected a Tensor",
    ),
    "complex softmax": (
        lambda: mi.operators.softmax(mi.Tensor([1j])),
        mi.DTypeError,
        r"softmax: got complex64\[1\]; expected real numbers: .*mi\.real",
    ),
    "complex cast": (
        lambda: mi.Tensor([1j]).astype("float32"),
        mi.DTypeError,
        "astype: complex64 to float32 would drop the imaginary part",
    ),
    "assigned complex": (
        lambda: V.clone().copy_(mi.Tensor([1j, 1j])),
        mi.DTypeError,
        "cannot write complex64 into float32",
    ),
    # calls
    "option": (lambda: mi.mean(V, axiss=1), mi.ArgumentError, "mean: .*axiss.*expected mean"),
    "missing": (lambda: mi.where(V > 0), mi.ArgumentError, "where: missing .*expected where"),
    # conversions
    "truth": (lambda: bool(V), mi.ShapeError, r"truth of a tensor of shape \(2,\) is ambiguous"),
    "if": (lambda: 1 if V == V else 0, mi.ShapeError, r"mi\.any\(.*mi\.all\("),
    "item": (lambda: V.item(), mi.ShapeError, r"item: got shape \(2,\)"),
    "float": (lambda: float(V), mi.ShapeError, r"shape \(2,\)"),
    "as index": (lambda: [1][mi.Tensor(0.0)], mi.DTypeError, r"index: got float32"),
    "len": (lambda: len(mi.Tensor(1.0)), mi.DTypeError, r"len: .*shape \(\)"),
    "data shape": (lambda: setattr(V.clone(), "data", X), mi.ShapeError, r"data: .*shape \(2, 3\)"),
    "data dtype": (
        lambda: setattr(V.clone(), "data", np.ones(2)),
        mi.MinimaError,
        "dtype float64 to one of dtype float32",
    ),
    # devices
    "device": (
        lambda: mi.ones(2, device="tpu"),
        mi.DeviceError,
        "no device 'tpu' here; known: .*cpu",
    ),
    "device number": (lambda: mi.device("cpu:1"), mi.DeviceError, "no device 'cpu:1'"),
    "device name": (lambda: mi.device("cuda:x"), mi.DeviceError, "NAME:INDEX"),
    "device type": (lambda: mi.device(3), mi.DeviceError, "device: got 3"),
    "two devices": (
        lambda: V + mi.ones(2, device=TOY),
        mi.DeviceError,
        r"add: inputs lie on cpu and toy.*\.to\('cpu'\)",
    ),
    "assigned from another": (
        lambda: V.clone().copy_(mi.ones(2, device=TOY)),
        mi.DeviceError,
        r"assign: .* lie on cpu and toy.*\.to\('cpu'\)",
    ),
    # gradients
    "no grad": (
        lambda: V.sum().backward(),
        mi.AutogradError,
        "does not require grad.*requires_grad=True",
    ),
    "no grad mode": (
        lambda: mi.no_grad()(lambda: W * 2)().sum().backward(),
        mi.AutogradError,
        r"outside of no_grad\(\)",
    ),
    "vector": (lambda: (W * 2).backward(), mi.AutogradError, r"shape \(2,\) needs its gradient"),
    "gradient shape": (
        lambda: (W * 2).backward(X),
        mi.ShapeError,
        r"gradient has shape \(2, 3\), its output \(2,\)",
    ),
    "gradients": (
        lambda: mi.autograd.backward([W * 2, W], [V]),
        mi.AutogradError,
        "got 1 gradients for 2 outputs",
    ),
    "grad input": (
        lambda: mi.autograd.grad((W * 2).sum(), V),
        mi.AutogradError,
        "grad: the input .*does not require grad",
    ),
    "grad of a list": (
        lambda: mi.autograd.grad([1.0], W),
        mi.AutogradError,
        "outputs must be Tensors; got float",
    ),
    "hook": (lambda: V.register_hook(print), mi.AutogradError, "does not require grad"),
    # the table
    "kernel set": (lambda: mi.use_kernels("none such"), mi.PluginError, "none such"),
    "operator name": (
        lambda: mi.operators.operator(same_name()),
        mi.ArgumentError,
        "'exp' is taken",
    ),
    "operator docstring": (
        lambda: mi.operators.operator(silent),
        mi.ArgumentError,
        "'silent' has no docstring",
    ),
    "saves": (
        lambda: mi.exp.gradient(saves="z")(silent),
        mi.ArgumentError,
        "saves='z' names no input",
    ),
}


def same_name():
    def exp(xp, x: mi.operators.Array):
        """Say something."""

    return exp


def silent(xp, x: mi.operators.Array): ...


@pytest.mark.parametrize(("call", "error", "words"), CALLS.values(), ids=CALLS)
def test_bad_call(call, error, words):
    """The right class, one sentence, with operation, what it got, and what to do."""
    with np.errstate(all="ignore"), pytest.raises(error, match=words) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text.strip()
    assert isinstance(caught.value, mi.MinimaError)


@pytest.mark.parametrize("call", [lambda: mi.exp(V, 1), lambda: mi.exp()])
def test_number_of_arguments(call):
    """Too many or too few arguments name the operator, not the function behind it."""
    with pytest.raises(TypeError, match=r"exp\(\)"):
        call()


@pytest.mark.parametrize("name", errors.__all__)
def test_classes(name):
    """Each error is caught as a MinimaError and as the builtin that fits, and says when."""
    error = getattr(mi, name)
    assert issubclass(error, mi.MinimaError)
    if error is not mi.MinimaError:
        builtin = [b for b in error.__mro__ if b.__module__ == "builtins"]
        assert builtin[0] not in (Exception, BaseException)
    assert inspect.getdoc(error)


def test_an_error_is_not_its_own_cause():
    """Fault: a cycle that keeps the tensors of every frame alive."""
    with pytest.raises(mi.IndexRangeError) as caught:
        mi.one_hot(mi.Tensor([3]), 2)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + mi.ones((2, 5)),
        lambda x: mi.one_hot(x.astype("int64"), 1),
        lambda x: mi.tile(x, "twice"),
        lambda x: x.flatten(7),
    ],
    ids=["kernel", "own", "composite", "method"],
)
def test_an_error_that_was_caught_keeps_no_tensor(call):
    """Fault: a frame that holds the error which holds the frame, and with it what it worked on."""
    x = mi.ones((2, 3))
    held = weakref.ref(x)
    gc.disable()
    try:
        with suppress(mi.MinimaError):
            call(x)
        del x
        assert held() is None
    finally:
        gc.enable()

"""The operators on the cpu, and their reference kernels: what conformance asks of any device."""

import warnings

import numpy as np
import pytest

import minima as mi
from minima.operators import TABLE
from minima.testing.conformance import *  # noqa: F403
from minima.testing.conformance import close, result_dtype
from minima.testing.launch import arguments, call, gradients
from minima.testing.samples import SAMPLES

#: NumPy and not one kernel of its own: the reference kernels
REFERENCE = mi.Device("reference", xp=np)


@pytest.fixture(scope="session")
def minima_device():
    """Judge the cpu, whatever the option says."""
    return mi.device("cpu")


def samples_of(name):
    return [s for s in SAMPLES if s.operator == name]


@pytest.mark.parametrize("name", list(TABLE))
def test_reference_kernel(name):
    """A device with only a namespace gets the same values and types as the cpu's own kernels."""
    for sample in samples_of(name):
        for dtype in ("float64", "float32", "float16") if sample.floating else ("float64",):
            with np.errstate(all="ignore"):
                y = call(sample, arguments(sample, REFERENCE, dtype))
            assert y.dtype == result_dtype(sample, dtype), sample.id
            close(y.numpy(), sample.expected(dtype), f"{sample.id} {dtype}")


@pytest.mark.parametrize("name", [n for n, e in TABLE.items() if e.differentiable])
def test_reference_gradient(name):
    """The gradients too, and they stay float32."""
    for sample in samples_of(name):
        if not sample.floating or sample.expected().dtype.kind != "f":
            continue
        with np.errstate(all="ignore"):
            found, expected, exact = (
                gradients(sample, arguments(sample, device, dtype, requires_grad=True))
                for device, dtype in (
                    (REFERENCE, "float32"),
                    (mi.device("cpu"), "float32"),
                    (REFERENCE, "float64"),
                )
            )
        for g, e, x in zip(found, expected, exact):
            if g is not None:
                assert g.dtype == "float32", sample.id
                found_, expected_, exact_ = (t.numpy() for t in (g, e, x))
                # where terms cancel, as in a gradient that is 0, both keep only rounding errors
                lost = np.abs(found_ - exact_)[np.isfinite(exact_) & np.isfinite(found_)]
                atol = max(1e-6, 4 * float(lost.max(initial=0.0)))
                np.testing.assert_allclose(found_, expected_, 1e-5, atol, err_msg=sample.id)


@pytest.mark.parametrize("name", list(TABLE))
def test_no_warning(name):
    """Results that are NaN or infinite by rights come without a warning, on the cpu."""
    with np.errstate(all="warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for sample in samples_of(name):
            if not sample.warns:
                call(sample, arguments(sample, mi.device("cpu"), "float32"))


@pytest.mark.parametrize(
    ("name", "inputs", "attrs"),
    [
        ("add_scaled", 2, {"value": 2.0}),
        ("addcmul", 3, {"value": 2.0}),
        ("addcdiv", 3, {"value": 2.0}),
        ("lerp", 2, {"weight": 0.5}),
        ("clip", 1, {"min": 0.0, "max": 1.0}),
        ("power_scalar", 1, {"scalar": 2.5}),
        ("var", 1, {"correction": 1.0}),
        ("layer_norm", 1, {"eps": 1e-5}),
    ],
)
@pytest.mark.parametrize("device", [mi.device("cpu"), REFERENCE], ids=str)
def test_numpy_options_do_not_widen(name, inputs, attrs, device):
    """An option that comes out of NumPy, as a rate or a bound often does, is a plain number."""
    x = mi.Tensor([0.5, 1.5], device=device, requires_grad=True)
    y = TABLE[name].function(*[x] * inputs, **{k: np.float64(v) for k, v in attrs.items()})
    y.sum().backward()
    assert y.dtype == x.grad.dtype == "float32"


def test_names_of_the_notebook():
    """The names that the notebook uses mean what they mean there."""
    ops, x = mi.operators, mi.Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert ops.summation(x, axes=(1,)).tolist() == ops.sum(x, axis=1).tolist() == [3.0, 7.0]
    assert ops.add_scalar(x, 1).tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert ops.mul_scalar(x, 2).tolist() == ops.multiply_scalar(x, 2).tolist() == (x * 2).tolist()
    assert ops.divide_scalar(x, 2).tolist() == (x / 2).tolist()
    assert ops.subtract_scalar(x, 2).tolist() == (x - 2).tolist()
    assert ops.negate(x).tolist() == (-x).tolist()
    assert ops.power_scalar(x, 3).tolist() == (x**3).tolist()
    assert ops.logsumexp(x, axes=(1,)).shape == (2,)
    assert ops.transpose(x, (0, 1)).tolist() == [[1.0, 3.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    ("axes", "expected"),
    [(None, (2, 4, 3)), ((0, 2), (4, 3, 2)), ((-1, -2), (2, 4, 3)), ((2, 0, 1), (4, 2, 3))],
)
def test_transpose(axes, expected):
    """Two axes are swapped, more are a new order, none are the last two."""
    x = mi.asarray(np.arange(24.0).reshape(2, 3, 4)).requires_grad_()
    y = mi.operators.transpose(x, axes)
    order = {None: (0, 2, 1), (0, 2): (2, 1, 0), (-1, -2): (0, 2, 1)}.get(axes, axes)
    assert y.shape == expected
    assert np.array_equal(y.numpy(), x.numpy().transpose(order))
    mi.testing.gradcheck(lambda t: mi.operators.transpose(t, axes), x)


@pytest.mark.parametrize(
    ("shape", "dims", "expected"),
    [
        ((2, 3, 4), (), (24,)),
        ((2, 3, 4), (1,), (2, 12)),
        ((2, 3, 4), (0, 1), (6, 4)),
        ((2, 3), (1, 1), (2, 3)),
        ((), (), (1,)),
        ((0, 3), (), (0,)),
    ],
)
def test_flatten(shape, dims, expected):
    """The axes between the two given are joined, and gradients come back in the old shape."""
    x = mi.ones(shape, requires_grad=True)
    y = x.flatten(*dims)
    assert y.shape == expected
    y.backward(mi.ones(expected))
    assert x.grad.shape == shape


def test_second_device_gradient_sums_in_place_never_into_views():
    """A buffer class without ``base`` is never taken for memory that the sweep may overwrite."""

    class Plain:
        def __init__(self, array):
            self.array = np.asarray(array)

        shape = property(lambda self: self.array.shape)
        dtype = property(lambda self: self.array.dtype)

    class PlainDevice(mi.Device):
        def from_host(self, array):
            return Plain(array)

        def to_host(self, buffer):
            return buffer.array

        def as_buffer(self, value):
            return value if isinstance(value, Plain) else Plain(value)

        def shares(self, a, b):
            return np.may_share_memory(a.array, b.array)

    def kernel(function):
        def run(*args, out=None, **attrs):
            found = function(np, *(a.array for a in args), **attrs)
            if out is None:
                return Plain(found)
            out.array[...] = found
            return out

        return run

    names = ("add", "sum", "reshape", "broadcast_to", "copy", "multiply")
    kernels = {n: kernel(TABLE[n].reference) for n in names}
    device = PlainDevice("plain", buffer=Plain, kernels=kernels, writes=["add"])
    a = mi.Tensor([[1.0, 2.0]], device=device, requires_grad=True)
    x = mi.Tensor([1.0, 2.0], device=device, requires_grad=True)
    y = (a + x.reshape(1, 2)) + x.reshape(1, 2)
    y.backward(mi.Tensor([[1.0, 1.0]], device=device))
    assert a.grad.numpy().tolist() == [[1.0, 1.0]]
    assert x.grad.numpy().tolist() == [2.0, 2.0]


def test_what_a_quick_operator_could_not_prepare_is_refused():
    """Catch a check that the quick way of one or two inputs would pass by in silence."""
    with pytest.raises(mi.ArgumentError, match="add: has no attributes to prepare"):
        mi.add.prepare(lambda a, b: {})

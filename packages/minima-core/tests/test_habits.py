"""What people coming from PyTorch and NumPy write: it works, or the error says what to write."""

import copy

import numpy as np
import pytest

import minima as mi

T = mi.Tensor([[1.0, 2.0], [3.0, 4.0]])
ONE = mi.Tensor([2.5])
SCALAR = mi.Tensor(2.5)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("view", r"t\.reshape\("),
        ("cpu", r't\.to\("cpu"\)'),
        ("float", r"t\.astype\(mi\.float32\)"),
        ("long", r"t\.astype\(mi\.int64\)"),
        ("dim", r"t\.ndim"),
        ("contiguous", "any layout"),
        ("gelu", r"mi\.gelu\(t, \.\.\.\)"),
        ("mm", r"mi\.matmul"),
        ("svd", r"mi\.linalg\.svd"),
        ("multinomial", r"mi\.random\.multinomial"),
        ("is_sparse", "all tensors are dense"),
        ("bernoulli_", r"t\.copy_\(mi\.init\.randb\("),
        ("uniform_", r"mi\.init\.uniform_\(t"),
        ("resahpe", r"did you mean t\.reshape"),
        ("nothing_like_it", "no attribute 'nothing_like_it'$"),
    ],
)
def test_attribute_of_a_tensor(name, words):
    """A name that torch.Tensor has names what takes its place."""
    with pytest.raises(AttributeError, match=words):
        getattr(T, name)
    assert not hasattr(T, name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cat", r"mi\.concat\("),
        ("clamp", r"mi\.clip\("),
        ("from_numpy", r"mi\.asarray"),
        ("randn", r"mi\.random\.randn"),
        ("svd", r"mi\.linalg\.svd"),
        ("long", r"mi\.int64"),
        ("FloatTensor", r"mi\.Tensor\(data\)"),
        ("cuda", r'mi\.device\("cuda"\)'),
        ("backends", "leave it out"),
        ("channels_last", "any layout"),
        ("set_default_dtype", "new tensors are float32"),
        ("grad", r"mi\.func\.grad\(f\).*mi\.autograd\.grad"),
        ("randint", r"mi\.random\.randint\(low, high, size\)"),
        ("multinomial", r"mi\.random\.multinomial"),
        ("sigmiod", r"did you mean mi\.sigmoid"),
        ("nothing_like_it", "no attribute 'nothing_like_it'$"),
    ],
)
def test_attribute_of_the_module(name, words):
    """A name that torch has names what takes its place."""
    with pytest.raises(AttributeError, match=words):
        getattr(mi, name)
    assert not hasattr(mi, name)


@pytest.mark.parametrize(
    "call",
    [
        lambda: T.sum(dim=0),
        lambda: T.mean(dim=0),
        lambda: T.max(dim=0),
        lambda: T.sort(dim=0),
        lambda: T.softmax(dim=0),
        lambda: T.squeeze(dim=0),
        lambda: mi.sum(T, dim=0),
        lambda: mi.mean(T, dim=0),
        lambda: mi.softmax(T, dim=0),
        lambda: mi.concat([T, T], dim=0),
        lambda: mi.stack([T, T], dim=0),
        lambda: mi.median(T, dim=0),
    ],
)
def test_dim_is_axis(call):
    """``dim=`` is refused everywhere alike: std, sort and max mean something else in PyTorch."""
    with pytest.raises(mi.SignatureError, match=r"'dim'; expected .*; dim= is PyTorch's .*axis="):
        call()


def test_other_keywords():
    """The keyword of ours is named, and the error is a TypeError as that of any function."""
    with pytest.raises(TypeError, match=r"keepdim= is PyTorch's .* keepdims="):
        T.sum(0, keepdim=True)
    with pytest.raises(TypeError, match=r"correction=1 stands for unbiased=True"):
        T.std(unbiased=True)
    with pytest.raises(TypeError, match=r"zeros: too many positional arguments; expected zeros\("):
        mi.zeros(2, 3)
    with pytest.raises(TypeError, match=r"expected mi\.Tensor\(data\)"):
        mi.tensor([1.0])


def test_format():
    """One element is formatted as a number; several are refused, but for the empty format."""
    assert (f"{ONE:.3f}", f"{SCALAR:.1e}", f"{mi.Tensor(3):04d}") == ("2.500", "2.5e+00", "0003")
    assert f"{T}" == str(T)
    with pytest.raises(mi.ShapeError, match=r"format: got '\.3f' for shape \(2, 2\)"):
        f"{T:.3f}"


def test_builtin_functions():
    """``round`` and ``divmod`` give Tensors that are part of the graph."""
    x = mi.Tensor([2.25, -7.5], requires_grad=True)
    assert round(x).tolist() == [2.0, -8.0]
    assert round(x, 1).tolist() == pytest.approx(np.round([2.25, -7.5], 1).tolist())
    quotient, rest = divmod(x, 2)
    assert (quotient.tolist(), rest.tolist()) == ([1.0, -4.0], [0.25, 0.5])
    rest.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert [t.item() for t in divmod(7, mi.Tensor(2))] == [3, 1]
    with pytest.raises(mi.DTypeError, match="round: got int64 and 1 digits"):
        round(mi.Tensor([1]), 1)


def test_shallow_copy():
    """A copy shares the memory and its version; a leaf's is a leaf, a result's in the graph."""
    x = mi.Tensor([1.0, 2.0], requires_grad=True)
    twin = copy.copy(x)
    assert twin.is_leaf
    assert twin.requires_grad
    assert np.shares_memory(twin.numpy(), x.numpy())
    y = (x * x).sum()
    with mi.no_grad():
        twin += 1
    with pytest.raises(mi.AutogradError, match="changed in place"):
        y.backward()
    copy.copy(x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert twin.grad is None


def test_to_names_device_and_dtype():
    """``to`` takes what PyTorch's takes."""
    for made in (
        T.to("cpu", mi.float64),
        T.to(dtype=mi.float64),
        T.to(device="cpu", dtype="float64"),
        T.to(mi.zeros(1, dtype=mi.float64)),
    ):
        assert made.dtype == mi.float64
    assert T.to(device="cpu") is T
    with pytest.raises(mi.ArgumentError, match="expected one place"):
        T.to("cpu", device="cpu")
    with pytest.raises(mi.ArgumentError, match="to: got None"):
        T.to(None)


def test_no_dtype_is_no_float64():
    """NumPy reads None as float64; here nothing widens in silence."""
    with pytest.raises(mi.DTypeError, match="dtype: got None"):
        T.astype(None)
    with pytest.raises(mi.DTypeError, match="dtype: got None"):
        mi.astype(T, None)


def test_dtypes_of_other_machines():
    """Of the other byte order the native one is taken; longer floats are refused, not kept."""
    assert mi.zeros(2, dtype=">f4").dtype.isnative
    if np.dtype("longdouble").itemsize > 8:
        with pytest.raises(mi.DTypeError, match="cannot make a tensor"):
            mi.asarray(np.ones(2, "longdouble"))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mi.zeros(2, 3), r"shape is one argument: \(2, 3\)$"),
        (lambda: mi.full(2, 3, 1.0), r"shape is one argument, a tuple$"),
        (lambda: mi.permute_dims(T, 1, 0), r"axes is one argument: \(1, 0\)$"),
        (lambda: mi.concat([T, T], 1), r"what follows arrays is given by name: axis=1$"),
    ],
)
def test_too_many_arguments_by_place(call, words):
    """PyTorch's ``zeros(2, 3)`` and ``cat(tensors, 1)`` name what to write here."""
    with pytest.raises(TypeError, match=words):
        call()


def test_repeat_by_places_is_not_numpys():
    """PyTorch's ``t.repeat(2, 1)`` tiles: an axis by its place would be another shape."""
    with pytest.raises(TypeError, match=r"repeat: too many positional .*given by name: axis=1$"):
        T.repeat(2, 1)
    assert T.repeat(2, axis=1).shape == (2, 4)
    assert T.tile((2, 1)).shape == (4, 2)


def test_a_generator_takes_its_seed_afterwards():
    """PyTorch's ``Generator().manual_seed(n)`` is the generator, from its seed."""
    drawn = mi.Generator().manual_seed(3).uniform((4,)).numpy()
    np.testing.assert_array_equal(drawn, mi.Generator(3).uniform((4,)).numpy())


@pytest.mark.parametrize(
    "make",
    [
        lambda: mi.eye(2, requires_grad=True),
        lambda: mi.arange(3.0, requires_grad=True),
        lambda: mi.linspace(0.0, 1.0, 3, requires_grad=True),
        lambda: mi.empty(2, requires_grad=True),
        lambda: mi.zeros_like(T, requires_grad=True),
        lambda: mi.ones_like(T, requires_grad=True),
        lambda: mi.full_like(T, 2.0, requires_grad=True),
        lambda: mi.empty_like(T, requires_grad=True),
    ],
)
def test_what_is_made_may_require_grad(make):
    """Each function that makes a tensor takes requires_grad, as in PyTorch."""
    leaf = make()
    leaf.sum().backward()
    assert (leaf.grad.numpy() == 1).all()

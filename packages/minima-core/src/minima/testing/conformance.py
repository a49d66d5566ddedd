"""The tests that a device has to pass: every operator, at every row of the samples.

Run them with ``pytest --minima-device NAME --pyargs minima.testing.conformance``.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import minima as mi
from minima.devices import Device
from minima.operators import TABLE
from minima.tensor import Tensor

from .gradcheck import gradcheck
from .launch import arguments, call, gradients, launch, spread
from .samples import NOT_DIFFERENTIABLE, SAMPLES, Sample

DTYPES = ("float64", "float32", "float16")


def rows(samples: list[Sample]) -> pytest.MarkDecorator:
    """Return the mark that runs a test on each of *samples*."""
    return pytest.mark.parametrize("sample", [pytest.param(s, id=s.id) for s in samples])


def one_row_each(samples: list[Sample]) -> list[Sample]:
    """Return the first row of each operator."""
    first: dict[str, Sample] = {}
    for s in samples:
        first.setdefault(s.operator, s)
    return list(first.values())


DIFFERENTIABLE = [
    s
    for s in SAMPLES
    if TABLE[s.operator].differentiable and s.floating and s.expected().dtype.kind == "f"
]
SMOOTH = [s for s in DIFFERENTIABLE if s.smooth]


@pytest.fixture(autouse=True)
def silent_numpy() -> Iterator[None]:
    """Let results be NaN or infinite: whether a device warns of it is its own affair."""
    with np.errstate(all="ignore"):
        yield


def close(got: Any, expected: Any, what: str = "value") -> None:
    """Compare with the precision of the type of *got*; of integers and bools exactly."""
    assert got.shape == expected.shape, what
    if got.dtype.kind not in "fc":
        assert np.array_equal(got, expected), what
        return
    eps = float(np.finfo(got.dtype).eps)
    size = max(1.0, float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)))
    wide = got.astype(np.float64 if got.dtype.kind == "f" else np.complex128)
    np.testing.assert_allclose(wide, expected, rtol=32 * eps, atol=32 * eps * size, err_msg=what)


def result_dtype(sample: Sample, dtype: str) -> np.dtype[Any]:
    """Return the type that the result must have when floating inputs are of *dtype*."""
    expected = sample.expected(dtype).dtype
    if sample.dtype is not None:
        return np.dtype(sample.dtype)
    if expected.kind == "c" and sample.floating:
        return np.dtype("complex128" if dtype == "float64" else "complex64")
    return np.dtype(dtype) if expected.kind == "f" and sample.floating else expected


# ---- values --------------------------------------------------------------------------------------
@rows(SAMPLES)
def test_value(sample: Sample, minima_device: Device) -> None:
    """The kernel computes what NumPy does, in the type of the inputs and of their shape."""
    for dtype in DTYPES if sample.floating else DTYPES[:1]:
        y = call(sample, arguments(sample, minima_device, dtype))
        assert isinstance(y, Tensor)
        assert y.device is minima_device
        assert y.dtype == result_dtype(sample, dtype), f"{dtype} in"
        close(y.numpy(), sample.expected(dtype), dtype)


@rows(SAMPLES)
def test_layout(sample: Sample, minima_device: Device) -> None:
    """Strides change nothing: neither values nor gradients."""
    wanted = sample in DIFFERENTIABLE
    plain = arguments(sample, minima_device, requires_grad=wanted)
    strided = arguments(sample, minima_device, requires_grad=wanted, layout=spread)
    close(call(sample, strided).numpy(), call(sample, plain).numpy())
    if wanted:
        for g, expected in zip(gradients(sample, strided), gradients(sample, plain)):
            if g is not None and expected is not None:
                close(g.numpy(), expected.numpy(), "gradient")


# ---- gradients -----------------------------------------------------------------------------------
@pytest.mark.parametrize("order", [1, 2])
@rows(SMOOTH)
def test_gradcheck(sample: Sample, order: int, minima_device: Device) -> None:
    """The gradient is the slope; that of the gradient, which create_graph records, too."""
    given = arguments(sample, minima_device, requires_grad=True)
    gradcheck(lambda *inputs: call(sample, list(inputs)), given, rtol=1e-7, order=order, fast=True)


@rows(DIFFERENTIABLE)
def test_gradient_dtype(sample: Sample, minima_device: Device) -> None:
    """A gradient has type, shape and device of its input, and is right to that precision."""
    wide = gradients(sample, arguments(sample, minima_device, requires_grad=True))
    for dtype in DTYPES[1:]:
        given = arguments(sample, minima_device, dtype, requires_grad=True)
        for t, g, expected in zip(given, gradients(sample, given), wide):
            if g is None or expected is None:
                continue
            assert g.dtype == t.dtype, dtype
            assert g.shape == t.shape, dtype
            assert g.device is minima_device
            if sample.smooth and dtype == "float32":
                size = max(1.0, float(np.max(np.abs(expected.numpy()), initial=0.0)))
                np.testing.assert_allclose(g.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5 * size)


@rows([s for s in SAMPLES if s.slopes is not None])
def test_stated_gradient(sample: Sample, minima_device: Device) -> None:
    """At kinks, ties, NaN and infinity the gradient is what the docstring says."""
    given = arguments(sample, minima_device, requires_grad=True)
    for g, expected in zip(gradients(sample, given), sample.slopes or ()):
        if g is not None:
            np.testing.assert_allclose(g.numpy(), np.asarray(expected), rtol=1e-12)


@rows(DIFFERENTIABLE)
def test_rule(sample: Sample, minima_device: Device) -> None:
    """A rule returns a result for each input, changes nothing, and shares none but g."""
    made = launch(sample, minima_device)
    y = mi.asarray(minima_device.to_host(made.run()), device=minima_device)
    g = mi.ones(y.shape, dtype=y.dtype, device=minima_device) * 1.5
    before = [*made.host(), g.numpy().copy(), y.numpy().copy()]
    with mi.no_grad():
        given = [made.inputs] if made.entry.variadic else made.inputs
        assert made.entry.rule is not None
        results = made.entry.rule(g, y, *given, **made.attrs)
        results = results if isinstance(results, tuple) else (results,)
        found = [r if r is None or isinstance(r, Tensor) else r() for r in results]
    assert len(found) == len(made.inputs)
    for old, new in zip(before, [*made.host(), g.numpy(), y.numpy()]):
        assert np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
    shares = minima_device.shares
    for a, b in combinations([t for t in found if t is not None and t.size], 2):
        if shares(a._array, b._array):
            assert shares(a._array, g._array), "one new Tensor for two inputs"


# ---- kernels -------------------------------------------------------------------------------------
@rows(SAMPLES)
def test_pure(sample: Sample, minima_device: Device) -> None:
    """A kernel leaves its inputs alone, returns new memory, and the same when called again."""
    made = launch(sample, minima_device)
    before = made.host()
    y = made.run()
    first = minima_device.to_host(y).tobytes()
    assert minima_device.to_host(made.run()).tobytes() == first
    for old, new in zip(before, made.host()):
        assert old.tobytes() == new.tobytes()
    if not made.entry.view:
        inputs = [b for b in made.buffers if b is not None]
        assert not any(minima_device.shares(b, y) for b in inputs if np.prod(b.shape))


@rows(SAMPLES)
def test_out(sample: Sample, minima_device: Device) -> None:
    """A kernel that takes ``out=`` writes there, bit for bit, what it returns without."""
    made = launch(sample, minima_device, "float32")
    if sample.operator not in minima_device.writes:
        return
    before = made.host()
    expected = minima_device.to_host(made.run())
    out = minima_device.from_host(np.ones(expected.shape, expected.dtype))
    made.run(out=out)
    assert minima_device.to_host(out).tobytes() == expected.tobytes()
    for old, new in zip(before, made.host()):
        assert old.tobytes() == new.tobytes()


@rows([s for s in SAMPLES if not TABLE[s.operator].variadic])
def test_in_place(sample: Sample, minima_device: Device) -> None:
    """In place the first input becomes, bit for bit, what the operator returns."""
    given = arguments(sample, minima_device, "float32")
    expected = call(sample, given)
    first = given[0]
    if not isinstance(first, Tensor) or (first.shape, first.dtype) != (
        expected.shape,
        expected.dtype,
    ):
        return
    target = first.clone()
    version = target.detach().version
    mi.operators.in_place(sample.operator, target, *given[1:], **sample.attrs)
    assert target.numpy().tobytes() == expected.numpy().tobytes()
    assert target.version == version + 1


@rows(one_row_each(DIFFERENTIABLE))
def test_no_cycles(sample: Sample, minima_device: Device) -> None:
    """A finished step, of first or second order, leaves nothing to the cycle collector."""
    given = arguments(sample, minima_device, requires_grad=True)
    leaves = [t for t in given if isinstance(t, Tensor) and t.requires_grad]

    def step() -> None:
        y = call(sample, given).sum()
        y.backward()
        y = call(sample, given).sum()
        found: tuple[Tensor | None, ...] = mi.autograd.grad(
            y, leaves, create_graph=True, allow_unused=True
        )
        total = mi.stack([(g * g).sum() for g in found if g is not None]).sum()
        if total.requires_grad:
            mi.autograd.grad(total, leaves, allow_unused=True)

    step()
    gc.disable()
    gc.freeze()  # what was left before is not this step's
    try:
        step()
        assert gc.collect() == 0
    finally:
        gc.unfreeze()
        gc.enable()


# ---- the device ----------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [*DTYPES, "bool", "int8", "int32", "int64", "uint8"])
def test_round_trip(dtype: str, minima_device: Device) -> None:
    """Values and types survive the way to the device and back."""
    for shape in ((), (3,), (2, 3), (0, 2)):
        array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        t = mi.asarray(array, device=minima_device)
        assert (t.dtype, t.shape, t.device) == (array.dtype, shape, minima_device)
        assert np.array_equal(t.numpy(), array)


def test_copies(minima_device: Device) -> None:
    """A Tensor made from an array, and a clone, have memory of their own."""
    array = np.zeros(3, "float32")
    t = mi.Tensor(array, device=minima_device)
    array[0] = 1.0
    other = t.clone()
    other += 1
    assert t.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "index", [1, slice(1, 3), [0, 2], (Ellipsis,), np.array([True, False, True, False])], ids=repr
)
def test_assignment(index: Any, minima_device: Device) -> None:
    """Assigning to a part writes that part, and the version counts it."""
    expected = np.arange(8.0).reshape(4, 2)
    t = mi.Tensor(expected, device=minima_device)
    alias = t.detach()
    expected[index] = -1.0
    t[index] = mi.Tensor(-1.0, dtype="float64", device=minima_device)
    assert np.array_equal(t.numpy(), expected)
    assert alias.version == t.version == 1


def test_views(minima_device: Device) -> None:
    """What is written into a view shows, and has its gradient, in all that share the memory."""
    w = mi.Tensor([1.0, 2.0, 3.0], device=minima_device, requires_grad=True)
    x = w * 2.0
    part, other = x[1:], x.reshape(3, 1)
    part *= w[1:]
    x[0] = part[1]
    x[:2] += w[:2]
    assert other.numpy().ravel().tolist() == [19.0, 10.0, 18.0]
    other.sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [1.0, 9.0, 24.0]


def test_transfer(minima_device: Device) -> None:
    """A tensor moves to the cpu and back, and its gradient the other way."""
    x = mi.Tensor([1.0, 2.0], device=minima_device, requires_grad=True)
    there = x.to("cpu")
    back = (there * 3.0).to(minima_device)
    assert (str(there.device), back.device) == ("cpu", minima_device)
    back.sum().backward()
    assert x.grad is not None
    assert x.grad.device is minima_device
    assert x.grad.tolist() == [3.0, 3.0]


def test_random(minima_device: Device) -> None:
    """A seed repeats its stream, on the device, and within the limits asked for."""

    def drawn() -> list[Tensor]:
        source = mi.Generator(7, device=minima_device)
        return [
            source.uniform((100,), -1.0, 1.0),
            source.normal((100,), dtype="float64"),
            source.bernoulli((100,), 0.3),
            source.integers(2, 5, (100,)),
            mi.asarray(source.permutation(100)).to(minima_device),
        ]

    first, second = drawn(), drawn()
    for a, b in zip(first, second):
        assert a.device is minima_device
        assert np.array_equal(a.numpy(), b.numpy())
    uniform, normal, coins, whole, order = (t.numpy() for t in first)
    assert -1.0 <= uniform.min() < -0.8 < 0.8 < uniform.max() < 1.0
    assert [a.dtype.name for a in (uniform, normal, coins)] == ["float32", "float64", "bool"]
    assert abs(normal.mean()) < 0.5 < normal.std() < 1.5
    assert 10 < coins.sum() < 50
    assert set(whole) == {2, 3, 4}
    assert sorted(order) == list(range(100))


def test_facts(minima_device: Device) -> None:
    """A device says its name, counts its memory in whole bytes, and can be waited for."""
    assert mi.device(str(minima_device)) is minima_device
    assert all(isinstance(n, int) for n in minima_device.memory_stats().values())
    minima_device.synchronize()


def test_training(minima_device: Device) -> None:
    """A small network learns: all parts together, on the device alone."""
    source = mi.Generator(0, device=minima_device)
    x = source.uniform((64, 2), -1.0, 1.0)
    targets = (x[:, 0] * x[:, 1] > 0).astype("int64")
    weights = [source.normal(s, std=0.5).requires_grad_() for s in ((2, 16), (16, 2))]
    losses = []
    for _ in range(100):
        loss = mi.cross_entropy(mi.relu(x @ weights[0]) @ weights[1], targets)
        loss.backward()
        losses.append(loss.item())
        with mi.no_grad():
            for w in weights:
                assert w.grad is not None
                w -= w.grad
                w.grad = None
    assert losses[-1] < 0.5 * losses[0]


class BareDevice(Device):
    """A device with buffers and not one kernel."""

    def from_host(self, array: Any) -> Any:
        """Return the array itself."""
        return array


@rows(one_row_each(SAMPLES))
def test_missing_kernel(sample: Sample) -> None:
    """Without a kernel the error names operator and device, and how to add one."""
    bare = BareDevice("bare")
    with pytest.raises(
        mi.KernelMissingError, match=r"device 'bare' has no kernel .*register"
    ) as caught:
        call(sample, arguments(sample, bare, "float32"))
    assert any(str(caught.value).startswith(f"{name}:") for name in (sample.operator, "astype"))


# ---- the table -----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", list(TABLE))
def test_entry(name: str) -> None:
    """An operator has rows, some without elements, a docstring with an example, and a gradient."""
    entry = TABLE[name]
    of_operator = [s for s in SAMPLES if s.operator == name]
    assert of_operator, f"{name} has no row in minima.testing.samples"
    empty = [a for s in of_operator for a in s.arrays() if isinstance(a, np.ndarray) and not a.size]
    assert empty, f"{name} has no row with an empty input"
    assert ">>>" in entry.doc, f"{name} has no example in its docstring"
    reason = NOT_DIFFERENTIABLE.get(name)
    assert entry.differentiable != bool(reason), (
        f"{name} has no gradient, or a reason not to have it"
    )


def test_rows_are_told_apart() -> None:
    """Two rows with one name would be one test, run twice."""
    names = [s.id for s in SAMPLES]
    assert len(names) == len(set(names))
    assert not set(NOT_DIFFERENTIABLE) - set(TABLE)

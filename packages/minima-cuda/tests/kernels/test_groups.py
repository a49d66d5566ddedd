"""The kernels that are printed for fused groups: values, orders of threads, memory, compilers.

Whole plans run with their groups on the emulator, which reports races and accesses out of bounds,
beside the same code run eagerly.
"""

import warnings

import groups
import numpy as np
import pytest
from emulator import EmulatorLauncher, KernelFault, needs_emulator
from toolchain import needs_nvrtc

import minima as mi
from minima_cuda import printer, rows
from minima_cuda.checks import source_of
from minima_cuda.compile import ARCHITECTURES, compiled
from minima_cuda.resources import faults, resources
from minima_cuda.text import number_source

nn = pytest.importorskip("minima.nn", reason="minima-nn is not installed")
from minima.train.bench.contenders import Minima  # noqa: E402
from minima.train.bench.workloads import WORKLOADS, Workload  # noqa: E402

pytestmark = needs_emulator

SCHEDULES = ("forward", "reverse", 1, 2, 3, 4, 5)


def in_place(x, y):
    total = mi.zeros_like(x).add_(x)
    doubled = total * 2.0
    total.mul_(y)
    return doubled + total, total


def counted(x, count, level):
    count.add_(1.0)
    y = x * count + level
    level.mul_(0.5)
    count.add_(1.0)
    return y, level + 1.0, count * 2.0


def levelled(x, level):
    y = mi.softmax(x) * level
    level.mul_(0.5)
    return y


def normed(g, x, w):
    y = mi.layer_norm(x, w, None, axes=-1) * g
    return y, (y * g).sum(0), g.sum(0), y.mean()


def batch_normed(x):
    axes = (0, 2, 3)
    away = x - x.mean(axes, keepdims=True)
    return away / mi.sqrt((away * away).mean(axes, keepdims=True) + 1e-5), away.sum((2, 3))


def channels_last(x):
    axes = (0, 1, 2)
    return x.sum(axes), (x - x.mean(axes, keepdims=True)) * 0.5, x.max(axes)


#: name -> function, shapes of what it takes
ROWS = {
    "gelu": (lambda x, w: mi.gelu(x) * 2.0 + w, (5, 33), (33,)),
    "functions": (
        lambda x: (mi.sigmoid(x), mi.tanh(x), mi.erf(x), mi.sign(x), mi.sin(x), mi.expm1(x)),
        (3, 35),
    ),
    "more functions": (
        lambda x, y: (
            mi.log2(mi.abs(x)) + mi.log10(mi.abs(y) + 1.0) + mi.erfc(x),
            mi.tan(x) + mi.sinh(x) + mi.cosh(x) + mi.asin(mi.tanh(x)) + mi.acos(mi.tanh(y)),
            mi.atan(x) + mi.asinh(x) + mi.acosh(mi.abs(x) + 1.0) + mi.atanh(mi.tanh(y)),
            mi.atan2(x, y) + mi.hypot(x, y) + mi.logaddexp(x, y) + mi.softplus(x, beta=2.0),
            mi.floor(x) + mi.ceil(y) * 3.0 + mi.trunc(x * 4.0) + mi.round(y * 2.0) * 5.0,
        ),
        (3, 35),
        (3, 35),
    ),
    "choices": (
        lambda x: (mi.where(x > 0, x, -x), mi.clip(x, -1, 1), mi.isfinite(x), mi.abs(x)),
        (65,),
    ),
    "number": (lambda x: x * 2.0 + 1.0, ()),
    "transposed": (lambda x: mi.exp(x.T) + x[::-1].T, (4, 6)),
    "three axes": (lambda x, y: mi.exp(x) * y, (3, 4, 5), (3, 1, 5)),
    "in place": (in_place, (4, 6), (4, 6)),
    "counters": (counted, (7, 65), (), (7, 1)),
    "guarded": (lambda x, y: (x * y, y * 2.0), (7, 65), (7, 1)),
    "levels": (levelled, (5, 65), (5, 1)),
    "softmax": (mi.softmax, (5, 33)),
    "softmax of many": (mi.softmax, (70, 31)),
    "log_softmax": (mi.log_softmax, (3, 1025)),
    "logsumexp": (lambda x: mi.logsumexp(x, axis=(0, 1)), (9, 7)),
    "sums": (lambda x: (x.sum(0), x.sum(1), x.max(1), x.min(1), x.max(0), x.mean()), (70, 33)),
    "long": (lambda x: (mi.tanh(x).sum(), (x * x).max()), (5000,)),
    "long columns": (lambda x: x.sum(0), (300, 40)),
    "layer norm": (normed, (90, 33), (90, 33), (33,)),
    "layer norm of many": (normed, (300, 3), (300, 3), (3,)),
    "batch norm": (batch_normed, (4, 3, 5, 6)),
    "channels last": (channels_last, (3, 4, 5, 6)),
    "integers": (lambda x: ((x > 0).astype("int64") * 3 - 1).sum(0), (40, 5)),
}


def arguments(shapes, dtype="float32"):
    rng = np.random.default_rng(0)
    return [mi.asarray(rng.standard_normal(s).astype(dtype)) for s in shapes]


def replayed(function, given):
    """Return the results of the third call, a replay that warns of nothing."""
    run = mi.compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return called(run, given)


def called(run, given):
    """Return the results of the third call, as a tuple."""
    for _ in range(3):
        found = run(*given)
    return found if isinstance(found, tuple) else (found,)


def check(name, dtype="float32", tolerance=2e-5):
    """Compare the results, and the arguments, which a function may have changed."""
    function, *shapes = ROWS[name]
    given, others = arguments(shapes, dtype), arguments(shapes, dtype)
    found, expected = replayed(function, given), called(function, others)
    for a, b in zip((*found, *given), (*expected, *others), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ROWS)
def test_values_in_any_order_of_threads(monkeypatch, name):
    """Catches a race, an index that is off, a part that is left out or added twice."""
    for schedule in SCHEDULES:
        programs = groups.emulated(monkeypatch, schedule)
        check(name)
        assert programs


@pytest.mark.parametrize("name", ROWS)
def test_values_in_double_precision_and_with_long_indices(monkeypatch, name):
    """Catches a constant, or a sum, that is rounded to single, and an index cut to 32 bits."""
    monkeypatch.setattr(printer, "NARROW", 0)
    programs = groups.emulated(monkeypatch, 1)
    check(name, "float64", 1e-12)
    assert all("typedef Index At;" in p.source.text for p in programs)


@pytest.mark.parametrize("limits", [(1, 0, 0), (2, 10**9, 1)], ids=["blocks", "warps"])
@pytest.mark.parametrize("name", ["softmax", "layer norm", "batch norm", "sums", "long"])
def test_rows_of_blocks_and_of_warps(monkeypatch, name, limits):
    """Catches a form of the kernel that only some sizes take."""
    for limit, number in zip(("WORKERS", "SHORT_ROW", "MANY_ROWS"), limits):
        monkeypatch.setattr(rows, limit, number)
    for schedule in ("forward", "reverse"):
        groups.emulated(monkeypatch, schedule)
        check(name)


def test_nan_and_infinity(monkeypatch):
    """Catches arithmetic that takes for granted that there are none."""
    nan, inf = float("nan"), float("inf")
    x = mi.Tensor([[1, nan, 2], [inf, 1, 0], [-inf, -inf, -inf], [inf, -inf, 0], [1, 2, 3]])
    groups.emulated(monkeypatch)

    def function(x):
        return (
            *(x.max(1), x.min(0), x.sum(1), mi.relu(x), mi.maximum(x, 0.5), mi.isinf(x)),
            *(mi.softmax(x), mi.log_softmax(x), mi.sigmoid(x), mi.sign(x)),
        )

    with np.errstate(all="ignore"):
        expected = function(x)
        for a, b in zip(replayed(function, [x]), expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-6)


#: fault -> the row that shows it, what is found in the text and put there, and how it shows
PLANTED = {
    "a lost tail": ("gelu", "i < 165", "i < 164", "value"),
    "a wrong stride": ("transposed", "i0 * -6", "i0 * -5", "value"),
    "one too many": ("transposed", "i < 24", "i < 25", "bounds"),
    "every thread writes": ("guarded", "if (i1 == 0) c", "c", "race"),
    "no bound of columns": ("long columns", "if (k < 40) {", "{", "bounds"),
    "a part that is kept": ("layer norm of many", "r == worker ?", "r != worker ?", "value"),
    "another part's place": ("layer norm of many", "s0[worker * 3", "s0[0 * 3", "race"),
    "the smallest for the largest": ("softmax", "Max()(v1, v0)", "Min()(v1, v0)", "value"),
    "a part of a sum": ("long", "At(blockIdx.y) * 1 + k", "k", "race"),
    "rows that overlap": ("softmax of many", "At(gridDim.x) * blockDim.y", "1", "race"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_seen(monkeypatch, name):
    """Catches tests that pass whatever is printed."""
    row, old, new, how = PLANTED[name]
    launcher = EmulatorLauncher("forward", replace=("", old, new))
    programs = groups.emulated(monkeypatch, launcher=launcher)
    with pytest.raises(AssertionError if how == "value" else KernelFault) as caught:
        check(row)
    assert any(old in program.source.text for program in programs)
    assert how in ("value", getattr(caught.value, "kind", ""))


# ---- training steps ------------------------------------------------------------------------------
class Block(nn.Module):
    """What a transformer has: an embedding, attention, layer norm, GELU."""

    def __init__(self):
        super().__init__()
        self.embedding, self.norm = nn.Embedding(11, 8), nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.wide, self.narrow, self.head = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 3)

    def forward(self, tokens):
        x = self.embedding(tokens)
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return self.head((x + self.narrow(mi.gelu(self.wide(x)))).mean(1))


def convolutional():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(36, 3),
    )  # fmt: skip


def perceptron():
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 3))


def tokens(rng):
    return rng.integers(0, 11, (5, 4))


def images(rng):
    return rng.standard_normal((5, 2, 6, 6), dtype=np.float32)


def vectors(rng):
    return rng.standard_normal((5, 6), dtype=np.float32)


#: name -> model, its data, optimiser
TRAINING = {
    "transformer Adam": (Block, tokens, lambda p: mi.optim.Adam(p, lr=1e-3, eps=1e-4)),
    "cnn momentum": (convolutional, images, lambda p: mi.optim.SGD(p, lr=0.05, momentum=0.9)),
    "mlp AdamW": (perceptron, vectors, lambda p: mi.optim.AdamW(p, lr=1e-3, eps=1e-4)),
    "mlp RMSProp": (perceptron, vectors, lambda p: mi.optim.RMSProp(p, lr=1e-3, eps=1e-4)),
}


def trained(name, compile, steps=4):
    """Return the state after some steps, with a learning rate that changes."""
    make, data, optimizer = TRAINING[name]
    mi.manual_seed(1)
    net = make()
    optim, loss_of = optimizer(net.parameters()), nn.CrossEntropyLoss()

    def step(x, y):
        loss = loss_of(net(x), y)
        optim.zero_grad()
        loss.backward()
        optim.step()
        return loss

    run, rng = compile(step), np.random.default_rng(0)
    for i in range(steps):
        optim.param_groups[0]["lr"] = 0.01 / (i + 1)
        run(mi.asarray(data(rng)), mi.asarray(rng.integers(0, 3, 5)))
    return [t.numpy().copy() for t in net.state_dict().values()]


@pytest.mark.parametrize("name", TRAINING)
def test_training(monkeypatch, name):
    """Catches a gradient, a moment or a running mean that a printed kernel gets wrong."""
    expected = trained(name, lambda step: step)
    for schedule in ("forward", "reverse", 1):
        programs = groups.emulated(monkeypatch, schedule)
        for a, b in zip(trained(name, mi.compile), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        assert len(programs) > 3


# ---- the workloads of `minima bench` -------------------------------------------------------------
TINY = {
    "mlp": {"widths": (6, 5, 3)},
    "cnn": {"widths": (3, 4, 5), "side": 8, "classes": 3},
    "resnet": {"widths": (4, 5), "blocks": 1, "side": 8, "classes": 3},
    "transformer": {"d": 8, "layers": 1, "heads": 2, "tokens": 5, "vocabulary": 11},
    "recurrent": {"kind": "LSTM", "inputs": 5, "hidden": 6, "steps": 3, "classes": 3},
    "bag": {"vocabulary": 11, "d": 6, "words": 4, "classes": 3},
}


@pytest.mark.parametrize("family", TINY)
def test_workloads(monkeypatch, family):
    """Catches a loss or a gradient of a whole model that printed kernels get wrong."""
    workload = Workload(family, family, family, 3, TINY[family])
    for schedule in ("forward", "reverse", 1):
        programs = groups.emulated(monkeypatch, schedule)
        trials = [Minima(workload, True, executor) for executor in (None, "numpy")]
        for batch in workload.batches(4):
            expected, found = (trial.train(trial.batch(*batch)) for trial in trials)
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)
        for a, b in zip(*(trial.model.parameters() for trial in trials), strict=True):
            np.testing.assert_allclose(b.grad.numpy(), a.grad.numpy(), rtol=1e-4, atol=1e-5)
        assert programs


def wrong_with(programs, arch):
    """Return the first program that does not fit the GPU, in words."""
    for program in programs:
        for kernel, found in resources(compiled(program.source, arch)).items():
            what = [w for w in faults(kernel, found) if "local memory" not in w]
            if what:
                return f"{program.source.text}\n{kernel}: {what}"
    return ""


@needs_nvrtc
@pytest.mark.slow
@pytest.mark.parametrize("name", WORKLOADS)
def test_workloads_compile_and_fit(monkeypatch, name):
    """Catches text that only g++ takes, registers that spill, and a block no GPU can start."""
    programs = groups.captured(monkeypatch)
    workload = WORKLOADS[name]
    for training in (True, False):
        trial = Minima(workload, training, "numpy")
        batch = trial.batch(*workload.batches(1)[0])
        run = trial.train if training else trial.infer
        run(batch)
        with pytest.raises(groups.Captured):
            run(batch)
    assert programs
    for arch in (ARCHITECTURES[0], ARCHITECTURES[-1]):
        assert not wrong_with(programs, arch)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_indices_out_of_range_are_noted(schedule, dtype):
    """Catches an index that no block looks at, blocks that race for the note, and a false alarm."""
    rows = [([0, 4, 99], 0), ([5], 5), ([4, 6] * 40, 6), ([9] + [1] * 70, 9)]
    rows += [([0, -1], -1), ([2, -7], -7)] if dtype != "uint8" else []
    for values, wanted in rows:
        indices, found = np.array(values, dtype), np.zeros(1, np.int64)
        numbers = map(np.int64, (indices.size, 5, 99))
        args = (indices, found, *numbers)
        EmulatorLauncher(schedule).launch(source_of(dtype), "check", (2,), (32,), args)
        assert found[0] == wanted


@needs_nvrtc
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_what_stands_beside_groups_compiles(arch):
    """Catches text of the executor's own that only g++ takes."""
    checks = [source_of(dtype) for dtype in ("int32", "int64", "uint8")]
    for source in (*checks, *map(number_source, ("float16", "bfloat16", "float32", "float64"))):
        for kernel, found in resources(compiled(source, arch)).items():
            assert not faults(kernel, found), (source.file, kernel)


@needs_nvrtc
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_they_compile_and_fit(monkeypatch, arch):
    """Catches text that only g++ takes, registers that spill, and a block no GPU can start."""
    programs = groups.captured(monkeypatch)
    for function, *shapes in ROWS.values():
        groups.capture(function, arguments(shapes))
    assert len(programs) >= len(ROWS)
    assert not wrong_with(programs, arch)

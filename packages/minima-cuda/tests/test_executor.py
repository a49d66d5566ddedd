"""The executor ``cuda``, on the GPUs that are simulated; kernels of groups run on the emulator."""

import pickle
import warnings

import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

import minima as mi
import minima_cuda
from minima.compiler.function import CompileWarning
from minima.compiler.plan import Plan
from minima_cuda import compile as compiling
from minima_cuda import device
from minima_cuda.executor import executor

nn = pytest.importorskip("minima.nn", reason="minima-nn is not installed")
pytestmark = needs_emulator

OWN = device.own_kernels


@pytest.fixture
def machine(cupy, monkeypatch):
    monkeypatch.setattr(compiling, "cubin", lambda source, arch: pickle.dumps(source))
    cupy.machine.kernel = EmulatorLauncher(races=False).launch
    return cupy.machine


def normal(*shape, seed=0, device="cuda:0"):
    values = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return mi.asarray(values).to(device)


def graphs(machine):
    """Return how many graphs have been launched."""
    return sum(name == "graph.launch" for name, _ in machine.calls)


def close(a, b):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-5)


def written(x, w):
    y = x * 2.0
    y[mi.argmax(w, axis=-1)[0]] += w[0]
    y[w > 0] = 1.0
    return y


FUNCTIONS = {
    "elements": lambda x, w: mi.gelu(x) * 2.0 + w[0],
    "rows": lambda x, w: mi.softmax(x @ w, axis=-1),
    "sums": lambda x, w: (x.sum(0), (x * x).mean(), x.max(1)),
    "views": lambda x, w: (x[1:], x.T, mi.exp(x.T) + 1.0),
    "mixed": lambda x, w: mi.concat([mi.tanh(x @ w), x]) * 0.5,
    "ready": lambda x, w: mi.argmax(x, axis=-1),
    "written": written,
    "indices": lambda x, w: x[mi.argmax(w, axis=-1)] + x[:, mi.argmax(x, axis=0)],
}


@pytest.mark.parametrize("device", ["cuda:0", "cuda:1"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_replay_is_one_graph(machine, name, device):
    """Catches arguments of the captured run that a replay computes with, on either GPU."""
    function = FUNCTIONS[name]
    compiled = mi.compile(function)
    for i in range(5):
        x, w = normal(4, 4, seed=i, device=device), normal(4, 4, seed=i + 9, device=device)
        found, expected = compiled(x, w), function(x, w)
        for a, b in zip(*(t if isinstance(t, tuple) else (t,) for t in (found, expected))):
            assert str(a.device) == device
            close(a, b)
    assert len(compiled.plans) == 1
    assert graphs(machine) == 2  # two calls before the first replay, which is not captured yet


def test_a_replay_launches_nothing_else(machine):
    """Catches a step that is launched beside the graph."""
    compiled = mi.compile(lambda x: mi.tanh(x @ x) @ mi.exp(x))
    for i in range(4):
        compiled(normal(3, 3, seed=i))
    x = normal(3, 3, seed=5)
    machine.calls.clear()
    compiled(x)
    names = [name for name, _ in machine.calls]
    assert names.count("graph.launch") == 1
    assert set(names) <= {"setitem", "graph.launch", "asarray", "array", "empty"}


def test_arguments_are_changed_in_place(machine):
    """Catches a change that stays in the memory of the graph."""

    def step(x):
        x.mul_(0.5)
        return x.sum()

    compiled = mi.compile(step)
    x, other = normal(3, 4), normal(3, 4)
    for _ in range(5):
        close(compiled(x), step(other))
        close(x, other)


def trained(compiled, schedule=lambda i: 0.1, optimizer="SGD", steps=6):
    """Return the parameters after some steps with dropout."""
    mi.manual_seed(1)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 3))
    net.to("cuda")
    optim = getattr(mi.optim, optimizer)(net.parameters(), lr=0.1)
    loss_of = nn.CrossEntropyLoss()

    def step(x, y):
        loss = loss_of(net(x), y)
        optim.zero_grad()
        loss.backward()
        optim.step()
        return loss

    run, losses = mi.compile(step) if compiled else step, []
    rng = np.random.default_rng(0)
    for i in range(steps):
        optim.param_groups[0]["lr"] = schedule(i)
        x = mi.asarray(rng.standard_normal((5, 6), dtype=np.float32)).to("cuda")
        losses.append(run(x, mi.asarray(rng.integers(0, 3, 5)).to("cuda")).item())
    return [p.numpy() for p in net.parameters()], losses


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_training_is_that_of_eager_code(machine, optimizer):
    """Catches a learning rate written into the graph, and masks of dropout that do not change.

    Counters of random numbers move on with each replay, to where eager training has them.
    """

    def schedule(i):
        return 0.1 / (i + 1)

    expected = trained(False, schedule, optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompileWarning)
        found = trained(True, schedule, optimizer)
    assert graphs(machine) == 3
    for a, b in zip([*found[0], *found[1]], [*expected[0], *expected[1]], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_masks_are_fresh(machine):
    """Catches a mask that is drawn once, when the graph is captured."""
    layer = nn.Dropout(0.5)
    compiled = mi.compile(layer)
    x = mi.ones((8, 8), device="cuda")
    masks = [compiled(x).numpy() for _ in range(6)]
    assert graphs(machine) == 3
    assert len({mask.tobytes() for mask in masks}) == 6


def test_what_cannot_be_captured_is_replayed_kernel_by_kernel(machine):
    """Catches a graph that is launched although it is lost, and a warning that names nothing."""
    place = mi.device("cuda")
    product = place.kernels["matmul"]

    def waiting(a, b):
        place.to_host(a)
        return product(a, b)

    place.register("matmul", waiting)
    compiled = mi.compile(lambda x: mi.exp(x @ x))
    message = r"no CUDA graph can hold matmul, at .*test_executor.py:\d+.*StreamCaptureUnsupported"
    for i in range(6):
        x = normal(3, 3, seed=i)
        if i == 3:
            with pytest.warns(CompileWarning, match=message):
                found = compiled(x)
        else:
            found = compiled(x)
        close(found, mi.exp(x @ x))
    assert graphs(machine) == 0


def test_another_capture_is_possible_after_one_that_failed(machine):
    """Catches a stream that is left capturing."""
    test_what_cannot_be_captured_is_replayed_kernel_by_kernel(machine)
    mi.device("cuda").register("matmul", machine.cupy.matmul)
    test_a_replay_is_one_graph(machine, "rows", "cuda:0")


LOOKUPS = {
    "cross_entropy: got class 3": (mi.cross_entropy, [0, 2, 1], [0, 3, 1]),
    "cross_entropy: got class -5": (  # which no group takes
        lambda x, i: mi.cross_entropy(x.astype("float16"), i),
        [0, 2, 1],
        [0, 1, -5],
    ),
    "cross_entropy: got class 4": (
        lambda x, i: mi.cross_entropy(x, i, ignore_index=-100),
        [0, -100, 1],
        [0, -100, 4],
    ),
    "one_hot: got class 7": (lambda x, i: mi.one_hot(i, 3) * x, [0, 2, 1], [7, 2, 1]),
    "embedding: got index 3": (lambda x, i: mi.embedding(i, x) * 2.0, [0, 2, 1], [0, 2, 3]),
}


@pytest.mark.parametrize("message", LOOKUPS)
def test_an_index_out_of_range_is_told_when_the_gpu_is_waited_for(machine, monkeypatch, message):
    """Catches a loss that is wrong and nobody says so, and an error that stays for ever."""
    monkeypatch.setattr(device, "own_kernels", OWN)
    function, good, bad = LOOKUPS[message]
    compiled, x = mi.compile(function), normal(3, 3)
    good, bad = (mi.asarray(i).to("cuda") for i in (good, bad))
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompileWarning)
        for _ in range(5):
            expected = compiled(x, good).numpy()
        y = compiled(x, bad)
        where = rf"^{message}; expected 0 to 2; found in a replay .*test_executor.py:\d+"
        with pytest.raises(mi.errors.IndexRangeError, match=where):
            y.numpy()
        compiled(x, bad)
        with pytest.raises(mi.errors.IndexRangeError, match=message):
            mi.device("cuda").synchronize()
        assert (compiled(x, good).numpy() == expected).all()
        mi.device("cuda").synchronize()
    assert graphs(machine) > 2


def test_what_another_stream_finds_is_not_lost(machine):
    """Catches a wait for one stream that takes another's for done."""
    compiled, x = mi.compile(lambda x, i: mi.cross_entropy(x, i)), normal(3, 3)
    side = minima_cuda.Stream("cuda")
    given = [mi.asarray(i).to("cuda") for i in ([0, 1, 2], [0, 1, 2], [0, 1, 2], [0, 1, 9])]
    mi.device("cuda").synchronize()
    for targets in given:
        with minima_cuda.stream(side):
            compiled(x, targets)
    x.numpy()
    with pytest.raises(mi.errors.IndexRangeError, match="got class 9"):
        mi.device("cuda").synchronize()
    x.numpy()


def test_numbers_that_no_group_takes(machine):
    """Catches a live number that a graph holds as it was, in a type that groups do not know."""
    weight = mi.ones(3, dtype="float16", device="cuda").requires_grad_()
    optim = mi.optim.SGD([weight], lr=0.5)

    def step(x):
        weight.grad = None
        (weight * x).sum().backward()
        optim.step()
        return weight.sum()

    compiled, expected = mi.compile(step), 3.0
    x = mi.ones(3, dtype="float16", device="cuda")
    for i in range(6):
        optim.param_groups[0]["lr"] = rate = 0.5 / 2**i
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CompileWarning)
            found = compiled(x)
        expected -= 3 * rate
        assert found.item() == expected


def test_replays_follow_the_stream(machine):
    """Catches a graph on another stream than its arguments."""
    compiled = mi.compile(lambda x: mi.exp(x) * 2.0)
    side = minima_cuda.Stream("cuda")
    for i in range(5):
        with minima_cuda.stream(side):
            x = normal(9, seed=i)
            y = compiled(x)
        side.synchronize()
        close(y, mi.exp(mi.asarray(x.numpy())) * 2.0)


def test_it_is_taken_unasked_and_runs_on_gpus_alone(machine):
    """Catches another executor for a GPU, and this one for the cpu."""
    from minima.compiler.replay import find_executor

    assert find_executor(None, mi.device("cuda")) is executor
    assert find_executor(None, mi.device("cpu")) is not executor
    with pytest.raises(
        mi.DeviceError, match="executor 'cuda' runs on cuda, the tensors lie on cpu"
    ):
        executor(Plan(mi.device("cpu")))
    with pytest.raises(mi.DeviceError, match="runs on cuda, the tensors lie on cpu"):
        find_executor("cuda", mi.device("cpu"))


def test_the_buffers_of_the_captured_run_are_let_go(machine):
    """Catches a plan that holds all that the run computed, beside its own memory."""
    compiled = mi.compile(lambda x: mi.exp(mi.tanh(x @ x) @ x))
    x = normal(64, 64)
    for _ in range(2):
        compiled(x)
    used = mi.device("cuda").memory_stats()["used"]
    [plan] = compiled.plans
    assert used <= plan.planned_bytes + 3 * x.nbytes + 4096

"""Worker processes: order, seeds, errors, death, and that nothing stays behind."""

import gc
import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest

import minima as mi
from minima.data import DataLoader, WorkerError

sys.path.insert(0, str(Path(__file__).parent))  # where workers find it too
import worker_sets as sets

LIMIT = 60  # seconds: far above what a test takes, on a machine that is busy


def segments():
    """Return the loaders' shared memory there is, where the system lists it."""
    folder = Path("/dev/shm")
    return {p.name for p in folder.glob("mi*_*_*_*")} if folder.is_dir() else set()


@pytest.fixture(autouse=True)
def _nothing_stays():
    """Catch processes and shared memory that a loader leaves behind."""
    before = segments()
    yield
    gc.collect()
    assert not [p for p in active_children() if p.name.startswith("minima-loader")]
    assert segments() <= before


def load(dataset, batch_size=2, num_workers=2, **options):
    options.setdefault("timeout", LIMIT)
    return DataLoader(dataset, batch_size, num_workers=num_workers, **options)


def ids(batches):
    return [[int(i) for i in index.tolist()] for _, index in batches]


def test_batches_are_those_without_workers():
    """Catch another order, a lost or doubled batch, other values, types or containers."""
    data, options = sets.Rows(11, (40, 30)), {"shuffle": True, "drop_last": True}
    here = DataLoader(data, 3, generator=mi.Generator(4), **options)
    there = load(
        data, 3, generator=mi.Generator(4), prefetch_factor=1, persistent_workers=True, **options
    )
    for _ in range(2):
        pairs = list(zip(here, there, strict=True))
        for (x, i), (y, j) in pairs:
            assert isinstance(y, mi.Tensor)
            assert y.dtype == x.dtype
            np.testing.assert_array_equal(y.numpy(), x.numpy())
            assert i.tolist() == j.tolist()
    kept = [y.numpy().copy() for _, (y, _) in pairs]
    next(iter(there))
    for (_, (y, _)), copy in zip(pairs, kept, strict=True):
        np.testing.assert_array_equal(y.numpy(), copy)  # nobody writes into a batch given away


def test_shared_memory_grows_and_structures_arrive():
    """Catch a batch that is cut to an earlier one's size, and containers that change."""
    for i, batch in enumerate(load(sets.Growing(6), 1)):
        assert batch.shape == (1, (i + 1) * 4000)
        assert (batch.numpy() == i).all()
    batch = next(iter(load(sets.Points(), 2, num_workers=1)))
    assert batch.name == ["p0", "p1"]
    assert batch.x.shape == (2, 2000)
    loader = load(sets.Rows(4, (50, 30)), 4, num_workers=1, collate_fn=sets.transposed)
    assert next(iter(loader))["t"].shape == (30, 4, 50)
    assert list(load(sets.Rows(4), 2, num_workers=1, collate_fn=sets.total)) == [1, 5]
    one = load(sets.Rows(3), None, num_workers=1)
    assert [(x.tolist(), i) for x, i in one][2] == ([2.0] * 3, 2)


def test_seeds_differ_and_repeat():
    """Catch workers, or passes, that draw the same numbers, or others in the next run."""

    def run():
        loader = load(
            sets.Drawn(4), 1, persistent_workers=True, shuffle=False, generator=mi.Generator(5)
        )
        return [[x.tolist()[0] for x, _ in loader] for _ in range(2)]

    first = run()
    assert first == run()
    numbers = [n for one_pass in first for row in one_pass for n in row]
    assert len(set(numbers)) == len(numbers)


def test_augmentation_differs_between_workers():
    """Catch the same crops in every worker, and others in the next run."""
    pixels = np.tile(np.arange(64, dtype=np.uint8).reshape(1, 8, 8), (16, 1, 1))
    crop = mi.data.augment.RandomCrop(3)
    data = mi.data.ImageDataset(pixels, np.zeros(16, int), transform=crop)

    def run():
        return [x.tolist() for x, _ in load(data, 8, generator=mi.Generator(2))]

    first, second = run()
    assert first != second
    assert run() == [first, second]


def test_a_pass_with_workers_leaves_the_order_alone():
    """Catch a seed that is drawn in the way of the order: runs with and without workers agree."""
    a, b = mi.Generator(1), mi.Generator(1)
    list(DataLoader(sets.Rows(), 4, shuffle=True, generator=a))
    list(load(sets.Rows(), 4, 1, shuffle=True, generator=b))
    assert a.get_state() == b.get_state()


def test_persistent_workers_are_the_same_processes():
    """Catch workers started anew in each pass, also after one that was left early."""
    loader = load(sets.Process(), persistent_workers=True)
    first = {batch[0].item() for batch in loader}
    for _ in loader:
        break
    assert {batch[0].item() for batch in loader} == first
    assert os.getpid() not in first
    fresh = load(sets.Process(), num_workers=1)
    assert {b[0].item() for b in fresh}.isdisjoint({b[0].item() for b in fresh})


def test_two_loops_at_once():
    """Catch two loops that take each other's batches."""
    loader = load(sets.Rows(4), persistent_workers=True, num_workers=1)
    pairs = [(i, j) for i in map(list, ids(loader)) for j in ids(loader)]
    assert len(pairs) == 4
    first, second = iter(loader), iter(loader)
    assert ids([next(first), next(second), next(first)]) == [[0, 1], [0, 1], [2, 3]]


def test_streams_share_the_samples():
    """Catch samples that come twice or never, and a worker that ends before the others."""
    batches = [b.tolist() for b in load(sets.Shards(7), 2)]
    assert batches == [[0, 2], [1, 3], [4, 6], [5]]
    uneven = [b.tolist() for b in load(sets.Shards(5, uneven=True), 2, persistent_workers=True)]
    assert uneven == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in load(sets.Shards(5), 2, drop_last=True)] == [[0, 2], [1, 3]]
    assert list(load(sets.Shards(3), None, num_workers=1)) == [0, 1, 2]


def test_any_order():
    """Catch a batch that is lost where the order is free."""
    assert sorted(ids(load(sets.Rows(), in_order=False))) == ids(load(sets.Rows(), num_workers=1))


def test_spawned_workers():
    """Catch a way of starting that only one system has."""
    loader = load(sets.Rows(4), num_workers=1, multiprocessing_context="spawn")
    assert ids(loader) == [[0, 1], [2, 3]]


def test_workers_compute():
    """Catch a worker that hangs in BLAS or in our threads, which a fork leaves without threads."""
    here = mi.relu(mi.Tensor(np.full((400, 400), 2, np.float32)) @ mi.ones((400, 400)))
    assert here[0, 0].item() == 800
    found = [batch.tolist()[0] for batch in load(sets.Products(4), 1)]
    assert found == [400.0 * i * i for i in range(4)]


def test_worker_init_fn():
    """Catch a function that is called in the parent, or not with the worker's number."""
    loader = load(sets.Environment(4), 1, worker_init_fn=sets.name_worker)
    assert [b[0] for b in loader] == ["0", "1", "0", "1"]
    assert "MINIMA_TEST_WORKER" not in os.environ


@pytest.mark.parametrize(
    ("way", "error", "message"),
    [
        ("value", ValueError, r"^this row is broken\nraised in worker 0"),
        ("key", KeyError, r"^'missing'\nraised in worker 0"),
        ("odd", WorkerError, "Odd: odd: 3"),
        ("local", WorkerError, "nobody can import me"),
        ("several", WorkerError, r"^ExceptionGroup: two at once \(2 sub-exceptions\)\nraised in"),
        ("leave", WorkerError, "SystemExit: 3"),
        ("nest", mi.errors.ArgumentError, "num_workers is 1 inside of a worker process"),
    ],
)
def test_errors_keep_class_and_traceback(way, error, message):
    """Catch an error that lost its class or its traceback, and batches lost before it."""
    given = []
    with pytest.raises(error, match=message) as caught:  # noqa: PT012
        for batch in load(sets.Failing(way)):
            given.append(batch.tolist())
    assert given == [[0, 1], [2, 3]]
    assert f"in {way}\n" in str(caught.value)
    assert "worker_sets.py" in str(caught.value)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("way", "where", "message"),
    [
        ("exit", 5, r"worker 0 \(process \d+\) ended with exit code 7 while"),
        ("kill", 2, r"worker 1 \(process \d+\) was ended by signal 9 \(SIGKILL\)"),
    ],
)
def test_death_is_told(way, where, message):
    """Catch a loop that waits for ever for a process that is gone."""
    with pytest.raises(WorkerError, match=message):
        list(load(sets.Failing(way, where), persistent_workers=True))


def test_timeout():
    """Catch a wait without end for a data set that hangs, and a worker that cannot be ended."""
    start = time.monotonic()
    with pytest.raises(WorkerError, match=r"within 0\.2 seconds"):
        list(load(sets.Failing("hang", 0), num_workers=1, timeout=0.2))
    assert time.monotonic() - start < LIMIT


def test_full_memory_is_told():
    """Catch a worker that the system ends, where shared memory is full, without a word."""
    with pytest.raises(WorkerError, match=r"a batch needs \d+ bytes .* / has 100 left; make it"):
        list(load(sets.Failing("fill", 0), 1, num_workers=1))


def test_what_cannot_be_sent():
    """Catch an error from the depths of pickle that does not name the argument."""
    with pytest.raises(ValueError, match=r"collate_fn \(<lambda>\) cannot be sent"):
        next(iter(load(sets.Rows(), collate_fn=lambda samples: samples)))
    local = type("Here", (sets.Rows,), {})
    with pytest.raises(ValueError, match=r"dataset \(Here\) cannot be sent.*top level"):
        next(iter(load(local())))
    with pytest.raises(WorkerError, match=r"cannot be made again here \(not here\)"):
        next(iter(load(sets.Unreadable(), num_workers=1)))
    with pytest.raises(RuntimeError, match="no beginning"):
        next(iter(load(sets.Unbegun(), num_workers=1)))


def test_tensors_and_generators_can_be_sent():
    """Catch a data set of tensors, which are not pickled elsewhere."""
    data = mi.data.TensorDataset(mi.Tensor(np.arange(8.0)), mi.Tensor(list(range(8))))
    split = mi.data.random_split(data, [0.5, 0.5], mi.Generator(0))[0]
    batches = list(load(split, 2, num_workers=1, generator=mi.Generator(1)))
    assert [x.tolist() for x, _ in batches] == [y.tolist() for _, y in batches]


SCRIPT = """
import signal, sys, time
# a shell without job control starts background jobs with SIGINT ignored: begin as a terminal does
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {folder!r})
import minima as mi, worker_sets as sets
from multiprocessing import active_children
if __name__ == "__main__":
    loader = mi.data.DataLoader(sets.Rows(500), 2, num_workers=2, persistent_workers={keep})
    batches = iter(loader)
    next(batches)
    print(*(p.pid for p in active_children()), flush=True)
    {then}
"""


def ended(pids):
    """Wait until no process of *pids* runs."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        alive = [pid for pid in pids if _runs(pid)]
        if not alive:
            return True
        time.sleep(0.02)
    return False


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the list of processes")
@pytest.mark.parametrize(
    ("then", "signal_number", "code", "keep"),
    [
        ("", None, 0, False),
        ("sys.exit(4)", None, 4, False),
        ("time.sleep(600)", signal.SIGKILL, -signal.SIGKILL, False),
        ("time.sleep(600)", signal.SIGINT, -signal.SIGINT, True),
        ("del batches", None, 0, True),
        ("del batches; list(loader); 1 / 0", None, 1, True),
    ],
    ids=["end", "exit", "killed", "interrupted", "idle", "error"],
)
def test_the_parents_end_ends_the_workers(tmp_path, then, signal_number, code, keep):
    """Catch processes or shared memory that outlive their parent, however it ends."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parent), then=then, keep=keep))
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        if signal_number is not None:
            process.send_signal(signal_number)
        try:
            errors = process.communicate(timeout=LIMIT)[1]
        finally:
            process.kill()  # or a script that does not end would be waited for without end
    assert len(pids) == 2, errors
    assert process.returncode == code, errors
    assert ended(pids)
    assert "leaked" not in errors


def test_script_without_guard_is_told(tmp_path):
    """Catch a hang, or processes without end, where a script starts workers as it is imported."""
    script = tmp_path / "script.py"
    script.write_text("import minima as mi\nlist(mi.data.DataLoader([1], num_workers=1))\n")
    found = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert found.returncode == 1
    assert 'if __name__ == "__main__":' in found.stderr.rpartition("WorkerError")[2]

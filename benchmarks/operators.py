"""Forty operators at three sizes: minima, NumPy and PyTorch, one call each, without gradients."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from time import sleep
from typing import Any

import numpy as np

from minima.train.bench.measure import SETTLE, TOLERANCE, Contender, Settings, Worker
from minima.train.bench.report import Table, microseconds
from minima.train.bench.worker import serve, timed

__all__ = ["OPERATORS", "SIZES", "compare", "table"]

SIZES = (64, 512, 2048)
LIBRARIES = ("NumPy", "PyTorch", "minima")

Call = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One operator: its inputs for a size, and how each library spells it (None: it does not)."""

    inputs: Callable[[Any, int], Sequence[Any]]
    numpy: Call | None
    torch: Call
    minima: Call


def _matrix(rng: Any, n: int) -> Any:
    return rng.standard_normal((n, n), np.float32)


def _positive(rng: Any, n: int) -> Any:
    return rng.uniform(0.1, 2.0, (n, n)).astype(np.float32)


def _one(rng: Any, n: int) -> Sequence[Any]:
    return [_matrix(rng, n)]


def _one_positive(rng: Any, n: int) -> Sequence[Any]:
    return [_positive(rng, n)]


def _two(rng: Any, n: int) -> Sequence[Any]:
    return [_positive(rng, n), _positive(rng, n)]


def _row(rng: Any, n: int) -> Sequence[Any]:
    return [_matrix(rng, n), rng.standard_normal(n, np.float32)]


def _three(rng: Any, n: int) -> Sequence[Any]:
    return [_matrix(rng, n) > 0, _matrix(rng, n), _matrix(rng, n)]


def _batched(rng: Any, n: int) -> Sequence[Any]:
    shape = (16, n // 4, n // 4)
    return [rng.standard_normal(shape, np.float32), rng.standard_normal(shape, np.float32)]


def _layer(rng: Any, n: int) -> Sequence[Any]:
    return [_matrix(rng, n), _matrix(rng, n), rng.standard_normal(n, np.float32)]


def _scaled(rng: Any, n: int) -> Sequence[Any]:
    return [_matrix(rng, n), np.ones(n, np.float32), np.zeros(n, np.float32)]


def _indexed(rng: Any, n: int) -> Sequence[Any]:
    return [_matrix(rng, n), rng.integers(0, n, n)]


def _images(rng: Any, n: int) -> Sequence[Any]:
    return [rng.standard_normal((4, 16, n // 8, n // 8), np.float32)]


def _filtered(rng: Any, n: int) -> Sequence[Any]:
    return [*_images(rng, n), rng.standard_normal((16, 16, 3, 3), np.float32)]


def _same(name: str, torch: str = "") -> tuple[Call, Call, Call]:
    """Return the function called *name* of each library."""

    def of(module: str, name: str) -> Call:
        def call(*inputs: Any) -> Any:
            return getattr(sys.modules[module], name)(*inputs)

        return call

    return of("numpy", name), of("torch", torch or name), of("minima", name)


def _reduced(name: str, axis: int | None, torch: str = "") -> tuple[Call, Call, Call]:
    """Return a reduction along *axis*; the method of that name where there is no axis."""
    if axis is None:
        return (lambda x: getattr(x, name)(),) * 3
    return (
        lambda x: getattr(x, name)(axis=axis),
        lambda x: getattr(x, torch or name)(dim=axis),
        lambda x: getattr(x, name)(axis=axis),
    )


def _functional() -> Any:
    return import_module("torch.nn.functional")


def _m() -> Any:
    return sys.modules["minima"]


def _np_softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _np_layer_norm(x: Any, w: Any, b: Any) -> Any:
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * w + b


#: name -> case; elementwise, reductions, rows, products, movement, images
OPERATORS: dict[str, Case] = {
    "abs": Case(_one, *_same("abs")),
    "negative": Case(_one, *_same("negative")),
    "square": Case(_one, *_same("square")),
    "sqrt": Case(_one_positive, *_same("sqrt")),
    "exp": Case(_one, *_same("exp")),
    "log": Case(_one_positive, *_same("log")),
    "sin": Case(_one, *_same("sin")),
    "tanh": Case(_one, *_same("tanh")),
    "sigmoid": Case(_one, lambda x: 1 / (1 + np.exp(-x)), *_same("sigmoid")[1:]),
    "relu": Case(_one, lambda x: np.maximum(x, 0), *_same("relu")[1:]),
    "gelu": Case(_one, None, lambda x: _functional().gelu(x), lambda x: _m().gelu(x)),
    "add": Case(_two, *_same("add")),
    "subtract": Case(_two, *_same("subtract")),
    "multiply": Case(_two, *_same("multiply")),
    "divide": Case(_two, *_same("divide")),
    "maximum": Case(_two, *_same("maximum")),
    "greater": Case(_two, *_same("greater")),
    "add a row": Case(_row, *_same("add")),
    "add a number": Case(_one, *((lambda x: x + 1.5,) * 3)),
    "where": Case(_three, *_same("where")),
    "sum": Case(_one_positive, *_reduced("sum", None)),
    "sum of columns": Case(_one_positive, *_reduced("sum", 0)),
    "sum of rows": Case(_one_positive, *_reduced("sum", 1)),
    "mean": Case(_one_positive, *_reduced("mean", None)),
    "max of rows": Case(_one, *_reduced("max", 1, "amax")),
    "argmax of rows": Case(_one, *_reduced("argmax", 1)),
    "softmax": Case(_one, _np_softmax, lambda x: x.softmax(-1), lambda x: _m().softmax(x)),
    "log_softmax": Case(_one, None, lambda x: x.log_softmax(-1), lambda x: _m().log_softmax(x)),
    "logsumexp": Case(_one, None, lambda x: x.logsumexp(-1), lambda x: _m().logsumexp(x, axis=-1)),
    "layer_norm": Case(
        _scaled,
        _np_layer_norm,
        lambda x, w, b: _functional().layer_norm(x, w.shape, w, b),
        lambda x, w, b: _m().layer_norm(x, w, b, axes=(-1,), eps=1e-5),
    ),
    "cross_entropy": Case(
        _indexed,
        None,
        lambda x, y: _functional().cross_entropy(x, y),
        lambda x, y: _m().cross_entropy(x, y),
    ),
    "matmul": Case(_two, *_same("matmul")),
    "matmul, transposed": Case(_two, *((lambda a, b: a @ b.T,) * 3)),
    "matmul, batched": Case(_batched, *_same("matmul")),
    "linear": Case(
        _layer,
        lambda x, w, b: x @ w + b,
        lambda x, w, b: _functional().linear(x, w.T, b),
        lambda x, w, b: _m().linear(x, w, b),
    ),
    "concat": Case(
        _two,
        lambda a, b: np.concatenate([a, b]),
        lambda a, b: sys.modules["torch"].cat([a, b]),
        lambda a, b: _m().concat([a, b]),
    ),
    "stack": Case(
        _two,
        lambda a, b: np.stack([a, b]),
        lambda a, b: sys.modules["torch"].stack([a, b]),
        lambda a, b: _m().stack([a, b]),
    ),
    "rows by index": Case(_indexed, *((lambda x, i: x[i],) * 3)),
    "conv2d 3x3": Case(
        _filtered,
        None,
        lambda x, w: _functional().conv2d(x, w, padding=1),
        lambda x, w: _m().conv2d(x, w, padding=1),
    ),
    "max_pool2d 2x2": Case(
        _images,
        None,
        lambda x: _functional().max_pool2d(x, 2),
        lambda x: _m().max_pool2d(x, 2),
    ),
}


# ---- in the worker -------------------------------------------------------------------------------
class Session:
    """Times one operator after another with one library."""

    def __init__(self, library: str) -> None:
        self.library = library
        self.calls: dict[tuple[str, int], Callable[[], Any]] = {}

    def open(self) -> dict[str, Any]:
        """Import the library and set its threads."""
        threads = int(os.environ.get("MINIMA_BENCH_THREADS", "2"))
        if self.library == "PyTorch":
            torch = import_module("torch")
            torch.set_num_threads(threads)
            torch.set_grad_enabled(False)
        elif self.library == "minima":
            import_module("minima").set_num_threads(threads)
        return {}

    def _tensor(self, array: Any) -> Any:
        if self.library == "PyTorch":
            return sys.modules["torch"].from_numpy(array)
        return _m().asarray(array) if self.library == "minima" else array

    def prepare(self, name: str, size: int) -> dict[str, Any]:
        """Make the inputs and call once; return the sum and the first values."""
        case = OPERATORS[name]
        function = getattr(case, {"NumPy": "numpy", "PyTorch": "torch"}.get(self.library, "minima"))
        if function is None:
            return {"error": "NumPy has none"}
        arrays = case.inputs(np.random.default_rng(0), size)
        inputs = [self._tensor(np.ascontiguousarray(a)) for a in arrays]
        self.calls = {(name, size): lambda: function(*inputs)}
        found = np.asarray(function(*inputs)).astype(np.float64)
        return {"values": [float(found.mean()), *map(float, found.ravel()[:5])]}

    def burst(self, name: str, size: int, seconds: float) -> dict[str, Any]:
        """Call for *seconds*; return the median of the seconds of a call."""
        return {"median": float(np.median(timed(self.calls[name, size], seconds)))}


# ---- side by side --------------------------------------------------------------------------------
def compare(
    sizes: Sequence[int],
    settings: Settings,
    report: Callable[[str], object],
    libraries: Sequence[str] = LIBRARIES,
) -> list[dict[str, Any]]:
    """Return a row for each operator and size: the median seconds of each library's call."""
    workers = {
        name: Worker(["-m", "benchmarks.operators", name], settings, Contender(name, ""))
        for name in libraries
    }
    rows = []
    try:
        able = {n: w for n, w in workers.items() if "error" not in w.ask("open")}
        for name in OPERATORS:
            report(f"operator {name}")
            rows += [_one_row(name, size, able, settings) for size in sizes]
    finally:
        for worker in workers.values():
            worker.close()
    return rows


def _one_row(
    name: str, size: int, workers: dict[str, Worker], settings: Settings
) -> dict[str, Any]:
    row: dict[str, Any] = {"operator": name, "size": size, "seconds": {}, "notes": {}}
    rounds: dict[str, list[float]] = {}
    expected: Any = None
    for library, worker in workers.items():
        answer = worker.ask("prepare", name, size)
        if "error" in answer:
            row["notes"][library] = answer["error"]
            continue
        values = np.array(answer["values"])
        expected = values if expected is None else expected
        if np.allclose(values, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            rounds[library] = []
        else:
            row["notes"][library] = f"differs: {values.tolist()} and not {expected.tolist()}"
    for _ in range(settings.rounds):
        for library in rounds:
            sleep(SETTLE / 10)
            rounds[library].append(workers[library].ask("burst", name, size, 0.01)["median"])
    row["seconds"] = {library: median(times) for library, times in rounds.items() if times}
    return row


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table of operators: times, and minima's to the quicker of the others."""
    names = list(dict.fromkeys(n for row in rows for n in (*row["seconds"], *row["notes"])))
    names = sorted(names, key=lambda n: LIBRARIES.index(n) if n in LIBRARIES else len(LIBRARIES))
    header = ["operator", "size", *names, "minima / best"]
    found = Table("Microseconds of one operator on n x n float32", header, [])
    for row in rows:
        seconds = row["seconds"]
        cells = [
            microseconds(seconds[n])
            if n in seconds
            else f"- {found.remark(row['notes'][n])}"
            if n in row["notes"]
            else "-"
            for n in names
        ]
        others = [t for n, t in seconds.items() if n != "minima"]
        ratio = f"{seconds['minima'] / min(others):.2f}" if others and "minima" in seconds else "-"
        found.lines.append([row["operator"], str(row["size"]), *cells, ratio])
    return found


if __name__ == "__main__":
    import minima  # noqa: F401  (the cases look it up)

    serve(Session(sys.argv[1]))

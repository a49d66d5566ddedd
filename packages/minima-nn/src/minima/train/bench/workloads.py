"""Workloads: what is timed, as sizes, weights and data that belong to no framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MODES", "WORKLOADS", "Workload"]

Arrays = dict[str, npt.NDArray[Any]]
#: a parameter's name, its shape, and what it starts from: uniform in +-bound, or a constant
Entry = tuple[str, tuple[int, ...], float | str]

#: a training step; inference of a batch; inference of one sample
MODES = ("train", "infer", "single")
LEARNING_RATE = 1e-6  # so small that the loss, and with it the arithmetic, stays as it is


@dataclass(frozen=True)
class Workload:
    """A model of one *family* with *sizes*, and the *batch* that it is trained with.

    >>> from minima.train.bench import WORKLOADS
    >>> small = WORKLOADS["mlp-small"]
    >>> {name: array.shape for name, array in small.weights().items()}
    {'0.weight': (32, 64), '0.bias': (32,), '2.weight': (10, 32), '2.bias': (10,)}
    >>> x, y = small.batches(1)[0]
    >>> x.shape, y.shape
    ((32, 64), (32,))
    """

    name: str
    title: str
    family: str
    batch: int
    sizes: Mapping[str, Any] = field(hash=False)

    def weights(self, seed: int = 0) -> Arrays:
        """Return the parameters to start from, by PyTorch's names and in its layout."""
        rng = np.random.default_rng(seed)
        found: Arrays = {}
        for name, shape, start in _ENTRIES[self.family](**self.sizes):
            if start == "one":
                found[name] = np.ones(shape, np.float32)
            elif start == "zero":
                found[name] = np.zeros(shape, np.float32)
            else:
                found[name] = rng.uniform(-float(start), float(start), shape).astype(np.float32)
        return found

    def batches(self, count: int, batch: int | None = None, seed: int = 1) -> list[Any]:
        """Return *count* batches (x, targets) of fresh random data."""
        rng = np.random.default_rng(seed)
        n = self.batch if batch is None else batch
        return [_DATA[self.family](rng, n, **self.sizes) for _ in range(count)]


# ---- parameters of each family -------------------------------------------------------------------
def _linear(name: str, inputs: int, outputs: int) -> Iterator[Entry]:
    bound = 1 / sqrt(inputs)
    yield f"{name}.weight", (outputs, inputs), bound
    yield f"{name}.bias", (outputs,), bound


def _conv(name: str, inputs: int, outputs: int, kernel: int, bias: bool) -> Iterator[Entry]:
    bound = 1 / sqrt(inputs * kernel * kernel)
    yield f"{name}.weight", (outputs, inputs, kernel, kernel), bound
    if bias:
        yield f"{name}.bias", (outputs,), bound


def _norm(name: str, size: int) -> Iterator[Entry]:
    yield f"{name}.weight", (size,), "one"
    yield f"{name}.bias", (size,), "zero"


def _mlp(widths: tuple[int, ...]) -> Iterator[Entry]:
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        yield from _linear(str(2 * i), inputs, outputs)


def _cnn(widths: tuple[int, ...], side: int, classes: int) -> Iterator[Entry]:
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        yield from _conv(str(4 * i), inputs, outputs, 3, True)
        yield from _norm(str(4 * i + 1), outputs)
    yield from _linear(str(4 * len(widths) - 3), widths[-1], classes)


def _resnet(widths: tuple[int, ...], blocks: int, side: int, classes: int) -> Iterator[Entry]:
    yield from _conv("conv1", 3, widths[0], 3, False)
    yield from _norm("bn1", widths[0])
    inputs, number = widths[0], 0
    for outputs in widths:
        for _ in range(blocks):
            name = f"blocks.{number}"
            yield from _conv(f"{name}.conv1", inputs, outputs, 3, False)
            yield from _norm(f"{name}.bn1", outputs)
            yield from _conv(f"{name}.conv2", outputs, outputs, 3, False)
            yield from _norm(f"{name}.bn2", outputs)
            if inputs != outputs:
                yield from _conv(f"{name}.downsample.0", inputs, outputs, 1, False)
                yield from _norm(f"{name}.downsample.1", outputs)
            inputs, number = outputs, number + 1
    yield from _linear("fc", widths[-1], classes)


def _transformer(d: int, layers: int, heads: int, tokens: int, vocabulary: int) -> Iterator[Entry]:
    yield "embedding.weight", (vocabulary, d), 1.0
    yield "position.weight", (tokens, d), 0.02
    for i in range(layers):
        name = f"blocks.{i}"
        yield f"{name}.self_attn.in_proj_weight", (3 * d, d), sqrt(6 / (4 * d))
        yield f"{name}.self_attn.in_proj_bias", (3 * d,), "zero"
        yield from _linear(f"{name}.self_attn.out_proj", d, d)
        yield from _linear(f"{name}.linear1", d, 4 * d)
        yield from _linear(f"{name}.linear2", 4 * d, d)
        yield from _norm(f"{name}.norm1", d)
        yield from _norm(f"{name}.norm2", d)
    yield from _norm("norm", d)
    yield from _linear("output", d, vocabulary)


def _recurrent(kind: str, inputs: int, hidden: int, steps: int, classes: int) -> Iterator[Entry]:
    gates, bound = (4 if kind == "LSTM" else 3), 1 / sqrt(hidden)
    yield "recurrent.weight_ih_l0", (gates * hidden, inputs), bound
    yield "recurrent.weight_hh_l0", (gates * hidden, hidden), bound
    yield "recurrent.bias_ih_l0", (gates * hidden,), bound
    yield "recurrent.bias_hh_l0", (gates * hidden,), bound
    yield from _linear("output", hidden, classes)


def _bag(vocabulary: int, d: int, words: int, classes: int) -> Iterator[Entry]:
    yield "0.weight", (vocabulary, d), 1.0
    yield from _linear("1", d, classes)


# ---- data of each family -------------------------------------------------------------------------
def _normal(rng: Any, classes: int, *shape: int) -> Any:
    return rng.standard_normal(shape, np.float32), rng.integers(0, classes, shape[0])


def _vectors(rng: Any, n: int, widths: tuple[int, ...]) -> Any:
    return _normal(rng, widths[-1], n, widths[0])


def _images(rng: Any, n: int, side: int, classes: int, **_: Any) -> Any:
    return _normal(rng, classes, n, 3, side, side)


def _text(rng: Any, n: int, tokens: int, vocabulary: int, **_: Any) -> Any:
    return rng.integers(0, vocabulary, (n, tokens)), rng.integers(0, vocabulary, n * tokens)


def _series(rng: Any, n: int, inputs: int, steps: int, classes: int, **_: Any) -> Any:
    return _normal(rng, classes, n, steps, inputs)


def _bags(rng: Any, n: int, vocabulary: int, words: int, classes: int, **_: Any) -> Any:
    return rng.integers(0, vocabulary, (n, words)), rng.integers(0, classes, n)


_ENTRIES: dict[str, Any] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "resnet": _resnet,
    "transformer": _transformer,
    "recurrent": _recurrent,
    "bag": _bag,
}
_DATA: dict[str, Any] = {
    "mlp": _vectors,
    "cnn": _images,
    "resnet": _images,
    "transformer": _text,
    "recurrent": _series,
    "bag": _bags,
}


def _recurrent_workload(kind: str) -> Workload:
    sizes = {"kind": kind, "inputs": 32, "hidden": 128, "steps": 32, "classes": 10}
    return Workload(kind.lower(), f"{kind} 32-128, 32 steps, batch 32", "recurrent", 32, sizes)


_LIST = (
    Workload("mlp-small", "MLP 64-32-10, batch 32", "mlp", 32, {"widths": (64, 32, 10)}),
    Workload("mlp-64", "MLP 784-256-128-10, batch 64", "mlp", 64, {"widths": (784, 256, 128, 10)}),
    Workload(
        "mlp-512", "MLP 784-256-128-10, batch 512", "mlp", 512, {"widths": (784, 256, 128, 10)}
    ),
    Workload(
        "cnn",
        "CNN 3-32-64-128, 32x32, batch 32",
        "cnn",
        32,
        {"widths": (3, 32, 64, 128), "side": 32, "classes": 10},
    ),
    Workload(
        "resnet20",
        "ResNet-20, 32x32, batch 64",
        "resnet",
        64,
        {"widths": (16, 32, 64), "blocks": 3, "side": 32, "classes": 10},
    ),
    Workload(
        "transformer-small",
        "transformer d128 L2 h4, 64 tokens, batch 16",
        "transformer",
        16,
        {"d": 128, "layers": 2, "heads": 4, "tokens": 64, "vocabulary": 256},
    ),
    Workload(
        "transformer-large",
        "transformer d256 L4 h4, 256 tokens, batch 4",
        "transformer",
        4,
        {"d": 256, "layers": 4, "heads": 4, "tokens": 256, "vocabulary": 256},
    ),
    _recurrent_workload("LSTM"),
    _recurrent_workload("GRU"),
    Workload(
        "bag",
        "embedding bag 10000x64, 50 words, batch 64",
        "bag",
        64,
        {"vocabulary": 10_000, "d": 64, "words": 50, "classes": 4},
    ),
)
WORKLOADS: dict[str, Workload] = {w.name: w for w in _LIST}


def parameter_count(workload: Workload) -> int:
    """Return the number of trained values.

    >>> parameter_count(WORKLOADS["mlp-small"])
    2410
    """
    return sum(prod(shape) for _, shape, _ in _ENTRIES[workload.family](**workload.sizes))

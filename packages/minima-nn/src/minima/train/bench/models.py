"""The models of the workloads, written once for every framework that has PyTorch's layers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from minima.errors import MinimaError
from minima.train.bench.workloads import Workload

__all__ = ["LayerMissingError", "build"]

ToTensor = Callable[[Any], Any]


class LayerMissingError(MinimaError, LookupError):
    """A framework lacks a layer that a workload needs."""


class _Layers:
    """A framework's layers, with an error of its own for one that is not there."""

    def __init__(self, nn: Any) -> None:
        self.nn = nn

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self.nn, name)
        except AttributeError:
            raise LayerMissingError(f"layer missing: {name}") from None


def build(nn: Any, tensor: ToTensor, workload: Workload) -> Any:
    """Return the model of *workload* from the layers *nn*; *tensor* converts a NumPy array.

    Raises: LayerMissingError, naming the layer, when *nn* lacks one.

    >>> from minima.train.bench.workloads import WORKLOADS
    >>> build(mi.nn, mi.asarray, WORKLOADS["mlp-small"])(mi.ones((5, 64))).shape
    (5, 10)
    """
    return _MODELS[workload.family](_Layers(nn), tensor, **workload.sizes)


def _mlp(nn: Any, tensor: ToTensor, widths: tuple[int, ...]) -> Any:
    layers: list[Any] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _cnn(nn: Any, tensor: ToTensor, widths: tuple[int, ...], side: int, classes: int) -> Any:
    layers: list[Any] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers[-1] = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1], classes))


def _resnet(
    nn: Any, tensor: ToTensor, widths: tuple[int, ...], blocks: int, side: int, classes: int
) -> Any:
    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            stride = 1 if inputs == outputs else 2
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.relu = nn.ReLU()
            self.downsample = nn.Identity()
            if inputs != outputs:
                self.downsample = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + self.downsample(x))

    class ResNet(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(widths[0])
            self.relu = nn.ReLU()
            before = [widths[0], *(w for w in widths for _ in range(blocks))]
            self.blocks = nn.Sequential(*(Block(a, b) for a, b in pairwise(before)))
            self.pool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
            self.fc = nn.Linear(widths[-1], classes)

        def forward(self, x: Any) -> Any:
            x = self.blocks(self.relu(self.bn1(self.conv1(x))))
            return self.fc(self.flatten(self.pool(x)))

    return ResNet()


def _transformer(
    nn: Any, tensor: ToTensor, d: int, layers: int, heads: int, tokens: int, vocabulary: int
) -> Any:
    def layer() -> Any:
        return nn.TransformerEncoderLayer(
            d, heads, 4 * d, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )

    class Transformer(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, d)
            self.position = nn.Embedding(tokens, d)
            self.blocks = nn.Sequential(*(layer() for _ in range(layers)))
            self.norm = nn.LayerNorm(d)
            self.output = nn.Linear(d, vocabulary)
            mask = np.triu(np.full((tokens, tokens), -np.inf, np.float32), 1)
            self.register_buffer("mask", tensor(mask), persistent=False)

        def forward(self, x: Any) -> Any:
            x = self.embedding(x) + self.position.weight
            for block in self.blocks:
                x = block(x, src_mask=self.mask, is_causal=True)
            return self.output(self.norm(x)).flatten(0, 1)

    return Transformer()


def _recurrent(
    nn: Any, tensor: ToTensor, kind: str, inputs: int, hidden: int, steps: int, classes: int
) -> Any:
    class Recurrent(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = getattr(nn, kind)(inputs, hidden, batch_first=True)
            self.output = nn.Linear(hidden, classes)

        def forward(self, x: Any) -> Any:
            return self.output(self.recurrent(x)[0][:, -1])

    return Recurrent()


def _bag(nn: Any, tensor: ToTensor, vocabulary: int, d: int, words: int, classes: int) -> Any:
    return nn.Sequential(nn.EmbeddingBag(vocabulary, d, mode="mean"), nn.Linear(d, classes))


_MODELS: dict[str, Callable[..., Any]] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "resnet": _resnet,
    "transformer": _transformer,
    "recurrent": _recurrent,
    "bag": _bag,
}

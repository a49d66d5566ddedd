"""MyGrad: the workloads that its layers can express, with Adam in NumPy."""

from __future__ import annotations

from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.layers import batchnorm, conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

from minima.train.bench.models import LayerMissingError
from minima.train.bench.workloads import LEARNING_RATE, Workload

__all__ = ["eager"]


def eager(workload: Workload, training: bool) -> MyGrad:
    """Run as written, without MyGrad's guards against writing to memory."""
    if workload.family not in _MODELS:
        raise LayerMissingError(f"layer missing: MyGrad has none for {workload.title}")
    mg.turn_memory_guarding_off()
    return MyGrad(workload, training)


class MyGrad:
    """A workload as a function of weights, and Adam's moments."""

    def __init__(self, workload: Workload, training: bool) -> None:
        self.weights = {k: mg.tensor(w) for k, w in workload.weights().items()}
        self.moments = [
            (np.zeros_like(w.data), np.zeros_like(w.data)) for w in self.weights.values()
        ]
        self.steps = 0
        self.model, self.sizes, self.training = _MODELS[workload.family], workload.sizes, training

    def batch(self, x: Any, y: Any) -> Any:
        """Return both as they are."""
        return x, y

    def logits(self, x: Any) -> Any:
        """Return the logits as a tensor."""
        return self.model(self.weights, x, self.training, **self.sizes)

    def train(self, batch: Any) -> Any:
        """Make one step; return the loss."""
        x, y = batch
        loss = softmax_crossentropy(self.logits(x), y)
        loss.backward()
        self.steps += 1
        a, b = 1 - 0.9**self.steps, 1 - 0.999**self.steps
        for w, (m, v) in zip(self.weights.values(), self.moments):
            g = w.grad
            m *= np.float32(0.9)
            m += np.float32(0.1) * g
            v *= np.float32(0.999)
            v += np.float32(0.001) * g * g
            root = np.sqrt(v / np.float32(b)) + np.float32(1e-8)
            w.data[...] -= np.float32(LEARNING_RATE / a) * m / root
            w.null_grad()
        return loss

    def infer(self, batch: Any) -> Any:
        """Return the logits."""
        with mg.no_autodiff:
            return self.logits(batch[0])

    def value(self, result: Any) -> Any:
        """Return a tensor as a NumPy array."""
        return np.asarray(result.data)


def _linear(w: Any, name: str, x: Any) -> Any:
    return mg.matmul(x, w[f"{name}.weight"].T) + w[f"{name}.bias"]


def _relu(x: Any) -> Any:
    return mg.nnet.relu(x)


def _mlp(w: Any, x: Any, training: bool, widths: tuple[int, ...]) -> Any:
    for i in range(len(widths) - 2):
        x = _relu(_linear(w, str(2 * i), x))
    return _linear(w, str(2 * (len(widths) - 2)), x)


def _cnn(w: Any, x: Any, training: bool, widths: tuple[int, ...], **_: Any) -> Any:
    last = len(widths) - 2
    for i in range(last + 1):
        conv, norm = str(4 * i), str(4 * i + 1)
        x = conv_nd(x, w[f"{conv}.weight"], stride=1, padding=1)
        x = x + w[f"{conv}.bias"].reshape(1, -1, 1, 1)
        gamma, beta = w[f"{norm}.weight"], w[f"{norm}.bias"]
        if training:
            x = batchnorm(x, gamma=gamma, beta=beta, eps=1e-5)
        else:  # the running statistics are those of the start: mean 0, variance 1
            scale = (gamma / np.float32(np.sqrt(1 + 1e-5))).reshape(1, -1, 1, 1)
            x = x * scale + beta.reshape(1, -1, 1, 1)
        x = _relu(x)
        if i < last:
            x = max_pool(x, (2, 2), 2)
    return _linear(w, str(4 * last + 5), x.mean(axis=(2, 3)))


def _bag(w: Any, x: Any, training: bool, **_: Any) -> Any:
    return _linear(w, "1", w["0.weight"][x].mean(axis=1))


_MODELS: dict[str, Any] = {"mlp": _mlp, "cnn": _cnn, "bag": _bag}

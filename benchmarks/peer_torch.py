"""PyTorch: the same models, with fused Adam; eager, and the loss compiled."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from minima.train.bench.models import build
from minima.train.bench.workloads import LEARNING_RATE, Workload

__all__ = ["compiled", "eager"]


def eager(workload: Workload, training: bool) -> Torch:
    """Run as written."""
    return Torch(workload, training)


def compiled(workload: Workload, training: bool) -> Torch:
    """Run the loss, or the model, through torch.compile."""
    trial = Torch(workload, training)
    trial.loss, trial.predict = torch.compile(trial.loss), torch.compile(trial.predict)
    return trial


class Torch:
    """A workload's model in PyTorch."""

    def __init__(self, workload: Workload, training: bool) -> None:
        torch.set_num_threads(int(os.environ.get("MINIMA_BENCH_THREADS", "2")))
        self.model = build(torch.nn, torch.from_numpy, workload)
        weights = {name: torch.from_numpy(w) for name, w in workload.weights().items()}
        if weights.keys() != dict(self.model.named_parameters()).keys():
            raise ValueError("model and weights differ")
        self.model.load_state_dict(weights, strict=False)
        self.model.train(training)
        self.optimizer = torch.optim.Adam(self.model.parameters(), LEARNING_RATE, fused=True)
        self.predict: Any = self.model

        def loss(x: Any, y: Any) -> Any:
            return functional.cross_entropy(self.model(x), y)

        self.loss: Any = loss

    def batch(self, x: Any, y: Any) -> Any:
        """Return both as tensors."""
        return torch.from_numpy(x), torch.from_numpy(y)

    def train(self, batch: Any) -> Any:
        """Make one step; return the loss."""
        self.optimizer.zero_grad()
        loss = self.loss(*batch)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def infer(self, batch: Any) -> Any:
        """Return the logits."""
        with torch.inference_mode():
            return self.predict(batch[0])

    def value(self, result: Any) -> Any:
        """Return a tensor as a NumPy array."""
        return np.asarray(result.detach())

"""minima as a contender: eager, and compiled with each executor."""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

import minima as mi
from minima import nn, optim
from minima.train.bench.models import build
from minima.train.bench.workloads import LEARNING_RATE, Workload

__all__ = ["Trial", "eager", "numba", "numpy"]


class Trial(Protocol):
    """A workload made ready to run by one framework.

    *train* and *infer* return when all that they started has finished.
    """

    def batch(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Any:
        """Return a batch as the framework holds it."""

    def train(self, batch: Any) -> Any:
        """Make one step with Adam; return the loss."""

    def infer(self, batch: Any) -> Any:
        """Return the logits, in evaluation mode and without gradients."""

    def value(self, result: Any) -> npt.NDArray[Any]:
        """Return a loss, or logits, as a NumPy array."""


def eager(workload: Workload, training: bool) -> Trial:
    """Run each operator as Python comes to it."""
    return Minima(workload, training, None)


def numpy(workload: Workload, training: bool) -> Trial:
    """Replay plans with the executor of minima-core."""
    return Minima(workload, training, "numpy")


def numba(workload: Workload, training: bool) -> Trial:
    """Replay plans with the executor of minima-numba."""
    return Minima(workload, training, "numba")


class Minima:
    """A workload's model with weights given; *training* says which of both it is for."""

    def __init__(self, workload: Workload, training: bool, executor: str | None) -> None:
        # a contender that runs eagerly after all must not be reported as compiled
        warnings.simplefilter("error", mi.CompileWarning)
        self.model = build(nn, mi.asarray, workload)
        load(self.model, workload.weights())
        self.model.train(training)
        self.predict: Any = self.model
        self.step: Any = self._step()
        if executor is not None:
            self.predict = mi.compile(self.model, executor)
            self.step = mi.compile(self.step, executor)

    def _step(self) -> Any:
        model, loss_function = self.model, nn.CrossEntropyLoss()
        optimizer = optim.Adam(model.parameters(), lr=LEARNING_RATE)

        def step(x: mi.Tensor, y: mi.Tensor) -> mi.Tensor:
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            result: mi.Tensor = loss.detach()
            return result

        return step

    def batch(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Any:
        """Return both as Tensors."""
        return mi.asarray(x), mi.asarray(y)

    def train(self, batch: Any) -> Any:
        """Make one step; return the loss."""
        return self.step(*batch)

    def infer(self, batch: Any) -> Any:
        """Return the logits."""
        with mi.no_grad():
            return self.predict(batch[0])

    def value(self, result: Any) -> npt.NDArray[Any]:
        """Return a Tensor as a NumPy array."""
        return np.asarray(result.detach())


def load(model: Any, weights: dict[str, npt.NDArray[Any]]) -> None:
    """Give *model* the *weights*, which are in PyTorch's layout.

    Raises: ArgumentError when a name or a shape fits in no layout.

    >>> import numpy as np
    >>> layer = mi.nn.Linear(3, 2)
    >>> load(layer, {"weight": np.ones((2, 3)), "bias": np.zeros(2)})
    >>> layer(mi.ones((1, 3)))
    Tensor([[3., 3.]], grad_fn=<linear>)
    """
    # Sequential calls its layers module_0, module_1, ..., PyTorch's 0, 1, ...
    owners = {name.replace("module_", ""): module for name, module in model.named_modules()}
    parameters = {name.replace("module_", ""): p for name, p in model.named_parameters()}
    if parameters.keys() != weights.keys():
        unlike = ", ".join(sorted(parameters.keys() ^ weights.keys()))
        raise mi.ArgumentError(f"bench: model and weights differ in {unlike}")
    with mi.no_grad():
        for name, array in weights.items():
            owner = owners[name.rpartition(".")[0]]
            target = parameters[name]
            if name.endswith("weight") and (
                isinstance(owner, nn.Linear) or target.shape != array.shape
            ):
                array = array.T
            if target.shape != array.shape:
                raise mi.ArgumentError(
                    f"bench: {name} has shape {target.shape}; the weights given {array.shape}"
                )
            target.copy_(mi.asarray(np.ascontiguousarray(array, target.dtype)))

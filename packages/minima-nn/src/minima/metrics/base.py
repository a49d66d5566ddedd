"""What all metrics share: they take batches, give a figure, begin anew, and can be joined."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from minima import Tensor, asarray
from minima.errors import DTypeError, ShapeError
from minima.nn.errors import StateDictError

__all__ = ["Metric", "host", "once"]

Array = npt.NDArray[Any]


class Metric:
    """Base of the metrics: ``update`` takes a batch, ``compute`` gives the figure of all so far.

    Calling it does both, for the batch alone, and returns the batch's figure. A subclass defines
    ``reset``, ``update`` and ``compute``, and names in ``sums`` what ``merge`` adds up. Sums are
    float64 or int64 on the host, whatever the batches' dtype and device.

    >>> accuracy = mi.metrics.Accuracy()
    >>> accuracy(mi.Tensor([[0.1, 0.9], [0.8, 0.2]]), mi.Tensor([1, 1]))
    0.5
    >>> accuracy(mi.Tensor([[0.1, 0.9]]), mi.Tensor([1]))
    1.0
    >>> round(accuracy.compute(), 3)
    0.667
    """

    sums: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(f"{type(self).__name__}: reset is not defined")

    def update(self, *batch: Any) -> None:
        """Take a batch."""
        raise NotImplementedError(f"{type(self).__name__}: update is not defined")

    def compute(self) -> Any:
        """Return the figure of all batches so far; NaN where there were none."""
        raise NotImplementedError(f"{type(self).__name__}: compute is not defined")

    def __call__(self, *batch: Any) -> Any:
        """Take a batch and return its figure alone."""
        alone = deepcopy(self)
        alone.reset()
        alone.update(*batch)
        self.merge(alone)
        return alone.compute()

    def merge(self, other: Metric) -> Self:
        """Take what *other*, of the same class and options, has seen; return the metric.

        Raises: DTypeError for another class.

        >>> a, b = mi.metrics.Accuracy(), mi.metrics.Accuracy()
        >>> a.update(mi.Tensor([[0.0, 1.0]]), mi.Tensor([1]))
        >>> b.update(mi.Tensor([[0.0, 1.0]]), mi.Tensor([0]))
        >>> a.merge(b).compute()
        0.5
        """
        if type(other) is not type(self):
            raise DTypeError(
                f"{type(self).__name__}: cannot merge a {type(other).__name__}; expected the same "
                "metric"
            )
        for name in self.sums:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def state_dict(self) -> dict[str, Any]:
        """Return the sums so far, as plain values and arrays."""
        return {name: deepcopy(getattr(self, name)) for name in self.sums}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the sums of *state*.

        Raises: StateDictError when it has other names.
        """
        if set(state) != set(self.sums):
            raise StateDictError(
                f"{type(self).__name__}: the state has {sorted(state)}; expected "
                f"{sorted(self.sums)}"
            )
        for name in self.sums:
            setattr(self, name, deepcopy(state[name]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def host(owner: str, name: str, value: Any, kinds: str = "fiub") -> Array:
    """Return *value* as an array on the host, floating ones as float64.

    >>> host("Accuracy", "targets", [0.5], kinds="iu")
    Traceback (most recent call last):
    minima.errors.DTypeError: Accuracy: targets has dtype float32; expected integers
    """
    tensor = value.detach() if isinstance(value, Tensor) else asarray(value)
    array = tensor.numpy()
    if array.dtype.kind not in kinds + ("V" if "f" in kinds else ""):
        wanted = "integers" if "f" not in kinds else "real numbers"
        raise DTypeError(f"{owner}: {name} has dtype {array.dtype}; expected {wanted}")
    return array.astype(np.float64) if array.dtype.kind in "fV" else array


def same_length(owner: str, predictions: Array, targets: Array) -> None:
    """Raise unless both have the same shape."""
    if predictions.shape != targets.shape:
        raise ShapeError(
            f"{owner}: predictions have shape {predictions.shape}, targets {targets.shape}; "
            "expected equal"
        )


def once(metric: Metric, *batch: Any) -> Any:
    """Return the figure of one batch by a fresh *metric*."""
    metric.update(*batch)
    return metric.compute()


def ratio(part: Any, whole: Any, otherwise: float = float("nan")) -> Any:
    """Return part / whole, elementwise; *otherwise* where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    found = np.full(np.broadcast(part, whole).shape, otherwise)
    np.divide(part, whole, out=found, where=whole != 0)
    return found if found.ndim else float(found)

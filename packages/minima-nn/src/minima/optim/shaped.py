"""Optimisers that look at a parameter as a whole, its norm or its matrix: LAMB, Muon, Adafactor."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod, sqrt
from typing import Any, ClassVar, Unpack

import minima as mi
from minima import Tensor, where
from minima.compiler.live import live
from minima.errors import ShapeError
from minima.nn.arguments import check_choice, integer, real

from .how import How
from .optimizer import Group, Optimizer, check_betas, check_positive, slot

__all__ = ["LAMB", "Adafactor", "Muon"]

State = dict[str, Any]


def _norm(x: Tensor) -> Tensor:
    return mi.sqrt((x * x).sum())


class LAMB(Optimizer):
    """Adam with the step of each parameter as long as the parameter itself: for large batches.

    With Adam's m and v corrected for their start: r = m / (sqrt(v) + eps) + weight_decay * p;
    p -= lr * |p| / |r| * r, the ratio 1 where one of the norms is 0.

    Raises: ArgumentError for a negative option, or betas outside of 0 <= b < 1.
    Source: You et al. 2019, algorithm 2.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.LAMB([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    counts: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "eps", "weight_decay")
        check_betas(self, group)

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        step, (beta1, beta2) = state["step"], group["betas"]
        mean = slot(state, "exp_avg", parameter).lerp_(gradient, 1.0 - beta1)
        square = slot(state, "exp_avg_sq", parameter).mul_(beta2)
        square.addcmul_(gradient, gradient, value=1.0 - beta2)
        scale = mi.sqrt(square).div_((1.0 - beta2**step) ** 0.5).add_(group["eps"])
        direction = (mean / (1.0 - beta1**step)).div_(scale)
        if group["weight_decay"]:
            direction.add_(parameter, alpha=group["weight_decay"])
        long, far = _norm(parameter), _norm(direction)
        known = (long > 0) & (far > 0)
        ratio = where(known, long / where(known, far, 1.0), 1.0)
        parameter.sub_(direction * ratio, alpha=group["lr"])


class Muon(Optimizer):
    """Step along the momentum made orthogonal: for the matrices of hidden layers.

    b = momentum * b + (1 - momentum) * g; the step is b, or with *nesterov* the same mean of g and
    b, brought by *ns_steps* Newton-Schulz iterations x = a x + (b y + c y^2) x, y = x x^T, near
    to the closest matrix with orthogonal rows. Its rate is lr * sqrt(max(1, rows / columns)) or,
    with *adjust_lr_fn* "match_rms_adamw", 0.2 * lr * sqrt(max(rows, columns)). First
    p -= lr * weight_decay * p. Rows and columns are those of ``x @ p``, as in `nn.Linear`.

    It computes in the parameter's dtype, where PyTorch takes bfloat16.

    Raises: ShapeError for a parameter that is no matrix: give those to another optimiser;
    ArgumentError for an option out of range.
    Source: Jordan et al. 2024.

    >>> w = mi.nn.Parameter([[1.0, 0.0], [0.0, 1.0]])
    >>> optimizer = mi.optim.Muon([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> bool((w.numpy().diagonal() < 1).all())
    True
    """

    slots: ClassVar[tuple[str, ...]] = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "weight_decay", "momentum", "eps")
        integer("Muon", "ns_steps", group["ns_steps"], low=0)
        if group["adjust_lr_fn"] is not None:
            check_choice(
                "Muon", "adjust_lr_fn", group["adjust_lr_fn"], ("original", "match_rms_adamw")
            )
        for p in group["params"]:
            if isinstance(p, Tensor) and p.ndim != 2:
                raise ShapeError(
                    f"Muon: a parameter has shape {p.shape}; expected matrices: give vectors and "
                    "embeddings to another optimiser, such as AdamW"
                )

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        momentum, lr = group["momentum"], group["lr"]
        buffer = slot(state, "momentum_buffer", parameter).lerp_(gradient, 1.0 - momentum)
        wanted = mi.lerp(gradient, buffer, weight=momentum) if group["nesterov"] else buffer
        direction = _orthogonal(wanted, group["ns_coefficients"], group["ns_steps"], group["eps"])
        columns, rows = parameter.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            rate = 0.2 * lr * sqrt(max(rows, columns))
        else:
            rate = lr * sqrt(max(1.0, rows / columns))
        parameter.mul_(1.0 - lr * group["weight_decay"]).sub_(direction, alpha=rate)


def _orthogonal(
    x: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """Return a matrix near to the orthogonal one closest to *x*, by Newton-Schulz iterations."""
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / mi.clip(_norm(x), eps, float("inf"))
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x


class Adafactor(Optimizer):
    """Adam without momentum, whose mean squares are kept as rows and columns: for large models.

    For a matrix the mean square is the product of its mean over columns and over rows, over the
    mean of either; a vector keeps its own. Their means take a share t ** beta2_decay of what is
    new. The step, u = g over the root, is shortened to a root mean square of *d*, and is
    max(eps[1], rms of p) * min(lr, 1 / sqrt(t)) times that. First p -= lr * weight_decay * p.

    Raises: ArgumentError for an option out of range.
    Source: Shazeer & Stern 2018.

    >>> w = mi.nn.Parameter([[1.0, 1.0]])
    >>> optimizer = mi.optim.Adafactor([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([[0.9, 0.9]], dtype=float32)
    """

    counts: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("row_var", "col_var", "variance")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "weight_decay")
        real("Adafactor", "beta2_decay", group["beta2_decay"], high=0.0)
        real("Adafactor", "d", group["d"], low=1.0)
        for i, eps in enumerate(group["eps"]):
            if eps is not None or i:
                real("Adafactor", f"eps[{i}]", eps, low=0.0)

    def slot_shape(self, name: str, parameter: Tensor) -> tuple[int, ...]:
        """Return the parameter's shape, of a row or column with one axis of size 1."""
        shape = parameter.shape
        if name == "row_var":
            return (*shape[:-1], 1)
        return (*shape[:-2], 1, shape[-1]) if name == "col_var" else shape

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        step, size = state["step"], max(1, prod(parameter.shape))
        least = group["eps"][0]
        if least is None:
            least = float(mi.finfo(parameter.dtype).eps)
        new = step ** group["beta2_decay"]
        length = mi.clip(_norm(parameter) / sqrt(size), group["eps"][1], float("inf"))
        if group["weight_decay"]:
            parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
        square = mi.clip(
            self._square(parameter, gradient, state, new, least), least**2, float("inf")
        )
        direction = gradient / mi.sqrt(square)
        short = mi.clip(_norm(direction) / (sqrt(size) * group["d"]), 1.0, float("inf"))
        parameter.sub_(
            direction * (length / short), alpha=live(min, group["lr"], 1.0 / live(sqrt, step))
        )

    def _square(
        self, parameter: Tensor, gradient: Tensor, state: State, new: float, least: float
    ) -> Tensor:
        """Return the mean square of gradients, after a share *new* of this step's went into it."""
        squares = gradient * gradient
        if parameter.ndim < 2:
            return slot(state, "variance", parameter).lerp_(squares, new).clone()
        row, column = (
            slot(state, name, parameter, shape=self.slot_shape(name, parameter)).lerp_(
                squares.mean(axis, keepdims=True), new
            )
            for name, axis in (("row_var", -1), ("col_var", -2))
        )
        return (row @ column) / mi.clip(row.mean(-2, keepdims=True), least, float("inf"))

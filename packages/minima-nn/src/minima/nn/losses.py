"""Losses: modules that compare an output with targets; see `minima.nn.functional` for formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minima import Tensor, asarray
from minima.errors import ArgumentError, DTypeError, ShapeError

from . import functional as F
from .arguments import check_choice, check_floating, integer, named, real
from .module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "FocalLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]

REDUCTIONS = ("mean", "sum", "none")


class Loss(Module):
    """What all losses share: the last step, and options that are shown and passed on."""

    #: what an instance may be told, beside *reduction*, and the values left unsaid when printed
    defaults: tuple[tuple[str, Any], ...] = ()
    reductions: tuple[str, ...] = REDUCTIONS

    def __init__(self, reduction: str) -> None:
        super().__init__()
        self.reduction = check_choice(type(self).__name__, "reduction", reduction, self.reductions)

    def compute(self, function: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
        """Return what *function* does with this loss's reduction; errors say the layer's name."""
        name = type(self).__name__
        return named(name, function, *args, reduction=self.reduction, **options)

    def keep_weight(self, name: str, weight: Any, axes: int | None = None) -> None:
        """Save *weight*, floats or None, as the buffer *name*."""
        owner = type(self).__name__
        if weight is not None:
            weight = asarray(weight)
            check_floating(owner, name, weight)
            if axes is not None and weight.ndim != axes:
                raise ShapeError(f"{owner}: {name} has shape {weight.shape}; expected (C,)")
        self.register_buffer(name, weight)

    def class_number(self, name: str, value: Any) -> int:
        """Return *value* if it is an integer, of either sign."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise DTypeError(f"{type(self).__name__}: {name} is {value!r}; expected an integer")
        return int(value)

    def extra_repr(self) -> str:
        """Return the reduction, and the options that differ from their defaults."""
        shown = [f"reduction={self.reduction!r}"]
        for name, default in self.defaults:
            value = getattr(self, name)
            if value != default:
                shown.append(f"{name}={value:g}" if type(value) is float else f"{name}={value!r}")
        return ", ".join(shown)


class MSELoss(Loss):
    """Compute (x - targets)**2: its mean, its sum or, with *reduction* "none", each.

    Shapes: x (*), targets (*) -> (), or (*) with "none".
    Raises: ArgumentError for another reduction, ShapeError when the shapes differ.

    >>> mi.nn.MSELoss()(mi.Tensor([1.0, 2.0]), mi.Tensor([1.0, 4.0]))
    Tensor(2.)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.mse_loss, input, target)


class L1Loss(Loss):
    """Compute abs(x - targets); see `minima.nn.functional.l1_loss`.

    >>> mi.nn.L1Loss()(mi.Tensor([1.0, 2.0]), mi.Tensor([1.0, 4.0]))
    Tensor(1.)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.l1_loss, input, target)


class SmoothL1Loss(Loss):
    """Compute a parabola where abs(x - targets) < *beta*, a line beyond.

    See `minima.nn.functional.smooth_l1_loss`.

    >>> mi.nn.SmoothL1Loss()(mi.Tensor([1.0, 2.0]), mi.Tensor([0.0, 2.0]))
    Tensor(0.25)
    """

    defaults = (("beta", 1.0),)

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = real("SmoothL1Loss", "beta", beta, low=0.0)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.smooth_l1_loss, input, target, beta=self.beta)


class HuberLoss(Loss):
    """Compute a parabola where abs(x - targets) <= *delta*, a line beyond.

    See `minima.nn.functional.huber_loss`.

    >>> mi.nn.HuberLoss(delta=2.0)(mi.Tensor([3.0, 2.0]), mi.Tensor([0.0, 2.0]))
    Tensor(2.)
    """

    defaults = (("delta", 1.0),)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = real("HuberLoss", "delta", delta)
        if not self.delta > 0.0:
            raise ArgumentError(f"HuberLoss: delta is {delta}; expected a number above 0")

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.huber_loss, input, target, delta=self.delta)


class PoissonNLLLoss(Loss):
    """Compute -log of the Poisson distribution's probability of the targets.

    See `minima.nn.functional.poisson_nll_loss` for *log_input*, *full* and *eps*.

    >>> mi.nn.PoissonNLLLoss()(mi.Tensor([0.0]), mi.Tensor([2.0]))
    Tensor(1.)
    """

    defaults = (("log_input", True), ("full", False), ("eps", 1e-8))

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full = bool(log_input), bool(full)
        self.eps = real("PoissonNLLLoss", "eps", eps)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.poisson_nll_loss, input, target, self.log_input, self.full, self.eps)


class GaussianNLLLoss(Loss):
    """Compute -log of the normal distribution's density at the targets.

    See `minima.nn.functional.gaussian_nll_loss` for *full* and *eps*.

    >>> mi.nn.GaussianNLLLoss()(mi.Tensor([3.0]), mi.ones(1), mi.ones(1))
    Tensor(2.)
    """

    defaults = (("full", False), ("eps", 1e-6))

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = bool(full), real("GaussianNLLLoss", "eps", eps)
        if not self.eps > 0.0:
            raise ArgumentError(f"GaussianNLLLoss: eps is {eps}; expected a number above 0")

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """Return the loss of the means *input* and the variances *var*."""
        return self.compute(F.gaussian_nll_loss, input, target, var, self.full, self.eps)


class CrossEntropyLoss(Loss):
    """Compute -log softmax(x)[target] over the classes, axis 1 of x (axis 0 if it is the only).

    *targets* are class numbers, floats too where they are whole, or, of the shape of x, floats
    that say the probability of each class. *weight* (C,) scales each class's part; the mean is
    then the weighted one. Targets equal to *ignore_index* take no part. *label_smoothing* moves
    that much probability from the target to all classes evenly.

    Shapes: x (N, C, *) or (C,), targets (N, *) or () -> (), or as targets with reduction "none".
    Dtype: as x.
    Raises: ArgumentError for options out of range, ShapeError when shapes do not fit, DTypeError
    for fractional class numbers, IndexRangeError for one outside of 0 to C - 1.

    >>> loss = mi.nn.CrossEntropyLoss()
    >>> loss(mi.Tensor([[0.0, 0.0]]), mi.Tensor([1]))
    Tensor(0.693147)
    >>> loss(mi.Tensor([[0.0, 0.0]]), mi.Tensor([[0.5, 0.5]]))
    Tensor(0.693147)
    """

    defaults = (("ignore_index", -100), ("label_smoothing", 0.0))
    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        name = "CrossEntropyLoss"
        self.keep_weight("weight", weight, 1)
        self.ignore_index = self.class_number("ignore_index", ignore_index)
        self.label_smoothing = real(name, "label_smoothing", label_smoothing, low=0.0, high=1.0)

    def forward(self, input: Tensor, target: Any) -> Tensor:
        """Return the loss of the logits *input*."""
        options: dict[str, Any] = {"label_smoothing": self.label_smoothing}
        options["ignore_index"] = self.ignore_index
        return self.compute(F.cross_entropy, input, target, self.weight, **options)


class NLLLoss(Loss):
    """Compute -x[target] for logarithms of shares; see `minima.nn.functional.nll_loss`.

    >>> mi.nn.NLLLoss()(mi.Tensor([[-1.0, -2.0]]), mi.Tensor([1]))
    Tensor(2.)
    """

    defaults = (("ignore_index", -100),)
    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.keep_weight("weight", weight, 1)
        self.ignore_index = self.class_number("ignore_index", ignore_index)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the log-shares *input*."""
        return self.compute(F.nll_loss, input, target, self.weight, ignore_index=self.ignore_index)


class BCELoss(Loss):
    """Compute the cross entropy of shares x and targets, each from 0 to 1.

    *weight*, which broadcasts, scales each. See `minima.nn.functional.binary_cross_entropy`.

    >>> mi.nn.BCELoss()(mi.Tensor([0.5, 1.0]), mi.Tensor([1.0, 1.0]))
    Tensor(0.346574)
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.keep_weight("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the shares *input*."""
        return self.compute(F.binary_cross_entropy, input, target, self.weight)


class BCEWithLogitsLoss(Loss):
    """Compute the cross entropy of sigmoid(x) and targets, exact for any x.

    *weight* and *pos_weight*, which broadcast, scale each, and the part of the target. See
    `minima.nn.functional.binary_cross_entropy_with_logits`.

    >>> mi.nn.BCEWithLogitsLoss()(mi.Tensor([0.0, 1e3]), mi.Tensor([1.0, 1.0]))
    Tensor(0.346574)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(reduction)
        self.keep_weight("weight", weight)
        self.keep_weight("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the logits *input*."""
        function = F.binary_cross_entropy_with_logits
        return self.compute(function, input, target, self.weight, pos_weight=self.pos_weight)


class FocalLoss(Loss):
    """Compute the cross entropy of sigmoid(x) and targets, less of it where x is right already.

    See `minima.nn.functional.sigmoid_focal_loss` for *alpha* and *gamma*.

    >>> mi.nn.FocalLoss(alpha=-1.0)(mi.Tensor([0.0]), mi.Tensor([1.0]))
    Tensor(0.173287)
    """

    defaults = (("alpha", 0.25), ("gamma", 2.0))

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.alpha = real("FocalLoss", "alpha", alpha, high=1.0)
        self.gamma = real("FocalLoss", "gamma", gamma, low=0.0)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the logits *input*."""
        return self.compute(F.sigmoid_focal_loss, input, target, self.alpha, self.gamma)


class KLDivLoss(Loss):
    """Compute targets * (log(targets) - x), x being logarithms of shares.

    See `minima.nn.functional.kl_div` for *log_target* and the reduction "batchmean".

    >>> mi.nn.KLDivLoss(reduction="sum")(mi.Tensor([[-1.0, -2.0]]), mi.Tensor([[0.0, 1.0]]))
    Tensor(2.)
    """

    defaults = (("log_target", False),)
    reductions = (*REDUCTIONS, "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = bool(log_target)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the log-shares *input*."""
        return self.compute(F.kl_div, input, target, log_target=self.log_target)


class CTCLoss(Loss):
    """Compute -log of the probability that a sequence of shares spells the targets.

    See `minima.nn.functional.ctc_loss` for *blank* and *zero_infinity*.

    >>> shares = mi.log_softmax(mi.zeros((2, 1, 2)))
    >>> mi.exp(-mi.nn.CTCLoss()(shares, mi.Tensor([[1]]), [2], [1]))
    Tensor(0.75)
    """

    defaults = (("blank", 0), ("zero_infinity", False))

    def __init__(
        self, blank: int = 0, *, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        self.blank = integer("CTCLoss", "blank", blank, low=0)
        self.zero_infinity = bool(zero_infinity)

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        """Return the loss of the log-shares (T, N, C)."""
        given = log_probs, targets, input_lengths, target_lengths, self.blank
        return self.compute(F.ctc_loss, *given, zero_infinity=self.zero_infinity)

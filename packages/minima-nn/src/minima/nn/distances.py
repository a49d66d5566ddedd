"""How alike pairs are, and what pairs make together."""

from __future__ import annotations

from math import sqrt

import numpy.typing as npt

from minima import Tensor, init
from minima.devices import Device
from minima.errors import ArgumentError, DTypeError, ShapeError

from . import functional as F
from .arguments import check_floating, flag, integer, named, real
from .module import Module
from .parameter import Parameter

__all__ = ["Bilinear", "CosineSimilarity", "PairwiseDistance"]


class Bilinear(Module):
    """Apply y_o = x1 @ weight_o @ x2 + bias_o for each of *out_features* outputs o.

    Parameters start uniform in +-1 / sqrt(in1_features), as PyTorch's.

    Shapes: x1 (*, in1_features), x2 (*, in2_features) -> (*, out_features); weight (out_features,
    in1_features, in2_features); bias (out_features,).
    Raises: ShapeError when sizes do not fit.

    >>> mi.nn.Bilinear(3, 4, 2)(mi.ones((5, 3)), mi.ones((5, 4))).shape
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.in1_features = integer("Bilinear", "in1_features", in1_features)
        self.in2_features = integer("Bilinear", "in2_features", in2_features)
        self.out_features = integer("Bilinear", "out_features", out_features)
        bound = 1.0 / sqrt(self.in1_features)

        def uniform(*sizes: int) -> Parameter:
            return Parameter(init.rand(*sizes, low=-bound, high=bound, device=device, dtype=dtype))

        self.weight = uniform(self.out_features, self.in1_features, self.in2_features)
        self.bias = uniform(self.out_features) if flag("Bilinear", "bias", bias) else None

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, as for a new layer.

        >>> mi.nn.Bilinear(3, 4, 2).reset_parameters()
        """
        bound = 1.0 / sqrt(self.in1_features)
        for _, parameter in self._own_parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return one number for each output."""
        features = (self.in1_features, self.in2_features)
        for name, x, n in zip(("input1", "input2"), (x1, x2), features, strict=True):
            check_floating("Bilinear", name, x)
            if x.shape[-1:] != (n,):
                raise ShapeError(
                    f"Bilinear: {name} has shape {x.shape}; expected (*, {n}), as "
                    f"{name.replace('put', '')}_features is {n}"
                )
        if x1.shape[:-1] != x2.shape[:-1]:
            raise ShapeError(
                f"Bilinear: input1 has shape {x1.shape} and input2 {x2.shape}; expected the same "
                "sizes but for the last"
            )
        return named("Bilinear", F.bilinear, x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class CosineSimilarity(Module):
    """Return the cosine of the angle between x1 and x2 along the axis *dim*.

    y = sum(x1 * x2) / (max(|x1|, eps) * max(|x2|, eps)).

    Shapes: x1 and x2, which broadcast to one shape -> that without *dim*.
    Raises: ShapeError when they do not broadcast, or have no such axis.

    >>> mi.nn.CosineSimilarity()(mi.Tensor([[1.0, 0.0]]), mi.Tensor([[1.0, 1.0]]))
    Tensor([0.707107])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise DTypeError(f"CosineSimilarity: dim is {dim!r}; expected an integer")
        self.dim = int(dim)
        self.eps = real("CosineSimilarity", "eps", eps, low=0.0)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the cosines."""
        _check_pair("CosineSimilarity", x1, x2)
        n = max(x1.ndim, x2.ndim)
        if not -n <= self.dim < n:
            raise ShapeError(
                f"CosineSimilarity: x1 has shape {x1.shape}, x2 {x2.shape}; expected an axis "
                f"{self.dim}, as dim is {self.dim}"
            )
        return named("CosineSimilarity", F.cosine_similarity, x1, x2, self.dim, self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"dim={self.dim}, eps={self.eps:g}"


class PairwiseDistance(Module):
    """Return the p-norm of x1 - x2 + eps along the last axis.

    Shapes: x1 and x2 (N, D) or (D,), which broadcast -> (N,) or (), with *keepdim* (N, 1) or (1,).
    Raises: ShapeError when they do not broadcast.

    >>> layer = mi.nn.PairwiseDistance(eps=0.0)
    >>> layer(mi.Tensor([[3.0, 4.0]]), mi.Tensor([[0.0, 0.0]]))
    Tensor([5.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p = real("PairwiseDistance", "p", p)
        self.eps = real("PairwiseDistance", "eps", eps)
        self.keepdim = flag("PairwiseDistance", "keepdim", keepdim)
        if self.p < 0:
            raise ArgumentError(f"PairwiseDistance: p is {p!r}; expected a number of at least 0")

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the distances."""
        _check_pair("PairwiseDistance", x1, x2)
        how = (self.p, self.eps, self.keepdim)
        return named("PairwiseDistance", F.pairwise_distance, x1, x2, *how)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"p={self.p:g}, eps={self.eps:g}, keepdim={self.keepdim}"


def _check_pair(name: str, x1: Tensor, x2: Tensor) -> None:
    """Raise unless x1 and x2 are Tensors of floating types that broadcast."""
    check_floating(name, "x1", x1)
    check_floating(name, "x2", x2)
    sizes = zip(reversed(x1.shape), reversed(x2.shape), strict=False)
    if any(a != b and 1 not in (a, b) for a, b in sizes):
        raise ShapeError(
            f"{name}: x1 has shape {x1.shape} and x2 {x2.shape}; expected shapes that broadcast"
        )

"""Linear: the fully connected layer."""

from __future__ import annotations

import numpy.typing as npt

from minima import Tensor, init, linear
from minima.devices import Device
from minima.dtypes import DType
from minima.errors import ShapeError

from .arguments import check_floating, integer
from .module import Module
from .parameter import Parameter

__all__ = ["Linear"]


class Linear(Module):
    """Apply y = x @ weight + bias.

    ``weight`` is (in_features, out_features), the transpose of PyTorch's; ``bias`` is
    (out_features,), as PyTorch's, so that it takes part in broadcasting as it stands. Both start
    from `init.kaiming_uniform`, the bias with fan_in = out_features.

    Shapes: x (*, in_features) -> (*, out_features).
    Dtype: the parameters'; as x where that is wider.
    Raises: ShapeError when the last axis of x is not in_features.
    Source: He et al. 2015, for the initial values.

    >>> mi.nn.Linear(4, 2)(mi.ones((3, 4))).shape
    (3, 2)
    >>> mi.nn.Linear(4, 2, bias=False)
    Linear(in_features=4, out_features=2, bias=False)
    """

    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.in_features = integer("Linear", "in_features", in_features)
        self.out_features = integer("Linear", "out_features", out_features)
        self.weight = Parameter(
            init.kaiming_uniform(self.in_features, self.out_features, device=device, dtype=dtype)
        )
        self.bias = None
        if bias:
            shape = (self.out_features,)
            self.bias = Parameter(
                init.kaiming_uniform(self.out_features, 1, shape=shape, device=device, dtype=dtype)
            )

    @property
    def device(self) -> Device:
        """The device of the parameters."""
        return self.weight.device

    @property
    def dtype(self) -> DType:
        """The dtype of the parameters."""
        return self.weight.dtype

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weight + bias."""
        check_floating("Linear", "input", x)
        if x.shape[-1:] != (self.in_features,):
            raise ShapeError(
                f"Linear: input has shape {x.shape}; expected (*, {self.in_features}), as "
                f"in_features is {self.in_features}"
            )
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )

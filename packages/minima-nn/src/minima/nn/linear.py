"""Linear: the fully connected layer, and the one whose weight is another layer's."""

from __future__ import annotations

import numpy.typing as npt

from minima import Tensor, init, linear, no_grad, project
from minima.devices import Device
from minima.dtypes import DType
from minima.errors import DTypeError, ShapeError

from .arguments import check_floating, integer
from .module import Module
from .parameter import Parameter, Uninitialized

__all__ = ["Linear", "TiedLinear"]


def check_turned(layer: Module, weight: Tensor, shape: tuple[int, int], remedy: str) -> None:
    """Raise ShapeError where *weight*, given to *layer*, is the transpose of what has *shape*."""
    if not isinstance(weight, Uninitialized) and weight.shape == shape[::-1] != shape:
        raise ShapeError(
            f"{type(layer).__name__}: weight has shape {weight.shape}; expected {shape}; {remedy}"
        )


class Linear(Module):
    """Apply y = x @ weight + bias.

    ``weight`` is (in_features, out_features), the transpose of PyTorch's; ``bias`` is
    (out_features,), as PyTorch's, so that it takes part in broadcasting as it stands. Both start
    from `init.kaiming_uniform`, the bias with fan_in = out_features. One that shares the table of
    an `Embedding` is a `TiedLinear`.

    Shapes: x (*, in_features) -> (*, out_features).
    Dtype: the parameters'; as x where that is wider.
    Raises: ShapeError when the last axis of x is not in_features, or when the transpose of the
    weight is assigned to it.
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

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, as for a new layer.

        >>> layer = mi.nn.Linear(2, 2)
        >>> before = layer.weight.tolist()
        >>> layer.reset_parameters()
        >>> layer.weight.tolist() == before
        False
        """
        pairs = ((self.weight, self.in_features), (self.bias, self.out_features))
        for parameter, fan_in in pairs:
            if parameter is not None:
                shape, device, dtype = parameter.shape, parameter.device, parameter.dtype
                new = init.kaiming_uniform(fan_in, 1, shape=shape, device=device, dtype=dtype)
                with no_grad():
                    parameter.copy_(new)

    def _check_assignment(self, name: str, value: Tensor | Module) -> None:
        super()._check_assignment(name, value)
        if name == "weight" and isinstance(value, Parameter):
            shape = (self.in_features, self.out_features)
            check_turned(self, value, shape, "share an embedding's by minima.nn.TiedLinear(weight)")

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


class TiedLinear(Module):
    """Apply y = x @ weight.T + bias, with a *weight* that another layer has, such as an Embedding.

    ``weight`` is (out_features, in_features), as an embedding's table and as PyTorch's; it is the
    same Parameter, trained by both. It is in the state under both names, as where PyTorch's
    ``head.weight = embedding.weight`` ties them, so that such states load. ``bias`` is 0 at first.

    Shapes: x (*, in_features) -> (*, out_features).
    Raises: ShapeError when the last axis of x is not in_features, DTypeError when *weight* is no
    Parameter.
    Source: Press & Wolf 2017.

    >>> table = mi.nn.Embedding(10, 4)
    >>> head = mi.nn.TiedLinear(table.weight)
    >>> head(table(mi.Tensor([1, 2]))).shape, head.weight is table.weight
    ((2, 10), True)
    """

    bias: Parameter | None

    def __init__(self, weight: Parameter, bias: bool = False) -> None:
        super().__init__()
        if not isinstance(weight, Parameter):
            raise DTypeError(
                f"TiedLinear: weight is a {type(weight).__name__}; expected the Parameter of "
                "another layer, such as embedding.weight"
            )
        if weight.ndim != 2:
            raise ShapeError(
                f"TiedLinear: weight has shape {weight.shape}; expected (out_features, in_features)"
            )
        self.weight = weight
        self.bias = None
        if bias:
            shape = weight.shape[:1]
            self.bias = Parameter(init.zeros(*shape, device=weight.device, dtype=weight.dtype))

    @property
    def in_features(self) -> int:
        """The size of the last axis of the input."""
        return self.weight.shape[1]

    @property
    def out_features(self) -> int:
        """The size of the last axis of the output."""
        return self.weight.shape[0]

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weight.T + bias."""
        check_floating("TiedLinear", "input", x)
        if x.shape[-1:] != self.weight.shape[1:]:
            raise ShapeError(
                f"TiedLinear: input has shape {x.shape}; expected (*, {self.in_features}), as "
                f"weight has shape {self.weight.shape}"
            )
        return project(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )

"""Layers that take the number of input features or channels from their first input."""

from __future__ import annotations

from typing import Any, cast

import numpy.typing as npt

from minima import Tensor
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from .arguments import check_floating
from .batch_normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .convolution import Conv1d, Conv2d, Conv3d
from .hooks import HookHandle
from .instance_normalization import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .linear import Linear
from .module import Module
from .parameter import Parameter, Uninitialized, UninitializedBuffer, UninitializedParameter, adopt
from .transposed import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]


class Lazy(Module):
    """What lazy layers share: one is made as its *becomes* with any size, then loses its values.

    The first call makes parameters of the right shapes, and the layer is of the class *becomes*
    from then on. `load_state_dict` brings shapes, too.
    """

    becomes: type[Module]
    size_name: str
    takes: tuple[int, ...]  # how many axes the input may have
    single = True  # the fewest axes are those of one example, without a batch
    loses: tuple[str, ...] = ("weight", "bias")

    def _start(self, any_size: int, **options: Any) -> None:
        """Be what ``becomes(any_size, **options)`` is, without values."""
        like = cast("Any", self.becomes)(any_size, **options)
        Module.__init__(self)
        for name, value in like.__dict__.items():
            if name in like._buffers:
                self.register_buffer(name, value, like._buffers[name])
            else:
                setattr(self, name, value)
        for name in like._buffers.keys() - like.__dict__.keys():
            self.register_buffer(name, None)
        for name in self.loses:
            old = self.__dict__[name]
            if isinstance(old, Parameter):
                new = UninitializedParameter(old.requires_grad, device=old.device, dtype=old.dtype)
                self.__dict__[name] = new
            elif old is not None:
                self.__dict__[name] = UninitializedBuffer(device=old.device, dtype=old.dtype)
        setattr(self, self.size_name, 0)
        self._lazy = options
        self.register_forward_pre_hook(_first_call)

    def has_uninitialized_params(self) -> bool:
        """Say whether a parameter or buffer has no values yet.

        >>> mi.nn.LazyLinear(2).has_uninitialized_params()
        True
        """
        return any(isinstance(self.__dict__.get(name), Uninitialized) for name in self.loses)

    def reset_parameters(self) -> None:
        """Draw the values anew, where there are some yet.

        >>> mi.nn.LazyLinear(2).reset_parameters()
        """
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def _size(self, x: Tensor) -> int:
        """Return the number of features of the first input."""
        if x.ndim not in self.takes:
            expected = " or ".join(map(str, self.takes))
            raise ShapeError(
                f"{type(self).__name__}: input has shape {x.shape}; expected {expected} axes"
            )
        single = self.single and x.ndim == self.takes[-1]
        return int(x.shape[0 if single else 1])

    def _loaded_size(self) -> int | None:
        """Return the number of features that a loaded state brought."""
        weight = self.__dict__.get("weight")
        return None if weight is None or isinstance(weight, Uninitialized) else weight.shape[0]

    def initialize_parameters(self, x: Tensor) -> None:
        """Give the parameters shapes and values, for inputs such as *x*.

        >>> layer = mi.nn.LazyLinear(2)
        >>> layer.initialize_parameters(mi.ones((1, 3)))
        >>> layer.weight.shape
        (3, 2)
        """
        size = self._loaded_size()
        if size is None:
            check_floating(type(self).__name__, "input", x)
            size = self._size(x)
        full = cast("Any", self.becomes)(size, **self._lazy)
        for name in self.loses:
            mine = self.__dict__[name]
            if isinstance(mine, Uninitialized):
                made = full.__dict__[name].detach().to(mine.device).astype(mine.dtype)
                mine.materialize(made.shape)
                adopt(mine, made)
        setattr(self, self.size_name, size)


def _first_call(module: Module, args: tuple[Any, ...]) -> None:
    if not isinstance(module, Lazy):  # a copy of the hook on what became ordinary
        return
    if not args:
        raise ArgumentError(
            f"{type(module).__name__}: the first call has no positional argument; expected the "
            "input, of which the shapes follow"
        )
    module.initialize_parameters(args[0])
    hooks = {} if module._hooks is None else module._hooks.forward_pre
    for key in [k for k, hook in hooks.items() if hook is _first_call]:
        HookHandle.drop(module, "forward_pre", key)
    del module._lazy
    module.__class__ = cast("Any", type(module).becomes)


class LazyLinear(Lazy, Linear):
    """A `Linear` whose in_features is the size of the last axis of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state.

    Shapes: x (*, in_features) -> (*, out_features).

    >>> layer = mi.nn.LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> layer(mi.ones((4, 3))).shape, layer
    ((4, 2), Linear(in_features=3, out_features=2, bias=True))
    """

    becomes, size_name = Linear, "in_features"

    def __init__(
        self,
        out_features: int,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        self._start(1, out_features=out_features, bias=bias, device=device, dtype=dtype)

    def _size(self, x: Tensor) -> int:
        if not x.ndim:
            raise ShapeError("LazyLinear: input has shape (); expected (*, in_features)")
        return int(x.shape[-1])


class _LazyConv(Lazy):
    size_name = "in_channels"

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | str | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        options: dict[str, Any] = {
            "out_channels": out_channels,
            "kernel_size": kernel_size,
            "stride": stride,
        }
        options |= {"padding": padding, "dilation": dilation, "groups": groups, "bias": bias}
        options |= {"padding_mode": padding_mode, "device": device, "dtype": dtype}
        self._start(groups, **options)

    def _loaded_size(self) -> int | None:
        weight = self.__dict__["weight"]
        if isinstance(weight, Uninitialized):
            return None
        return int(weight.shape[1]) * int(self._lazy["groups"])


class _LazyConvTranspose(Lazy):
    size_name = "in_channels"

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        output_padding: int | tuple[int, ...] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int, ...] = 1,
        padding_mode: str = "zeros",
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        options: dict[str, Any] = {
            "out_channels": out_channels,
            "kernel_size": kernel_size,
            "stride": stride,
        }
        options |= {"padding": padding, "output_padding": output_padding, "groups": groups}
        options |= {"bias": bias, "dilation": dilation, "padding_mode": padding_mode}
        self._start(groups, **options, device=device, dtype=dtype)


class _LazyNorm(Lazy):
    size_name = "num_features"
    loses = ("weight", "bias", "running_mean", "running_var")

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
        *,
        bias: bool = True,
    ) -> None:
        options: dict[str, Any] = {"eps": eps, "momentum": momentum, "affine": affine, "bias": bias}
        options |= {"track_running_stats": track_running_stats, "device": device, "dtype": dtype}
        self._start(1, **options)

    def _loaded_size(self) -> int | None:
        for name in self.loses:
            value = self.__dict__.get(name)
            if value is not None and not isinstance(value, Uninitialized):
                return int(value.shape[0])
        return None


class LazyConv1d(_LazyConv, Conv1d):
    """A `Conv1d` whose in_channels is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `Conv1d`.

    >>> layer = mi.nn.LazyConv1d(2, 3)
    >>> _ = layer(mi.ones((2, 4, 9)))
    >>> type(layer).__name__, layer.in_channels
    ('Conv1d', 4)
    """

    becomes, takes = Conv1d, (3, 2)


class LazyConv2d(_LazyConv, Conv2d):
    """A `Conv2d` whose in_channels is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `Conv2d`.

    >>> layer = mi.nn.LazyConv2d(2, 3)
    >>> _ = layer(mi.ones((2, 4, 9, 9)))
    >>> type(layer).__name__, layer.in_channels
    ('Conv2d', 4)
    """

    becomes, takes = Conv2d, (4, 3)


class LazyConv3d(_LazyConv, Conv3d):
    """A `Conv3d` whose in_channels is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `Conv3d`.

    >>> layer = mi.nn.LazyConv3d(2, 3)
    >>> _ = layer(mi.ones((2, 4, 5, 5, 5)))
    >>> type(layer).__name__, layer.in_channels
    ('Conv3d', 4)
    """

    becomes, takes = Conv3d, (5, 4)


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A `ConvTranspose1d` whose in_channels is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `ConvTranspose1d`.

    >>> layer = mi.nn.LazyConvTranspose1d(2, 3)
    >>> _ = layer(mi.ones((2, 4, 9)))
    >>> type(layer).__name__, layer.in_channels
    ('ConvTranspose1d', 4)
    """

    becomes, takes = ConvTranspose1d, (3, 2)


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A `ConvTranspose2d` whose in_channels is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `ConvTranspose2d`.

    >>> layer = mi.nn.LazyConvTranspose2d(2, 3)
    >>> _ = layer(mi.ones((2, 4, 9, 9)))
    >>> type(layer).__name__, layer.in_channels
    ('ConvTranspose2d', 4)
    """

    becomes, takes = ConvTranspose2d, (4, 3)


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A `ConvTranspose3d` whose in_channels is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `ConvTranspose3d`.

    >>> layer = mi.nn.LazyConvTranspose3d(2, 3)
    >>> _ = layer(mi.ones((2, 4, 5, 5, 5)))
    >>> type(layer).__name__, layer.in_channels
    ('ConvTranspose3d', 4)
    """

    becomes, takes = ConvTranspose3d, (5, 4)


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A `BatchNorm1d` whose num_features is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `BatchNorm1d`.

    >>> layer = mi.nn.LazyBatchNorm1d()
    >>> _ = layer(mi.ones((2, 4, 9)))
    >>> type(layer).__name__, layer.num_features
    ('BatchNorm1d', 4)
    """

    becomes, takes, single = BatchNorm1d, (3, 2), False


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A `BatchNorm2d` whose num_features is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `BatchNorm2d`.

    >>> layer = mi.nn.LazyBatchNorm2d()
    >>> _ = layer(mi.ones((2, 4, 9, 9)))
    >>> type(layer).__name__, layer.num_features
    ('BatchNorm2d', 4)
    """

    becomes, takes, single = BatchNorm2d, (4,), False


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A `BatchNorm3d` whose num_features is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `BatchNorm3d`.

    >>> layer = mi.nn.LazyBatchNorm3d()
    >>> _ = layer(mi.ones((2, 4, 5, 5, 5)))
    >>> type(layer).__name__, layer.num_features
    ('BatchNorm3d', 4)
    """

    becomes, takes, single = BatchNorm3d, (5,), False


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """A `InstanceNorm1d` whose num_features is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `InstanceNorm1d`.

    >>> layer = mi.nn.LazyInstanceNorm1d()
    >>> _ = layer(mi.ones((2, 4, 9)))
    >>> type(layer).__name__, layer.num_features
    ('InstanceNorm1d', 4)
    """

    becomes, takes = InstanceNorm1d, (3, 2)


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """A `InstanceNorm2d` whose num_features is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `InstanceNorm2d`.

    >>> layer = mi.nn.LazyInstanceNorm2d()
    >>> _ = layer(mi.ones((2, 4, 9, 9)))
    >>> type(layer).__name__, layer.num_features
    ('InstanceNorm2d', 4)
    """

    becomes, takes = InstanceNorm2d, (4, 3)


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """A `InstanceNorm3d` whose num_features is the number of channels of its first input.

    Until then its parameters have no shapes: call it once before an optimiser is made, or load a
    state. Shapes: as `InstanceNorm3d`.

    >>> layer = mi.nn.LazyInstanceNorm3d()
    >>> _ = layer(mi.ones((2, 4, 5, 5, 5)))
    >>> type(layer).__name__, layer.num_features
    ('InstanceNorm3d', 4)
    """

    becomes, takes = InstanceNorm3d, (5, 4)

"""Every error that minima raises on purpose: one sentence that says what to do next."""

from __future__ import annotations

from numpy.linalg import LinAlgError

__all__ = [
    "AnomalyError",
    "ArgumentError",
    "AutogradError",
    "AxisRangeError",
    "CheckpointError",
    "DTypeError",
    "DeviceError",
    "DeviceUnavailableError",
    "ExportError",
    "IndexRangeError",
    "KernelMissingError",
    "LinearAlgebraError",
    "MinimaError",
    "PluginError",
    "ShapeError",
    "SignatureError",
]


class MinimaError(Exception):
    """Base of all errors of minima; each also derives from the fitting builtin.

    >>> import minima as mi
    >>> try:
    ...     mi.Tensor([1.0, 2.0]) + mi.Tensor([1.0, 2.0, 3.0])
    ... except mi.MinimaError as error:
    ...     print(type(error).__name__, isinstance(error, ValueError))
    ShapeError True
    """


class ArgumentError(MinimaError, ValueError):
    """An argument has a value outside of what the operation takes."""


class SignatureError(ArgumentError, TypeError):
    """A function was called with an argument too many, too few, or of a name that it has not."""


class ShapeError(MinimaError, ValueError):
    """Sizes or numbers of axes do not fit each other or the operation."""


class DTypeError(MinimaError, TypeError):
    """An input has a type that the operation does not take."""


class IndexRangeError(MinimaError, IndexError):
    """An index lies outside of its axis."""


class AxisRangeError(ShapeError, IndexRangeError):
    """A tensor has no such axis: its shape does not fit, and the index of the axis is too large."""


class AutogradError(MinimaError, RuntimeError):
    """A gradient was asked for that the recorded graph cannot give."""


class AnomalyError(AutogradError, ArithmeticError):
    """An operator, or its gradient, made a NaN while `minima.autograd.detect_anomaly` looked."""


class DeviceError(MinimaError, ValueError):
    """No such device, or inputs that live on different devices."""


class DeviceUnavailableError(DeviceError, RuntimeError):
    """The device is known but cannot be used on this machine; the message says why."""


class ExportError(MinimaError, BufferError):
    """Memory cannot be given to another library in the way that it asks for."""


class KernelMissingError(MinimaError, NotImplementedError):
    """A device has no kernel for an operator; the message says how to add one."""


class LinearAlgebraError(MinimaError, LinAlgError):
    """A matrix is singular, not positive definite or not finite, so that it has no answer."""


class PluginError(MinimaError, LookupError):
    """A plugin, or a name that plugins offer, cannot be used; the message names both."""


class CheckpointError(MinimaError, ValueError):
    """A file of saved tensors is damaged, truncated or not what it claims to be."""

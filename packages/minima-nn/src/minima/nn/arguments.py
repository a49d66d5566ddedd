"""Checks of constructor arguments: every message names the layer, the argument and the remedy."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from operator import index
from typing import Any

from minima import Tensor
from minima.errors import ArgumentError, DeviceError, DTypeError, MinimaError, ShapeError

__all__ = [
    "check_channels",
    "check_choice",
    "check_floating",
    "check_placed",
    "check_reach",
    "check_space",
    "flag",
    "integer",
    "named",
    "pair",
    "real",
    "several",
]

#: the axes that windows move along, by their number
SPACE = ("", "L", "H, W", "D, H, W")
_REACHES = {"reflect": "reflect", "circular": "go round"}
_COUNTS = ("", "one integer", "one integer or two, for rows and columns", "one integer or three")


def integer(owner: str, name: str, value: Any, *, low: int = 1) -> int:
    """Return *value* as an int of at least *low*.

    Raises: DTypeError when it is no integer, ArgumentError when it is too small.

    >>> integer("Linear", "in_features", 0)
    Traceback (most recent call last):
    minima.errors.ArgumentError: Linear: in_features is 0; expected an integer of at least 1
    """
    expected = f"expected an integer of at least {low}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise DTypeError(f"{owner}: {name} is {value!r}; {expected}")
    number = index(value)
    if number < low:
        raise ArgumentError(f"{owner}: {name} is {number}; {expected}")
    return number


def flag(owner: str, name: str, value: Any) -> bool:
    """Return *value*, which is a bool.

    Raises: DTypeError otherwise.

    >>> flag("MaxPool2d", "ceil_mode", 1)
    Traceback (most recent call last):
    minima.errors.DTypeError: MaxPool2d: ceil_mode is 1; expected a bool
    """
    if not isinstance(value, bool):
        raise DTypeError(f"{owner}: {name} is {value!r}; expected a bool")
    return value


def several(owner: str, name: str, value: Any, n: int, *, low: int = 1) -> tuple[int, ...]:
    """Return *value*, an int or *n* of them, as *n*, each at least *low*.

    Raises: as `integer`; ArgumentError for another number of values.

    >>> several("Conv3d", "stride", 2, 3), several("Conv1d", "stride", [2], 1)
    ((2, 2, 2), (2,))
    """
    if not isinstance(value, tuple | list):
        return (integer(owner, name, value, low=low),) * n
    if len(value) != n:
        raise ArgumentError(f"{owner}: {name} is {value!r}; expected {_COUNTS[n]}")
    return tuple(integer(owner, name, v, low=low) for v in value)


def pair(owner: str, name: str, value: Any, *, low: int = 1) -> tuple[int, int]:
    """Return *value*, an int or two, as (rows, columns), each at least *low*.

    Raises: as `several`.

    >>> pair("Conv2d", "stride", 2), pair("Conv2d", "stride", (1, 2))
    ((2, 2), (1, 2))
    """
    rows, columns = several(owner, name, value, 2, low=low)
    return rows, columns


def real(
    owner: str,
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    below: float = math.inf,
) -> float:
    """Return *value* as a float with low <= value <= high and value < below.

    Raises: DTypeError when it is no real number, ArgumentError when it is out of range or NaN.

    >>> real("Dropout", "p", 1.5, low=0, high=1)
    Traceback (most recent call last):
    minima.errors.ArgumentError: Dropout: p is 1.5; expected a number from 0 to 1
    """
    expected = _range(low, high, below)
    if isinstance(value, bool | str | Tensor) or not hasattr(value, "__float__"):
        raise DTypeError(f"{owner}: {name} is {value!r}; expected {expected}")
    number = float(value)
    if not (low <= number <= high and (number < below or below == math.inf)):
        raise ArgumentError(f"{owner}: {name} is {value!r}; expected {expected}")
    return number


def _range(low: float, high: float, below: float) -> str:
    if below < math.inf:
        return f"a number of at least {low:g} and below {below:g}"
    if high < math.inf:
        return f"a number from {low:g} to {high:g}"
    return f"a number of at least {low:g}" if low > -math.inf else "a number"


def check_choice(owner: str, name: str, value: Any, choices: Collection[str]) -> str:
    """Return *value* if it is one of *choices*.

    Raises: ArgumentError otherwise.

    >>> check_choice("MSELoss", "reduction", "avg", ("mean", "sum", "none"))
    Traceback (most recent call last):
    minima.errors.ArgumentError: MSELoss: reduction is 'avg'; expected one of 'mean', 'sum', 'none'
    """
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(repr(choice) for choice in choices)
        raise ArgumentError(f"{owner}: {name} is {value!r}; expected one of {known}")
    return value


def check_floating(owner: str, name: str, x: Any) -> None:
    """Raise DTypeError unless *x* is a Tensor of a floating type.

    >>> check_floating("Linear", "input", mi.Tensor([1, 2]))
    Traceback (most recent call last):
    minima.errors.DTypeError: Linear: input has dtype int64; expected a floating type: \
x.astype("float32")
    """
    if not isinstance(x, Tensor):
        raise DTypeError(
            f"{owner}: {name} is a {type(x).__name__}; expected a Tensor: minima.Tensor(x)"
        )
    if x.dtype.kind in "biu":
        raise DTypeError(
            f'{owner}: {name} has dtype {x.dtype}; expected a floating type: x.astype("float32")'
        )


def check_placed(owner: str, name: str, x: Tensor, parameter: Tensor) -> None:
    """Raise DeviceError unless *x* lies where *parameter* does.

    >>> x = mi.ones(3)
    >>> check_placed("Linear", "input", x, x)
    """
    place, expected = x.device, parameter.device
    if place is expected or place.stands_on(expected) or expected.stands_on(place):
        return
    raise DeviceError(
        f"{owner}: {name} is on {place}; expected {expected}, where the parameters are: "
        f"{name}.to({str(expected)!r})"
    )


def check_channels(owner: str, x: Any, ndims: Collection[int], layout: str, channels: int) -> None:
    """Raise unless *x* is a Tensor with one of *ndims* axes and *channels* on axis 1.

    Raises: DTypeError, or ShapeError that shows the expected *layout*.

    >>> check_channels("BatchNorm1d", mi.ones((2, 3)), (2, 3), "(B, C) or (B, C, L)", 4)
    Traceback (most recent call last):
    minima.errors.ShapeError: BatchNorm1d: input has shape (2, 3); expected (B, C) or (B, C, L) \
with C = 4
    """
    check_floating(owner, "input", x)
    if x.ndim not in ndims or x.shape[1] != channels:
        raise ShapeError(
            f"{owner}: input has shape {x.shape}; expected {layout} with C = {channels}"
        )


def check_space(
    owner: str, x: Any, n: int, channels: int | None = None, *, floating: bool = True
) -> None:
    """Raise unless *x* is a Tensor (N, C, and *n* axes) or (C, and *n* axes); N alone may be 0.

    Raises: DTypeError, or ShapeError that shows the expected axes and *channels*.

    >>> check_space("Conv1d", mi.ones((2, 3, 5)), 1, 4)
    Traceback (most recent call last):
    minima.errors.ShapeError: Conv1d: input has shape (2, 3, 5); expected (N, C, L) or (C, L) with \
C = 4
    """
    if floating or not isinstance(x, Tensor):
        check_floating(owner, "input", x)
    layout = f"(N, C, {SPACE[n]}) or (C, {SPACE[n]})"
    if x.ndim not in (n + 1, n + 2) or (channels is not None and x.shape[-n - 1] != channels):
        count = "" if channels is None else f" with C = {channels}"
        raise ShapeError(f"{owner}: input has shape {x.shape}; expected {layout}{count}")
    if 0 in x.shape[-n - 1 :]:
        raise ShapeError(
            f"{owner}: input has shape {x.shape}; expected {layout} with no size of 0 but N"
        )


def check_reach(owner: str, x: Tensor, around: list[tuple[int, int]], mode: str) -> None:
    """Raise unless x has the elements that *mode* puts *around* its last axes.

    >>> check_reach("Conv1d", mi.ones((1, 2)), [(2, 0)], "reflect")
    Traceback (most recent call last):
    minima.errors.ShapeError: Conv1d: input has shape (1, 2), too small to reflect; expected axis \
-1 to be at least 3, for 2 and 0 elements around
    """
    if mode not in _REACHES:
        return
    for i, widths in enumerate(around):
        axis = i - len(around)
        least = max(widths) + (mode == "reflect" and max(widths) > 0)
        if x.shape[axis] < least:
            raise ShapeError(
                f"{owner}: input has shape {x.shape}, too small to {_REACHES[mode]}; expected axis "
                f"{axis} to be at least {least}, for {widths[0]} and {widths[1]} elements around"
            )


def named(owner: str, function: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
    """Call *function*; in the message of an error the name of the layer *owner* is in its place.

    >>> from minima.nn import functional
    >>> named("GLU", functional.glu, mi.ones(3))
    Traceback (most recent call last):
    minima.errors.ShapeError: GLU: got x (3,), of size 3 along axis 0; expected an even size, for \
two halves
    """
    try:
        return function(*args, **options)
    except MinimaError as error:
        message = str(error)
        head, colon, rest = message.partition(": ")
        if not colon or " " in head:
            raise
        raise type(error)(f"{owner}: {rest}") from None

"""Random numbers: one generator per device, and generators of one's own.

What `minima.draws` draws with them has its place here too: ``mi.random.randint(0, 10, (3,))``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .autograd.mode import TAPE
from .devices import Device
from .devices import device as find_device
from .dtypes import FLOAT32, INT64, as_dtype
from .errors import ArgumentError, DeviceError, DTypeError
from .tensor import Tensor, wrap

if TYPE_CHECKING:
    from .draws import (
        bernoulli,
        choice,
        exponential,
        multinomial,
        normal,
        permutation,
        rand,
        rand_like,
        randint,
        randn,
        randn_like,
        randperm,
        uniform,
    )

__all__ = [
    "Generator",
    "bernoulli",
    "choice",
    "default_generator",
    "exponential",
    "manual_seed",
    "multinomial",
    "normal",
    "permutation",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "uniform",
]

Shape = int | Sequence[int]


class Generator:
    """A stream of random numbers on a device; the same seed gives the same stream.

    *seed*: a non-negative integer, or None for one from the operating system.

    >>> import minima as mi
    >>> mi.Generator(0).uniform((2,))
    Tensor([0.850624, 0.636962])
    """

    def __init__(self, seed: int | None = None, device: str | Device | None = None) -> None:
        self.device = find_device(device)
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Generator:
        """Start the stream anew from *seed*."""
        if seed is not None and (not hasattr(seed, "__index__") or seed < 0):
            raise ArgumentError(f"seed: got {seed!r}; expected an integer of at least 0, or None")
        self._source = self.device.source(None if seed is None else int(seed))
        return self

    def manual_seed(self, seed: int) -> Generator:
        """Do what `seed` does, by PyTorch's name.

        >>> import minima as mi
        >>> mi.Generator().manual_seed(0).uniform((2,))
        Tensor([0.850624, 0.636962])
        """
        return self.seed(seed)

    def uniform(
        self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: npt.DTypeLike = FLOAT32
    ) -> Tensor:
        """Return numbers from [low, high), all equally likely; so are the parts of complex ones."""
        if as_dtype(dtype).kind == "c":
            return self._of_parts(self.uniform, shape, low, high, dtype)
        kind, drawn = _draws("uniform", dtype)
        sizes = _shape(shape)

        def draw() -> Any:
            values = self._source.random(sizes, dtype=drawn)
            return self._affine(values, high - low, low, drawn)

        return self._tensor(draw, kind)

    def normal(
        self, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: npt.DTypeLike = FLOAT32
    ) -> Tensor:
        """Return numbers from the normal distribution.

        Of complex ones both parts have the mean, and half of the variance.
        """
        if as_dtype(dtype).kind == "c":
            return self._of_parts(self.normal, shape, mean, std / 2**0.5, dtype)
        kind, drawn = _draws("normal", dtype)
        sizes = _shape(shape)

        def draw() -> Any:
            values = self._source.standard_normal(sizes, dtype=drawn)
            return self._affine(values, std, mean, drawn)

        return self._tensor(draw, kind)

    def bernoulli(self, shape: Shape, p: float = 0.5, dtype: npt.DTypeLike = "bool") -> Tensor:
        """Return True (or 1) with probability *p*."""
        if not 0.0 <= p <= 1.0:
            raise ArgumentError(f"bernoulli: got p={p}; expected a probability from 0 to 1")
        sizes = _shape(shape)

        at_once = getattr(self._source, "bernoulli", None)  # of a device that draws it so

        def draw() -> Any:
            if at_once is not None:
                return self._source.bernoulli(sizes, p)
            values = self._source.random(sizes, dtype=np.float32)
            return self.device.kernels["less"](values, self.device.scalar(p, FLOAT32))

        return self._tensor(draw, as_dtype(dtype))

    def integers(self, low: int, high: int, shape: Shape) -> Tensor:
        """Return int64 numbers from low, ..., high - 1."""
        if low >= high:
            raise ArgumentError(f"integers: got low {low}, high {high}; expected low < high")
        sizes = _shape(shape)
        return self._tensor(lambda: self._source.integers(low, high, sizes), INT64)

    def reserve(self, words: int) -> Tensor:
        """Return where the next *words* words of 32 bits begin; the stream moves on past them.

        For kernels that draw by themselves, of devices whose sources have ``reserve``: what the
        numbers mean is between the two. A plan that is replayed reserves anew.
        Raises: DeviceError for another device.
        """
        if not hasattr(self._source, "reserve"):
            raise DeviceError(
                f"reserve: {self.device} has no kernels that draw by themselves; "
                "draw with uniform, normal, bernoulli or integers"
            )
        return self._tensor(lambda: self._source.reserve(words), INT64)

    def permutation(self, n: int) -> npt.NDArray[np.int64]:
        """Return 0, ..., n - 1 in random order, as a NumPy array."""
        tape = TAPE.get()
        if tape is not None:
            tape.fail("permutation() gives an order to Python")
        order: npt.NDArray[np.int64] = self.device.to_host(self._source.permutation(n))
        return order

    def get_state(self) -> dict[str, Any]:
        """Return the state of the stream, of plain numbers and strings."""
        return dict(self._source.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue the stream from a state that `get_state` returned."""
        try:
            self._source.bit_generator.state = state
        except (ValueError, TypeError, KeyError) as error:
            raise ArgumentError(
                f"set_state: not a state of this generator ({error}); "
                "expected what get_state returned"
            ) from None

    def _of_parts(
        self, draw: Callable[..., Tensor], shape: Shape, a: float, b: float, dtype: npt.DTypeLike
    ) -> Tensor:
        """Return complex numbers, whose real and imaginary parts are drawn one after the other."""
        kind = as_dtype(dtype)
        part = np.dtype(f"float{kind.itemsize * 4}")
        real, imag = draw(shape, a, b, part), draw(shape, a, b, part)
        return real + imag * 1j

    def _affine(self, values: Any, scale: float, shift: float, dtype: Any) -> Any:
        """Return ``values * scale + shift``, computed by the device's kernels."""
        device = self.device
        if scale != 1.0 or shift != 0.0:
            values = device.kernels["multiply"](values, device.scalar(scale, dtype))
            values = device.kernels["add"](values, device.scalar(shift, dtype))
        return values

    def _tensor(self, draw: Callable[[], Any], dtype: Any) -> Tensor:
        """Return what *draw* draws; a plan that is replayed draws anew."""
        device = self.device

        def buffer() -> Any:
            array = device.as_buffer(draw())
            return array if array.dtype == dtype else device.kernels["astype"](array, dtype=dtype)

        out = wrap(buffer(), device)
        tape = TAPE.get()
        if tape is not None:
            tape.launch("random", (), {}, out._array, device, call=buffer)
            tape.track(out)
        return out


def _draws(name: str, dtype: npt.DTypeLike) -> tuple[Any, Any]:
    """Return the type asked for, and the one that the source draws."""
    kind = as_dtype(dtype)
    if kind.kind not in "fV":
        raise DTypeError(f"{name}: got dtype {kind}; expected a floating one")
    return kind, np.dtype("float64" if kind.itemsize == 8 else "float32")


def _shape(shape: Shape) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, Sequence) else (shape,)


_defaults: dict[Device, Generator] = {}
_seed: list[int | None] = [None]


def default_generator(device: str | Device | None = None) -> Generator:
    """Return the generator that is used on *device* when none is given.

    >>> import minima as mi
    >>> mi.manual_seed(0).uniform((2,)).tolist() == mi.Generator(0).uniform((2,)).tolist()
    True
    """
    place = find_device(device)
    found = _defaults.get(place)
    return found or _defaults.setdefault(place, Generator(_seed[0], place))


def manual_seed(seed: int) -> Generator:
    """Seed the default generator of every device; returns the cpu's.

    >>> import minima as mi
    >>> mi.manual_seed(0).normal((2,))
    Tensor([ 1.117622, -1.387125])
    """
    generator = default_generator()
    generator.seed(seed)
    _seed[0] = int(seed)
    for other in _defaults.values():
        if other is not generator:
            other.seed(seed)
    return generator


if not TYPE_CHECKING:  # `draws` needs operators, and is imported when it is first asked for

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        from . import draws

        found = globals()[name] = getattr(draws, name)
        return found

    def __dir__():
        return sorted({*globals(), *__all__})

"""Gradients against differences: what backward returns must be the slope of the function.

The differences are central and of fourth order: with a step of 1e-3 their error is near 1e-12 of
the function, so that a gradient that is wrong in its seventh digit is found. A complex element is
moved along its real and its imaginary part, and of a complex output both parts count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import grad
from ..errors import ArgumentError, DTypeError, MinimaError
from ..explain import expect_function, several
from ..operators import conj, real
from ..tensor import Tensor, asarray

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

Array = npt.NDArray[Any]
Function = Callable[..., Tensor | Sequence[Tensor]]

#: of the directions that outputs are projected on: the same in every run
SEED = 20240229
#: elements that a report lists
SHOWN = 5
#: directions that the fast way looks along
DIRECTIONS = 3


class GradcheckError(MinimaError, AssertionError):
    """A gradient differs from the slope of its function; the message lists where and by how much.

    >>> from minima.testing import GradcheckError
    >>> issubclass(GradcheckError, AssertionError)
    True
    """


def gradcheck(
    fn: Function,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-3,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    order: int = 1,
    fast: bool = False,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of *fn* at *inputs* with differences of its values.

    Every input that requires grad is checked, and every output, projected on a fixed random
    direction. *eps* is the step, relative for elements above 1: *fn* has to be smooth within two
    steps. *order* 2 checks the gradients of the gradients instead, as `gradgradcheck`. *fast*
    compares slopes along a few random directions, and element by element only where these differ:
    an error in one of n elements is found from about sqrt(n) times the tolerance on. Returns True;
    with *raise_exception* False it returns False for a wrong gradient.

    Raises: GradcheckError with the elements that differ by more than ``rtol * size + atol``;
    DTypeError unless the inputs that require grad are float64 or complex128.

    >>> from minima.testing import gradcheck
    >>> x = mi.Tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    >>> gradcheck(mi.exp, x)
    True
    >>> gradcheck(lambda t: mi.exp(t.detach()) * t, x)
    Traceback (most recent call last):
    minima.testing.gradcheck.GradcheckError: gradcheck of multiply, order 1: 2 of 2 elements ...
    """
    expect_function("gradcheck", fn)
    check = _Check(fn, list(several("gradcheck", "inputs", inputs)))
    if order not in (1, 2):
        raise ArgumentError(f"gradcheck: got order {order!r}; expected 1 or 2")
    scalar, points, labels = check.first() if order == 1 else check.second()
    if fast and _agree_along_directions(scalar, points, eps, rtol, atol):
        return True
    found = list(_differences(scalar, points, labels, eps, rtol, atol))
    if found and raise_exception:
        size, count = sum(p.size for p in points), len({(d.label, d.element) for d in found})
        found.sort(key=lambda d: -d.relative)
        lines = [f"  {d}, allowed {rtol * d.size + atol:.1e}" for d in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"  and {len(found) - SHOWN} more")
        raise GradcheckError(
            f"gradcheck of {check.name}, order {order}: {count} of {size} elements differ by "
            f"more than rtol {rtol:g}, atol {atol:g}:\n"
            + "\n".join([*lines, *check.advice, *_pattern(found)])
        )
    return not found


def gradgradcheck(
    fn: Function,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-3,
    rtol: float = 1e-5,
    atol: float = 1e-9,
    fast: bool = False,
    raise_exception: bool = True,
) -> bool:
    """Compare the second derivatives of *fn* at *inputs* with differences of its gradients.

    The derivatives with respect to the direction are checked too; in a report the directions are
    counted as further inputs.

    Options and errors: as of `gradcheck`.

    >>> from minima.testing import gradgradcheck
    >>> gradgradcheck(mi.tanh, mi.Tensor([0.5], dtype="float64", requires_grad=True))
    True
    """
    options: dict[str, Any] = {"fast": fast, "raise_exception": raise_exception}
    return gradcheck(fn, inputs, eps=eps, rtol=rtol, atol=atol, order=2, **options)


@dataclass(frozen=True)
class _Difference:
    """One element at which the two disagree."""

    label: int
    element: tuple[int, ...]
    part: str
    analytic: float
    numeric: float

    @property
    def size(self) -> float:
        return max(abs(self.analytic), abs(self.numeric))

    @property
    def relative(self) -> float:
        return abs(self.analytic - self.numeric) / self.size if self.size else float("inf")

    def __str__(self) -> str:
        return (
            f"input {self.label}, element {list(self.element)}{self.part}: "
            f"analytic {self.analytic:.12g}, numeric {self.numeric:.12g}, "
            f"relative difference {self.relative:.1e}"
        )


def _pattern(found: list[_Difference]) -> list[str]:
    """Return what all of the differences have in common, in words."""
    if all(d.numeric != d.numeric for d in found):
        return ["  the function is NaN within two steps eps of these elements"]
    ratios = np.array([d.analytic / d.numeric if d.numeric else np.inf for d in found])
    if not np.any(ratios):
        return ["  the analytic gradient is 0 at all of these: is the graph cut, by detach()?"]
    if len(found) > 1 and np.allclose(ratios, ratios[0], rtol=1e-4, atol=0.0):
        return [f"  at all of these the analytic gradient is {ratios[0]:.6g} times the numeric one"]
    return []


class _Scalar:
    """A function from arrays to one number, and its gradients by backward."""

    def __init__(self, compute: Callable[[list[Tensor]], Tensor], device: Any) -> None:
        self.compute, self.device = compute, device

    def value(self, points: list[Array]) -> float:
        return float(self.compute(self._leaves(points)).item())

    def gradients(self, points: list[Array]) -> list[Array]:
        leaves = self._leaves(points)
        found = _grad(self.compute(leaves), leaves, create_graph=False)
        return [np.zeros_like(p) if g is None else g.numpy() for p, g in zip(points, found)]

    def _leaves(self, points: list[Array]) -> list[Tensor]:
        return [asarray(p.copy(), device=self.device).requires_grad_() for p in points]


#: what is compared: the function, where, and the number of the input that each point stands for
_Problem = tuple[_Scalar, list[Array], list[int]]


class _Check:
    """A function at its inputs, with a random direction for each output."""

    def __init__(self, fn: Function, inputs: list[Any]) -> None:
        self.fn, self.inputs = fn, inputs
        self.places = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]
        for i in self.places:
            if inputs[i].dtype not in (np.float64, np.complex128):
                wide = "complex128" if inputs[i].dtype.kind == "c" else "float64"
                raise DTypeError(
                    f"gradcheck: input {i} has dtype {inputs[i].dtype}; expected {wide}: "
                    f"use .astype('{wide}')"
                )
        if not self.places:
            raise ArgumentError("gradcheck: no input requires grad; expected one that does")
        checked = [inputs[i] for i in self.places]
        self.device = checked[0].device
        self.points: list[Array] = [np.array(t.numpy()) for t in checked]
        outputs = self.call(checked)
        nodes = [t.grad_fn for t in outputs if t.grad_fn is not None]
        self.name = nodes[0].operator.name if nodes else getattr(fn, "__name__", "the function")
        rng = np.random.default_rng(SEED)
        self.directions = [_direction(rng, t.shape, t.dtype) for t in outputs]
        self.second_directions = [_direction(rng, p.shape, p.dtype) for p in self.points]
        self.advice = [
            f"  output {i} has dtype {t.dtype}, too coarse for differences: let the function "
            "compute in float64"
            for i, t in enumerate(outputs)
            if t.dtype.kind in "fc" and t.dtype not in (np.float64, np.complex128)
        ]

    def call(self, tensors: list[Tensor]) -> list[Tensor]:
        arguments = list(self.inputs)
        for place, t in zip(self.places, tensors):
            arguments[place] = t
        out = self.fn(*arguments)
        return [out] if isinstance(out, Tensor) else list(out)

    def first(self) -> _Problem:
        """Return the outputs, projected, as a function of the inputs."""

        def compute(tensors: list[Tensor]) -> Tensor:
            return self._dot(self.call(tensors), self._fixed(self.directions))

        return _Scalar(compute, self.device), self.points, self.places

    def second(self) -> _Problem:
        """Return the gradients, projected, as a function of the inputs and the directions."""
        count = len(self.points)

        def compute(tensors: list[Tensor]) -> Tensor:
            total = self._dot(self.call(tensors[:count]), tensors[count:])
            slopes = _grad(total, tensors[:count], create_graph=True)
            return self._dot(slopes, self._fixed(self.second_directions))

        after = len(self.inputs)
        labels = [*self.places, *range(after, after + len(self.directions))]
        return _Scalar(compute, self.device), [*self.points, *self.directions], labels

    def _fixed(self, directions: list[Array]) -> list[Tensor]:
        return [asarray(d, device=self.device) for d in directions]

    def _dot(self, tensors: Sequence[Tensor | None], directions: list[Tensor]) -> Tensor:
        """Return the sum of *tensors* times *directions*; None stands for zeros."""
        total = asarray(np.zeros(()), device=self.device)
        for t, d in zip(tensors, directions):
            if t is not None:
                product = t * conj(d) if t.dtype.kind == "c" else t * d
                total = total + real(product.sum())
        return total


def _direction(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return numbers, or parts, of size 0.5 to 1.5 and either sign: none hides an error."""
    found = np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape))
    if dtype.kind != "c":
        return found
    return np.asarray(found + 1j * _direction(rng, shape, np.dtype(np.float64)))


def _grad(total: Tensor, inputs: list[Tensor], *, create_graph: bool) -> list[Tensor | None]:
    if not total.requires_grad:
        return [None] * len(inputs)
    return list(grad(total, inputs, create_graph=create_graph, allow_unused=True))


def _differences(
    scalar: _Scalar,
    points: list[Array],
    labels: list[int],
    eps: float,
    rtol: float,
    atol: float,
) -> Iterator[_Difference]:
    """Yield the elements at which backward and the differences do not agree."""
    gradients = scalar.gradients(points)
    for i, (label, gradient) in enumerate(zip(labels, gradients)):
        for element in np.ndindex(points[i].shape):
            size = max(1.0, float(abs(points[i][element])))
            both = [(1, " (real part)"), (1j, " (imaginary part)")]
            for unit, part in both if points[i].dtype.kind == "c" else [(1, "")]:
                towards = [np.zeros_like(p) for p in points]
                towards[i][element] = size * unit
                analytic = float((gradient[element] * np.conj(unit)).real)
                numeric = _slope(scalar, points, towards, eps) / size
                if not _close(analytic, numeric, rtol, atol):
                    yield _Difference(label, element, part, analytic, numeric)


def _agree_along_directions(
    scalar: _Scalar, points: list[Array], eps: float, rtol: float, atol: float
) -> bool:
    """Say whether the slopes along a few random directions, of length near 1, are right."""
    gradients = scalar.gradients(points)
    rng = np.random.default_rng(SEED + 1)
    length = max(1.0, sum(p.size for p in points)) ** 0.5
    for _ in range(DIRECTIONS):
        towards = [
            _direction(rng, p.shape, p.dtype) * np.maximum(1.0, np.abs(p)) / length for p in points
        ]
        analytic = float(sum((g * np.conj(t)).sum().real for g, t in zip(gradients, towards)))
        if not _close(analytic, _slope(scalar, points, towards, eps), rtol, atol):
            return False
    return True


def _close(analytic: float, numeric: float, rtol: float, atol: float) -> bool:
    """Say whether the two agree; a NaN does not."""
    return abs(analytic - numeric) <= rtol * max(abs(analytic), abs(numeric)) + atol


def _slope(scalar: _Scalar, points: list[Array], towards: list[Array], eps: float) -> float:
    """Return the slope of *scalar* along a direction: the five-point central difference."""

    def value(step: float) -> float:
        return scalar.value([p + step * t for p, t in zip(points, towards)])

    near = value(eps) - value(-eps)
    far = value(2 * eps) - value(-2 * eps)
    return (8 * near - far) / (12 * eps)

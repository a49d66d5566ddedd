"""Einstein's summation: products of tensors by named axes, one pair at a time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod
from typing import Any

from ..dtypes import promote
from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor, as_tensor
from .composed import composite
from .linear_algebra import matmul
from .manipulation import permute_dims, reshape
from .rearrangement import diagonal
from .reduction import sum as total
from .table import table_operator

__all__ = ["einsum"]

Labels = tuple[Hashable, ...]


@composite
def einsum(*operands: Any, subscripts: str | None = None) -> Tensor:
    """Return sums of products of tensors whose axes have names: ``einsum("ij,jk->ik", a, b)``.

    A name that the result lacks is summed over; without ``->`` the result has, in the order of
    the alphabet, the names that occur once. A name that occurs twice in one input is its diagonal,
    ``...`` are further axes, which broadcast as do axes of size 1. The names can be given
    as numbers too: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    Each step is one product of matrices. Their order is the cheapest that the library opt-einsum
    finds (``pip install minima-core[einsum]``); without it, from the left to the right.
    Dtype: the promoted one.
    Raises: ArgumentError for subscripts that do not say what is meant, ShapeError for sizes that
    differ under one name.

    >>> import minima as mi
    >>> mi.einsum("ij,jk->ik", mi.ones((2, 3)), mi.ones((3, 4))).shape
    (2, 4)
    >>> mi.einsum("ii", mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(5.)
    """
    given, names, result = _parse(operands, subscripts)
    tensors = _tensors(given)
    terms = [_named(t, n) for t, n in zip(tensors, names)]
    rest = [label for _, labels in terms for label in labels if isinstance(label, int)]
    depth = max(rest, default=-1) + 1  # of the axes that ... stands for; the last is number 0
    ellipsis: Labels = tuple(range(depth - 1, -1, -1))
    wanted = _result(result, [labels for _, labels in terms], ellipsis)
    sizes = _sizes([t.shape for t, _ in terms], [labels for _, labels in terms])
    for label in wanted:
        if label not in sizes:
            raise ArgumentError(f"einsum: the result has the axis {label!r}, which no input has")
    work = [_reduced(t, labels, sizes) for t, labels in terms]
    for pair in _order(work, wanted, sizes):
        b, a = (work.pop(i) for i in sorted(pair, reverse=True))
        keep = {*wanted, *(label for _, labels in work for label in labels)}
        work.append(_product(a, b, keep, sizes))
    t, labels = _summed(*work[0], {*wanted})
    return _aligned(t, labels, wanted)


def _parse(operands: tuple[Any, ...], subscripts: str | None) -> tuple[list[Any], list[Any], Any]:
    """Return inputs, the names of their axes, and those of the result or None."""
    if operands and isinstance(operands[0], str):
        subscripts, operands = operands[0], operands[1:]
    if subscripts is not None:
        left, arrow, right = subscripts.replace(" ", "").partition("->")
        parts = left.split(",")
        if len(parts) != len(operands):
            raise ArgumentError(
                f"einsum: got {len(operands)} inputs for {subscripts!r}; expected {len(parts)}"
            )
        return list(operands), [_letters(p) for p in parts], _letters(right) if arrow else None
    given, names = list(operands[0::2]), list(operands[1::2])
    result = None
    if len(given) > len(names):
        result = given.pop()
    if not given or any(isinstance(n, Tensor) or not hasattr(n, "__iter__") for n in names):
        raise ArgumentError(
            "einsum: expected subscripts and inputs, as in einsum('ij,jk', a, b), or inputs each "
            "with a list of numbers, as in einsum(a, [0, 1], b, [1, 2])"
        )
    return given, [_numbers(n) for n in names], None if result is None else _numbers(result)


def _letters(text: str) -> list[Any]:
    found: list[Any] = list(text.replace("...", "."))
    for c in found:
        if c != "." and not c.isalpha():
            raise ArgumentError(f"einsum: got {c!r} in {text!r}; expected letters and ...")
    return [Ellipsis if c == "." else c for c in found]


def _numbers(names: Sequence[Any]) -> list[Any]:
    # as letters that sort as the numbers do, to tell them from the axes of an ellipsis
    return [n if n is Ellipsis else chr(0x4E00 + int(n)) for n in names]


def _tensors(given: list[Any]) -> list[Tensor]:
    """Return the inputs as Tensors of one dtype."""
    device = next((t.device for t in given if isinstance(t, Tensor)), None)
    found = [as_tensor(t, device=device, operation="einsum") for t in given]
    dtype = found[0].dtype
    for t in found:
        dtype = promote(dtype, t.dtype)
    cast = table_operator("astype")
    return [t if t.dtype == dtype else cast(t, dtype) for t in found]


def _named(t: Tensor, names: list[Any]) -> tuple[Tensor, Labels]:
    """Return *t* and a name for each axis: those of an ellipsis are numbers, the last 0."""
    if names.count(Ellipsis) > 1:
        raise ArgumentError("einsum: got '...' twice for one input; expected it once")
    count = t.ndim - len(names) + (Ellipsis in names)
    if count < 0 or (count and Ellipsis not in names):
        raise ShapeError(
            f"einsum: got an input of shape {t.shape} with the names "
            f"{''.join('...' if n is Ellipsis else str(n) for n in names)!r}; expected one for "
            "each axis"
        )
    labels: list[Hashable] = []
    for n in names:
        labels.extend(range(count - 1, -1, -1) if n is Ellipsis else [n])
    return t, tuple(labels)


def _result(result: Any, inputs: list[Labels], ellipsis: Labels) -> Labels:
    """Return the names of the result's axes."""
    if result is None:
        flat = [n for labels in inputs for n in labels if isinstance(n, str)]
        return (*ellipsis, *sorted(n for n in set(flat) if flat.count(n) == 1))
    found: list[Hashable] = []
    for n in result:
        found.extend(ellipsis if n is Ellipsis else [n])
    if len(set(found)) != len(found):
        raise ArgumentError("einsum: the result names an axis twice")
    return tuple(found)


def _sizes(shapes: list[tuple[int, ...]], inputs: list[Labels]) -> dict[Hashable, int]:
    """Return the size of each name."""
    sizes: dict[Hashable, int] = {}
    for shape, labels in zip(shapes, inputs):
        for n, label in zip(shape, labels):
            known = sizes.get(label, 1)
            if known != n and 1 not in (known, n):
                what = "the axes of '...'" if isinstance(label, int) else f"the axis {label!r}"
                raise ShapeError(f"einsum: {what} has sizes {known} and {n}; expected equal ones")
            sizes[label] = n if known == 1 else known
    return sizes


def _reduced(t: Tensor, labels: Labels, sizes: dict[Hashable, int]) -> tuple[Tensor, Labels]:
    """Return *t* with diagonals taken, and without axes of size 1 that broadcast."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i, j = [k for k, n in enumerate(labels) if n == label][:2]
            t = diagonal(t, 0, i, j)
            labels = (*(n for k, n in enumerate(labels) if k not in (i, j)), label)
    keep = [i for i, n in enumerate(labels) if t.shape[i] == sizes[n]]
    return reshape(t, [t.shape[i] for i in keep]), tuple(labels[i] for i in keep)


def _order(
    work: list[tuple[Tensor, Labels]], wanted: Labels, sizes: dict[Hashable, int]
) -> list[tuple[int, int]]:
    """Return the pairs to multiply, one after the other; a product goes to the end."""
    count = len(work)
    if count < 3:
        return [(0, 1)] * (count - 1)
    try:
        from opt_einsum import contract_path
    except ImportError:
        # from the left: the first two, then always the next and the product, which is the last
        return [(0, 1), *((0, count - 2 - i) for i in range(count - 2))]
    letters = {n: chr(0x4E00 + i) for i, n in enumerate(sizes)}
    text = ",".join("".join(letters[n] for n in labels) for _, labels in work)
    path, _ = contract_path(
        f"{text}->{''.join(letters[n] for n in wanted if _somewhere(n, work))}",
        *(t.shape for t, _ in work),
        shapes=True,
    )
    return _pairs(path, count)


def _somewhere(label: Hashable, work: list[tuple[Tensor, Labels]]) -> bool:
    return any(label in labels for _, labels in work)


def _pairs(path: Sequence[Sequence[int]], count: int) -> list[tuple[int, int]]:
    """Return *path* in steps of two: one that takes more starts with its first two."""
    found = []
    for step in path:
        places = sorted(step)
        while len(places) > 1:
            i, j = places[0], places[1]
            found.append((i, j))
            count -= 1
            places = [p - 1 - 1 for p in places[2:]]
            if places:
                places.append(count - 1)
    return found


def _product(
    a: tuple[Tensor, Labels],
    b: tuple[Tensor, Labels],
    keep: set[Hashable],
    sizes: dict[Hashable, int],
) -> tuple[Tensor, Labels]:
    """Return the product of two tensors, summed over the names that are not to be kept."""
    (x, first), (y, second) = _summed(*a, keep | {*b[1]}), _summed(*b, keep | {*a[1]})
    both = [n for n in first if n in second and n in keep]
    gone = [n for n in first if n in second and n not in keep]
    left = [n for n in first if n not in second]
    right = [n for n in second if n not in first]
    if not gone:  # nothing to add up: by elements
        labels = (*both, *left, *right)
        parts = (_aligned(t, names, labels) for t, names in ((x, first), (y, second)))
        return table_operator("multiply")(*parts), labels

    def shaped(t: Tensor, names: Labels, groups: Sequence[list[Hashable]]) -> Tensor:
        order = [names.index(n) for group in groups for n in group]
        matrix = [prod(sizes[n] for n in group) for group in groups[1:]]
        return reshape(permute_dims(t, order), [*(sizes[n] for n in both), *matrix])

    found = matmul(shaped(x, first, (both, left, gone)), shaped(y, second, (both, gone, right)))
    labels = (*both, *left, *right)
    return reshape(found, [sizes[n] for n in labels]), labels


def _summed(t: Tensor, labels: Labels, keep: set[Hashable]) -> tuple[Tensor, Labels]:
    axes = tuple(i for i, n in enumerate(labels) if n not in keep)
    if not axes:
        return t, labels
    return total(t, axes, dtype=t.dtype), tuple(n for n in labels if n in keep)


def _aligned(t: Tensor, labels: Labels, wanted: Labels) -> Tensor:
    """Return *t* with its axes in the order of *wanted*, size 1 for names that it lacks."""
    t = permute_dims(t, [labels.index(n) for n in wanted if n in labels])
    sizes = iter(t.shape)
    return reshape(t, [next(sizes) if n in labels else 1 for n in wanted])

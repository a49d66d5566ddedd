"""One table of samples: for every operator inputs, attributes, and NumPy's answer.

To add an operator's row, add a `Sample` to the file of its family: all checks of
`minima.testing.conformance` walk over `SAMPLES`. Rows of composed functions are in the family's
``COMPOSED``, which minima-core's own tests walk.
"""

from __future__ import annotations

from typing import Any

from . import (
    activation,
    attention,
    complex,
    cumulative,
    elementwise,
    embedding,
    fft,
    functions,
    gathering,
    group_norm,
    linalg,
    network,
    numbers,
    products,
    rearrangement,
    recurrent,
    reduction,
    resizing,
    selection,
    shape,
    sorting,
    spatial,
    statistics,
    windowed,
)
from .sample import Input, Sample, away, bools, distinct, exactly, integers, positive, real

__all__ = [
    "COMPOSED",
    "NOT_DIFFERENTIABLE",
    "SAMPLES",
    "Input",
    "Sample",
    "away",
    "bools",
    "distinct",
    "exactly",
    "integers",
    "positive",
    "real",
]

_FAMILIES: list[Any] = [
    activation,
    group_norm,
    elementwise,
    functions,
    complex,
    reduction,
    shape,
    network,
    embedding,
    attention,
    recurrent,
    resizing,
    spatial,
    windowed,
    cumulative,
    rearrangement,
    sorting,
    statistics,
    gathering,
    linalg,
    fft,
    products,
    numbers,
    selection,
]
#: rows of operators, and of functions composed of them
SAMPLES: list[Sample] = [s for family in _FAMILIES for s in family.SAMPLES]
COMPOSED: list[Sample] = [s for family in _FAMILIES for s in getattr(family, "COMPOSED", ())]

_STEPS = "its value is constant but for steps"
_CHOICE = "its value is True or False"
_INDEX = "its value is an index"

#: operators without a gradient -> why
NOT_DIFFERENTIABLE: dict[str, str] = {
    **dict.fromkeys(
        "all any bitwise_and bitwise_invert bitwise_or bitwise_xor equal greater greater_equal "
        "isfinite isinf isnan less less_equal logical_not not_equal signbit".split(),
        _CHOICE,
    ),
    **dict.fromkeys(
        "bitwise_left_shift bitwise_right_shift".split(), "its inputs are the bits of integers"
    ),
    "nextafter": "its value is a neighbour among the numbers of the type",
    **dict.fromkeys("argmax argmin argsort cumulative_argmax searchsorted".split(), _INDEX),
    "bag_largest": _STEPS,
    "bag_numbers": "its input is an index",
    "first_largest": _STEPS,
    "one_hot": "its input is an index",
}

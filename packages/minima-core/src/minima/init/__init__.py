"""Tensors to start from: random, constant, or of a pattern; drawn new, or filled in place (``_``).

Functions without ``_`` return a new Tensor of the sizes given one by one: ``rand(2, 3)``.
*generator* defaults to the device's own; *dtype* to float32. Schemes named after their authors
return ``(fan_in, fan_out)`` unless *shape* is given. Those with ``_`` have PyTorch's names and
arguments, and take the fans from the Tensor; see `calculate_fans`.
"""

from __future__ import annotations

from .draws import (
    constant,
    kaiming_normal,
    kaiming_uniform,
    one_hot,
    ones,
    rand,
    randb,
    randn,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from .fans import calculate_fans, calculate_gain
from .fill import (
    constant_,
    dirac_,
    eye_,
    kaiming_normal_,
    kaiming_uniform_,
    normal_,
    ones_,
    orthogonal_,
    sparse_,
    trunc_normal_,
    uniform_,
    xavier_normal_,
    xavier_uniform_,
    zeros_,
)
from .shaped import dirac, eye, orthogonal, sparse, trunc_normal

uniform, normal = rand, randn  # by PyTorch's names

__all__ = [
    "calculate_fans",
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "one_hot",
    "ones",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "rand",
    "randb",
    "randn",
    "sparse",
    "sparse_",
    "trunc_normal",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros",
    "zeros_",
]

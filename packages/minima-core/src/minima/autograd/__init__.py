"""Reverse-mode differentiation: `Tensor`, `backward`, `grad` and the recording switches."""

from __future__ import annotations

from ..tensor import Tensor
from .engine import backward, grad
from .mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled

__all__ = [
    "Tensor",
    "backward",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]

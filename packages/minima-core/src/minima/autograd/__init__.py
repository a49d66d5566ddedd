"""Reverse-mode differentiation: `backward`, `grad`, `Function`, and what helps to check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tensor import Tensor
from .engine import backward, grad
from .mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled

if TYPE_CHECKING:
    from ..testing.gradcheck import GradcheckError, gradcheck, gradgradcheck
    from .anomaly import detect_anomaly, set_detect_anomaly
    from .function import Context, Function, once_differentiable

#: what is used seldom, so that importing minima stays quick -> its module
_LATER = {
    "Context": "minima.autograd.function",
    "Function": "minima.autograd.function",
    "GradcheckError": "minima.testing.gradcheck",
    "detect_anomaly": "minima.autograd.anomaly",
    "gradcheck": "minima.testing.gradcheck",
    "gradgradcheck": "minima.testing.gradcheck",
    "once_differentiable": "minima.autograd.function",
    "set_detect_anomaly": "minima.autograd.anomaly",
}

__all__ = [
    "Context",
    "Function",
    "GradcheckError",
    "Tensor",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]

if not TYPE_CHECKING:

    def __getattr__(name):
        if name in _LATER:
            from importlib import import_module

            found = globals()[name] = getattr(import_module(_LATER[name]), name)
            return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

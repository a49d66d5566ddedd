"""Optimisers: what turns gradients into better parameters."""

from __future__ import annotations

from . import lr_scheduler
from .adam import Adam, AdamW
from .adaptive import AdaGrad, RMSProp
from .optimizer import Optimizer
from .sgd import SGD

Adagrad = AdaGrad
RMSprop = RMSProp

__all__ = [
    "SGD",
    "AdaGrad",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSProp",
    "RMSprop",
    "lr_scheduler",
]

"""Optimisers: what turns gradients into better parameters; schedules of their rates beside them."""

from __future__ import annotations

from . import lr_scheduler, swa_utils
from .adam import Adam, AdamW
from .adaptive import AdaGrad, RMSProp
from .averaging import EMA, SWALR, AveragedModel, update_bn
from .lbfgs import LBFGS
from .moments import Adamax, Lion, NAdam, RAdam
from .optimizer import Optimizer
from .sgd import SGD
from .shaped import LAMB, Adafactor, Muon
from .steps import ASGD, Adadelta, Rprop

Adagrad = AdaGrad
RMSprop = RMSProp

__all__ = [
    "ASGD",
    "EMA",
    "LAMB",
    "LBFGS",
    "SGD",
    "SWALR",
    "AdaGrad",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AveragedModel",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSProp",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
    "update_bn",
]

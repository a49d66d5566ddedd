"""Layers, losses and what they are made of.

A public CamelCase name that is not here is looked for among the layers that plugins offer.
"""

from __future__ import annotations

from typing import Any

from .activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from .attention import MultiheadAttention
from .containers import Flatten, Identity, ModuleList, Residual, Sequential
from .convolution import Conv2d
from .dropout import Dropout
from .embedding import Embedding, EmbeddingBag
from .errors import ModuleInitError, StateDictError
from .hooks import HookHandle
from .linear import Linear
from .losses import CrossEntropyLoss, MSELoss
from .module import Module
from .normalization import BatchNorm1d, BatchNorm2d, LayerNorm, LayerNorm1d
from .parameter import Parameter
from .pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from .recurrent import GRU, LSTM
from .state import LoadResult
from .transformer import TransformerEncoder, TransformerEncoderLayer

__all__ = [
    "GELU",
    "GRU",
    "LSTM",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "HookHandle",
    "Identity",
    "LayerNorm",
    "LayerNorm1d",
    "Linear",
    "LoadResult",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleInitError",
    "ModuleList",
    "MultiheadAttention",
    "Parameter",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "StateDictError",
    "Tanh",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]


def __getattr__(name: str) -> Any:
    """Return the third-party layer *name*, loading the plugin that offers it."""
    if not name[:1].isupper():
        raise AttributeError(f"minima.nn has no {name!r}")
    from minima import registry

    if name in registry.names("layer"):
        return registry.lookup("layer", name)
    from difflib import get_close_matches

    known = sorted({*__all__, *registry.names("layer")})
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    raise AttributeError(f"minima.nn has no layer {name!r}, nor has a plugin; {hint}")

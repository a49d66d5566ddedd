"""Layers, losses and what they are made of.

A public CamelCase name that is not here is looked for among the layers that plugins offer. A
family is a module: its names are those of its ``__all__``.
"""

from __future__ import annotations

from sys import modules
from typing import TYPE_CHECKING, Any

from .activations import *  # noqa: F403
from .adaptive import *  # noqa: F403
from .attention import *  # noqa: F403
from .batch_normalization import *  # noqa: F403
from .cache import *  # noqa: F403
from .cells import *  # noqa: F403
from .containers import *  # noqa: F403
from .convolution import *  # noqa: F403
from .decoder import *  # noqa: F403
from .distances import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .errors import InverseMissingError as InverseMissingError
from .errors import MissingNameError as MissingNameError
from .errors import ModuleInitError as ModuleInitError
from .errors import StateDictError as StateDictError
from .generation import *  # noqa: F403
from .hooks import HookHandle as HookHandle
from .instance_normalization import *  # noqa: F403
from .interop import *  # noqa: F403
from .lazy import *  # noqa: F403
from .linear import *  # noqa: F403
from .losses import *  # noqa: F403
from .margins import *  # noqa: F403
from .module import *  # noqa: F403
from .normalization import *  # noqa: F403
from .overview import *  # noqa: F403
from .padding import *  # noqa: F403
from .parameter import Parameter as Parameter
from .parameter import UninitializedBuffer as UninitializedBuffer
from .parameter import UninitializedError as UninitializedError
from .parameter import UninitializedParameter as UninitializedParameter
from .parameter_containers import *  # noqa: F403
from .passing import *  # noqa: F403
from .pooling import *  # noqa: F403
from .positions import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .resizing import *  # noqa: F403
from .shares import *  # noqa: F403
from .shrinkage import *  # noqa: F403
from .state import LoadResult as LoadResult
from .stateless import *  # noqa: F403
from .transformer import *  # noqa: F403
from .transposed import *  # noqa: F403

_FAMILIES = (
    "activations",
    "adaptive",
    "attention",
    "batch_normalization",
    "cells",
    "cache",
    "containers",
    "convolution",
    "distances",
    "decoder",
    "dropout",
    "embedding",
    "generation",
    "instance_normalization",
    "interop",
    "lazy",
    "linear",
    "losses",
    "margins",
    "module",
    "normalization",
    "padding",
    "parameter_containers",
    "passing",
    "pooling",
    "positions",
    "recurrent",
    "resizing",
    "shares",
    "shrinkage",
    "stateless",
    "overview",
    "transformer",
    "transposed",
)
_LATER = ("functional", "init", "utils")  # sub-packages that are imported when they are asked for
if not TYPE_CHECKING:  # checkers follow the imports above
    __all__ = [
        *("HookHandle", "InverseMissingError", "LoadResult", "MissingNameError", "ModuleInitError"),
        *("Parameter", "StateDictError"),
        *("UninitializedBuffer", "UninitializedError", "UninitializedParameter"),
        *(n for family in _FAMILIES for n in modules[f"{__name__}.{family}"].__all__),
    ]


def __getattr__(name: str) -> Any:
    """Return the third-party layer *name*, loading the plugin that offers it."""
    if name in _LATER:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    if not name[:1].isupper():
        raise AttributeError(f"minima.nn has no {name!r}")
    from minima import registry

    if name in registry.names("layer"):
        return registry.lookup("layer", name)
    from difflib import get_close_matches

    from .habits import missing_layer

    if said := missing_layer(name):
        raise AttributeError(said)
    known = sorted({*globals()["__all__"], *registry.names("layer")})
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    raise AttributeError(f"minima.nn has no layer {name!r}, nor has a plugin; {hint}")

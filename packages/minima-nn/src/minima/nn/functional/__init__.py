"""Functions by the names, arguments and defaults of PyTorch's ``torch.nn.functional``.

The names of tensors are positional; an axis is called *dim* here, as there.

>>> import minima as mi
>>> import minima.nn.functional as F
>>> F.softmax(mi.Tensor([[0.0, 0.0]]), dim=1)
Tensor([[0.5, 0.5]])
"""

from __future__ import annotations

from sys import modules
from typing import TYPE_CHECKING, Any

from .activations import *  # noqa: F403
from .attention import *  # noqa: F403
from .binary import *  # noqa: F403
from .classification import *  # noqa: F403
from .ctc import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .linear import *  # noqa: F403
from .margins import *  # noqa: F403
from .normalization import *  # noqa: F403
from .positions import *  # noqa: F403
from .rectifiers import *  # noqa: F403
from .regression import *  # noqa: F403
from .spatial import *  # noqa: F403

_FAMILIES = (
    "activations",
    "attention",
    "binary",
    "classification",
    "ctc",
    "dropout",
    "embedding",
    "linear",
    "margins",
    "normalization",
    "positions",
    "rectifiers",
    "regression",
    "spatial",
)
if not TYPE_CHECKING:  # checkers follow the imports above
    __all__ = [n for family in _FAMILIES for n in modules[f"{__name__}.{family}"].__all__]


def __getattr__(name: str) -> Any:
    """Say what to write for the function *name*, which is not here."""
    from ..habits import missing_function

    raise AttributeError(missing_function(name, globals()["__all__"]), name=name)

"""A plugin for minima: the layer ``mi.nn.Swish`` and the device ``"toy"``.

minima imports this module when one of the two names is first asked for.
"""

from minima.hookspec import hookimpl
from minima.registry import Registrar

from .device import ToyDevice, open_toy
from .layer import Swish

__all__ = ["MINIMA_API", "Swish", "ToyDevice", "open_toy"]

#: the version of minima's plugin API that this module is written for
MINIMA_API = 1


@hookimpl
def minima_register_layers(registry: Registrar) -> None:
    """Offer the layer."""
    registry.add("Swish", Swish)


@hookimpl
def minima_register_devices(registry: Registrar) -> None:
    """Offer the device; it is opened when a tensor is first put there."""
    registry.add("toy", open_toy)

"""The hooks that a plugin may implement: ``from minima.hookspec import hookimpl``.

A plugin is a module, named by an entry point, that says ``MINIMA_API = 1`` and implements the
hook of each kind of thing that it offers. Importing this module imports pluggy; minima itself
does so only when it loads a plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .registry import Registrar

__all__ = [
    "API_VERSION",
    "hookimpl",
    "hookspec",
    "minima_register_commands",
    "minima_register_devices",
    "minima_register_executors",
    "minima_register_kernels",
    "minima_register_layers",
]

#: What a plugin's ``MINIMA_API`` has to be. It grows when a hook goes or an argument changes.
API_VERSION = 1

hookspec = pluggy.HookspecMarker("minima")
hookimpl = pluggy.HookimplMarker("minima")


@hookspec
def minima_register_devices(registry: Registrar) -> None:
    """Offer devices: ``registry.add(name, open)``, where ``open(index)`` returns a Device.

    *index* is the number after the colon in ``"cuda:1"``, or None. ``open`` raises
    DeviceUnavailableError with the reason where the machine has no such device; it is the only
    part that may touch the hardware, so that a machine without it can still list the device.
    """


@hookspec
def minima_register_layers(registry: Registrar) -> None:
    """Offer layers: ``registry.add(name, cls)`` makes the class ``mi.nn.<name>``."""


@hookspec
def minima_register_kernels(registry: Registrar) -> None:
    """Offer kernels for a device: ``registry.add(name, kernel_set)``, for ``mi.use_kernels``."""


@hookspec
def minima_register_executors(registry: Registrar) -> None:
    """Offer executors of captured plans: ``registry.add(name, executor)``."""


@hookspec
def minima_register_commands(registry: Registrar) -> None:
    """Offer sub-commands of ``minima``: ``registry.add(name, add)``.

    ``add(subparsers)`` adds one argparse parser, called *name*, whose defaults hold
    ``run=function``; ``function(args)`` returns the exit code.
    """

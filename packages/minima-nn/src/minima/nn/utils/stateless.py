"""A module as a function of its parameters; see `minima.nn.functional_call`."""

from __future__ import annotations

from ..stateless import functional_call

__all__ = ["functional_call"]

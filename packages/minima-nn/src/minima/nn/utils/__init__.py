"""What is done to parameters and sequences around layers."""

from __future__ import annotations

from . import rnn as rnn

__all__ = ["rnn"]

"""The options of PyTorch's optimisers that say how a step is computed, and not what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from minima.errors import ArgumentError, SignatureError

__all__ = ["How", "check_how"]


class How(TypedDict, total=False):
    """Options that every optimiser takes and nothing depends on: steps are as fast as they can be.

    Only a *differentiable* step, which would be recorded, is not to be had.
    """

    foreach: bool | None
    fused: bool | None
    capturable: bool
    differentiable: bool


def check_how(optimizer: str, how: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise for options that are none of `How`, and for a differentiable step.

    >>> check_how("SGD", {"rate": 0.1}, {"lr": 0.1})
    Traceback (most recent call last):
    minima.errors.SignatureError: SGD: got an unexpected keyword argument 'rate'; expected params, \
lr
    """
    unknown = sorted(how.keys() - How.__annotations__.keys())
    if unknown:
        raise SignatureError(
            f"{optimizer}: got an unexpected keyword argument {unknown[0]!r}; expected "
            f"{', '.join(('params', *known))}"
        )
    if how.get("differentiable"):
        raise ArgumentError(
            f"{optimizer}: differentiable is True; expected False: steps are not recorded; to "
            "differentiate through one, compute the new values from minima.autograd.grad(..., "
            "create_graph=True)"
        )

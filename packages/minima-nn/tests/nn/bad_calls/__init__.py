"""Calls that are wrong, a module for each family; `test_bad_calls` walks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bad:
    """A call, the class of the error that it has to raise, and a pattern of its message.

    The pattern names the layer, the argument, what it got and what it expected.
    """

    id: str
    call: Callable[[], object]
    error: type[Exception]
    message: str

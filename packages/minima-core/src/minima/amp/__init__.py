"""Mixed precision: products in float16 or bfloat16, parameters and what needs width in float32.

>>> import minima as mi
>>> with mi.autocast("cpu", dtype="float16"):
...     print((mi.ones((1, 2)) @ mi.ones((2, 1))).dtype)
float16
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .casting import autocast, autocasts, get_autocast_dtype, is_autocast_enabled

if TYPE_CHECKING:
    from .scaler import GradScaler

__all__ = ["GradScaler", "autocast", "autocasts", "get_autocast_dtype", "is_autocast_enabled"]


def __getattr__(name: str) -> Any:
    """Import the scaler when it is asked for, so that importing minima stays quick."""
    if name == "GradScaler":
        from .scaler import GradScaler

        return GradScaler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""How a tensor shows itself: values as NumPy prints them, and what is not the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["tensor_repr"]

_USUAL = {"float32", "int64", "bool"}


def tensor_repr(t: Tensor) -> str:
    """Return ``Tensor([...])`` with dtype, device and gradient where they are not the default."""
    name = type(t).__name__
    if t.device.base is not None:  # one value for each element of a batch
        return f"{name}(one of a batch, dtype={t.dtype}, shape={t.shape}, device={str(t.device)!r})"
    values = np.array2string(
        t.numpy(), separator=", ", prefix=name + "(", precision=6, suppress_small=False
    )
    notes = []
    if t.dtype.name not in _USUAL:
        notes.append(f"dtype={t.dtype.name}")
    if not t.size:
        notes.append(f"shape={t.shape}")
    if str(t.device) != "cpu":
        notes.append(f"device={str(t.device)!r}")
    if t.grad_fn is not None:
        notes.append(f"grad_fn=<{t.grad_fn.operator.name}>")
    elif t.requires_grad:
        notes.append("requires_grad=True")
    return f"{name}({', '.join([values, *notes])})"

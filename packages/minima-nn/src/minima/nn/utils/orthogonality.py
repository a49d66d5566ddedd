"""The parametrisation behind `parametrizations.orthogonal`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minima import (
    Tensor,
    asarray,
    concat,
    diagonal,
    eye,
    init,
    linalg,
    no_grad,
    sign,
    tril,
    trunc,
    zeros,
)
from minima.errors import ShapeError

from ..errors import InverseMissingError
from ..module import Module

__all__ = ["Orthogonal"]


class Orthogonal(Module):
    """An orthogonal matrix, of a matrix of the same shape; *flip*: of the transposes of both."""

    base: Tensor

    def __init__(
        self, shape: tuple[int, ...], orthogonal_map: str, flip: bool, trivial: bool
    ) -> None:
        super().__init__()
        self.shape, self.orthogonal_map, self.flip, self.trivial = (
            shape,
            orthogonal_map,
            flip,
            trivial,
        )
        if trivial:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        """Return the orthogonal matrix."""
        x = x.mT if self.flip else x
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        q = _reflections(x) if self.orthogonal_map == "householder" else self._rotation(x)
        if self.trivial:
            q = self.base @ q
        return q.mT if wide != self.flip else q

    def _rotation(self, x: Tensor) -> Tensor:
        n, k = x.shape[-2:]
        x = tril(x)
        if n != k:
            rest = zeros((*x.shape[:-1], n - k), dtype=x.dtype, device=x.device)
            x = concat([x, rest], axis=-1)
        a = x - x.mT
        if self.orthogonal_map == "matrix_exp":
            q = linalg.matrix_exp(a)
        else:
            one = eye(n, dtype=a.dtype, device=a.device)
            q = linalg.solve(one - 0.5 * a, one + 0.5 * a)
        return q[..., :k]

    @no_grad()
    def right_inverse(self, q: Tensor) -> Tensor:
        """Return the original, and set the base, of which the matrix nearest to *q* is made."""
        if q.shape != self.shape:
            raise ShapeError(f"orthogonal: got shape {q.shape}; expected {self.shape}")
        q = q.mT if self.flip else q
        wide = q.shape[-2] < q.shape[-1]
        tall = q.mT if wide else q
        x = self._based(tall) if self.trivial else self._reflected(tall)
        return x.mT if wide != self.flip else x

    def _based(self, q: Tensor) -> Tensor:
        n, k = q.shape[-2:]
        place: dict[str, Any] = {"dtype": q.dtype, "device": q.device}
        if n != k:
            q = concat([q, init.randn(*q.shape[:-1], n - k, **place)], axis=-1)
            self.base = _orthonormal(q)
        else:
            near = abs(q.mT @ q - eye(n, **place)).max().item()
            exact = near <= 10.0 * n * float(np.finfo(q.numpy().dtype).eps)
            self.base = q.clone() if exact else _orthonormal(q)
        return zeros((*q.shape[:-1], k), **place) - eye(n, k, **place)

    def _reflected(self, q: Tensor) -> Tensor:
        """Return the reflections of which *q* is the product."""
        if self.orthogonal_map != "householder":
            raise InverseMissingError(
                f"orthogonal: a matrix cannot be assigned with orthogonal_map="
                f"{self.orthogonal_map!r} and use_trivialization=False; expected True, or "
                "'householder'"
            )
        packed, tau = np.linalg.qr(q.numpy(), mode="raw")
        packed = np.array(np.swapaxes(packed, -1, -2))
        k = packed.shape[-1]
        signs = np.sign(packed[..., range(k), range(k)])
        packed[..., range(k), range(k)] = np.where(tau == 0.0, -signs, signs)
        return asarray(packed, dtype=q.dtype, device=q.device)


def _orthonormal(a: Tensor) -> Tensor:
    """Return Q of a = Q R, R with a positive diagonal."""
    q, r = linalg.qr(a)
    signs = sign(diagonal(r, axis1=-2, axis2=-1))
    found: Tensor = q * signs.reshape((*signs.shape[:-1], 1, signs.shape[-1]))
    return found


def _reflections(x: Tensor) -> Tensor:
    """Return the product of the reflections below the diagonal of x, its columns signed by it."""
    n, k = x.shape[-2:]
    below = tril(x, k=-1)
    tau = 2.0 / (1.0 + (below * below).sum(axis=-2))
    place: dict[str, Any] = {"dtype": x.dtype, "device": x.device}
    q = zeros(x.shape, **place) + eye(n, k, **place)
    one = eye(n, k, **place)
    for i in reversed(range(k)):
        v = (below[..., :, i] + one[:, i]).reshape((*x.shape[:-1], 1))
        q = q - tau[..., i].reshape((*x.shape[:-2], 1, 1)) * (v @ (v.mT @ q))
    signs = trunc(diagonal(x.detach(), axis1=-2, axis2=-1))
    return q * signs.reshape((*signs.shape[:-1], 1, k))

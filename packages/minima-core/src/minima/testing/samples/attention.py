"""Samples of attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, bools, exactly, real

__all__ = ["SAMPLES"]

nan, inf = float("nan"), float("inf")


def _weights(q: Any, k: Any, mask: Any = None, causal: bool = False, scale: Any = None) -> Any:
    scale = 1.0 / np.sqrt(q.shape[-1]) if scale is None else scale
    scores = np.einsum("...le,...se->...ls", q, k) * scale
    if mask is not None:
        scores = np.where(mask, scores, -inf) if mask.dtype == bool else scores + mask
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -inf)
    out = np.zeros(scores.shape)
    for row in np.ndindex(scores.shape[:-1]):
        if np.any(scores[row] != -inf):
            e = np.exp(scores[row] - scores[row].max())
            out[row] = e / e.sum()
    return out


def _attention(q: Any, k: Any, v: Any, mask: Any = None, **attrs: Any) -> Any:
    return np.einsum("...ls,...sd->...ld", _weights(q, k, mask, **attrs), v)


def _attention_gradient(
    g: Any, q: Any, k: Any, v: Any, mask: Any = None, causal: bool = False, scale: Any = None
) -> Any:
    scale = 1.0 / np.sqrt(q.shape[-1]) if scale is None else scale
    p = _weights(q, k, mask, causal, scale)
    of_p = np.einsum("...ld,...sd->...ls", g, v)
    # the Jacobian of softmax, written out
    jacobian = (
        np.einsum("...s,st->...st", p, np.eye(p.shape[-1])) - p[..., :, None] * p[..., None, :]
    )
    of_scores = np.einsum("...lst,...lt->...ls", jacobian, of_p) * scale
    found = (
        np.einsum("...ls,...se->...le", of_scores, k),
        np.einsum("...ls,...le->...se", of_scores, q),
        np.einsum("...ls,...ld->...sd", p, g),
    )
    return np.concatenate([a.ravel() for a in found])


#: leading axes, queries, keys, sizes of a key and of a value
SIZES = (
    ((), 3, 4, 2, 3),
    ((2,), 2, 2, 3, 1),
    ((2, 2), 3, 2, 1, 1),
    ((1, 2, 1), 2, 3, 1, 2),
    ((2,), 3, 0, 2, 2),
    ((0,), 2, 2, 2, 2),
)


def _cases() -> Iterator[tuple[Any, ...]]:
    """Yield inputs q, k, v, and g, a mask, attributes and a note."""
    for lead, rows, keys, e, d in SIZES:
        arrays = real(*lead, rows, e), real(*lead, keys, e), real(*lead, keys, d)
        g = real(*lead, rows, d)
        yield *arrays, g, None, {}, ""
        yield *arrays, g, None, {"causal": True, "scale": 0.7}, ""
        yield *arrays, g, bools(rows, keys), {}, "mask"
        yield *arrays, g, real(*lead, rows, keys), {"causal": True}, "added"
    x = real(2, 1, 2, 2, 1)
    yield x, x, x, x, real(2, 1, 1, 1, 2), {}, "wide"
    yield x, x, x, x, bools(1, 1, 2, 2, 1), {}, "wide"
    none = exactly([[True, False], [False, False]])
    yield real(2, 3), real(2, 3), real(2, 2), real(2, 2), none, {}, "unseen"
    hidden = exactly([[0.0, -inf], [-inf, -inf]])
    yield real(2, 3), real(2, 3), real(2, 2), real(2, 2), hidden, {}, "unseen-added"


def _samples() -> Iterator[Sample]:
    for q, k, v, g, mask, attrs, note in _cases():
        smooth = not note.endswith("added") or note == "added"
        inputs = [q, k, v, mask]
        yield Sample("scaled_dot_product_attention", _attention, inputs, attrs, note, smooth)
        yield Sample("attention_weights", _weights, [q, k, mask], attrs, note, smooth)
        # the slopes of these are the second ones of those above: few are enough
        inputs = [g, q, k, v, mask]
        smooth = smooth and len(q.shape) < 4 and note in ("", "mask")
        yield Sample("attention_gradient", _attention_gradient, inputs, attrs, note, smooth)
    large = exactly(np.full((2, 2), 1e2))
    inputs = [large, large, real(2, 2), None]
    yield Sample("scaled_dot_product_attention", _attention, inputs, {}, "large", False)


SAMPLES = [*_samples()]

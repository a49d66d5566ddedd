"""One parameter's update in pieces, on all threads of the cpu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minima import Tensor
from minima.devices import CPU
from minima.tensor import bump, wrap
from minima.threads import share

__all__ = ["LARGE", "update_in_pieces"]

LARGE = 1 << 19  # elements from which on pieces are quicker than the whole; a piece has no more

Update = Callable[[Tensor, Tensor, dict[str, Any], dict[str, Any]], None]


def update_in_pieces(
    update: Update,
    parameter: Tensor,
    gradient: Tensor,
    state: dict[str, Any],
    group: dict[str, Any],
) -> bool:
    """Call *update*, elementwise and in place, on pieces of its arguments, if they lie flat.

    Return False, with nothing done, if they do not, or are too few to be worth the threads.
    """
    whole = {k: v for k, v in state.items() if isinstance(v, Tensor)}
    tensors = (parameter, gradient, *whole.values())
    array = parameter._array
    if array.size * len(tensors) < 3 * LARGE:
        return False
    for t in tensors:
        other = t._array
        flat = t._device is CPU and other.flags.c_contiguous
        if not flat or other.shape != array.shape or other.dtype != array.dtype:
            return False
    p, g, *rest = (t._array.reshape(-1) for t in tensors)
    many = 2 * -(-array.size // (2 * LARGE))
    size = -(-array.size // many)

    states = [dict(state) for _ in range(many)]

    def part(i: int) -> None:
        at = slice(i * size, (i + 1) * size)
        states[i].update((k, wrap(a[at], CPU)) for k, a in zip(whole, rest))
        update(wrap(p[at], CPU), wrap(g[at], CPU), states[i], group)

    share(part, many)
    for name in [k for k in states[0] if k not in state]:  # made by this step
        joined = np.concatenate([s[name]._array for s in states])
        state[name] = wrap(joined.reshape(array.shape), CPU)
    for t in (parameter, *whole.values()):
        bump(t)
    return True

"""Steps of SGD, Adam and AdamW for many parameters at once: a launch for 32 of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from minima.devices import Kernel

from ..geometry import BLOCK, blocks
from ..launch import Launcher, Pointers
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS

__all__ = ["KERNELS", "PIECE", "TENSORS"]

Array = Any

TENSORS, PIECE = 32, 4096  # of one launch; elements that a block takes at a time

#: struct Tensors of optimizers.cu
LAYOUT = np.dtype(
    [
        ("sizes", np.int64, (TENSORS,)),
        ("first", np.int64, (TENSORS,)),
        ("pieces", np.int64),
        ("count", np.int64),
    ]
)


def _layout(sizes: Sequence[int]) -> Any:
    """Return struct Tensors for tensors of *sizes*."""
    pieces = [-(-size // PIECE) for size in sizes]
    found = np.zeros((), LAYOUT)
    found["sizes"][: len(sizes)] = sizes
    found["first"][: len(sizes)] = np.cumsum([0, *pieces[:-1]])
    found["pieces"], found["count"] = sum(pieces), len(sizes)
    return found[()]


def _flat(arrays: Sequence[Array]) -> bool:
    """Say whether *arrays*, of one tensor, have its shape and type and lie flat."""
    first = arrays[0]
    return first.dtype.name in FLOATS and all(
        a.flags.c_contiguous and a.shape == first.shape and a.dtype == first.dtype for a in arrays
    )


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return name -> kernel; each takes lists of arrays, changes them, and returns True.

    Where parameters and what is kept for them do not lie flat, or types or shapes differ, it
    returns False, and has changed nothing.
    """

    def step(name: str, kinds: Sequence[Sequence[Array]], numbers: Sequence[Any]) -> bool:
        """Run kernel *name*; of *kinds* the second are the gradients."""
        gradients = [xp.ascontiguousarray(g) for g in kinds[1]]
        tensors = list(zip(kinds[0], gradients, *kinds[2:], strict=True))
        if not all(map(_flat, tensors)):
            return False
        by_type: dict[str, list[tuple[Array, ...]]] = {}
        for tensor in tensors:
            if tensor[0].size:
                by_type.setdefault(tensor[0].dtype.name, []).append(tensor)
        for dtype, some in by_type.items():
            number = ACCUMULATORS[dtype]
            given = [n if isinstance(n, np.int32) else number(n) for n in numbers]
            for start in range(0, len(some), TENSORS):
                launch(name, dtype, some[start : start + TENSORS], given)
        return True

    def launch(name: str, dtype: str, tensors: list[tuple[Array, ...]], numbers: Any) -> None:
        pointers = Pointers(list(chain.from_iterable(tensors)), TENSORS * len(tensors[0]))
        layout = _layout([tensor[0].size for tensor in tensors])
        grid = (blocks(int(layout["pieces"]), 1),)
        args = (pointers, layout, *numbers)
        launcher.launch(Source("optimizers", dtype), name, grid, (BLOCK,), args)

    def sgd_step(
        parameters: Sequence[Array],
        gradients: Sequence[Array],
        buffers: Sequence[Array] | None = None,
        *,
        lr: float,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        started: bool = True,
    ) -> bool:
        if buffers is None:
            return step("sgd", (parameters, gradients), (lr, weight_decay))
        flags = np.int32(started), np.int32(nesterov)
        numbers = (lr, weight_decay, momentum, 1.0 - dampening, *flags)
        return step("sgd_momentum", (parameters, gradients, buffers), numbers)

    def adam_step(
        parameters: Sequence[Array],
        gradients: Sequence[Array],
        means: Sequence[Array],
        squares: Sequence[Array],
        *,
        step_number: int,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> bool:
        beta1, beta2 = betas
        numbers = (
            lr / (1.0 - beta1**step_number),
            1.0 - lr * weight_decay if decoupled else 1.0,
            0.0 if decoupled else weight_decay,
            *(1.0 - beta1, 1.0 - beta2, beta2),
            (1.0 - beta2**step_number) ** 0.5,
            eps,
        )
        return step("adam", (parameters, gradients, means, squares), numbers)

    return {"sgd_step": sgd_step, "adam_step": adam_step}

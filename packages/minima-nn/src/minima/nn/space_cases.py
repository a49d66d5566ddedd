"""The rows of the layers whose windows move along one to three axes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minima import Tensor, concat

from . import adaptive, convolution, padding, pooling, resizing, transposed
from .layer_case import LayerCase, Shape
from .module import Module

__all__ = ["SPACES"]

_FAMILIES = (adaptive, convolution, padding, pooling, resizing, transposed)
#: the sizes of inputs, by the number of axes
_IN: dict[int, Shape] = {1: (2, 2, 4), 2: (2, 2, 3, 4), 3: (1, 2, 2, 3, 4)}
#: the same for one example
_SINGLE = [x[1:] for x in _IN.values()]


def _case(
    name: str, *args: Any, takes: Shape, gives: Shape, note: str = "", **options: Any
) -> LayerCase:
    """Return the row of the layer of that *name*."""
    names = ("targets", "run", "eager")
    more: dict[str, Any] = {k: options.pop(k) for k in names if k in options}
    more["batch"] = None if takes in _SINGLE or "targets" in more else 0
    kind = next(getattr(family, name) for family in _FAMILIES if name in family.__all__)
    return LayerCase(lambda: kind(*args, **options), takes, gives, note=note, **more)


def _along(n: int, given: Shape, *sizes: int) -> Shape:
    """Return *given* with other sizes along its last *n* axes."""
    return (*given[:-n], *sizes[-n:])


def _values(layer: Module, x: Tensor) -> Tensor:
    values, _ = layer(x)
    return values  # type: ignore[no-any-return]


def _both(layer: Module, x: Tensor) -> Tensor:
    values, indices = layer(x)
    return concat([values.flatten(), indices.astype(values.dtype).flatten()])


def _windows(n: int) -> list[LayerCase]:
    """Return the rows of convolutions and poolings along *n* axes."""
    x = _IN[n]
    single = x[1:]
    conv, up = f"Conv{n}d", f"ConvTranspose{n}d"
    half = _along(n, x, *(m // 2 for m in x[2:]))
    both = 2 * 2 * prod((2, 2, 3)[-n:])
    return [
        _case(conv, 2, 2, 2, padding=1, takes=x, gives=_along(n, x, 3, 4, 5)),
        _case(conv, 2, 2, 2, padding="same", takes=x, gives=x, note="same"),
        _case(
            conv,
            *(2, 2, 2, 2, 1, 2, 2, False, "circular"),
            takes=x,
            gives=_along(n, x, 1, 2, 2),
            note="options",
        ),
        _case(conv, 2, 2, 1, takes=single, gives=single, note="single"),
        _case(up, 2, 2, 2, takes=x, gives=_along(n, x, 3, 4, 5)),
        _case(
            up,
            *(2, 2, 2, 2, 2, 1, 2, False, 2),
            takes=x,
            gives=_along(n, x, 2, 4, 6),
            note="options",
        ),
        _case(f"MaxPool{n}d", 2, takes=x, gives=half),
        _case(f"MaxPool{n}d", 3, 2, 1, takes=x, gives=_along(n, x, 1, 2, 2), note="padding"),
        _case(
            f"MaxPool{n}d",
            *(2, 2, 1, 2, True, True),
            takes=single,
            gives=(both,),
            run=_both,
            note="options",
        ),
        _case(f"AvgPool{n}d", 2, takes=x, gives=half),
        _case(f"AvgPool{n}d", 3, 2, 1, takes=x, gives=_along(n, x, 1, 2, 2), note="padding"),
        _case(
            f"AvgPool{n}d",
            *(2, 2, 1, True, False),
            takes=single,
            gives=_along(n, single, 2, 2, 3),
            note="options",
        ),
        _case(f"LPPool{n}d", 2, 2, takes=x, gives=half),
        _case(f"LPPool{n}d", 1, 2, 1, takes=single, gives=_along(n, single, 1, 2, 3), note="one"),
        _case(f"AdaptiveAvgPool{n}d", 2, takes=x, gives=_along(n, x, 2, 2, 2)),
        _case(f"AdaptiveAvgPool{n}d", 1, takes=single, gives=_along(n, single, 1, 1, 1), note="1"),
        _case(f"AdaptiveMaxPool{n}d", 2, takes=x, gives=_along(n, x, 2, 2, 2)),
        _case(
            f"AdaptiveMaxPool{n}d",
            *(3, True),
            takes=single,
            gives=_along(n, single, 3, 3, 3),
            run=_values,
            note="indices",
        ),
        _case(
            f"MaxUnpool{n}d",
            2,
            takes=_along(n, single, 1, 1, 2),
            gives=_along(n, single, 2, 2, 4),
            targets=np.array([[1, 2], [0, 3]]).reshape(_along(n, single, 1, 1, 2)),
        ),
    ]


def _around(n: int) -> list[LayerCase]:
    """Return the rows of paddings along *n* axes."""
    x = _IN[n]
    more = _along(n, x, 3, 4, 6)
    widths = (1, 1, 0, 1, 1, 0)[: 2 * n]
    kinds = ("Zero", "Reflection", "Replication", "Circular")
    return [
        _case(f"ConstantPad{n}d", widths, 1.5, takes=x, gives=more),
        *(_case(f"{kind}Pad{n}d", widths, takes=x, gives=more) for kind in kinds),
        _case(
            f"ZeroPad{n}d",
            (-1, 0, 0, -1, 1, -1)[: 2 * n],
            takes=x,
            gives=_along(n, x, 2, 2, 3),
            note="cut",
        ),
    ]


_IMAGE = _IN[2]

SPACES = [
    *(case for n in _IN for case in _windows(n)),
    *(case for n in _IN for case in _around(n)),
    _case(
        "Conv2d",
        *(2, 4, (3, 2), 2),
        dilation=(1, 2),
        groups=2,
        takes=(2, 2, 4, 5),
        gives=(2, 4, 1, 2),
        note="uneven",
    ),
    _case("AdaptiveAvgPool2d", (2, None), takes=_IMAGE, gives=(2, 2, 2, 4), note="uneven"),
    _case("AvgPool2d", 2, divisor_override=3, takes=_IMAGE, gives=(2, 2, 1, 2), note="divisor"),
    _case("Upsample", scale_factor=2, takes=(1, 2, 3), gives=(1, 2, 6)),
    _case("Upsample", (2, 5), mode="bicubic", takes=_IMAGE, gives=(2, 2, 2, 5), note="bicubic"),
    _case("UpsamplingNearest2d", scale_factor=2, takes=(1, 2, 2, 3), gives=(1, 2, 4, 6)),
    _case("UpsamplingBilinear2d", (2, 5), takes=_IMAGE, gives=(2, 2, 2, 5)),
    _case("PixelShuffle", 2, takes=(1, 8, 2, 3), gives=(1, 2, 4, 6)),
    _case("PixelUnshuffle", 2, takes=(1, 2, 2, 4), gives=(1, 8, 1, 2)),
    _case("ChannelShuffle", 2, takes=(1, 4, 2, 2), gives=(1, 4, 2, 2)),
    _case("Unfold", 2, takes=_IMAGE, gives=(2, 8, 6)),
    _case("Fold", (3, 4), 2, takes=(2, 8, 6), gives=(2, 2, 3, 4)),
]

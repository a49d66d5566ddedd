"""Poolings of every kind, in one to three dimensions, and pooling undone.

Each is called once: there is no difference between training and evaluation.
"""

from __future__ import annotations

from ..table import layer

LINE, IMAGE, VOLUME = (2, 2, 7), (2, 2, 5, 7), (1, 2, 5, 4, 7)
SPACES = {1: LINE, 2: IMAGE, 3: VOLUME}
# of which every element is in a window, so that no size is needed to undo it
WHOLE = {1: (2, 2, 6), 2: (2, 2, 4, 6), 3: (1, 2, 4, 2, 6)}
PADDED = {1: (2, 2, 7), 2: (2, 2, 4, 7), 3: (1, 2, 4, 4, 7)}


def pooling(name, *args, takes, **options):
    options.setdefault("modes", (True,))
    options.setdefault("second", name.startswith("LP"))  # the others are made of straight pieces
    return layer(name, *args, takes=takes, kind="pooling", **options)


def _undone(n, *args, stride=None, padding=0):
    """Return (make, call) of a module that pools and undoes it."""

    def make(side):
        pool = getattr(side.nn, f"MaxPool{n}d")(*args, stride, padding, return_indices=True)
        return side.nn.ModuleList(
            [pool, getattr(side.nn, f"MaxUnpool{n}d")(*args, stride, padding)]
        )

    def call(side, module, x, size=None):
        values, indices = module[0](x)
        return module[1](values, indices, size), indices

    return {"make": make, "call": call}


def _sizes(n, *sizes):
    """Return the sizes of an adaptive pooling of *n* axes."""
    return sizes[0] if n == 1 else sizes[:n]


ROWS = [
    row
    for n, x in SPACES.items()
    for row in (
        *(
            pooling(f"{kind}Pool{n}d", *args, takes=(x,), **options)
            for kind, *args in (("Max", 2), ("Avg", 2), ("LP", 2, 2), ("LP", 4, (2,) * n, 1))
            for options in ({}, {"ceil_mode": True})
            if not (n == 1 and kind == "LP" and isinstance(args[1], tuple))
        ),
        *(
            pooling(f"{kind}Pool{n}d", *args, takes=(x[1:],), label="single")
            for kind, *args in (("Max", 2), ("Avg", 2), ("LP", 2, 2))
        ),
        *(pooling(f"LPPool{n}d", p, 2, takes=(x,)) for p in (float("inf"), -float("inf"))),
        pooling(f"MaxPool{n}d", 3, 2, 1, takes=(x,)),
        pooling(f"MaxPool{n}d", 3, 1, 1, takes=(x,), return_indices=True),
        pooling(f"MaxPool{n}d", 2, 2, 1, 2, takes=(x,)),
        pooling(f"MaxPool{n}d", 2, 2, 1, 2, True, True, takes=(x,)),
        pooling(f"AvgPool{n}d", 3, 2, 1, takes=(x,)),
        pooling(f"AvgPool{n}d", 3, 2, 1, True, False, takes=(x,)),
        pooling(f"AvgPool{n}d", 3, 2, 1, True, True, takes=(x,)),
        pooling(f"AvgPool{n}d", 3, 2, 1, False, False, takes=(x,)),
        *(
            pooling(f"Adaptive{kind}Pool{n}d", size, takes=(given,), label=f"{size}-{given}")
            for kind in ("Avg", "Max")
            for size, given in ((1, x), (_sizes(n, 3, 2, 4), x), (2, x[1:]))
        ),
        *(
            pooling(f"Adaptive{kind}Pool{n}d", (None, 2, None)[:n], takes=(x,))
            for kind in ("Avg", "Max")
            if n > 1
        ),
        pooling(f"AdaptiveMaxPool{n}d", 3, True, takes=(x,)),
        pooling(f"MaxUnpool{n}d", label="2", takes=(WHOLE[n],), **_undone(n, 2)),
        pooling(f"MaxUnpool{n}d", label="single", takes=(WHOLE[n][1:],), **_undone(n, 2)),
        pooling(
            f"MaxUnpool{n}d",
            label="options",
            takes=(PADDED[n],),
            **_undone(n, 3, stride=3, padding=1),
        ),
        pooling(f"MaxUnpool{n}d", label="size", takes=(x, list(x[2:])), **_undone(n, 2)),
        pooling(f"MaxUnpool{n}d", label="whole", takes=(x, list(x)), **_undone(n, 2)),
    )
]
ROWS += [
    pooling("MaxPool2d", (3, 2), (1, 2), (1, 0), (1, 2), takes=(IMAGE,)),
    pooling("AvgPool2d", (3, 2), (1, 2), (1, 0), takes=(IMAGE,)),
    pooling("LPPool2d", 1, (3, 2), (1, 2), takes=(IMAGE,)),
    pooling("LPPool3d", 2, (1, 2, 3), takes=(VOLUME,)),
    pooling("AvgPool2d", 2, divisor_override=3, takes=(IMAGE,)),
    pooling("AvgPool3d", 2, 1, 1, True, True, 3, takes=(VOLUME,)),
    pooling("MaxPool2d", 2, takes=((0, 2, 4, 4),), label="batch-0"),
]

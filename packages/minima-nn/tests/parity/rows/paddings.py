"""Padding, resizing and shuffling layers: every option, in one to three dimensions.

Each is called once, and is linear: there is neither another mode nor a second derivative.
"""

from __future__ import annotations

from ..table import layer

LINE, IMAGE, VOLUME = (2, 2, 5), (2, 2, 4, 5), (1, 2, 3, 4, 5)
SPACES = {1: LINE, 2: IMAGE, 3: VOLUME}
WIDTHS = (2, 1, 0, 3, 1, 2)


def padding(name, *args, takes, **options):
    options.setdefault("modes", (True,))
    return layer(name, *args, takes=takes, kind="padding", second=False, **options)


AROUND = [
    row
    for n, x in SPACES.items()
    for kind in ("Reflection", "Replication", "Circular", "Zero")
    for row in (
        padding(f"{kind}Pad{n}d", 2, takes=(x,)),
        padding(f"{kind}Pad{n}d", WIDTHS[: 2 * n], takes=(x,)),
        padding(f"{kind}Pad{n}d", 1, takes=(x[1:],), label="single"),
    )
]
# the widest mirror is one less than its axis
AROUND = [
    row
    for row in AROUND
    if row.id != f"padding-ReflectionPad3d-{WIDTHS}" and row.id != f"padding-ReflectionPad3d-{2}"
]

ROWS = [
    *AROUND,
    padding("ReflectionPad3d", (2, 1, 0, 3, 1, 1), takes=(VOLUME,)),
    padding("CircularPad2d", (5, 0, 0, 4), takes=(IMAGE,)),
    *(
        row
        for n, x in SPACES.items()
        for row in (
            padding(f"ConstantPad{n}d", 2, 1.5, takes=(x,)),
            padding(f"ConstantPad{n}d", WIDTHS[: 2 * n], -3.0, takes=(x,)),
            padding(f"ConstantPad{n}d", (-1, 1, -2, 0, 1, -1)[: 2 * n], 2.0, takes=(x[1:],)),
            padding(f"ZeroPad{n}d", (-1, 2, 0, -1, -1, 0)[: 2 * n], takes=(x,)),
            padding("Upsample", scale_factor=2, takes=(x,), label=f"{n}-scale_factor=2"),
            padding("Upsample", 7, takes=(x,), label=f"{n}-size=7"),
            padding("Upsample", 3, mode="nearest-exact", takes=(x,), label=f"{n}-exact"),
            padding("Upsample", 3, mode="area", takes=(x,), label=f"{n}-area"),
        )
    ),
    *(
        padding("Upsample", takes=(SPACES[n],), mode=mode, align_corners=corners, **size)
        for n, mode in ((1, "linear"), (2, "bilinear"), (2, "bicubic"), (3, "trilinear"))
        for corners in (False, True)
        for size in ({"size": 6}, {"scale_factor": 1.7})
    ),
    *(  # rounded down to the size that it was, it is left alone
        padding("Upsample", scale_factor=1.2, mode=mode, takes=(SPACES[n][:1] + (2,) * (n + 1),))
        for n, mode in ((1, "linear"), (2, "bilinear"), (3, "trilinear"))
    ),
    padding("Upsample", (6, 3), mode="bilinear", takes=(IMAGE,)),
    padding("Upsample", scale_factor=(1.5, 2.0), mode="bilinear", takes=(IMAGE,)),
    padding(
        "Upsample",
        scale_factor=1.7,
        mode="bilinear",
        recompute_scale_factor=True,
        takes=(IMAGE,),
    ),
    *(padding(f"Upsampling{k}2d", takes=(IMAGE,), size=(6, 3)) for k in ("Nearest", "Bilinear")),
    *(padding(f"Upsampling{k}2d", takes=(IMAGE,), scale_factor=2) for k in ("Nearest", "Bilinear")),
    padding("PixelShuffle", 2, takes=((2, 8, 3, 2),)),
    padding("PixelShuffle", 3, takes=((9, 1, 2),), label="single"),
    padding("PixelUnshuffle", 2, takes=((2, 2, 4, 6),)),
    padding("PixelUnshuffle", 2, takes=((1, 4, 2),), label="single"),
    padding("ChannelShuffle", 3, takes=((2, 6, 2, 2),)),
    padding("ChannelShuffle", 2, takes=((2, 6, 3),), label="lines"),
]

"""Convolutions and their transposes, windows as columns: every option, in one to three dimensions.

Each is called once: there is no difference between training and evaluation.
"""

from __future__ import annotations

from ..table import layer


def convolution(name, *args, takes, **options):
    options.setdefault("modes", (True,))
    return layer(name, *args, takes=takes, kind="convolution", **options)


LINE, IMAGE, VOLUME = (2, 4, 7), (2, 4, 5, 6), (1, 4, 3, 4, 5)
SPACES = {1: LINE, 2: IMAGE, 3: VOLUME}
SAME = {"padding": "same"}

PLAIN = [
    row
    for n, x in SPACES.items()
    for row in (
        convolution(f"Conv{n}d", 4, 2, 2, takes=(x,)),
        convolution(f"Conv{n}d", 4, 2, 2, takes=(x[1:],), label="single"),
        convolution(f"Conv{n}d", 4, 6, 2, 2, 1, 1, 2, False, takes=(x,)),
        convolution(f"Conv{n}d", 4, 4, 2, dilation=2, groups=4, takes=(x,)),
        convolution(f"Conv{n}d", 4, 2, 2, takes=(x,), **SAME),
        convolution(f"Conv{n}d", 4, 2, 3, takes=(x,), padding="valid"),
        convolution(f"ConvTranspose{n}d", 4, 2, 2, takes=(x,)),
        convolution(f"ConvTranspose{n}d", 4, 2, 2, takes=(x[1:],), label="single"),
        convolution(f"ConvTranspose{n}d", 4, 6, 3, 2, 1, 1, 2, False, takes=(x,)),
        convolution(f"ConvTranspose{n}d", 4, 4, 2, 1, 0, 1, 4, True, 2, takes=(x,)),
        *(
            convolution(f"Conv{n}d", 4, 2, 3, padding=2, padding_mode=mode, takes=(x,))
            for mode in ("reflect", "replicate", "circular")
        ),
        *(
            convolution(f"Conv{n}d", 4, 2, 2, dilation=2, padding_mode=mode, takes=(x,), **SAME)
            for mode in ("reflect", "replicate", "circular")
        ),
    )
]

ROWS = [
    *PLAIN,
    convolution("Conv2d", 4, 2, (3, 2), (2, 1), (1, 0), (1, 2), takes=(IMAGE,)),
    convolution("Conv2d", 4, 2, (2, 3), padding=(1, 2), padding_mode="circular", takes=(IMAGE,)),
    convolution("Conv2d", 4, 2, 2, padding="same", padding_mode="circular", takes=(IMAGE[1:],)),
    convolution("Conv3d", 4, 2, (1, 2, 3), (2, 1, 1), (0, 1, 1), takes=(VOLUME,)),
    convolution("Conv2d", 4, 2, 3, padding=1, takes=((0, 4, 5, 6),), label="batch-0"),
    convolution("ConvTranspose2d", 4, 2, (3, 2), (2, 3), (1, 0), (1, 2), takes=(IMAGE,)),
    convolution("ConvTranspose3d", 4, 2, (1, 2, 3), (2, 1, 2), (0, 1, 1), takes=(VOLUME,)),
    convolution("ConvTranspose1d", 4, 2, 3, 3, takes=(LINE, [22]), label="size-22"),
    convolution("ConvTranspose2d", 4, 2, 3, 2, 1, takes=(IMAGE, [10, 11]), label="size-10-11"),
    convolution(
        "ConvTranspose2d",
        *(4, 2, 3, 2, 1),
        takes=(IMAGE, [2, 2, 10, 12]),
        label="whole-size",
    ),
    convolution("ConvTranspose3d", 4, 2, 2, 2, takes=(VOLUME, [7, 8, 11]), label="size"),
    convolution("Unfold", 2, takes=(IMAGE,)),
    convolution("Unfold", (2, 3), (2, 1), (1, 0), (1, 2), takes=(IMAGE,)),
    convolution("Unfold", 2, takes=(IMAGE[1:],), label="single"),
    convolution("Fold", (3, 4), 2, takes=((2, 8, 6),)),
    convolution("Fold", (5, 6), (2, 3), (2, 1), (1, 0), (1, 2), takes=((2, 12, 10),)),
    convolution("Fold", (3, 4), 2, takes=((8, 6),), label="single"),
]

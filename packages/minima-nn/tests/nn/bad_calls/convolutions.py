"""Wrong calls of convolutions, their transposes, and windows as columns."""

import numpy as np

import minima as mi
from minima import nn
from minima.devices import Device

from . import Bad

OTHER = Device("another", xp=np)
SIZES = {1: (6,), 2: (5, 6), 3: (4, 5, 6)}


def of(kind, name, n, *args, wrong, error=mi.ShapeError, **options):
    """Return the row of a layer with two channels, called with what *wrong* makes."""
    layer = f"{kind}{n}d"
    pattern = options.pop("says")

    def call():
        return getattr(nn, layer)(*args, **options)(wrong())

    return Bad(f"{layer} {name}", call, error, rf"^{layer}: {pattern}")


def made(kind, name, n, *args, says, error=mi.ArgumentError, **options):
    """Return the row of a layer that cannot be made."""
    layer = f"{kind}{n}d"
    return Bad(
        f"{layer} {name}",
        lambda: getattr(nn, layer)(*args, **options),
        error,
        rf"^{layer}: {says}",
    )


def both(kind, n):
    """Return the rows that convolutions and their transposes share."""
    space = SIZES[n]
    x = (1, 2, *space)
    layout = {1: r"\(N, C, L\)", 2: r"\(N, C, H, W\)", 3: r"\(N, C, D, H, W\)"}[n]
    return [
        of(
            kind, "an axis less", n, 2, 3, 2, wrong=lambda: mi.ones(space), says=rf"input.*{layout}"
        ),
        of(
            kind,
            *("an axis more", n, 2, 3, 2),
            wrong=lambda: mi.ones((1, *x)),
            says=rf"input has shape .*expected {layout}",
        ),
        of(
            kind,
            *("a channel more", n, 2, 3, 2),
            wrong=lambda: mi.ones((1, 3, *space)),
            says=r"input has shape \(1, 3.*with C = 2",
        ),
        of(
            kind,
            *("a size of 0", n, 2, 3, 1),
            wrong=lambda: mi.ones((1, 2, *space[:-1], 0)),
            says="input has shape .*expected .*no size of 0",
        ),
        of(
            kind,
            *("integers", n, 2, 3, 2),
            wrong=lambda: mi.ones(x, dtype="int64"),
            error=mi.DTypeError,
            says="input has dtype int64; expected a floating type",
        ),
        of(
            kind,
            *("a list", n, 2, 3, 2),
            wrong=lambda: [1.0],
            error=mi.DTypeError,
            says="input is a list; expected a Tensor",
        ),
        of(
            kind,
            *("another device", n, 2, 3, 2),
            wrong=lambda: mi.ones(x).to(OTHER),
            error=mi.DeviceError,
            says="inputs lie on another and cpu; expected one device",
        ),
        made(kind, "no channels", n, 0, 3, 2, says="in_channels is 0; expected .* at least 1"),
        made(kind, "negative channels", n, 2, -3, 2, says="out_channels is -3; expected"),
        made(kind, "a window of 0", n, 2, 3, 0, says="kernel_size is 0; expected"),
        made(kind, "a stride of 0", n, 2, 3, 2, 0, says="stride is 0; expected"),
        made(kind, "a dilation of 0", n, 2, 3, 2, dilation=0, says="dilation is 0; expected"),
        made(kind, "negative padding", n, 2, 3, 2, 1, -1, says="padding is -1; expected .*least 0"),
        made(kind, "groups", n, 2, 3, 2, groups=2, says="groups is 2; expected a divisor"),
        made(
            kind,
            *("a fraction", n, 2, 3, 1.5),
            error=mi.DTypeError,
            says="kernel_size is 1.5; expected an integer",
        ),
        made(kind, "too many sizes", n, 2, 3, (2,) * (n + 1), says="kernel_size is .*expected one"),
        made(kind, "an unknown mode", n, 2, 3, 2, padding_mode="mirror", says=".*'mirror'; expect"),
    ]


ROWS = [
    *(row for kind in ("Conv", "ConvTranspose") for n in SIZES for row in both(kind, n)),
    *(
        row
        for n, space in SIZES.items()
        for row in (
            made("Conv", "same with a stride", n, 2, 3, 2, 2, "same", says="padding.*stride 1"),
            made(
                "Conv", "an unknown padding", n, 2, 3, 2, 1, "full", says="padding is 'full'; exp"
            ),
            of(
                "Conv",
                *("a small input", n, 2, 3, 7),
                wrong=lambda n=n: mi.ones((1, 2, *SIZES[n])),
                says="input has shape .* smaller with padding .*; expected a larger input",
            ),
            of(
                "Conv",
                *("too small to mirror", n, 2, 3, 2),
                padding=6,
                padding_mode="reflect",
                wrong=lambda n=n: mi.ones((1, 2, *SIZES[n])),
                says="input has shape .*too small to reflect; expected axis -. to be at least 7",
            ),
            made(
                "ConvTranspose",
                *("output_padding", n, 2, 3, 2, 2, 0, 2),
                says="output_padding is .*; expected it to be smaller than stride",
            ),
            Bad(
                f"ConvTranspose{n}d output_size",
                lambda n=n: getattr(nn, f"ConvTranspose{n}d")(2, 3, 2, 2)(
                    mi.ones((1, 2, *SIZES[n])), (30,) * n
                ),
                mi.ArgumentError,
                f"ConvTranspose{n}d: output_size is .*30.*; expected sizes from",
            ),
            Bad(
                f"ConvTranspose{n}d axes of output_size",
                lambda n=n: getattr(nn, f"ConvTranspose{n}d")(2, 3, 2, 2)(
                    mi.ones((1, 2, *SIZES[n])), (12,) * (n + 3)
                ),
                mi.ShapeError,
                f"ConvTranspose{n}d: output_size is .*; expected ",
            ),
            of(
                "ConvTranspose",
                *("nothing left", n, 2, 3, 1, 1, 3),
                wrong=lambda n=n: mi.ones((1, 2, *SIZES[n])),
                says="input has shape .* leaves nothing; expected a larger input",
            ),
        )
    ),
    Bad(
        "Unfold axes",
        lambda: nn.Unfold(2)(mi.ones((4, 4))),
        mi.ShapeError,
        r"Unfold: input has shape \(4, 4\); expected \(N, C, H, W\)",
    ),
    Bad(
        "Unfold small",
        lambda: nn.Unfold(5)(mi.ones((1, 4, 6))),
        mi.ShapeError,
        "Unfold: input .*smaller with padding .* kernel_size .*expected a larger input",
    ),
    Bad("Unfold window", lambda: nn.Unfold(0), mi.ArgumentError, "Unfold: kernel_size is 0; exp"),
    Bad(
        "Unfold integers",
        lambda: nn.Unfold(2)(mi.ones((1, 4, 4), dtype="int64")),
        mi.DTypeError,
        "Unfold: input has dtype int64; expected",
    ),
    Bad(
        "Fold columns",
        lambda: nn.Fold((3, 4), 2)(mi.ones((1, 8, 5))),
        mi.ShapeError,
        r"Fold: got x of shape \(1, 8, 5\); expected .* 6 columns",
    ),
    Bad(
        "Fold rows",
        lambda: nn.Fold((3, 4), 2)(mi.ones((1, 7, 6))),
        mi.ShapeError,
        r"Fold: got x of shape \(1, 7, 6\); expected a multiple of 4 rows",
    ),
    Bad(
        "Fold axes",
        lambda: nn.Fold((3, 4), 2)(mi.ones((1, 1, 8, 6))),
        mi.ShapeError,
        r"Fold: got x of shape \(1, 1, 8, 6\); expected \(N, ",
    ),
    Bad("Fold image", lambda: nn.Fold(1, 2), mi.ShapeError, "Fold: output_size is .*; expected a"),
    Bad("Fold size", lambda: nn.Fold(0, 2), mi.ArgumentError, "Fold: output_size is 0; expected"),
]

"""Wrong calls of padding, resizing and shuffling layers."""

import minima as mi
from minima import nn

from . import Bad

SIZES = {1: (4,), 2: (3, 4), 3: (2, 3, 4)}
VALUE = {"Constant": (1.0,)}  # what follows the widths


def rows_of(kind, n):
    """Return the rows of a padding along *n* axes."""
    name, space = f"{kind}Pad{n}d", SIZES[n]

    def make(widths):
        return getattr(nn, name)(widths, *VALUE.get(kind, ()))

    return [
        Bad(
            f"{name} an axis less",
            lambda: make(1)(mi.ones(space)),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected \(N, C, ",
        ),
        Bad(
            f"{name} an axis more",
            lambda: make(1)(mi.ones((1, 1, 2, *space))),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected \(N, C, ",
        ),
        Bad(
            f"{name} widths",
            lambda: make((1,) * (2 * n + 1)),
            mi.ArgumentError,
            rf"^{name}: padding is .*; expected one integer or {2 * n}",
        ),
        Bad(
            f"{name} a fraction",
            lambda: make(0.5),
            mi.DTypeError,
            rf"^{name}: padding is 0.5; expected integers",
        ),
        Bad(
            f"{name} all cut off",
            lambda: make(-3)(mi.ones((1, 2, *space))),
            mi.ShapeError,
            rf"^{name}: input has shape .* leaves nothing; expected at least one",
        ),
        Bad(
            f"{name} a list",
            lambda: make(1)([1.0]),
            mi.DTypeError,
            rf"^{name}: input is a list; expected a Tensor",
        ),
    ]


ROWS = [
    *(
        row
        for kind in ("Constant", "Zero", "Reflection", "Replication", "Circular")
        for n in SIZES
        for row in rows_of(kind, n)
    ),
    *(
        Bad(
            f"{kind}Pad{n}d too wide",
            lambda kind=kind, n=n: getattr(nn, f"{kind}Pad{n}d")(5)(mi.ones((1, 1, *SIZES[n]))),
            mi.ShapeError,
            f"{kind}Pad{n}d: input has shape .*, too small to .*; expected axis -. to be at least",
        )
        for kind in ("Reflection", "Circular")
        for n in SIZES
    ),
    Bad(
        "ConstantPad1d value",
        lambda: nn.ConstantPad1d(1, "one"),
        mi.DTypeError,
        "ConstantPad1d: value is 'one'; expected a number",
    ),
    Bad(
        "Upsample nothing", lambda: nn.Upsample(), mi.ArgumentError, "Upsample: size is None and .*"
    ),
    Bad(
        "Upsample both", lambda: nn.Upsample(2, 2.0), mi.ArgumentError, "Upsample: size is 2 and .*"
    ),
    Bad(
        "Upsample mode", lambda: nn.Upsample(2, mode="cubic"), mi.ArgumentError, "Upsample: mode is"
    ),
    Bad("Upsample size", lambda: nn.Upsample(0), mi.ArgumentError, "Upsample: size is 0; expected"),
    Bad(
        "Upsample factor",
        lambda: nn.Upsample(scale_factor=-1),
        mi.ArgumentError,
        "Upsample: scale_factor is -1; expected a number above 0",
    ),
    Bad(
        "Upsample corners",
        lambda: nn.Upsample(2, align_corners=True),
        mi.ArgumentError,
        "Upsample: align_corners is True and mode 'nearest'; expected None",
    ),
    Bad(
        "Upsample recompute",
        lambda: nn.Upsample(2, recompute_scale_factor=True),
        mi.ArgumentError,
        "Upsample: recompute_scale_factor is True .*; expected both",
    ),
    Bad(
        "Upsample axes",
        lambda: nn.Upsample(2, mode="bilinear")(mi.ones((2, 3, 4))),
        mi.ShapeError,
        r"Upsample: got x of shape \(2, 3, 4\) for mode 'bilinear'; expected",
    ),
    Bad(
        "Upsample too little",
        lambda: nn.Upsample(scale_factor=0.1)(mi.ones((1, 1, 4))),
        mi.ShapeError,
        "Upsample: scale_factor 0.1 of sizes .*; expected at least 1",
    ),
    Bad(
        "Upsample sizes",
        lambda: nn.Upsample((2, 3))(mi.ones((1, 1, 4))),
        mi.MinimaError,
        "Upsample: .*expected",
    ),
    Bad(
        "Upsample integers",
        lambda: nn.Upsample(2)(mi.ones((1, 1, 4), dtype="int64")),
        mi.DTypeError,
        "Upsample: input has dtype int64; expected",
    ),
    *(
        Bad(
            f"Upsampling{kind}2d axes",
            lambda kind=kind: getattr(nn, f"Upsampling{kind}2d")(2)(mi.ones((2, 3, 4))),
            mi.ShapeError,
            rf"Upsampling{kind}2d: input has shape \(2, 3, 4\); expected \(N, C, H, W\)",
        )
        for kind in ("Nearest", "Bilinear")
    ),
    *(
        Bad(
            f"Upsampling{kind}2d size",
            lambda kind=kind: getattr(nn, f"Upsampling{kind}2d")(0),
            mi.ArgumentError,
            f"Upsampling{kind}2d: size is 0; expected",
        )
        for kind in ("Nearest", "Bilinear")
    ),
    Bad(
        "PixelShuffle 0", lambda: nn.PixelShuffle(0), mi.ArgumentError, "PixelShuffle: upscale_fac"
    ),
    Bad(
        "PixelShuffle channels",
        lambda: nn.PixelShuffle(2)(mi.ones((1, 6, 2, 2))),
        mi.ShapeError,
        r"PixelShuffle: got x of shape \(1, 6, 2, 2\); expected the 6 channels",
    ),
    Bad(
        "PixelShuffle axes",
        lambda: nn.PixelShuffle(2)(mi.ones((4, 2))),
        mi.ShapeError,
        r"PixelShuffle: got x of shape \(4, 2\); expected",
    ),
    Bad(
        "PixelUnshuffle 0", lambda: nn.PixelUnshuffle(0), mi.ArgumentError, "PixelUnshuffle: downsc"
    ),
    Bad(
        "PixelUnshuffle sizes",
        lambda: nn.PixelUnshuffle(2)(mi.ones((1, 3, 2))),
        mi.ShapeError,
        r"PixelUnshuffle: got x of shape \(1, 3, 2\); expected sizes divisible",
    ),
    Bad(
        "PixelUnshuffle list",
        lambda: nn.PixelUnshuffle(2)([1.0]),
        mi.DTypeError,
        "PixelUnshuffle: input is a list; expected a Tensor",
    ),
    Bad(
        "ChannelShuffle 0", lambda: nn.ChannelShuffle(0), mi.ArgumentError, "ChannelShuffle: groups"
    ),
    Bad(
        "ChannelShuffle channels",
        lambda: nn.ChannelShuffle(2)(mi.ones((1, 3, 2))),
        mi.ShapeError,
        "ChannelShuffle: got x of shape .* and groups 2; expected",
    ),
    Bad(
        "ChannelShuffle axes",
        lambda: nn.ChannelShuffle(2)(mi.ones((1, 4))),
        mi.ShapeError,
        r"ChannelShuffle: input has shape \(1, 4\); expected \(N, C, \*\)",
    ),
    Bad(
        "ConstantPad1d cut",
        lambda: nn.ConstantPad1d((3, -2), 0.0)(mi.ones((1, 2, 1))),
        mi.ShapeError,
        r"ConstantPad1d: got pad_width \(3, -2\) for axis 2 of size 1; expected to cut off",
    ),
    Bad(
        "F.pad reflect",
        lambda: nn.functional.pad(mi.ones((1, 2, 2)), (0, 2), "reflect"),
        mi.ShapeError,
        r"pad: input has shape \(1, 2, 2\), too small to reflect; expected axis -1 .* 3",
    ),
    Bad(
        "F.pad circular",
        lambda: nn.functional.pad(mi.ones((1, 2, 2)), (3, 0), "circular"),
        mi.ShapeError,
        "pad: input has shape .* too small to go round; expected axis -1 to be at least 3",
    ),
    Bad(
        "F.pad widths",
        lambda: nn.functional.pad(mi.ones((1, 2, 2)), (1.5, 0)),
        mi.DTypeError,
        r"pad: pad is \(1.5, 0\); expected a sequence of integers",
    ),
    Bad(
        "F.pad list",
        lambda: nn.functional.pad([1.0], (1, 0)),
        mi.DTypeError,
        "pad: input is a list; expected a Tensor",
    ),
]

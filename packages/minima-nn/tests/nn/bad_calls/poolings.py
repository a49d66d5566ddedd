"""Wrong calls of poolings, and of pooling undone."""

import minima as mi
from minima import nn

from . import Bad

SIZES = {1: (6,), 2: (5, 6), 3: (4, 5, 6)}
FIRST = {"LPPool": (2,)}  # what comes before the window


def rows_of(kind, n):
    """Return the rows of a pooling with windows."""
    name, lead, space = f"{kind}{n}d", FIRST.get(kind, ()), SIZES[n]

    def make(*args, **options):
        return getattr(nn, name)(*lead, *args, **options)

    found = [
        Bad(
            f"{name} an axis less",
            lambda: make(2)(mi.ones(space)),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected \(N, C, ",
        ),
        Bad(
            f"{name} an axis more",
            lambda: make(2)(mi.ones((1, 1, 2, *space))),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected \(N, C, ",
        ),
        Bad(
            f"{name} no elements",
            lambda: make(1)(mi.ones((1, 2, *space[:-1], 0))),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected .* no size of 0",
        ),
        Bad(
            f"{name} a small input",
            lambda: make(7)(mi.ones((1, 2, *space))),
            mi.ShapeError,
            rf"^{name}: input has shape .*, smaller .*; expected a larger input",
        ),
        Bad(
            f"{name} integers",
            lambda: make(2)(mi.ones((1, 2, *space), dtype="int32")),
            mi.DTypeError,
            rf"^{name}: input has dtype int32; expected a floating type",
        ),
        Bad(
            f"{name} a window of 0",
            lambda: make(0),
            mi.ArgumentError,
            rf"^{name}: kernel_size is 0; expected an integer of at least 1",
        ),
        Bad(
            f"{name} a negative stride",
            lambda: make(2, -1),
            mi.ArgumentError,
            rf"^{name}: stride is -1; expected",
        ),
        Bad(
            f"{name} too many sizes",
            lambda: make((2,) * (n + 1)),
            mi.ArgumentError,
            rf"^{name}: kernel_size is .*; expected one integer",
        ),
        Bad(
            f"{name} ceil_mode",
            lambda: make(2, ceil_mode=1),
            mi.DTypeError,
            rf"^{name}: ceil_mode is 1; expected a bool",
        ),
    ]
    if kind == "LPPool":
        return found
    return [
        *found,
        Bad(
            f"{name} much padding",
            lambda: make(2, padding=2),
            mi.ArgumentError,
            rf"^{name}: padding is .*2.*; expected at most half of kernel_size",
        ),
        Bad(
            f"{name} negative padding",
            lambda: make(2, padding=-1),
            mi.ArgumentError,
            rf"^{name}: padding is -1; expected",
        ),
    ]


def adaptive(kind, n):
    """Return the rows of an adaptive pooling."""
    name, space = f"Adaptive{kind}Pool{n}d", SIZES[n]

    def make(*args):
        return getattr(nn, name)(*args)

    return [
        Bad(
            f"{name} an axis less",
            lambda: make(2)(mi.ones(space)),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected \(N, C, ",
        ),
        Bad(
            f"{name} no elements",
            lambda: make(2)(mi.ones((1, 2, *space[:-1], 0))),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected .* no size of 0",
        ),
        Bad(
            f"{name} integers",
            lambda: make(2)(mi.ones((1, 2, *space), dtype="int32")),
            mi.DTypeError,
            rf"^{name}: input has dtype int32; expected",
        ),
        Bad(
            f"{name} a size of 0",
            lambda: make(0),
            mi.ArgumentError,
            rf"^{name}: output_size is 0; expected an integer of at least 1",
        ),
        Bad(
            f"{name} too many sizes",
            lambda: make((1,) * (n + 1)),
            mi.ArgumentError,
            rf"^{name}: output_size is .*; expected one integer or {n}",
        ),
    ]


def undone(n):
    """Return the rows of MaxUnpool along *n* axes."""
    name, space = f"MaxUnpool{n}d", SIZES[n]
    x, indices = mi.ones((1, 2, *space)), mi.zeros((1, 2, *space), dtype="int64")

    def call(*args):
        return getattr(nn, name)(2)(*args)

    return [
        Bad(
            f"{name} axes",
            lambda: call(x[0, 0], indices[0, 0]),
            mi.ShapeError,
            rf"^{name}: input has shape .*; expected \(N, C, ",
        ),
        Bad(
            f"{name} other indices",
            lambda: call(x, indices[:, :1]),
            mi.ShapeError,
            rf"^{name}: got x of shape .* and indices of shape .*; expected equal ones",
        ),
        Bad(
            f"{name} indices that are none",
            lambda: call(x, x),
            mi.DTypeError,
            rf"^{name}: got indices of float32; expected integers",
        ),
        Bad(
            f"{name} a list",
            lambda: call(x, [0]),
            mi.DTypeError,
            rf"^{name}: indices is a list; expected a Tensor of integers",
        ),
        Bad(
            f"{name} an index beyond",
            lambda: call(x, indices + 10**6),
            mi.IndexRangeError,
            rf"^{name}: got index 1000000; expected 0 to",
        ),
        Bad(
            f"{name} output_size",
            lambda: call(x, indices, (90,) * n),
            mi.ArgumentError,
            rf"^{name}: got output_size .*; expected sizes that differ",
        ),
        Bad(
            f"{name} axes of output_size",
            lambda: call(x, indices, (12,) * (n + 3)),
            mi.ShapeError,
            rf"^{name}: output_size is .*; expected",
        ),
        Bad(
            f"{name} a window of 0",
            lambda: getattr(nn, name)(0),
            mi.ArgumentError,
            rf"^{name}: kernel_size is 0; expected",
        ),
    ]


ROWS = [
    *(row for kind in ("MaxPool", "AvgPool", "LPPool") for n in SIZES for row in rows_of(kind, n)),
    *(row for kind in ("Avg", "Max") for n in SIZES for row in adaptive(kind, n)),
    *(row for n in SIZES for row in undone(n)),
    Bad(
        "AvgPool2d divisor",
        lambda: nn.AvgPool2d(2, divisor_override=0),
        mi.ArgumentError,
        "AvgPool2d: divisor_override is 0; expected",
    ),
    Bad(
        "LPPool1d norm",
        lambda: nn.LPPool1d(0, 2),
        mi.ArgumentError,
        "LPPool1d: norm_type is 0; expected another number",
    ),
    Bad(
        "LPPool2d text",
        lambda: nn.LPPool2d("two", 2),
        mi.DTypeError,
        "LPPool2d: norm_type is 'two'; expected a number",
    ),
    Bad(
        "MaxPool2d return_indices",
        lambda: nn.MaxPool2d(2, return_indices="yes"),
        mi.DTypeError,
        "MaxPool2d: return_indices is 'yes'; expected a bool",
    ),
]

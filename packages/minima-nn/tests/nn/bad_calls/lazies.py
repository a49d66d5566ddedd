"""Wrong first calls and options of lazy layers."""

from __future__ import annotations

import minima as mi
from minima import nn

from . import Bad


def first_calls(kind, ndim, *args):
    """Return the rows of a layer whose input has *ndim* axes."""
    name = kind.__name__
    few, many = (2,) * (ndim - 2), (2,) * (ndim + 1)
    return [
        Bad(f"{name} few axes", lambda: kind(*args)(mi.ones(few)), mi.ShapeError,
            rf"^{name}: input has shape .*; expected {ndim}"),
        Bad(f"{name} many axes", lambda: kind(*args)(mi.ones(many)), mi.ShapeError,
            rf"^{name}: input has shape .*; expected {ndim}"),
        Bad(f"{name} dtype", lambda: kind(*args)(mi.ones((2,) * ndim, dtype="int64")),
            mi.DTypeError, rf"^{name}: input has dtype int64; expected a floating type"),
        Bad(f"{name} no tensor", lambda: kind(*args)([1.0]), mi.DTypeError,
            rf"^{name}: input is a list; expected a Tensor"),
        Bad(f"{name} no input", lambda: kind(*args)(), mi.ArgumentError,
            rf"^{name}: the first call has no positional argument; expected the input"),
    ]  # fmt: skip


ROWS = [
    *(
        row
        for what, args in (("Conv", (2, 1)), ("ConvTranspose", (2, 1)), ("BatchNorm", ()),
                           ("InstanceNorm", ()))
        for axes in (1, 2, 3)
        for row in first_calls(getattr(nn, f"Lazy{what}{axes}d"), axes + 2, *args)
        if "few" not in row.id or axes > 1
    ),
    Bad("LazyLinear no axis", lambda: nn.LazyLinear(2)(mi.ones(())), mi.ShapeError,
        r"^LazyLinear: input has shape \(\); expected \(\*, in_features\)"),
    Bad("LazyLinear dtype", lambda: nn.LazyLinear(2)(mi.ones(2, dtype="int64")), mi.DTypeError,
        "^LazyLinear: input has dtype int64; expected a floating type"),
    Bad("LazyLinear size", lambda: nn.LazyLinear(0), mi.ArgumentError,
        "^Linear: out_features is 0; expected an integer of at least 1"),
    Bad("LazyLinear shape", lambda: nn.LazyLinear(2).weight.shape, nn.UninitializedError,
        "^UninitializedParameter: it has no shape and no values yet; expected a call"),
    Bad("LazyLinear optimiser", lambda: mi.optim.SGD(nn.LazyLinear(2).parameters(), lr=1.0),
        mi.ArgumentError, r"^SGD: params\[0\] is of a lazy module.*; expected a call"),
]  # fmt: skip

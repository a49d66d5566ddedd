"""Wrong calls of activations: what they were made with, and what they are called with."""

from __future__ import annotations

import minima as mi
from minima import nn

from . import Bad

NAMES = """
CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid Mish PReLU RReLU ReLU
ReLU6 SELU SiLU Sigmoid Softplus Softshrink Softsign Tanh Tanhshrink GLU LogSoftmax Softmax Softmin
Softmax2d
""".split()
#: those that take whole numbers too
WHOLE = ("GELU", "ReLU", "Sigmoid", "Tanh")
X = mi.ones((2, 4))


def _rows():
    for name in NAMES:
        yield Bad(
            f"{name} of a list", lambda name=name: getattr(nn, name)()([1.0]), mi.DTypeError,
            f"^{name}: input is a list; expected a Tensor",
        )  # fmt: skip
        if name in WHOLE:
            continue
        yield Bad(
            f"{name} of whole numbers",
            lambda name=name: getattr(nn, name)()(X.astype("int64")), mi.DTypeError,
            f"^{name}: input has dtype int64; expected a floating type",
        )  # fmt: skip


ROWS = [
    *_rows(),
    Bad(
        "Threshold of a list", lambda: nn.Threshold(0.1, 1.0)([1.0]), mi.DTypeError,
        "^Threshold: input is a list; expected a Tensor",
    ),
    Bad(
        "GELU form", lambda: nn.GELU(approximate="erf"), mi.ArgumentError,
        "^GELU: approximate is 'erf'; expected one of",
    ),
    Bad(
        "GLU of an odd size", lambda: nn.GLU()(mi.ones((2, 3))), mi.ShapeError,
        r"^GLU: .*3.*; expected an even",
    ),
    Bad(
        "Softmax axis", lambda: nn.Softmax(dim=2)(X), mi.ShapeError,
        r"^Softmax: input has shape \(2, 4\).*dim=2; expected",
    ),
    Bad(
        "Softmax2d axes", lambda: nn.Softmax2d()(X), mi.ShapeError,
        r"^Softmax2d: input has shape \(2, 4\); expected",
    ),
    Bad(
        "PReLU channels", lambda: nn.PReLU(3)(X), mi.ShapeError,
        r"^PReLU: got weight \(3,\) for x \(2, 4\); expected .*4",
    ),
    Bad(
        "RReLU bounds", lambda: nn.RReLU(0.5, 0.1), mi.ArgumentError,
        "^RReLU: .*0.5.*; expected",
    ),
    Bad(
        "Hardtanh bounds", lambda: nn.Hardtanh(1.0, -1.0), mi.ArgumentError,
        "^Hardtanh: .*-1.0.*; expected",
    ),
    Bad(
        "Softshrink lambda", lambda: nn.Softshrink(-1.0), mi.ArgumentError,
        "^Softshrink: lambd is -1.0; expected",
    ),
    Bad(
        "SwiGLU of an odd size", lambda: nn.SwiGLU()(mi.ones((2, 3))), mi.ShapeError,
        r"^SwiGLU: .*3.*; expected",
    ),
]  # fmt: skip

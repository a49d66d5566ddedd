"""Rows of the activations, in the table of layers."""

from __future__ import annotations

from . import activations as a
from . import shares, shrinkage
from .layer_case import LayerCase

__all__ = ["ACTIVATIONS"]

X = (4, 3)

ACTIVATIONS = [
    LayerCase(a.ReLU, X, X),
    LayerCase(a.Sigmoid, X, X),
    LayerCase(a.Tanh, X, X),
    LayerCase(a.GELU, X, X),
    LayerCase(lambda: a.GELU(approximate="tanh"), X, X, note="tanh"),
    LayerCase(a.ReLU6, X, X),
    LayerCase(a.LeakyReLU, X, X),
    LayerCase(lambda: a.LeakyReLU(0.3), X, X, note="slope"),
    LayerCase(a.PReLU, X, X),
    LayerCase(lambda: a.PReLU(3, 0.5), (2, 3, 2), (2, 3, 2), note="channels"),
    LayerCase(a.RReLU, X, X),
    LayerCase(lambda: a.RReLU(0.2, 0.4), X, X, note="slopes"),
    LayerCase(a.ELU, X, X),
    LayerCase(lambda: a.ELU(2.0), X, X, note="alpha"),
    LayerCase(a.CELU, X, X),
    LayerCase(lambda: a.CELU(2.0), X, X, note="alpha"),
    LayerCase(a.SELU, X, X),
    LayerCase(a.SiLU, X, X),
    LayerCase(a.Mish, X, X),
    LayerCase(a.Softplus, X, X),
    LayerCase(lambda: a.Softplus(2.0, 1.0), X, X, note="options"),
    LayerCase(a.LogSigmoid, X, X),
    LayerCase(shrinkage.Hardshrink, X, X),
    LayerCase(lambda: shrinkage.Hardshrink(1.0), X, X, note="limit"),
    LayerCase(shrinkage.Softshrink, X, X),
    LayerCase(lambda: shrinkage.Softshrink(0.25), X, X, note="limit"),
    LayerCase(shrinkage.Tanhshrink, X, X),
    LayerCase(shrinkage.Softsign, X, X),
    LayerCase(shrinkage.Hardtanh, X, X),
    LayerCase(lambda: shrinkage.Hardtanh(-0.5, 2.0), X, X, note="limits"),
    LayerCase(shrinkage.Hardsigmoid, X, X),
    LayerCase(shrinkage.Hardswish, X, X),
    LayerCase(lambda: shrinkage.Threshold(0.5, -1.0), X, X),
    LayerCase(shares.Softmax, X, X),
    LayerCase(lambda: shares.Softmax(dim=0), (4, 3, 2), (4, 3, 2), note="dim0", batch=None),
    LayerCase(shares.Softmin, X, X),
    LayerCase(lambda: shares.Softmin(-1), (4, 3, 2), (4, 3, 2), note="last"),
    LayerCase(shares.LogSoftmax, X, X),
    LayerCase(lambda: shares.LogSoftmax(0), X, X, note="dim0", batch=None),
    LayerCase(shares.Softmax2d, (2, 3, 2, 2), (2, 3, 2, 2)),
    LayerCase(shares.Softmax2d, (3, 2, 2), (3, 2, 2), note="single", batch=None),
    LayerCase(shares.GLU, (3, 4), (3, 2)),
    LayerCase(lambda: shares.GLU(0), (4, 3), (2, 3), note="dim0", batch=None),
    LayerCase(shares.SwiGLU, (3, 4), (3, 2)),
    LayerCase(lambda: shares.SwiGLU(1), (2, 4, 3), (2, 2, 3), note="dim1"),
]

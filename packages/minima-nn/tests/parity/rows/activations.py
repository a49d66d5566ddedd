"""Activations: every one with every option, in training and in evaluation."""

from __future__ import annotations

from ..table import layer

#: PyTorch has no second derivative of it, and a sixth of float32
SIXTH = {
    "second": False,
    "tolerances": {"float64": 1e-7},
    "why": "PyTorch's sixth is one of float32",
}


#: made of straight pieces: there is no second derivative but 0
STRAIGHT = ("ReLU6", "LeakyReLU", "Softshrink", "Hardshrink", "Hardtanh")


def activation(name, *args, takes=((5, 6),), **options):
    return layer(name, *args, takes=takes, kind="activation", modes=(True, False), **options)


ROWS = [
    *(
        activation(name)
        for name in (
            "ReLU PReLU ELU SELU CELU GELU SiLU Mish Softplus Softsign Tanhshrink Hardswish GLU "
            "LogSigmoid Sigmoid Tanh"
        ).split()
    ),
    *(activation(name, second=False) for name in STRAIGHT),
    activation("Hardsigmoid", **SIXTH),
    activation("LeakyReLU", 0.3, second=False),
    activation("PReLU", 3, 0.1, takes=((2, 3, 4),)),
    layer("RReLU", takes=((5, 6),), kind="activation", modes=(False,), second=False),
    layer("RReLU", 0.2, 0.4, takes=((5, 6),), kind="activation", modes=(False,), second=False),
    layer("RReLU", 0.2, 0.2, takes=((5, 6),), kind="activation", modes=(True,), second=False),
    activation("ELU", 2.0),
    activation("CELU", 2.0),
    activation("GELU", approximate="tanh"),
    activation("Softplus", 2.0, 1.5),
    activation("Softshrink", 0.2, second=False),
    activation("Hardshrink", 0.2, second=False),
    activation("Hardtanh", -0.5, 1.5, second=False),
    activation("GLU", 0, takes=((4, 3),)),
    activation("Threshold", 0.5, -1.0, second=False),
    *(activation(n, d) for n in ("Softmax", "Softmin", "LogSoftmax") for d in (0, 1)),
    activation("Softmax2d", takes=((2, 3, 2, 2),)),
    activation("Softmax2d", takes=((3, 2, 2),), label="single"),
]

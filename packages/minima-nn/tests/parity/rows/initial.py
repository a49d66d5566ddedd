"""Initialisers: those without chance value by value, others by what their numbers have in common.

Both sides draw from streams of their own, so of random numbers the bounds, the spread and the
number of zeros are compared, over enough of them, and orthogonality exactly.
"""

from __future__ import annotations

import numpy as np

from ..table import Row

LARGE = (300, 200, 3)


def exact(name, shape, *args, label="", **options):
    def run(side):
        t = side.tensor(np.full(shape, 7.0))
        return {"values": side.numpy(getattr(side.init, name)(t, *args, **options))}

    return Row("initialiser", name, label or f"{shape},{args},{options}", run)


def gain(*args):
    def run(side):
        return {"gain": np.array(side.init.calculate_gain(*args))}

    return Row("initialiser", "calculate_gain", ",".join(map(str, args)), run)


def drawn(name, *args, shape=LARGE, label="", columns=False, **options):
    """Return a row of the standard deviation, mean and extremes, each to two digits."""
    turned = len(shape) == 2 and not columns  # a matrix is (in, out) here and (out, in) there

    def run(side):
        side.seed(0)
        t = side.tensor(np.zeros(shape[::-1] if turned and side.name == "torch" else shape))
        x = side.numpy(getattr(side.init, name)(t, *args, **options)).astype("float64")
        zeros = np.sort((x == 0).sum(axis=1 if turned and side.name == "torch" else 0).ravel())
        return {
            "spread": np.array([x.std(), 0.0]),
            "size": np.array([np.abs(x).max(), x.std()]),
            "zeros": zeros,
        }

    return Row(
        "initialiser",
        name,
        label or f"{shape},{args},{options}",
        run,
        {"float32": 0.03, "float64": 0.03}
        if "normal" not in name and "sparse" not in name
        else {"float32": 0.25, "float64": 0.25},
        "two streams of random numbers: of uniform ones the extremes agree, of normal ones less",
    )


def orthogonal(shape, **options):
    def run(side):
        side.seed(0)
        x = side.numpy(side.init.orthogonal_(side.tensor(np.zeros(shape)), **options))
        x = x.reshape(shape[0], -1).astype("float64")
        return {"gram": x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x}

    return Row("initialiser", "orthogonal_", f"{shape},{options}", run)


ROWS = [
    exact("constant_", (2, 3), 0.25),
    exact("ones_", (2, 3)),
    exact("zeros_", (2, 3)),
    exact("eye_", (2, 3)),
    exact("dirac_", (4, 2, 3)),
    exact("dirac_", (4, 2, 3, 2)),
    exact("dirac_", (4, 2, 3, 3, 3), groups=2),
    *(gain(n) for n in ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
                        "conv_transpose2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "selu")),
    gain("leaky_relu"),
    gain("leaky_relu", 0.3),
    drawn("uniform_", -1.0, 3.0),
    drawn("normal_", 1.0, 0.5),
    drawn("trunc_normal_", std=2.0),
    drawn("trunc_normal_", 0.5, 1.0, -0.5, 1.0),
    drawn("xavier_uniform_"),
    drawn("xavier_uniform_", 2.0, shape=(300, 100)),
    drawn("xavier_normal_", gain=0.5),
    drawn("kaiming_uniform_"),
    drawn("kaiming_uniform_", a=0.5, mode="fan_out", shape=(300, 100)),
    drawn("kaiming_uniform_", nonlinearity="relu"),
    drawn("kaiming_normal_", nonlinearity="tanh", mode="fan_out"),
    drawn("kaiming_normal_", a=1.0, shape=(300, 100)),
    drawn("sparse_", 0.3, std=0.5, shape=(201, 100), columns=True),
    orthogonal((3, 5)),
    orthogonal((5, 3), gain=2.0),
    orthogonal((3, 2, 2)),
]  # fmt: skip

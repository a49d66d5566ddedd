"""Faults planted in the kernels of normalisation."""

import numpy as np

from minima_cuda import library

from .compare import Mutation, Poisoned, assert_close, reference
from .narrow import narrow_kernels

__all__ = ["MUTATIONS"]


def check(name, shape, axes, affine=None, centre=0.5, dtype="float32", make=library.kernels):
    """Return a check of an operator; *affine* is the shape of its weight (and bias)."""

    def run(launcher):
        rng = np.random.default_rng(0)
        x, g = (rng.normal(centre, 1, shape).astype(dtype) for _ in range(2))
        given, attrs = ([x] if name == "layer_norm" else [g, x]), {"axes": axes, "eps": 1e-3}
        if name == "layer_norm_affine_gradient":
            attrs["shape"] = affine
        elif affine is not None:
            factors = [rng.normal(1, 1, affine).astype(dtype) for _ in range(2)]
            given += factors if name == "layer_norm" else factors[:1]
        found = make(launcher, Poisoned()) if make is library.kernels else make(launcher)
        got = found[name](*given, **attrs)
        assert_close(got, reference(name, *given, **attrs), dtype, 10.0)

    return run


def batch(launcher):
    """Normalise by figures that are given."""
    rng = np.random.default_rng(0)
    x, mean, var = (rng.random(s).astype("float32") for s in ((2, 3, 5), (3,), (3,)))
    got = library.kernels(launcher, Poisoned())["batch_norm"](x, mean, var, eps=0.1)
    assert_close(got, reference("batch_norm", x, mean, var, eps=0.1), "float32")


NORMS, MOMENTS, PASSES = "norms.cu", "moments.cuh", "moments.cu"
FORWARD, BACKWARD, AFFINE = "layer_norm", "layer_norm_gradient", "layer_norm_affine_gradient"
SHORT, LONG = check(FORWARD, (3, 70), (1,), (70,)), check(FORWARD, (2, 1100), (1,), (1100,))
BACK, LONG_BACK = check(BACKWARD, (3, 70), (1,), (70,)), check(BACKWARD, (2, 1100), (1,))
CHANNELS = check(FORWARD, (4, 3, 5), (0, 2), (3, 1))
CHANNELS_BACK = check(BACKWARD, (4, 3, 5), (0, 2), (3, 1))
SUMS = check(AFFINE, (150, 40), (1,), (40,))
MUTATIONS = [
    Mutation(
        "the mean of a group for that of all",
        MOMENTS,
        "const A centre = sum / A(many);",
        "const A centre = sum / A(GROUP);",
        SHORT,
    ),
    Mutation(
        "mean moved by all of the distance",
        MOMENTS,
        "    mean += off * share;\n    count = both;\n  }\n  DEVICE A inverse(A eps) const { "
        "return A(1) / sqrt(squares / count + eps); }\n};\n\n// Moments of x",
        "    mean += off;\n    count = both;\n  }\n  DEVICE A inverse(A eps) const { "
        "return A(1) / sqrt(squares / count + eps); }\n};\n\n// Moments of x",
        SHORT,
    ),
    Mutation(
        "squares about 0",
        MOMENTS,
        "const A off = i < many ? values[i] - centre : A(0);",
        "const A off = i < many ? values[i] : A(0);",
        SHORT,
    ),
    Mutation(
        "elements past the end of a row",
        NORMS,
        "        if (column < length) {\n          held[i + j]",
        "        if (column <= length) {\n          held[i + j]",
        SHORT,
        "bounds",
    ),
    Mutation(
        "lanes not merged",
        NORMS,
        "    moments = merge_warp(moments);\n",
        "",
        SHORT,
    ),
    Mutation(
        "warps not merged",
        NORMS,
        "moments = merge_block(moments);",
        "moments = merge_warp(moments);",
        LONG,
    ),
    Mutation(
        "a block for a warp's row",
        NORMS,
        "    sums = merge_warp(sums);\n    const A inverse",
        "    sums = merge_block(sums);\n    const A inverse",
        check(BACKWARD, (5, 70), (1,)),
        "race",
    ),
    Mutation(
        "weight of the row",
        NORMS,
        "store<T>(affine.apply(centred * inverse, column))",
        "store<T>(affine.apply(centred * inverse, row))",
        LONG,
    ),
    Mutation(
        "a bias that is not there",
        NORMS,
        "return given & 2 ? x + load(bias[place]) : x;",
        "return x + load(bias[place]);",
        check(FORWARD, (3, 70), (1,)),
    ),
    Mutation(
        "mean of g forgotten",
        NORMS,
        "(g - sums.level - (x - sums.mean) * share)",
        "(g - (x - sums.mean) * share)",
        BACK,
    ),
    Mutation(
        "share of x forgotten",
        NORMS,
        "(g - sums.level - (x - sums.mean) * share)",
        "(g - sums.level)",
        LONG_BACK,
    ),
    Mutation(
        "weight left out of the sums",
        NORMS,
        "sums.take(load(x[base + column]), affine.back(load(g[base + column]), column));",
        "sums.take(load(x[base + column]), load(g[base + column]));",
        check(BACKWARD, (2, 1100), (1,), (1100,)),
    ),
    Mutation(
        "products of means left out",
        MOMENTS,
        "along += other.along + off * rise * (count * share);",
        "along += other.along;",
        BACK,
    ),
    Mutation(
        "slots used again too soon",
        "states.cuh",
        "  __syncthreads();  // the slots may still be read from the merge before\n",
        "",
        check(FORWARD, (4, 1100), (1,), make=narrow_kernels),
        "race",
    ),
    Mutation(
        "part of another block",
        NORMS,
        "states[column * gridDim.y + blockIdx.y] = sums",
        "states[column * gridDim.y] = sums",
        SUMS,
        "race",
    ),
    Mutation(
        "rows of the next part",
        NORMS,
        "end = begin + chunk < rows ? begin + chunk : rows;",
        "end = begin + chunk + 1 < rows ? begin + chunk + 1 : rows;",
        SUMS,
    ),
    Mutation(
        "parts that are not merged",
        NORMS,
        "p < parts; p += WARP",
        "p < parts - 1; p += WARP",
        SUMS,
    ),
    Mutation(
        "bias beside the weight",
        NORMS,
        "out[length + column] = store<T>(sums.bias)",
        "out[length + column + 1] = store<T>(sums.bias)",
        SUMS,
        "bounds",
    ),
    Mutation(
        "channels of 16 bits",
        NORMS,
        "const Index plane = quotient(i, inner);",
        "const Index plane = quotient(UInt16(i), inner);",
        check(FORWARD, (3, 7, 3200), (0, 2), (7, 1)),
    ),
    Mutation(
        "channel of the element",
        NORMS,
        "return plane - quotient(plane, channels) * channels;",
        "return plane;",
        CHANNELS,
        "bounds",
    ),
    Mutation(
        "mean for 1 / deviation",
        NORMS,
        "slopes[channels + c];",
        "slopes[c];",
        CHANNELS_BACK,
    ),
    Mutation(
        "sum of g for the mean",
        PASSES,
        "y[2 * kept + k] = state.level;",
        "y[2 * kept + k] = state.level * state.count;",
        CHANNELS_BACK,
    ),
    Mutation(
        "variance without its root",
        NORMS,
        "/ sqrt(load(var[c]) + eps)",
        "/ (load(var[c]) + eps)",
        batch,
    ),
]

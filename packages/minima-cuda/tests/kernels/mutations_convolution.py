"""Faults planted in convolution, depthwise convolution and windows."""

from functools import partial
from unittest.mock import patch

from minima_cuda.families import convolution, depthwise

from .compare import Mutation
from .test_convolution import LARGE, ROWS, UNEVEN, Row, check, infinite

__all__ = ["MUTATIONS"]

FILE, DEPTHWISE, WINDOW, WINDOWS = "convolution.cu", "depthwise.cu", "window.cuh", "windows.cu"


def on(name, row):
    """Return a check of operator *name* on a row."""
    return partial(check, name, row, "float32")


def in_parts(module, row):
    """Return a check of a weight gradient that is added up from parts."""

    def run(launcher):
        with patch.object(module, "LEAST_OF_PART", 20):
            check("conv2d_weight_gradient", row, "float32", launcher)

    return run


def in_large_tiles(launcher):
    """Run the product in tiles of 128 x 128."""
    with patch.object(convolution, "ENOUGH_TILES", 1):
        check("conv2d", Row((2, 9, 9, 10), (70, 9, 3, 1), padding=(1, 0)), "float32", launcher)


FORWARD = on("conv2d", LARGE[0])
PARTS = in_parts(convolution, UNEVEN[convolution])
MUTATIONS = [
    Mutation(
        "no barrier after a stage",
        FILE,
        "      prepare(now, number + 2);\n      __syncthreads();\n",
        "      prepare(now, number + 2);\n",
        FORWARD,
        "race",
    ),
    Mutation(
        "no barrier before the first stage",
        FILE,
        "  prepare(stages[1], 1);\n  __syncthreads();\n",
        "  prepare(stages[1], 1);\n",
        FORWARD,
        "race",
    ),
    Mutation(
        "threads that leave before a barrier",
        FILE,
        "  A total[EACH][EACH] = {};\n  prepare(",
        "  A total[EACH][EACH] = {};\n  if (rank > of.rows) return;\n  prepare(",
        FORWARD,
        "barrier",
    ),
    Mutation(
        "steps of the wrong stage",
        FILE,
        "prepare(now, number",
        "prepare(next, number",
        FORWARD,
        "race",
    ),
    Mutation(
        "a row too many", FILE, "row < of.rows && step", "row <= of.rows && step", FORWARD, "bounds"
    ),
    Mutation(
        "depth beyond the end",
        FILE,
        "row < of.rows && step >= 0",
        "row < of.rows",
        FORWARD,
        "bounds",
    ),
    Mutation("rows beside each other", FILE, "lane * 4 + i % 4", "lane * 4 + i % 2", FORWARD),
    Mutation(
        "tile of another size", FILE, "i / 4 * (TILE / 2)", "i / 4 * 32", in_large_tiles, "race"
    ),
    Mutation(
        "dilation of the other axis",
        FILE,
        "return {k, tap.plane * w.elements(), tap.y * w.dilation[0]",
        "return {k, tap.plane * w.elements(), tap.y * w.dilation[1]",
        on("conv2d", ROWS[2]),
    ),
    Mutation(
        "weights of the first group",
        FILE,
        "{weight + first * depth,",
        "{weight,",
        on("conv2d", ROWS[2]),
    ),
    Mutation("bias lost", FILE, "if (biased) value", "if (false) value", FORWARD),
    Mutation(
        "phase without its place in the window",
        FILE,
        "found.start = (offset - tap * dilation) / stride",
        "found.start = offset / stride",
        on("conv2d_input_gradient", ROWS[3]),
    ),
    Mutation(
        "phases one window apart",
        FILE,
        "found.back = step * dilation / stride",
        "found.back = step",
        on("conv2d_input_gradient", ROWS[1]),
    ),
    Mutation(
        "infinite weights times no window",
        FILE,
        "if (before == before || all) continue;",
        "continue;",
        partial(infinite, ROWS[3], "float32"),
    ),
    Mutation(
        "windows there are not, of infinite weights",
        FILE,
        "if (by_y < 0 || by_x < 0) continue;",
        "if (by_y < 0) continue;",
        partial(infinite, ROWS[3], "float32"),
        "bounds",
    ),
    Mutation("last part lost", FILE, "part < many", "part + 1 < many", PARTS),
    Mutation(
        "parts that overlap",
        FILE,
        "min(begin + length, depth)",
        "min(begin + length + 1, depth)",
        PARTS,
    ),
    Mutation(
        "windows of a part twice",
        DEPTHWISE,
        "i += block_threads()",
        "i += block_threads() - 1",
        on("conv2d_weight_gradient", LARGE[3]),
    ),
    Mutation(
        "every thread writes a sum",
        DEPTHWISE,
        "if (block_rank() == 0 && first",
        "if (first",
        on("conv2d_weight_gradient", ROWS[7]),
        "race",
    ),
    Mutation(
        "places beyond the window",
        DEPTHWISE,
        "block_rank() == 0 && first + t < w.taps()",
        "block_rank() == 0",
        on("conv2d_weight_gradient", ROWS[8]),
        "race",
    ),
    Mutation(
        "part without its end",
        DEPTHWISE,
        "min((part + 1) * length, images * windows)",
        "(part + 1) * length",
        in_parts(depthwise, UNEVEN[depthwise]),
        "bounds",
    ),
    Mutation(
        "factor of the first output",
        DEPTHWISE,
        "weight + output * w.taps()",
        "weight",
        on("conv2d", ROWS[7]),
    ),
    Mutation(
        "windows between strides",
        WINDOW,
        "if (start < 0 || start % stride[axis]) return -1;",
        "if (start < 0) return -1;",
        on("windows_gradient", ROWS[1]),
    ),
    Mutation(
        "elements below the image",
        WINDOWS,
        "inside = w.inside(row, column)",
        "inside = row >= 0 && column >= 0",
        on("windows", Row((1, 1, 5, 5), (1, 1, 3, 3), padding=(1, 0))),
        "bounds",
    ),
]

"""What each kernel has to do and does: bytes and operations as formulas of the sizes.

*least* reads each input and writes each output once. *moved* is what the loads and stores of the
kernel ask the memory for; the caches answer some of what is beyond *least*. The time that a GPU
needs at least is that of `Work.seconds`. `docs/cuda-kernels.rst` is made from this table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

__all__ = ["GPUS", "SIZES", "SYMBOLS", "TABLE", "Formula", "Gpu", "Work", "work_of"]

#: letters of the formulas; the rest are sizes, which each row names
SYMBOLS = {
    "b": "bytes of an element in memory",
    "a": "bytes of a number in computation: 8 for float64, else 4",
    "i": "bytes of an index",
    "up(x, y)": "x / y, rounded up",
    "log2(x)": "rounded up",
}

#: what the letters of a file's rows count
SIZES = {
    "elementwise": "n elements",
    "functions": "n elements",
    "bits": "n elements",
    "cast": "n elements",
    "reductions": "N results of L elements each; p parts of each, with a state of s bytes",
    "moments": "N results of L elements each; p parts of each, with a state of s bytes",
    "norms": "N rows of length L, in p parts; n elements in C channels",
    "softmax": "N rows of length L",
    "dropout": "n elements",
    "optimizers": "n elements",
    "recurrent": "n elements of a state, which are those of the batch times H units",
    "pooling": "G planes of S elements, with P windows of K elements each",
    "convolution": "N images of C channels with S elements, O outputs of P windows with K elements "
    "each, one group, stride 1; tiles of t by t; n elements of a weight in p parts",
    "depthwise": "N images of C channels with S elements, O outputs of P windows with K elements "
    "each, stride 1; p parts of a weight",
    "windows": "N images of C channels with S elements and P windows of K elements each",
    "embedding": "M entries of width D, R rows that occur; chunks of c, runs of r entries; B bags",
    "attention": "Z items of Q queries and M keys of width d, whose values have width e; all keys "
    "are seen; a block owns o queries or keys",
}


def _up(x: int, y: int) -> int:
    return -(-x // y)


_FUNCTIONS = {"up": _up, "log2": lambda x: math.ceil(math.log2(x))}


class Formula(str):
    """A formula of sizes, called with them.

    >>> from minima_cuda.roofline import Formula
    >>> Formula("up(n, 4)*b")(n=6, b=2)
    4
    """

    __slots__ = ()

    def __call__(self, **sizes: int) -> int:
        """Return its value."""
        return int(eval(self, {"__builtins__": {}}, {**_FUNCTIONS, **sizes}))


class Gpu(NamedTuple):
    """Bytes and float32 operations a second, as the vendor states them."""

    name: str
    bandwidth: float
    operations: float


GPUS = (
    Gpu("T4", 320e9, 8.1e12),
    Gpu("A100 80 GB", 2039e9, 19.5e12),
    Gpu("H100 SXM", 3350e9, 67e12),
)


@dataclass(frozen=True)
class Work:
    """One or more kernels of a *file* that do the same work; *sizes* are those of the example."""

    file: str
    kernels: str
    sizes: Mapping[str, int]
    least: Formula
    moved: Formula
    operations: Formula

    def seconds(self, gpu: Gpu, **sizes: int) -> float:
        """Return what *gpu* needs at least, at *sizes* or those of the example."""
        sizes = sizes or {**DEFAULTS, **self.sizes}
        bytes_, operations = self.least(**sizes), self.operations(**sizes)
        return max(bytes_ / gpu.bandwidth, operations / gpu.operations)

    def matches(self, file: str, kernel: str) -> bool:
        """Say whether *kernel* of *file* does this work."""
        return file == self.file and any(fnmatchcase(kernel, k) for k in self.kernels.split())


#: float32, and indices of 64 bits
DEFAULTS = {"b": 4, "a": 4, "i": 8}


def _work(
    file: str,
    kernels: str,
    sizes: Mapping[str, int],
    least: str,
    operations: str = "0",
    moved: str = "",
) -> Work:
    return Work(file, kernels, sizes, Formula(least), Formula(moved or least), Formula(operations))


_EACH = {"n": 1 << 24}
_ROWS = {"N": 8192, "L": 1024}
_LONG = {"N": 1024, "L": 8192}
_REDUCED = {"N": 4096, "L": 4096}
_PARTS = {"N": 4096, "p": 16, "s": 16}
_CHANNELS = {"n": 1 << 24, "C": 256}
_STEP = {"n": 1 << 20, "H": 1024}
_POOLED = {"G": 8192, "S": 56 * 56, "P": 28 * 28, "K": 9}
_IMAGES = {"N": 32, "C": 64, "O": 64, "S": 56 * 56, "P": 56 * 56, "K": 9}
_TILED = {**_IMAGES, "t": 64}
_ENTRIES = {"M": 1 << 16, "D": 512}
_KEYS = {"M": 1 << 16}
_ATTENTION = {"Z": 64, "Q": 1024, "M": 1024, "d": 64, "e": 64, "o": 64}

_SOFT = "4*N*L"
_CROSS = "2*N*L*b + 8*N + b"
_SUMS = "N*L*b + N*(8 + a)"

TABLE: tuple[Work, ...] = (
    # ---- elementwise
    _work("elementwise", "copy_each", _EACH, "2*n*b"),
    _work(
        "elementwise",
        "negative_each square_each abs_each sign_each relu_each clip_each",
        _EACH,
        "2*n*b",
        "n",
    ),
    _work(
        "elementwise",
        "add_each subtract_each multiply_each maximum_each minimum_each floor_divide_each "
        "remainder_each relu_gradient_each",
        _EACH,
        "3*n*b",
        "n",
    ),
    _work("elementwise", "add_scaled_each", _EACH, "3*n*b", "2*n"),
    _work("elementwise", "addcmul_each", _EACH, "4*n*b", "3*n"),
    _work(
        "elementwise",
        "equal_each not_equal_each less_each less_equal_each greater_each greater_equal_each",
        _EACH,
        "2*n*b + n",
        "n",
    ),
    _work("elementwise", "logical_not_each", _EACH, "n*b + n", "n"),
    _work("elementwise", "where_each", _EACH, "3*n*b + n"),
    _work(
        "functions",
        "exp_each expm1_each log_each log1p_each sqrt_each sin_each cos_each tanh_each erf_each "
        "sigmoid_each gelu_each gelu_tanh_each power_scalar_each",
        _EACH,
        "2*n*b",
        "n",
    ),
    _work("functions", "isnan_each isinf_each isfinite_each", _EACH, "n*b + n", "n"),
    _work(
        "functions",
        "divide_each share_each power_each lerp_each gelu_gradient_each gelu_tanh_gradient_each",
        _EACH,
        "3*n*b",
        "n",
    ),
    _work("functions", "addcdiv_each", _EACH, "4*n*b", "3*n"),
    _work("bits", "bitwise_and_each bitwise_or_each bitwise_xor_each", _EACH, "3*n*b"),
    _work("bits", "bitwise_invert_each", _EACH, "2*n*b"),
    *(
        _work("cast", f"to_{name}_each", _EACH, f"n*b + {size}*n")
        for name, size in [
            ("bool", 1),
            ("uint8", 1),
            ("float16", 2),
            ("bfloat16", 2),
            ("float32", 4),
            ("int32", 4),
            ("float64", 8),
            ("int64", 8),
        ]
    ),
    # ---- reductions, in one part
    _work(
        "reductions",
        "sum_rows sum_columns max_rows max_columns min_rows min_columns",
        _REDUCED,
        "N*L*b + N*b",
        "N*L",
    ),
    _work("reductions", "all_rows all_columns any_rows any_columns", _REDUCED, "N*L*b + N"),
    _work(
        "reductions",
        "argmax_rows argmax_columns argmin_rows argmin_columns",
        _REDUCED,
        "N*L*b + 8*N",
        "N*L",
    ),
    _work("reductions", "*_finish", _PARTS, "N*p*s + N*b"),
    _work("moments", "mean_rows mean_columns", _REDUCED, "N*L*b + N*b", "N*L"),
    _work("moments", "var_rows var_columns", _REDUCED, "N*L*b + N*b", "4*N*L"),
    _work("moments", "logsumexp_rows logsumexp_columns", _REDUCED, "N*L*b + N*b", "3*N*L"),
    _work("moments", "moments_rows moments_columns", _REDUCED, "N*L*b + 2*N*a", "4*N*L"),
    _work("moments", "affine_rows affine_columns", _REDUCED, "2*N*L*b + 2*N*b", "8*N*L"),
    _work("moments", "slopes_rows slopes_columns", _REDUCED, "2*N*L*b + 4*N*a", "8*N*L"),
    _work("moments", "*_finish", _PARTS, "N*p*s + N*b"),
    # ---- normalisation, with weight and bias
    _work(
        "norms",
        "layer_norm_short layer_norm_medium",
        _ROWS,
        "2*N*L*b + 2*L*b",
        "8*N*L",
        moved="4*N*L*b",
    ),
    _work("norms", "layer_norm_long", _LONG, "2*N*L*b + 2*L*b", "8*N*L", moved="5*N*L*b"),
    _work(
        "norms",
        "layer_norm_gradient_short layer_norm_gradient_medium",
        _ROWS,
        "3*N*L*b + L*b",
        "12*N*L",
        moved="4*N*L*b",
    ),
    _work("norms", "layer_norm_gradient_long", _LONG, "3*N*L*b + L*b", "13*N*L", moved="7*N*L*b"),
    _work(
        "norms",
        "layer_norm_affine_parts",
        {**_ROWS, "p": 16},
        "2*N*L*b + 2*N*a + 2*L*p*a",
        "5*N*L",
        moved="2*N*L*b + 2*N*L*a + 2*L*p*a",
    ),
    _work("norms", "layer_norm_affine_finish", {"L": 1024, "p": 16}, "2*L*p*a + 2*L*b", "2*L*p"),
    _work(
        "norms",
        "normalise_channels",
        _CHANNELS,
        "2*n*b + 2*C*(a + b)",
        "4*n",
        moved="2*n*b + 2*n*(a + b)",
    ),
    _work("norms", "batch_norm", _CHANNELS, "2*n*b + 4*C*b", "6*n", moved="6*n*b"),
    _work(
        "norms",
        "channels_gradient",
        _CHANNELS,
        "3*n*b + 4*C*a + C*b",
        "6*n",
        moved="4*n*b + 4*n*a",
    ),
    # ---- softmax
    _work("softmax", "softmax_short softmax_medium", _ROWS, "2*N*L*b", _SOFT),
    _work("softmax", "softmax_long softmax_columns", _LONG, "2*N*L*b", _SOFT, moved="3*N*L*b"),
    _work("softmax", "log_softmax_short log_softmax_medium", _ROWS, "2*N*L*b", _SOFT),
    _work(
        "softmax", "log_softmax_long log_softmax_columns", _LONG, "2*N*L*b", _SOFT, moved="3*N*L*b"
    ),
    _work("softmax", "softmax_gradient_short softmax_gradient_medium", _ROWS, "3*N*L*b", _SOFT),
    _work(
        "softmax",
        "softmax_gradient_long softmax_gradient_columns",
        _LONG,
        "3*N*L*b",
        _SOFT,
        moved="5*N*L*b",
    ),
    _work(
        "softmax",
        "cross_entropy_rows cross_entropy_columns",
        _LONG,
        _SUMS,
        _SOFT,
        moved=f"{_SUMS} + N*b",
    ),
    _work(
        "softmax",
        "cross_entropy_gradient_short cross_entropy_gradient_medium",
        _ROWS,
        _CROSS,
        "6*N*L",
        moved="2*N*L*b + N*L*(8 + b)",
    ),
    _work(
        "softmax",
        "cross_entropy_gradient_long cross_entropy_gradient_columns",
        _LONG,
        _CROSS,
        "6*N*L",
        moved="3*N*L*b + N*L*(8 + b)",
    ),
    # ---- random numbers: the operations are those on integers, of ten rounds for each four words
    _work("dropout", "words", _EACH, "4*n", "20*n"),
    _work("dropout", "long_words integers", _EACH, "8*n", "40*n"),
    _work("dropout", "uniform bernoulli", _EACH, "n*b", "20*n"),
    _work("dropout", "normal", _EACH, "n*b", "24*n"),
    _work("dropout", "dropout", _EACH, "2*n*b", "21*n"),
    # ---- optimisers: of each element the parameter, its gradient and what is kept of it
    _work("optimizers", "sgd", _EACH, "3*n*b", "4*n"),
    _work("optimizers", "sgd_momentum", _EACH, "5*n*b", "8*n"),
    _work("optimizers", "adam", _EACH, "7*n*b", "14*n"),
    # ---- one step of a recurrent layer, without its product
    _work("recurrent", "lstm_step", _STEP, "15*n*b", "16*n"),
    _work("recurrent", "lstm_gradient_step", _STEP, "17*n*b + 2*n*a", "30*n"),
    _work("recurrent", "gru_step", _STEP, "12*n*b + 3*H*b", "16*n", moved="15*n*b"),
    _work("recurrent", "gru_gradient_step", _STEP, "17*n*b + 2*n*a", "24*n"),
    _work("recurrent", "join", _STEP, "2*n*b + n*a", "n"),
    # ---- pooling: windows of K elements
    _work("pooling", "max_pool2d", _POOLED, "G*(S + P)*b", "G*P*K", moved="G*P*(K + 1)*b"),
    _work(
        "pooling",
        "max_pool2d_gradient",
        _POOLED,
        "G*2*(S + P)*b",
        "G*P*K",
        # besides the first largest of each window, which looks at half of it before it is sure
        moved="G*(2*S + P*K + P + P*K // 2)*b",
    ),
    _work(
        "pooling",
        "first_largest",
        {"G": 8192, "P": 28 * 28, "K": 9},
        "2*G*P*K*b",
        "G*P*K",
    ),
    _work("pooling", "avg_pool2d", _POOLED, "G*(S + P)*b", "G*P*K", moved="G*P*(K + 1)*b"),
    _work(
        "pooling", "avg_pool2d_gradient", _POOLED, "G*(S + P)*b", "2*G*P*K", moved="G*(S + P*K)*b"
    ),
    _work(
        "pooling",
        "adaptive_avg_pool2d_*",
        {"G": 8192, "S": 49, "P": 1},
        "G*(S + P)*b",
        "G*S",
    ),
    # ---- convolution, one group, stride 1: products of matrices in tiles
    _work(
        "convolution",
        "convolution_forward",
        _TILED,
        "(N*C*S + O*C*K + N*O*P)*b",
        "2*N*P*O*C*K",
        moved="(up(O, t)*N*P*C*K + up(N*P, t)*O*C*K + N*O*P)*b",
    ),
    _work(
        "convolution",
        "convolution_weight_gradient",
        {**_TILED, "p": 8},
        "(N*C*S + N*O*P)*b + p*O*C*K*a",
        "2*N*P*O*C*K",
        moved="(up(O, t)*N*P*C*K + up(C*K, t)*N*P*O)*b + p*O*C*K*a",
    ),
    _work(
        "convolution",
        "convolution_input_gradient",
        _TILED,
        "(N*C*S + O*C*K + N*O*P)*b",
        "2*N*S*O*C*K",
        moved="(up(C, t)*N*S*O*K + up(N*S, t)*O*C*K + N*C*S)*b",
    ),
    _work("convolution", "sum_parts", {"n": 36864, "p": 8}, "p*n*a + n*b", "p*n"),
    _work(
        "depthwise",
        "depthwise_forward",
        _IMAGES | {"O": 64},
        "(N*C*S + O*K + N*O*P)*b",
        "2*N*O*P*K",
        moved="N*O*P*(2*K + 1)*b",
    ),
    _work(
        "depthwise",
        "depthwise_input_gradient",
        _IMAGES | {"O": 64},
        "(N*C*S + O*K + N*O*P)*b",
        "2*N*O*S*K",
        moved="(2*N*O*S*K + N*C*S)*b",
    ),
    _work(
        "depthwise",
        "depthwise_weight_gradient",
        _IMAGES | {"p": 16},
        "(N*C*S + N*O*P)*b + p*O*K*a",
        "2*N*O*P*K",
        moved="N*O*P*(K + up(K, 9))*b + p*O*K*a",
    ),
    _work(
        "windows",
        "windows_forward",
        _IMAGES,
        "(N*C*S + N*C*K*P)*b",
        moved="2*N*C*K*P*b",
    ),
    _work("windows", "windows_gradient", _IMAGES, "(N*C*K*P + N*C*S)*b", "N*C*K*P"),
    # ---- tables; keys have 8 bytes
    _work(
        "embedding",
        "embedding_forward",
        _ENTRIES,
        "M*i + 2*M*D*b",
        moved="M*D*b // 16*i + 2*M*D*b",
    ),
    _work("embedding", "one_hot", _ENTRIES, "M*i + M*D*b", moved="M*D*(i + b)"),
    _work("embedding", "sort_runs", _KEYS, "M*(i + 8)"),
    _work("embedding", "merge_runs", {**_KEYS, "r": 1024}, "16*M", moved="16*M + 8*M*log2(r)"),
    _work(
        "embedding",
        "sum_chunks",
        {**_ENTRIES, "R": 1 << 15, "c": 32},
        "M*D*b + 8*M + R*D*b",
        "M*D",
        moved="M*D*(b + 16) + R*D*b + 2*up(M, c)*D*a",
    ),
    _work(
        "embedding",
        "join_chunks",
        {**_ENTRIES, "c": 32},
        "up(M, c)*(2*D*a + 16)",
        "up(M, c)*D",
        moved="up(M, c)*D*(2*a + 32)",
    ),
    _work(
        "embedding",
        "embedding_bag",
        {**_ENTRIES, "B": 4096},
        "M*(i + D*b) + B*(i + D*b)",
        "M*D",
        moved="M*D*(i + b) + B*D*(2*i + b)",
    ),
    _work(
        "embedding",
        "bag_numbers",
        {"M": 1 << 16, "B": 4096},
        "8*M + B*i",
        moved="8*M + M*i*log2(B)",
    ),
    _work(
        "embedding",
        "bag_largest",
        {**_ENTRIES, "B": 4096},
        "2*M*D*b + B*i",
        "2*M*D",
        moved="3*M*D*b + 2*B*D*i",
    ),
    # ---- attention, all keys seen
    _work(
        "attention",
        "attention",
        _ATTENTION,
        "Z*(Q*d + M*d + M*e + Q*e)*b",
        "Z*Q*M*(2*d + 2*e + 6)",
        moved="Z*(Q*d + up(Q, o)*(M*d + M*e) + Q*e)*b",
    ),
    _work(
        "attention",
        "attention_sums",
        _ATTENTION,
        "Z*(Q*d + M*d + M*e + Q*e)*b + 2*Z*Q*a",
        "Z*Q*M*(2*d + 2*e + 6)",
        moved="Z*(Q*d + up(Q, o)*(M*d + M*e) + Q*e)*b + 2*Z*Q*a",
    ),
    _work(
        "attention",
        "attention_queries",
        _ATTENTION,
        "Z*(2*Q*d + Q*e + M*d + M*e)*b + 2*Z*Q*a",
        "Z*Q*M*(4*d + 2*e + 5)",
        moved="Z*(2*Q*d + Q*e + up(Q, o)*(2*M*d + M*e))*b + 2*Z*Q*a",
    ),
    _work(
        "attention",
        "attention_keys",
        _ATTENTION,
        "Z*(2*M*d + 2*M*e + Q*d + Q*e)*b + 2*Z*Q*a",
        "Z*Q*M*(4*d + 4*e + 5)",
        moved="Z*(2*M*d + 2*M*e + up(M, o)*(2*Q*d + 2*Q*e))*b + 2*Z*up(M, o)*Q*a",
    ),
)


def work_of(file: str, kernel: str) -> list[Work]:
    """Return the rows of *kernel* of *file*; there should be one.

    >>> from minima_cuda.roofline import work_of
    >>> [work] = work_of("softmax", "softmax_long")
    >>> work.least, work.moved
    ('2*N*L*b', '3*N*L*b')
    """
    return [work for work in TABLE if work.matches(file, kernel)]

"""Families of operators that are imported when one of their names is first asked for.

Importing minima reads the families that every program needs; the rest, most of the table, would
take longer than those together. So their names stand here: a new family needs a line, which
``tests/test_late.py`` compares with the family itself.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

__all__ = ["ENTERED", "EXPORTS", "Late", "exporter", "family", "load"]

V = TypeVar("V")

#: family -> what it exports (its ``__all__``)
EXPORTS: dict[str, str] = {
    "activation": """
        gelu gelu_gradient log_softmax logsumexp relu relu_gradient sigmoid softmax
        softmax_gradient
    """,
    "adaptive": """
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
        adaptive_max_pool2d adaptive_max_pool3d max_unpool1d max_unpool2d max_unpool3d
    """,
    "attention": "attention_gradient attention_weights scaled_dot_product_attention",
    "contraction": "einsum",
    "convolution": "conv2d_input_gradient conv2d_weight_gradient windows windows_gradient",
    "cumulative": """
        Extremes cummax cummin cumprod cumsum cumulative_argmax cumulative_prod cumulative_sum
        logcumsumexp
    """,
    "curves": "cumulative_trapezoid polyval trapezoid",
    "decompositions": "",
    "distance": "cosine_similarity normalize pairwise_distance",
    "dropouts": "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
    "error_functions": "erfc erfinv",
    "factorization": "eig_packed eigh_packed pinv qr_packed svd_packed",
    "fourier": "",
    "gamma": "digamma lgamma polygamma",
    "gates": "glu gumbel_softmax hardsigmoid hardswish mish silu softmin swiglu",
    "gathering": """
        argwhere count_nonzero gather index_add index_select index_update masked_fill
        masked_select nonzero put_along_axis scatter_add scatter_along_axis take take_along_axis
    """,
    "grids": """
        block_diag bucketize cartesian_prod combinations logspace tril_indices triu_indices vander
    """,
    "grouped": "group_norm instance_norm local_response_norm rms_norm",
    "lookup": "bag_largest bag_numbers embedding embedding_bag embedding_gradient",
    "loss": "cross_entropy cross_entropy_gradient",
    "matrices": "adjugate cholesky det inv slogdet_packed solve",
    "matrix_functions": "",
    "normalization": "batch_norm layer_norm layer_norm_affine_gradient layer_norm_gradient",
    "norms": "cdist norm",
    "numbers": """
        allclose deg2rad float_power fmax fmin fmod frac heaviside isclose isneginf isposinf
        isreal ldexp rad2deg sinc
    """,
    "padding": "pad",
    "pooling": "adaptive_avg_pool2d_gradient avg_pool2d_gradient first_largest max_pool2d_gradient",
    "products": "bilinear cross dot inner kron matrix_transpose outer tensordot trace vdot vecdot",
    "quantiles": "median nanmedian nanquantile quantile",
    "rearrangement": """
        diag diag_embed diagonal flip fliplr flipud moveaxis movedim narrow ravel repeat roll
        rot90 swapaxes tile unflatten unsqueeze
    """,
    "rectifiers": """
        celu elu hardtanh leaky_relu log_sigmoid prelu relu6 rrelu selu softplus threshold
    """,
    "recurrent": """
        gru gru_gradient lstm lstm_gradient lstm_projected lstm_projected_gradient rnn
        rnn_gradient
    """,
    "resizing": "channel_shuffle interpolate pixel_shuffle pixel_unshuffle",
    "rounding": "ceil copysign floor nextafter positive round signbit trunc",
    "sampling": "affine_grid grid_sample",
    "selection": """
        dsplit hsplit index_copy index_fill masked_scatter renorm repeat_interleave scatter_reduce
        select vsplit
    """,
    "sets": """
        UniqueAll UniqueCounts UniqueInverse UniqueInverseCounts isin unique unique_all
        unique_consecutive unique_counts unique_inverse unique_values
    """,
    "shrinkage": "hardshrink softshrink softsign tanhshrink",
    "sorting": "Picked argsort kthvalue searchsorted sort topk",
    "spatial": "conv1d conv2d conv3d fold unfold",
    "special": "exp2 log2 log10 logaddexp logaddexp2 logit nan_to_num reciprocal rsqrt xlogy",
    "statistics": "Histogram bincount diff histogram nanmax nanmean nanmin nansum prod ptp std",
    "summaries": "Range amax amin aminmax corrcoef cov histc mode",
    "transforms": "dft real_dft real_idft",
    "transposed": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "trigonometric": "acos acosh asin asinh atan atan2 atanh cosh hypot sinh tan",
    "window_largest": "max_pool1d max_pool2d max_pool3d",
    "window_means": "avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d",
}
#: family -> what it enters in a table beside that, under names that another module exports
ENTERED: dict[str, str] = {
    "convolution": "conv2d",
    "decompositions": """
        eigh eigvalsh eig eigvals qr slogdet svd svdvals matrix_rank lstsq solve_triangular
    """,
    "fourier": """
        fft ifft rfft irfft hfft ihfft fftn ifftn rfftn irfftn fft2 ifft2 rfft2 irfft2 fftshift
        ifftshift
    """,
    "matrix_functions": "matrix_power matrix_exp",
    "norms": "vector_norm matrix_norm cond",
    "pooling": "max_pool2d avg_pool2d adaptive_avg_pool2d",
    "products": "multi_dot",
}

_EXPORTER = {name: f for f, names in EXPORTS.items() for name in names.split()}
_ENTERER = {name: f for f, names in ENTERED.items() for name in names.split()}


def family(name: str) -> ModuleType:
    """Import the late family *name* of `minima.operators`."""
    return import_module(f"minima.operators.{name}")


def exporter(name: str) -> ModuleType | None:
    """Import the late family that exports *name*; None where there is none."""
    return family(_EXPORTER[name]) if name in _EXPORTER else None


def load(name: str) -> None:
    """Import the late families that enter *name* in a table, if there are such."""
    for homes in (_ENTERER, _EXPORTER):
        if name in homes:
            family(homes[name])


class Late(dict[str, V]):
    """A table that late families enter into: asking for one imports it, walking imports all.

    >>> from minima.operators import TABLE
    >>> TABLE["erfinv"], "erfinv" in TABLE, "softmay" in TABLE
    (<operator erfinv(x)>, True, False)
    """

    def __missing__(self, name: str) -> V:
        load(name)
        if super().__contains__(name):
            return super().__getitem__(name)
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the entry *name*, or *default*."""
        return super().get(name, default) if name in self else default

    def __contains__(self, name: object) -> bool:
        if not super().__contains__(name) and isinstance(name, str):
            load(name)
        return super().__contains__(name)

    def taken(self, name: str, module: str) -> bool:
        """Say whether an entry of *module* would be the second of its *name*."""
        if not module.startswith("minima.operators."):
            load(name)
        return super().__contains__(name)

    def _all(self) -> None:
        for name in EXPORTS:
            family(name)

    def __iter__(self) -> Iterator[str]:
        self._all()
        return super().__iter__()

    def __len__(self) -> int:
        self._all()
        return super().__len__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """Return the names, all families imported."""
        self._all()
        return super().keys()

    def values(self) -> ValuesView[V]:  # type: ignore[override]
        """Return the entries, all families imported."""
        self._all()
        return super().values()

    def items(self) -> ItemsView[str, V]:  # type: ignore[override]
        """Return names and entries, all families imported."""
        self._all()
        return super().items()

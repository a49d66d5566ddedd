"""Which operators autocast runs in a narrow type, and which in float32: PyTorch's lists."""

from __future__ import annotations

__all__ = ["FLOAT32", "LISTS", "LOWER"]

#: products, which a narrow type makes quick and which add up in a wide one
LOWER = frozenset(
    """
    matmul linear project bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d
    conv_transpose3d conv2d_input_gradient scaled_dot_product_attention lstm lstm_projected gru rnn
    prelu einsum tensordot vecdot inner dot
    """.split()
)

#: what a narrow type would overflow or lose digits in
FLOAT32 = frozenset(
    """
    power power_scalar reciprocal rsqrt exp expm1 log log1p log2 log10 acos asin cosh sinh tan
    erfinv sum prod cumulative_sum cumulative_prod cumsum cumprod logcumsumexp softmax log_softmax
    softmin logsumexp softplus layer_norm rms_norm group_norm norm vector_norm normalize cdist
    cosine_similarity cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits
    mse_loss l1_loss smooth_l1_loss huber_loss kl_div poisson_nll_loss gaussian_nll_loss
    cosine_embedding_loss margin_ranking_loss triplet_margin_loss hinge_embedding_loss
    multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss soft_margin_loss ctc_loss
    sigmoid_focal_loss
    """.split()
)

#: operator or function -> what autocast does with its inputs
LISTS = {**dict.fromkeys(LOWER, "lower"), **dict.fromkeys(FLOAT32, "float32")}

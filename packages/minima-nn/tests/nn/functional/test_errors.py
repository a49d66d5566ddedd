"""Calls of functions, losses and activations that are wrong: each says whose argument, and what."""

import pytest

import minima as mi
import minima.nn.functional as F
from minima import nn

X, Y, WHOLE = mi.ones((2, 3)), mi.ones((2, 4)), mi.ones((2, 3), dtype="int64")
CLASSES = mi.Tensor([0, 1])
SHARES = mi.full((2, 3), 0.5)
LOGS = mi.log_softmax(mi.zeros((4, 2, 3)))

#: losses of two tensors of one shape -> what else they are called with
ELEMENTWISE = (
    F.mse_loss,
    F.l1_loss,
    F.smooth_l1_loss,
    F.huber_loss,
    F.poisson_nll_loss,
    F.binary_cross_entropy,
    F.binary_cross_entropy_with_logits,
    F.kl_div,
    F.soft_margin_loss,
    F.multilabel_soft_margin_loss,
    F.hinge_embedding_loss,
    F.multilabel_margin_loss,
)


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.__name__)
def test_losses_of_two_tensors(function):
    """Fault: a broadcast that trains on the wrong pairs, a loss of integers."""
    name = function.__name__
    with pytest.raises(mi.ShapeError, match=rf"^{name}: input has shape \(2, 3\), target \(2, 4\)"):
        function(X, Y)
    with pytest.raises(mi.ShapeError, match=rf"^{name}: input has shape \(2, 3\), target \(3,\)"):
        function(X, mi.ones(3))
    with pytest.raises(mi.DTypeError, match=rf"^{name}: input has dtype int64"):
        function(WHOLE, X)
    with pytest.raises(mi.DTypeError, match=rf"^{name}: target is a list"):
        function(X, [1.0])
    with pytest.raises(mi.ArgumentError, match=rf"^{name}: reduction is 'avg'; expected one of"):
        function(X, X, reduction="avg")


LAYERS_OF_TWO = (
    nn.MSELoss,
    nn.L1Loss,
    nn.SmoothL1Loss,
    nn.HuberLoss,
    nn.PoissonNLLLoss,
    nn.BCELoss,
    nn.BCEWithLogitsLoss,
    nn.FocalLoss,
    nn.KLDivLoss,
    nn.SoftMarginLoss,
    nn.MultiLabelSoftMarginLoss,
    nn.MultiLabelMarginLoss,
    nn.HingeEmbeddingLoss,
)


@pytest.mark.parametrize("kind", LAYERS_OF_TWO, ids=lambda kind: kind.__name__)
def test_layers_of_two_tensors(kind):
    """Fault: an error that names a function the user did not call."""
    name = kind.__name__
    with pytest.raises(
        mi.ShapeError, match=rf"^{name}: inputs? has shape \(2, 3\), targets? \(2, 4"
    ):
        kind()(X, Y)
    with pytest.raises(mi.DTypeError, match=rf"^{name}: inputs? has dtype int64"):
        kind()(WHOLE, X)
    with pytest.raises(mi.ArgumentError, match=rf"^{name}: reduction is 'avg'"):
        kind(reduction="avg")


ACTIVATIONS = [
    getattr(nn, name)
    for name in (
        "ReLU6 LeakyReLU PReLU RReLU ELU SELU CELU SiLU Mish Softplus LogSigmoid Hardshrink "
        "Softshrink Tanhshrink Softsign Hardtanh Hardsigmoid Hardswish Softmin LogSoftmax GLU "
        "SwiGLU Softmax2d"
    ).split()
]


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_activations_of_integers(kind):
    """Fault: integers that become floats without a word, or an error of NumPy."""
    with pytest.raises(mi.DTypeError, match=rf"^{kind.__name__}: input has dtype int64"):
        kind()(WHOLE)
    with pytest.raises(mi.DTypeError, match=rf"^{kind.__name__}: input is a list"):
        kind()([1.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.nll_loss(X, mi.Tensor([0, 3])), "nll_loss: got class 3; expected 0 to 2"),
        (lambda: F.nll_loss(X, mi.Tensor([0, -1])), "nll_loss: got class -1"),
        (lambda: F.nll_loss(X, mi.Tensor([0])), r"nll_loss: input has shape .* target \(1,\)"),
        (lambda: F.nll_loss(X, mi.ones(2)), "nll_loss: target has dtype float32"),
        (lambda: F.nll_loss(X, CLASSES, mi.ones(2)), r"nll_loss: weight has shape \(2,\)"),
        (lambda: F.nll_loss(mi.ones(()), mi.Tensor(0)), r"nll_loss: input has shape \(\)"),
        (lambda: nn.NLLLoss(mi.ones((2, 2))), "NLLLoss: weight has shape"),
        (lambda: nn.NLLLoss(mi.Tensor([1, 2])), "NLLLoss: weight has dtype int64"),
        (lambda: nn.NLLLoss(ignore_index=1.5), "NLLLoss: ignore_index is 1.5"),
        (lambda: nn.NLLLoss()(X, mi.Tensor([0, 3])), "NLLLoss: got class 3"),
        (lambda: F.cross_entropy(X, CLASSES, mi.ones(2)), "cross_entropy: weight has shape"),
        (
            lambda: F.cross_entropy(X, mi.Tensor([0, 7]), mi.ones(3)),
            "cross_entropy: got class 7; expected 0 to 2",
        ),
        (lambda: F.binary_cross_entropy(SHARES, SHARES, mi.ones(2)), "entropy: weight has shape"),
        (
            lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=mi.ones(2)),
            "binary_cross_entropy_with_logits: pos_weight has shape",
        ),
        (lambda: nn.BCEWithLogitsLoss(pos_weight=mi.ones(2))(X, X), "BCEWithLogitsLoss: pos_weig"),
        (lambda: F.mse_loss(X * 1j, X * 1j), "mse_loss: got complex64.*expected real numbers"),
        (lambda: nn.MSELoss()(X * 1j, X * 1j), "MSELoss: got complex64"),
        (lambda: F.huber_loss(X * 1j, X), "huber_loss: got complex64"),
        (lambda: F.smooth_l1_loss(X, X * 1j), "smooth_l1_loss: got complex64"),
        (lambda: F.kl_div(X * 1j, X), "kl_div: got complex64"),
        (lambda: F.binary_cross_entropy(X * 1j, X), "binary_cross_entropy: got complex64"),
        (lambda: F.hinge_embedding_loss(X * 1j, X), "hinge_embedding_loss: got complex64"),
        (lambda: F.margin_ranking_loss(X * 1j, X, X), "margin_ranking_loss: got complex64"),
        (lambda: F.smooth_l1_loss(X, X, beta=-1.0), "smooth_l1_loss: beta is -1.0"),
        (lambda: nn.SmoothL1Loss(beta=-1.0), "SmoothL1Loss: beta is -1.0"),
        (lambda: F.huber_loss(X, X, delta=0.0), "huber_loss: delta is 0.0"),
        (lambda: nn.HuberLoss(delta=0.0), "HuberLoss: delta is 0.0"),
        (lambda: F.gaussian_nll_loss(X, X, Y), r"gaussian_nll_loss: .*var \(2, 4\)"),
        (lambda: F.gaussian_nll_loss(X, X, -X), "gaussian_nll_loss: var has a negative"),
        (lambda: F.gaussian_nll_loss(X, X, X, eps=0.0), "gaussian_nll_loss: eps is 0.0"),
        (lambda: nn.GaussianNLLLoss(eps=-1.0), "GaussianNLLLoss: eps is -1.0"),
        (lambda: nn.GaussianNLLLoss()(X, X, "1"), "GaussianNLLLoss: var is '1'"),
        (lambda: F.sigmoid_focal_loss(X, Y), "sigmoid_focal_loss: inputs has shape"),
        (lambda: F.sigmoid_focal_loss(X, X, 2.0), "sigmoid_focal_loss: alpha is 2.0"),
        (lambda: nn.FocalLoss(gamma=-1.0), "FocalLoss: gamma is -1.0"),
        (lambda: nn.KLDivLoss(reduction="batch"), "KLDivLoss: reduction is 'batch'"),
        (lambda: F.margin_ranking_loss(X, Y, X), "margin_ranking_loss: input1 .* input2"),
        (lambda: F.margin_ranking_loss(X, X, Y), "margin_ranking_loss: input1 .* target"),
        (lambda: F.cosine_embedding_loss(X, Y, CLASSES), "cosine_embedding_loss: input1"),
        (lambda: F.cosine_embedding_loss(X, X, X), r"cosine_embedding_loss: .* target \(2, 3\)"),
        (lambda: F.triplet_margin_loss(X, X, Y), "triplet_margin_loss: anchor .* negative"),
        (lambda: F.triplet_margin_loss(X, X, X, -1.0), "triplet_margin_loss: margin is -1.0"),
        (lambda: nn.TripletMarginLoss(p=-1.0), "TripletMarginLoss: p is -1.0"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=0.0), "DistanceLoss: margin is 0.0"),
        (lambda: F.multi_margin_loss(X, CLASSES, 3), "multi_margin_loss: p is 3; expected 1 or 2"),
        (lambda: F.multi_margin_loss(X, mi.Tensor([0, 9])), "multi_margin_loss: got class 9"),
        (lambda: F.multi_margin_loss(mi.ones((2, 3, 1)), mi.zeros((2, 1), dtype="int64")), "N, C"),
        (lambda: nn.MultiMarginLoss(0), "MultiMarginLoss: p is 0"),
        (lambda: F.multilabel_margin_loss(X, X), "multilabel_margin_loss: target has dtype"),
        (lambda: F.multilabel_margin_loss(X, WHOLE * 5), "multilabel_margin_loss: got class 5"),
        (lambda: F.ctc_loss(X[0], CLASSES, 1, 1), r"ctc_loss: log_probs has shape \(3,\)"),
        (lambda: F.ctc_loss(LOGS, WHOLE, [4], [1]), r"ctc_loss: input_lengths has shape \(1,\)"),
        (lambda: F.ctc_loss(LOGS, WHOLE, [4, 5], [1, 1]), "ctc_loss: input_lengths are"),
        (lambda: F.ctc_loss(LOGS, WHOLE, [4, 4], [1, -1]), "ctc_loss: target_lengths are"),
        (lambda: F.ctc_loss(LOGS, WHOLE, [4, 4], [1, 4]), "ctc_loss: targets has shape"),
        (lambda: F.ctc_loss(LOGS, CLASSES, [4, 4], [1, 2]), "ctc_loss: targets has shape"),
        (lambda: F.ctc_loss(LOGS, WHOLE * 3, [4, 4], [1, 2]), "ctc_loss: target 3 is no class"),
        (lambda: F.ctc_loss(LOGS, X, [4, 4], [1, 2]), "ctc_loss: targets have dtype float32"),
        (lambda: F.ctc_loss(LOGS, WHOLE, [4.0, 4.0], [1, 2]), "ctc_loss: input_lengths has dtype"),
        (lambda: F.ctc_loss(LOGS, WHOLE, [4, 4], [1, 2], 3), "ctc_loss: blank is 3"),
        (lambda: nn.CTCLoss(-1), "CTCLoss: blank is -1"),
        (lambda: nn.CTCLoss()(X[0], CLASSES, 1, 1), "CTCLoss: log_probs has shape"),
        (lambda: nn.LeakyReLU("1"), "LeakyReLU: negative_slope is '1'"),
        (lambda: nn.CELU(0.0), "CELU: alpha is 0"),
        (lambda: nn.Softplus(0.0), "Softplus: beta is 0"),
        (lambda: nn.Hardtanh(1.0, 1.0), "Hardtanh: min_val is 1.0, max_val 1.0"),
        (lambda: nn.Softshrink(-1.0), "Softshrink: lambd is -1.0"),
        (lambda: nn.RReLU(0.5, 0.25), "RReLU: lower is 0.5, upper 0.25"),
        (lambda: nn.RReLU(generator=1), "RReLU: generator is 1"),
        (lambda: nn.PReLU(0), "PReLU: num_parameters is 0"),
        (lambda: nn.PReLU(4)(X), r"PReLU: got weight \(4,\) for x \(2, 3\)"),
        (lambda: nn.GLU()(X), r"GLU: got x \(2, 3\), of size 3 along axis 1; expected an even"),
        (lambda: nn.SwiGLU(2)(X), "SwiGLU: input has shape .* no axis dim=2"),
        (lambda: nn.GLU("0"), "GLU: dim is '0'"),
        (lambda: nn.LogSoftmax()(mi.ones(3)), r"LogSoftmax: .* no axis dim=1"),
        (lambda: nn.Softmax2d()(X), r"Softmax2d: input has shape \(2, 3\)"),
        (lambda: F.layer_norm(X, (4,)), r"layer_norm: .* normalized_shape is \(4,\)"),
        (lambda: F.layer_norm(X, ()), "layer_norm: input has shape"),
        (lambda: F.rms_norm(X, (2,)), "rms_norm: input has shape"),
        (lambda: F.batch_norm(X, None, None), "batch_norm: running_mean or running_var is None"),
        (lambda: F.batch_norm(X[:1], None, None, training=True), "one value per channel"),
        (lambda: F.batch_norm(X, None, None, X[0, :2], None, True), "weight or bias has shape"),
        (lambda: F.group_norm(X, 2), r"group_norm: got x \(2, 3\) and num_groups 2"),
        (lambda: F.instance_norm(X), r"instance_norm: input has shape \(2, 3\)"),
        (lambda: F.instance_norm(mi.ones((2, 3, 1))), "instance_norm: .* one value per channel"),
        (lambda: F.local_response_norm(X, 2), r"local_response_norm: got x \(2, 3\)"),
        (lambda: F.bilinear(X, Y, mi.ones((2, 3, 3))), r"bilinear: .* weight \(2, 3, 3\)"),
        (lambda: F.bilinear(X, X, mi.ones((2, 3, 3)), X[0]), r"bilinear: bias has shape \(3,\)"),
        (lambda: F.one_hot(X), "one_hot: tensor has dtype float32"),
        (lambda: F.one_hot(mi.zeros(0, dtype="int64")), "one_hot: tensor is empty"),
        (lambda: F.embedding_bag(CLASSES, X), "embedding_bag: input has shape"),
        (lambda: F.pad(X, (1,)), r"pad: input has shape \(2, 3\), pad is \(1,\)"),
        (lambda: F.pad(X, (1, 1), "reflect", 2.0), "pad: got value 2.0 in the mode 'reflect'"),
        (lambda: F.scaled_dot_product_attention(X, X, X, dropout_p=2.0), "dropout_p is 2.0"),
        (lambda: F.scaled_dot_product_attention(X, X, X, enable_gqa=True), "heads, on axis -3"),
        (lambda: F.dropout(X, 1.5), "dropout: got p 1.5; expected a probability"),
        (lambda: F.dropout1d(mi.ones(3)), r"dropout1d: got x \(3,\); expected"),
        (lambda: F.dropout2d(X), "dropout2d: got x"),
        (lambda: F.dropout3d(X), "dropout3d: got x"),
        (lambda: F.alpha_dropout(X, -0.5, True), "alpha_dropout: got p -0.5"),
        (lambda: F.feature_alpha_dropout(mi.ones(3)), "feature_alpha_dropout: got x"),
        (lambda: F.hardtanh(X, 1.0, 0.0), "hardtanh: got min_val 1.0, max_val 0.0"),
        (lambda: F.softplus(X, 0.0), "softplus: got beta 0"),
        (lambda: F.celu(X, 0.0), "celu: got alpha 0"),
        (lambda: F.rrelu(X, 0.5, 0.25), "rrelu: got lower 0.5"),
        (lambda: F.softshrink(X, -1.0), "softshrink: got lambd -1.0"),
        (lambda: F.gumbel_softmax(X, 0.0), "gumbel_softmax: got tau 0.0"),
        (lambda: F.softmax(X, dim=2), "softmax: "),
        (lambda: F.prelu(X, mi.ones(2)), r"prelu: got weight \(2,\) for x \(2, 3\)"),
    ],
)
def test_one_call(call, message):
    """Fault: NumPy's error, or none."""
    with pytest.raises(mi.MinimaError, match=message):
        call()


def test_sizes_of_one_axis():
    """Catches a size that functions refuse as a number, where the layers take one."""
    for function in (F.layer_norm, F.rms_norm):
        assert function(X, 3).tolist() == function(X, (3,)).tolist()

"""`minima.nn.functional` against PyTorch's functions: values, gradients, and those of gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import minima as mi
import minima.nn.functional as F

RNG = np.random.default_rng(0)
REDUCTIONS = ("mean", "sum", "none")


def real(*shape):
    return RNG.normal(size=shape)


def wide(*shape):
    return RNG.uniform(-8.0, 8.0, size=shape)


def share(*shape):
    return RNG.uniform(0.05, 0.95, size=shape)


def shares(*shape):
    e = np.exp(RNG.normal(size=shape))
    return e / e.sum(axis=1, keepdims=True)


def sign(*shape):
    return RNG.choice([-1.0, 1.0], size=shape)


def classes(n, *shape):
    return RNG.integers(0, n, size=shape)


def fixed(array):
    """Mark an input that gets no gradient."""
    return np.asarray(array).view(Fixed)


class Fixed(np.ndarray):
    """An array without a gradient."""


def given(values, dtype, ours):
    """Return the inputs as tensors of one of the two, and those that get gradients."""
    found, leaves = [], []
    for v in values:
        if isinstance(v, np.ndarray):
            array = np.asarray(v)
            array = array.astype(dtype) if array.dtype.kind == "f" else array
            leaf = array.dtype.kind == "f" and not isinstance(v, Fixed)
            v = mi.Tensor(array) if ours else torch.from_numpy(array.copy())
            if leaf:
                leaves.append(v.requires_grad_())
        found.append(v)
    return found, leaves


def both(parity, name, values, options, dtype, smooth=True, theirs=None, rel=None):
    rel = rel or (1e-5 if dtype == "float32" else 1e-10)
    a, mine = given(values, dtype, True)
    b, other = given(values, dtype, False)
    tensors = {k: v for k, v in options.items() if isinstance(v, np.ndarray)}
    rest = {k: v for k, v in options.items() if k not in tensors}
    x, _ = given(tensors.values(), dtype, True)
    z, _ = given(tensors.values(), dtype, False)
    x = [t.detach() for t in x]
    z = [t.detach() for t in z]
    y = getattr(F, name)(*a, **dict(zip(tensors, x, strict=True)), **rest)
    w = (theirs or getattr(TF, name))(*b, **dict(zip(tensors, z, strict=True)), **rest)
    parity.agree(y, w, rel)
    g = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    first = mi.autograd.grad((y * mi.Tensor(g)).sum(), mine, create_graph=True)
    second = torch.autograd.grad((w * torch.tensor(g)).sum(), other, create_graph=True)
    for p, q in zip(first, second, strict=True):
        parity.agree(p, q, 2 * rel)
    if not smooth or dtype == "float32":
        return
    total = sum((p * p * p).sum() for p in first)
    other_total = sum((q * q * q).sum() for q in second)
    if not total.requires_grad or not other_total.requires_grad:
        return
    ours = mi.autograd.grad(total, mine, allow_unused=True)
    others = torch.autograd.grad(other_total, other, allow_unused=True)
    for p, q, t in zip(ours, others, other, strict=True):
        p = mi.zeros(tuple(t.shape), dtype=dtype) if p is None else p
        q = torch.zeros_like(t) if q is None or q._is_zerotensor() else q
        if max(abs(p.numpy()).max(), abs(q.numpy()).max()) > 1e-12:  # more than rounding
            parity.agree(p, q, 1e-9)


W4, W34 = RNG.uniform(0.5, 2.0, 4), RNG.uniform(0.5, 2.0, (3, 4))

#: name, inputs, options
LOSSES = [
    ("mse_loss", [real(3, 4), real(3, 4)], {}),
    ("mse_loss", [real(3, 4), real(3, 4)], {"weight": fixed(W34)}),
    ("l1_loss", [real(3, 4), real(3, 4)], {}),
    ("l1_loss", [real(3, 4), real(3, 4)], {"weight": fixed(W34)}),
    ("smooth_l1_loss", [real(3, 4) * 2, real(3, 4)], {}),
    ("smooth_l1_loss", [real(3, 4) * 2, real(3, 4)], {"beta": 0.5}),
    ("smooth_l1_loss", [real(3, 4) * 2, real(3, 4)], {"beta": 0.0}),
    ("huber_loss", [real(3, 4) * 2, real(3, 4)], {}),
    ("huber_loss", [real(3, 4) * 2, real(3, 4)], {"delta": 0.5}),
    ("huber_loss", [real(3, 4) * 2, real(3, 4)], {"delta": 2.0, "weight": fixed(W34)}),
    ("poisson_nll_loss", [real(3, 4), share(3, 4) * 4], {}),
    ("poisson_nll_loss", [real(3, 4), share(3, 4) * 4], {"full": True}),
    ("poisson_nll_loss", [share(3, 4), share(3, 4) * 4], {"log_input": False, "eps": 1e-3}),
    ("gaussian_nll_loss", [real(3, 4), real(3, 4), share(3, 4)], {}),
    ("gaussian_nll_loss", [real(3, 4), real(3, 4), share(3, 1)], {"full": True}),
    ("gaussian_nll_loss", [real(3, 4), real(3, 4), share(3)], {"eps": 0.5}),
    ("gaussian_nll_loss", [real(3, 4), real(3, 4), 0.5], {}),
    ("binary_cross_entropy", [share(3, 4), share(3, 4)], {}),
    ("binary_cross_entropy", [share(3, 4), share(3, 4)], {"weight": fixed(W4)}),
    ("binary_cross_entropy_with_logits", [wide(3, 4), share(3, 4)], {}),
    (
        "binary_cross_entropy_with_logits",
        [wide(3, 4), share(3, 4)],
        {"weight": fixed(W34), "pos_weight": fixed(W4)},
    ),
    ("kl_div", [real(3, 4), share(3, 4)], {}),
    ("kl_div", [real(3, 4), real(3, 4)], {"log_target": True}),
    ("soft_margin_loss", [real(3, 4), fixed(sign(3, 4))], {}),
    ("multilabel_soft_margin_loss", [real(3, 4), fixed(share(3, 4).round())], {}),
    (
        "multilabel_soft_margin_loss",
        [real(3, 4), fixed(share(3, 4).round())],
        {"weight": fixed(W4)},
    ),
    ("nll_loss", [real(6, 4), classes(4, 6)], {}),
    ("nll_loss", [real(4), classes(4)], {}),
    ("nll_loss", [real(6, 4, 2, 3), classes(4, 6, 2, 3)], {"weight": fixed(W4)}),
    ("nll_loss", [real(6, 4), classes(4, 6)], {"weight": fixed(W4), "ignore_index": 1}),
    ("cross_entropy", [real(6, 4), np.array([0, 1, -100, 3, 2, 2])], {}),
    ("cross_entropy", [real(6, 4), classes(4, 6)], {"weight": fixed(W4), "ignore_index": 1}),
    ("cross_entropy", [real(6, 4, 2), classes(4, 6, 2)], {"label_smoothing": 0.1}),
    (
        "cross_entropy",
        [real(6, 4, 2), classes(4, 6, 2)],
        {"label_smoothing": 0.1, "weight": fixed(W4), "ignore_index": 2},
    ),
    ("cross_entropy", [real(6, 4), shares(6, 4)], {"label_smoothing": 0.1, "weight": fixed(W4)}),
    ("hinge_embedding_loss", [real(3, 4) * 2, fixed(sign(3, 4))], {}),
    ("hinge_embedding_loss", [real(3, 4) * 2, fixed(sign(3, 4))], {"margin": 0.5}),
    ("margin_ranking_loss", [real(5), real(5), fixed(sign(5))], {}),
    ("margin_ranking_loss", [real(5), real(5), fixed(sign(5))], {"margin": 0.5}),
    ("cosine_embedding_loss", [real(6, 4), real(6, 4), fixed(sign(6))], {}),
    ("cosine_embedding_loss", [real(6, 4), real(6, 4), fixed(sign(6))], {"margin": -0.5}),
    ("cosine_embedding_loss", [real(4), real(4), fixed(sign())], {}),
    ("triplet_margin_loss", [real(5, 4), real(5, 4), real(5, 4)], {}),
    ("triplet_margin_loss", [real(5, 4), real(5, 4), real(5, 4)], {"p": 3.0, "margin": 2.0}),
    ("triplet_margin_loss", [real(5, 4), real(5, 4), real(5, 4)], {"swap": True, "eps": 1e-3}),
    ("triplet_margin_loss", [real(4), real(4), real(4)], {"p": 1.0}),
    ("triplet_margin_with_distance_loss", [real(5, 4), real(5, 4), real(5, 4)], {"swap": True}),
    ("multi_margin_loss", [real(6, 4), classes(4, 6)], {}),
    ("multi_margin_loss", [real(6, 4), classes(4, 6)], {"p": 2, "margin": 0.5}),
    ("multi_margin_loss", [real(6, 4), classes(4, 6)], {"weight": fixed(W4)}),
    ("multi_margin_loss", [real(4), classes(4)], {}),
    ("multilabel_margin_loss", [real(2, 4), np.array([[3, 0, -1, 1], [-1, 0, 0, 0]])], {}),
    ("multilabel_margin_loss", [real(2, 3), np.array([[1, 1, -1], [2, 1, 0]])], {}),
    ("multilabel_margin_loss", [real(4), np.array([3, 0, -1, 1])], {}),
]
# PyTorch's sixth is one of float32
SIXTH = {"hardsigmoid": 1e-5}
# PyTorch has no second derivatives of these
FIRST_ORDER = {"multilabel_margin_loss", "multi_margin_loss", "hardsigmoid"}


def label(row):
    options = ",".join(
        f"{k}={'...' if isinstance(v, np.ndarray) else v}" for k, v in row[2].items()
    )
    shapes = "x".join(str(v.shape) for v in row[1] if isinstance(v, np.ndarray))
    return f"{row[0]}-{shapes}-{options}".replace(" ", "")


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("row", LOSSES, ids=label)
def test_losses(parity, row, reduction, dtype):
    """Fault: another formula, another mean, another gradient."""
    name, values, options = row
    both(parity, name, values, {**options, "reduction": reduction}, dtype, name not in FIRST_ORDER)


@pytest.mark.parametrize("log_target", [False, True])
def test_the_divergence_over_a_batch(parity, log_target):
    """Fault: a mean over all elements."""
    options = {"reduction": "batchmean", "log_target": log_target}
    both(parity, "kl_div", [real(3, 4), share(3, 4)], options, "float64")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("binary_cross_entropy", ([0.0, 1.0, 0.0, 1.0, 1e-14], [0.0, 1.0, 1.0, 0.0, 0.5])),
        ("smooth_l1_loss", ([0.0, 1.0, -1.0], [0.0, 0.0, 0.0])),
        ("huber_loss", ([0.0, 1.0, -1.0], [0.0, 0.0, 0.0])),
        ("l1_loss", ([0.0, 1.0], [0.0, 1.0])),
        ("hinge_embedding_loss", ([1.0, 2.0, 1.0], [-1.0, -1.0, 1.0])),
        ("margin_ranking_loss", ([1.0, 2.0], [1.0, 2.0], [1.0, -1.0])),
        ("soft_margin_loss", ([50.0, -50.0, 0.0], [-1.0, -1.0, 1.0])),
        ("binary_cross_entropy_with_logits", ([1e4, -1e4, 0.0], [1.0, 1.0, 0.0])),
        ("gaussian_nll_loss", ([1.0, 2.0], [1.0, 1.0], [1e-7, 0.0])),
    ],
)
def test_kinks_of_losses(parity, name, values):
    """Fault: another slope where there are two, or overflow."""
    x, *rest = (np.array(v) for v in values)
    rest = [r if name == "gaussian_nll_loss" and i else fixed(r) for i, r in enumerate(rest)]
    # PyTorch's 1e-12 is one of float32
    rel = 1e-8 if name == "binary_cross_entropy" else None
    both(parity, name, [x, *rest], {"reduction": "none"}, "float64", False, rel=rel)


# ---- CTC -----------------------------------------------------------------------------------------
def spelled(log_softmax, function, blank, **options):
    """Return the loss of logits; PyTorch's gradient holds where shares add up to 1."""

    def loss(x, *rest):
        return function(log_softmax(x), *rest, blank, **options)

    return loss


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("blank", [0, 3])
@pytest.mark.parametrize(
    ("targets", "shown", "lengths"),
    [
        ([[1, 2, 1, 4], [2, 2, 4, 4], [1, 4, 2, 2]], [8, 7, 5], [4, 2, 3]),
        ([1, 2, 1, 4, 2, 2, 1], [8, 7, 5], [4, 2, 1]),
        ([[1, 2], [2, 2], [1, 4]], [8, 8, 3], [0, 2, 1]),
        ([[1, 2], [2, 2], [1, 4]], [8, 2, 1], [2, 2, 2]),
    ],
    ids=["padded", "joined", "empty", "impossible"],
)
def test_ctc(parity, targets, shown, lengths, blank, reduction, dtype):
    """Fault: a path too many or too few, another mean, a gradient of NaN."""
    x = np.random.default_rng(3).normal(size=(8, 3, 5)).astype(dtype)
    options = {"reduction": reduction, "zero_infinity": True}
    a = mi.Tensor(x, requires_grad=True)
    b = torch.tensor(x, requires_grad=True)
    given = [np.array(v) for v in (targets, shown, lengths)]
    ours = spelled(lambda t: mi.log_softmax(t, -1), F.ctc_loss, blank, **options)
    theirs = spelled(lambda t: t.log_softmax(-1), TF.ctc_loss, blank, **options)
    y = ours(a, *(mi.Tensor(v) for v in given))
    z = theirs(b, *(torch.tensor(v) for v in given))
    rel = 2e-5 if dtype == "float32" else 1e-10
    parity.agree(y, z, rel)
    y.sum().backward()
    z.sum().backward()
    parity.agree(a.grad, b.grad, rel)


def test_ctc_of_one_sequence_and_of_an_impossible_one(parity):
    """Fault: an axis for the batch that is not there; a finite loss for what cannot be."""
    x = real(6, 5)
    logs = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    for reduction in REDUCTIONS:
        y = F.ctc_loss(
            mi.Tensor(logs), mi.Tensor([1, 2, 2]), mi.Tensor(6), mi.Tensor(3), reduction=reduction
        )
        z = TF.ctc_loss(
            torch.tensor(logs),
            torch.tensor([1, 2, 2]),
            torch.tensor(6),
            torch.tensor(3),
            reduction=reduction,
        )
        parity.agree(y, z, 1e-10)
    assert F.ctc_loss(mi.Tensor(logs), mi.Tensor([1, 1]), [2], [2]).item() == np.inf


# ---- activations ---------------------------------------------------------------------------------
ACTIVATIONS = [
    ("relu", {}),
    ("relu6", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("rrelu", {}),
    ("rrelu", {"lower": 0.2, "upper": 0.4}),
    ("elu", {}),
    ("elu", {"alpha": 2.0}),
    ("selu", {}),
    ("celu", {}),
    ("celu", {"alpha": 2.0}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 3.0}),
    ("softsign", {}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 1.0}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": 1.0}),
    ("tanhshrink", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("threshold", {"threshold": 1.0, "value": -3.0}),
    ("logsigmoid", {}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("glu", {}),
    ("glu", {"dim": 1}),
    ("softmax", {"dim": 1}),
    ("log_softmax", {"dim": 0}),
    ("softmin", {"dim": -1}),
    ("normalize", {}),
    ("normalize", {"p": 3.0, "dim": 0}),
    ("normalize", {"p": 1.0, "eps": 50.0}),
    ("normalize", {"p": float("inf"), "dim": -1}),
    ("local_response_norm", {"size": 3}),
    ("local_response_norm", {"size": 2, "alpha": 0.5, "beta": 0.5, "k": 2.0}),
    ("layer_norm", {"normalized_shape": (4, 6)}),
    ("rms_norm", {"normalized_shape": (6,)}),
    ("rms_norm", {"normalized_shape": (4, 6), "eps": 0.1}),
    ("instance_norm", {}),
    ("group_norm", {"num_groups": 2, "eps": 0.1}),
    ("alpha_dropout", {}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", ACTIVATIONS, ids=str)
def test_activations(parity, row, dtype):
    """Fault: another formula, slope or axis."""
    name, options = row
    x = np.random.default_rng(5).uniform(-8, 8, (3, 4, 6))
    both(parity, name, [x], options, dtype, name not in FIRST_ORDER, rel=SIXTH.get(name))


KINKS = [-20.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 20.0, 100.0, -100.0]


@pytest.mark.parametrize("row", [r for r in ACTIVATIONS if "dim" not in str(r)][:30], ids=str)
def test_kinks_of_activations(parity, row):
    """Fault: another slope where there are two, or overflow."""
    name, options = row
    both(parity, name, [np.array(KINKS)], options, "float64", False, rel=SIXTH.get(name))


#: name, inputs, options
OTHERS = [
    ("prelu", [wide(3, 4, 2), real(4)], {}),
    ("prelu", [wide(3, 4, 2), real(1)], {}),
    ("linear", [real(3, 4), real(2, 4), real(2)], {}),
    ("bilinear", [real(3, 2, 4), real(3, 2, 5), real(6, 4, 5), real(6)], {}),
    ("bilinear", [real(4), real(5), real(6, 4, 5)], {}),
    ("cosine_similarity", [real(3, 4), real(3, 4)], {}),
    ("cosine_similarity", [real(3, 4), real(1, 4)], {"dim": 0, "eps": 2.0}),
    ("pairwise_distance", [real(3, 4), real(3, 4)], {}),
    ("pairwise_distance", [real(3, 4), real(4)], {"p": 3.0, "eps": 0.1, "keepdim": True}),
    ("layer_norm", [real(3, 4), (4,), real(4), real(4)], {"eps": 0.1}),
    ("rms_norm", [real(3, 4), (4,), real(4)], {}),
    ("group_norm", [real(3, 4, 2), 2, real(4), real(4)], {}),
    ("group_norm", [real(3, 4), 2], {"eps": 0.1}),
    ("instance_norm", [real(3, 4, 5)], {"weight": fixed(W4), "bias": fixed(W4)}),
    ("batch_norm", [real(3, 4, 5), fixed(real(4)), fixed(share(4)), real(4), real(4)], {}),
    ("batch_norm", [real(3, 4), None, None, real(4), real(4)], {"training": True, "eps": 0.1}),
    ("scaled_dot_product_attention", [real(2, 3, 5, 4), real(2, 3, 6, 4), real(2, 3, 6, 7)], {}),
    (
        "scaled_dot_product_attention",
        [real(2, 3, 5, 4), real(2, 3, 6, 4), real(2, 3, 6, 7)],
        {"attn_mask": RNG.random((2, 1, 5, 6)) < 0.7, "scale": 0.3},
    ),
    (
        "scaled_dot_product_attention",
        [real(2, 3, 5, 4), real(2, 3, 6, 4), real(2, 3, 6, 7)],
        {"attn_mask": fixed(real(5, 6))},
    ),
    (
        "scaled_dot_product_attention",
        [real(2, 4, 5, 4), real(2, 2, 5, 4), real(2, 2, 5, 3)],
        {"is_causal": True, "enable_gqa": True},
    ),
]

#: one call each of what is `minima`'s own, whose rows say the rest
SPATIAL = [
    ("conv1d", [real(2, 4, 7), real(6, 2, 3), real(6), 2, 1, 1, 2], {}),
    ("conv2d", [real(2, 2, 5, 5), real(3, 2, 3, 2)], {"padding": "same", "dilation": 2}),
    ("conv3d", [real(1, 2, 4, 3, 3), real(2, 2, 2, 2, 2)], {"stride": (2, 1, 1)}),
    ("conv_transpose1d", [real(2, 2, 4), real(2, 3, 3), real(3), 2, 1, 1], {}),
    ("conv_transpose2d", [real(2, 4, 3, 3), real(4, 2, 2, 3)], {"groups": 2, "stride": 2}),
    ("conv_transpose3d", [real(1, 2, 2, 3, 2), real(2, 1, 2, 2, 2)], {}),
    ("unfold", [real(2, 3, 4, 5), (2, 3), 1, 1, 2], {}),
    ("fold", [real(2, 12, 9), (4, 4), 2], {}),
    *((f"max_pool{n}d", [real(2, 2, *[5] * n), 3, 2, 1], {}) for n in (1, 2, 3)),
    *((f"avg_pool{n}d", [real(2, 2, *[5] * n), 3, 2, 1], {}) for n in (1, 2, 3)),
    *((f"lp_pool{n}d", [share(2, 2, *[5] * n), 3.0, 2], {}) for n in (1, 2, 3)),
    *((f"adaptive_avg_pool{n}d", [real(2, 2, *[5] * n), 3], {}) for n in (1, 2, 3)),
    *((f"adaptive_max_pool{n}d", [real(2, 2, *[5] * n), 3], {}) for n in (1, 2, 3)),
    ("pad", [real(2, 3, 4)], {"pad": (1, 2)}),
    ("pad", [real(2, 3, 4)], {"pad": (1, -2, 0, 3), "value": 2.0}),
    ("pad", [real(2, 3, 4)], {"pad": (1, 2), "mode": "reflect"}),
    ("pad", [real(2, 3, 4, 4)], {"pad": (1, 2, 3, 0), "mode": "circular"}),
    ("pad", [real(2, 3, 4, 4)], {"pad": (1, 2, 3, 0), "mode": "replicate"}),
    ("interpolate", [real(1, 2, 3, 4)], {"scale_factor": 2.0, "mode": "bilinear"}),
    ("interpolate", [real(1, 2, 3, 4)], {"size": (5, 6), "mode": "bicubic"}),
    ("pixel_shuffle", [real(2, 8, 2, 3), 2], {}),
    ("pixel_unshuffle", [real(2, 2, 4, 6), 2], {}),
    ("channel_shuffle", [real(2, 6, 2, 2), 3], {}),
    ("affine_grid", [real(2, 2, 3), (2, 1, 3, 4)], {"align_corners": False}),
    ("grid_sample", [real(1, 2, 4, 4), real(1, 3, 3, 2)], {"align_corners": False}),
]
NO_SECOND = ("interpolate", "grid_sample", "max_pool", "adaptive_max", "lp_pool")


@pytest.mark.parametrize("row", SPATIAL, ids=label)
def test_spatial(parity, row):
    """Fault: an argument in another place than PyTorch's."""
    name, values, options = row
    both(parity, name, values, options, "float64", not name.startswith(NO_SECOND))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", OTHERS, ids=label)
def test_others(parity, row, dtype):
    """Fault: an argument in another place, another formula."""
    name, values, options = row
    both(parity, name, values, options, dtype)


@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_figures(parity, name):
    """Fault: a biased variance, another rate, a figure that does not move."""
    x, mean, var = real(3, 4, 5), real(4), share(4)
    flag = "training" if name == "batch_norm" else "use_input_stats"
    for value in (True, False):
        ours = [mi.Tensor(v) for v in (x, mean, var)]
        theirs = [torch.tensor(v) for v in (x, mean, var)]
        options = {flag: value, "momentum": 0.3}
        parity.agree(
            getattr(F, name)(*ours, **options), getattr(TF, name)(*theirs, **options), 1e-10
        )
        for a, b in zip(ours[1:], theirs[1:], strict=True):
            parity.agree(a, b, 1e-10)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(parity, mode):
    """Fault: bags that begin or end elsewhere."""
    table, rows = real(5, 3), classes(5, 8)
    for last in (False, True):
        offsets = np.array([0, 3, 3, 6] + [8] * last)
        options = {"mode": mode, "include_last_offset": last, "padding_idx": 1}
        y = F.embedding_bag(mi.Tensor(rows), mi.Tensor(table), mi.Tensor(offsets), **options)
        z = TF.embedding_bag(
            torch.tensor(rows), torch.tensor(table), torch.tensor(offsets), **options
        )
        parity.agree(y, z, 1e-12)
    square = rows.reshape(2, 4)
    y = F.embedding_bag(mi.Tensor(square), mi.Tensor(table), mode=mode)
    parity.agree(y, TF.embedding_bag(torch.tensor(square), torch.tensor(table), mode=mode), 1e-12)


def test_one_hot():
    """Fault: another type, another number of classes."""
    for given in ({}, {"num_classes": 6}):
        y = F.one_hot(mi.Tensor([[2, 0]]), **given)
        z = TF.one_hot(torch.tensor([[2, 0]]), **given)
        assert (y.dtype, y.tolist()) == (mi.int64, z.tolist())


def test_focal_loss(parity):
    """Fault: another formula than Lin et al.'s, written out."""
    x, t = wide(3, 4), share(3, 4).round()
    for alpha, gamma in ((0.25, 2.0), (-1.0, 3.0), (0.5, 0.0)):

        def theirs(x, t, alpha, gamma, reduction):
            p = torch.sigmoid(x)
            p = p * t + (1 - p) * (1 - t)
            weight = alpha * t + (1 - alpha) * (1 - t) if alpha >= 0 else 1.0
            loss = weight * (1 - p) ** gamma
            loss = loss * TF.binary_cross_entropy_with_logits(x, t, reduction="none")
            return getattr(loss, reduction)()

        options = {"alpha": alpha, "gamma": gamma, "reduction": "mean"}
        values = [x, fixed(t)]
        both(parity, "sigmoid_focal_loss", values, options, "float64", True, theirs)

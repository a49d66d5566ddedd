"""Operators with windows over space, against PyTorch's functions of the same names."""

from functools import partial

import numpy as np
import pytest
import torch

import minima as mi

F = torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore:Using padding=.same.:UserWarning")
CONV, TRANSPOSED = [], []


def row(name, *shapes, **options):
    """Return a row of the table: a function, shapes of its inputs, its options."""
    label = ",".join("x".join(map(str, s)) for s in shapes)
    also = ",".join(f"{k}={v}" for k, v in options.items()).replace(" ", "")
    return pytest.param(name, shapes, options, id=f"{name}-{label}-{also}")


def agree(got, expected, rel):
    """Compare relative to the largest value of the tensor."""
    got, expected = got.detach().numpy(), expected.detach().numpy()
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    finite = np.abs(np.where(np.isfinite(expected), expected, 0))
    np.testing.assert_allclose(got, expected, rtol=rel, atol=rel * finite.max(initial=0.0))


def check(ours, theirs, arrays, rel=1e-5, second=True):
    """Compare values, gradients, and gradients of gradients."""
    x = [mi.Tensor(a, requires_grad=True) for a in arrays]
    z = [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]
    y, w = ours(*x), theirs(*z)
    agree(y, w, rel)
    rng = np.random.default_rng(1)
    g = rng.normal(size=y.shape).astype(y.numpy().dtype if not y.requires_grad else arrays[0].dtype)
    weight, mark = mi.Tensor(g), torch.from_numpy(g)
    first = mi.autograd.grad((y * y * weight).sum(), x, create_graph=True)
    wanted = torch.autograd.grad((w * w * mark).sum(), z, create_graph=True)
    for a, b in zip(first, wanted, strict=True):
        agree(a, b, rel)
    if second:
        again = mi.autograd.grad(sum([(a * a).sum() for a in first]), x)
        expected = torch.autograd.grad(sum((b * b).sum() for b in wanted), z)
        for a, b in zip(again, expected, strict=True):
            agree(a, b, 10 * rel)


CONVOLUTIONS = [
    row("conv1d", (2, 4, 9), (6, 4, 3), (6,)),
    row("conv1d", (4, 9), (6, 4, 3)),
    row("conv1d", (2, 4, 9), (6, 2, 3), (6,), stride=2, padding=1, dilation=2, groups=2),
    row("conv1d", (2, 4, 9), (6, 4, 4), (6,), padding="same", dilation=3),
    row("conv1d", (2, 4, 9), (4, 1, 2), padding="valid", groups=4),
    row("conv1d", (0, 4, 9), (6, 4, 3), (6,)),
    row("conv2d", (2, 4, 7, 6), (6, 4, 3, 2), (6,)),
    row("conv2d", (4, 7, 6), (6, 4, 3, 2), (6,), stride=(2, 1)),
    row("conv2d", (2, 4, 7, 6), (6, 2, 3, 2), stride=(2, 1), padding=(0, 2), groups=2),
    row("conv2d", (2, 4, 7, 6), (6, 2, 4, 3), (6,), padding="same", dilation=(1, 2), groups=2),
    row("conv2d", (2, 4, 7, 6), (6, 4, 2, 2), padding="valid", stride=2),
    row("conv3d", (2, 4, 5, 4, 6), (6, 4, 2, 3, 2), (6,)),
    row("conv3d", (4, 5, 4, 6), (6, 4, 2, 3, 2)),
    row("conv3d", (2, 4, 5, 4, 6), (6, 2, 2, 3, 2), (6,), stride=(2, 1, 3), padding=1, groups=2),
    row("conv3d", (1, 2, 5, 6, 5), (2, 2, 3, 2, 2), padding=(2, 0, 1), dilation=(2, 3, 1)),
    row("conv3d", (1, 2, 3, 4, 5), (4, 1, 2, 3, 4), (4,), padding="same", groups=2),
    row("conv3d", (0, 2, 3, 4, 5), (4, 2, 2, 3, 4), (4,)),
    row("conv_transpose1d", (2, 4, 5), (4, 6, 3), (6,)),
    row("conv_transpose1d", (4, 5), (4, 6, 3), stride=3, padding=2, output_padding=1),
    row("conv_transpose1d", (2, 4, 5), (4, 3, 3), (6,), stride=2, dilation=3, groups=2),
    row("conv_transpose1d", (2, 4, 5), (4, 3, 3), padding=2, dilation=3, output_padding=2),
    row("conv_transpose2d", (2, 4, 3, 5), (4, 6, 3, 2), (6,)),
    row("conv_transpose2d", (4, 3, 5), (4, 6, 3, 2), (6,), stride=2, output_padding=(1, 0)),
    row("conv_transpose2d", (2, 4, 3, 5), (4, 3, 3, 2), stride=(2, 3), padding=(1, 0), groups=2),
    row("conv_transpose2d", (2, 4, 3, 5), (4, 1, 3, 2), (2,), dilation=(2, 3), padding=1, groups=2,
        output_padding=(1, 2)),
    row("conv_transpose2d", (0, 4, 3, 5), (4, 6, 3, 2), (6,)),
    row("conv_transpose3d", (2, 4, 3, 2, 4), (4, 6, 2, 3, 2), (6,)),
    row("conv_transpose3d", (4, 3, 2, 4), (4, 3, 2, 3, 2), (6,), stride=(2, 1, 3),
        padding=(1, 1, 0), groups=2, output_padding=(1, 0, 2)),
    row("conv_transpose3d", (1, 4, 3, 2, 4), (4, 3, 2, 3, 2), dilation=(3, 2, 1), stride=(1, 2, 1),
        output_padding=(2, 1, 0)),
]  # fmt: skip
COLUMNS = [
    row("unfold", (2, 3, 6, 5), kernel_size=2),
    row("unfold", (3, 6, 5), kernel_size=(3, 2), stride=(2, 1)),
    row("unfold", (2, 3, 6, 5), kernel_size=(2, 3), dilation=(2, 1), padding=(1, 2), stride=2),
    row("fold", (2, 12, 20), output_size=(6, 5), kernel_size=2),
    row("fold", (12, 4), output_size=(4, 5), kernel_size=(2, 3), stride=2),
    row("fold", (2, 12, 9), output_size=(5, 5), kernel_size=(2, 2), dilation=(2, 1), padding=(1, 1),
        stride=(2, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shapes", "options"), [*CONVOLUTIONS, *COLUMNS])
@pytest.mark.parametrize(("dtype", "rel"), [("float32", 2e-5), ("float64", 1e-11)])
def test_linear(name, shapes, options, dtype, rel):
    """Fault: a stride, border, group or window that PyTorch puts elsewhere."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(dtype) for s in shapes]
    ours, theirs = getattr(mi, name), getattr(F, name)
    check(lambda *x: ours(*x, **options), lambda *x: theirs(*x, **options), arrays, rel)


PADS = [
    ((2, 3, 5), (1, 2), "constant"),
    ((2, 3, 5), (1, -2), "constant"),
    ((2, 3, 5), (-1, 2, 1, 0), "constant"),
    ((2, 3, 5), (2, 1), "reflect"),
    ((2, 3, 5), (4, -1), "reflect"),
    ((2, 3, 5), (-1, 3), "replicate"),
    ((2, 3, 5), (-1, 3), "circular"),
    ((2, 3, 5), (5, 1), "circular"),
    ((2, 3, 4, 5), (2, 1, 3, 0), "reflect"),
    ((2, 3, 4, 5), (2, 1, 3, 6), "replicate"),
    ((2, 3, 4, 5), (2, 1, 3, 0), "circular"),
    ((2, 3, 4, 5), (2, -1, -1, 3), "circular"),
    ((1, 2, 3, 4, 5), (2, 1, 3, 0, 1, 2), "reflect"),
    ((1, 2, 3, 4, 5), (2, 1, 3, 0, 1, 2), "replicate"),
    ((1, 2, 3, 4, 5), (2, 1, 3, 0, 1, 2), "circular"),
]


@pytest.mark.parametrize(("shape", "widths", "mode"), PADS, ids=str)
@pytest.mark.parametrize("value", [0.0, -1.5])
def test_pad(shape, widths, mode, value):
    """Fault: a border mirrored about another element, or cut off on the wrong side."""
    pairs = [(a, b) for a, b in zip(widths[::2], widths[1::2])][::-1]
    pairs = [(0, 0)] * (len(shape) - len(pairs)) + pairs
    given = {"value": value} if mode == "constant" else {}
    array = np.random.default_rng(0).normal(size=shape).astype("float32")
    check(
        lambda x: mi.pad(x, pairs, mode, **given),
        lambda x: F.pad(x, widths, mode, **given),
        [array],
    )


POOLS = [
    row("max_pool1d", (2, 3, 9), kernel_size=2),
    row("max_pool1d", (3, 9), kernel_size=3, stride=2, padding=1, dilation=2),
    row("max_pool1d", (2, 3, 10), kernel_size=3, stride=2, ceil_mode=True),
    row("max_pool2d", (2, 3, 7, 6), kernel_size=2),
    row("max_pool2d", (3, 7, 6), kernel_size=(3, 2), stride=(2, 3), padding=(1, 0)),
    row("max_pool2d", (2, 3, 7, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    row("max_pool2d", (2, 3, 7, 8), kernel_size=3, stride=1, padding=1, dilation=(1, 2)),
    row("max_pool2d", (2, 3, 2, 2), kernel_size=3, stride=3, padding=1, ceil_mode=True),
    row("max_pool3d", (2, 3, 4, 5, 6), kernel_size=2),
    row("max_pool3d", (3, 4, 5, 6), kernel_size=(1, 2, 3), stride=2, padding=(0, 1, 1)),
    row("max_pool3d", (1, 2, 6, 5, 7), kernel_size=2, stride=2, dilation=2, ceil_mode=True),
    row("max_pool3d", (0, 3, 4, 5, 6), kernel_size=2),
    row("avg_pool1d", (2, 3, 9), kernel_size=2),
    row("avg_pool1d", (3, 9), kernel_size=3, stride=2, padding=1, count_include_pad=False),
    row("avg_pool1d", (2, 3, 10), kernel_size=4, stride=3, padding=2, ceil_mode=True),
    row("avg_pool1d", (2, 3, 10), kernel_size=4, stride=3, padding=2, ceil_mode=True,
        count_include_pad=False),
    row("avg_pool2d", (2, 3, 7, 6), kernel_size=2),
    row("avg_pool2d", (3, 7, 6), kernel_size=(3, 2), stride=(2, 3), padding=(1, 1)),
    row("avg_pool2d", (2, 3, 7, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    row("avg_pool2d", (2, 3, 7, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True,
        count_include_pad=False),
    row("avg_pool2d", (2, 3, 7, 8), kernel_size=3, stride=2, padding=1, divisor_override=5),
    row("avg_pool3d", (2, 3, 4, 5, 6), kernel_size=2),
    row("avg_pool3d", (3, 4, 5, 6), kernel_size=3, stride=2, padding=1, count_include_pad=False),
    row("avg_pool3d", (1, 2, 6, 5, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    row("avg_pool3d", (1, 2, 6, 5, 7), kernel_size=3, stride=2, ceil_mode=True, divisor_override=3),
    row("adaptive_avg_pool1d", (2, 3, 7), output_size=3),
    row("adaptive_avg_pool1d", (3, 4), output_size=6),
    row("adaptive_avg_pool2d", (2, 3, 7, 5), output_size=(3, None)),
    row("adaptive_avg_pool2d", (3, 7, 5), output_size=2),
    row("adaptive_avg_pool3d", (2, 3, 7, 5, 4), output_size=(3, None, 2)),
    row("adaptive_avg_pool3d", (3, 4, 5, 6), output_size=1),
    row("adaptive_max_pool1d", (2, 3, 7), output_size=3),
    row("adaptive_max_pool1d", (3, 8), output_size=4),
    row("adaptive_max_pool2d", (2, 3, 7, 5), output_size=(3, None)),
    row("adaptive_max_pool2d", (3, 6, 4), output_size=2),
    row("adaptive_max_pool3d", (2, 3, 7, 5, 4), output_size=(3, None, 2)),
    row("adaptive_max_pool3d", (3, 4, 6, 6), output_size=2),
]  # fmt: skip
LP_POOLS = [
    row(f"lp_pool{len(shape) - 2}d", shape, norm_type=p, kernel_size=2, **also)
    for shape in ((2, 3, 9), (2, 3, 5, 6), (2, 3, 4, 5, 3))
    for p in (1, 2, 3.5)
    for also in ({}, {"stride": 3, "ceil_mode": True})
]


@pytest.mark.parametrize(("name", "shapes", "options"), [*POOLS, *LP_POOLS])
def test_pool(name, shapes, options):
    """Fault: a window, count or place that PyTorch has otherwise."""
    rng = np.random.default_rng(0)
    array = rng.normal(size=shapes[0]).astype("float64")
    if name.startswith("lp"):
        array = np.abs(array) + 0.1
    ours, theirs = getattr(mi, name), getattr(F, name)
    for a in (array, array.astype("float32")):
        rel = 1e-11 if a.dtype == "float64" else 2e-5
        check(lambda x: ours(x, **options), lambda x: theirs(x, **options), [a], rel)
    if "max" in name:
        tied = np.round(array).astype("float32")  # has many ties
        check(lambda x: ours(x, **options), lambda x: theirs(x, **options), [tied])
        for a in (array, tied):
            y, place = ours(mi.Tensor(a), **options, return_indices=True)
            z, wanted = theirs(torch.from_numpy(a), **options, return_indices=True)
            agree(y, z, 0)
            agree(place, wanted, 0)
        options = {**options, "return_indices": True}
        check(lambda x: ours(x, **options)[0], lambda x: theirs(x, **options)[0], [tied])


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "padding", "size"),
    [
        ((2, 3, 9), 2, None, 0, None),
        ((2, 3, 9), 2, None, 0, (9,)),
        ((3, 9), 3, 2, 1, None),
        ((2, 3, 6, 8), 2, 2, 0, None),
        ((2, 3, 7, 9), 2, None, 0, (2, 3, 7, 9)),
        ((3, 7, 8), 3, (2, 3), 1, (7, 8)),
        ((2, 3, 4, 6, 8), 2, None, 0, None),
        ((3, 5, 6, 8), 2, None, 0, (5, 6, 8)),
    ],
    ids=str,
)
def test_unpool(shape, kernel, stride, padding, size):
    """Fault: a value put elsewhere."""
    n = len(shape) - 2 if shape[0] == 2 else len(shape) - 1
    array = np.random.default_rng(0).normal(size=shape).astype("float32")
    pooled, places = getattr(F, f"max_pool{n}d")(
        torch.from_numpy(array), kernel, stride, padding, return_indices=True
    )
    options = {"kernel_size": kernel, "stride": stride, "padding": padding, "output_size": size}
    ours, theirs = getattr(mi, f"max_unpool{n}d"), getattr(F, f"max_unpool{n}d")
    check(
        lambda x: ours(x, mi.Tensor(places.numpy()), **options),
        lambda x: theirs(x, places, **options),
        [pooled.numpy()],
    )


RESIZED = [
    (shape, mode, target)
    for shape, modes in (
        ((2, 3, 7), ("nearest", "nearest-exact", "linear", "area")),
        ((2, 3, 5, 7), ("nearest", "nearest-exact", "bilinear", "bicubic", "area")),
        ((1, 2, 3, 5, 4), ("nearest", "nearest-exact", "trilinear", "area")),
    )
    for mode in modes
    for target in (
        {"size": 4},
        {"size": 7},
        {"size": 14},
        {"size": 1},
        {"scale_factor": 2.0},
        {"scale_factor": 0.6},
        {"scale_factor": 1.7},
        {"scale_factor": 1.7, "recompute_scale_factor": True},
    )
]


@pytest.mark.parametrize(("shape", "mode", "target"), RESIZED, ids=str)
def test_interpolate(shape, mode, target):
    """Fault: an element taken from another place, or with another weight."""
    plain = mode.startswith("nearest") or mode == "area"
    for align in (None,) if plain else (False, True):
        options = {"mode": mode, "align_corners": align, **target}
        for dtype, rel in (("float64", 1e-11), ("float32", 2e-5)):
            array = np.random.default_rng(0).normal(size=shape).astype(dtype)
            check(
                partial(mi.interpolate, **options),
                partial(F.interpolate, **options),
                [array],
                rel,
            )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize(
    "target", [{"size": (3, 4)}, {"size": (9, 2)}, {"scale_factor": 0.4}, {"scale_factor": 2.5}]
)
def test_antialias(mode, align, target):
    """Fault: a kernel of another width."""
    options = {"mode": mode, "align_corners": align, "antialias": True, **target}
    array = np.random.default_rng(0).normal(size=(2, 3, 8, 11))
    check(
        lambda x: mi.interpolate(x, **options),
        lambda x: F.interpolate(x, **options),
        [array],
        1e-11,
        second=False,  # PyTorch has no second derivative of it
    )


SHUFFLED = [
    row("pixel_shuffle", (2, 12, 3, 4), upscale_factor=2),
    row("pixel_shuffle", (9, 3, 4), upscale_factor=3),
    row("pixel_unshuffle", (2, 3, 6, 4), downscale_factor=2),
    row("channel_shuffle", (2, 6, 3), groups=3),
    row("channel_shuffle", (2, 6, 3, 4), groups=2),
]


@pytest.mark.parametrize(("name", "shapes", "options"), SHUFFLED)
def test_shuffle(name, shapes, options):
    """Fault: a channel that goes elsewhere."""
    array = np.random.default_rng(0).normal(size=shapes[0])
    ours, theirs = getattr(mi, name), getattr(torch, name)
    check(lambda x: ours(x, **options), lambda x: theirs(x, **options), [array])


@pytest.mark.parametrize(
    "shape", [((2, 3, 4, 5), (2, 3, 6, 2)), ((1, 2, 3, 4, 5), (1, 2, 3, 4, 3))]
)
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align", [False, True])
def test_grid_sample(shape, mode, padding, align):
    """Fault: a place read beyond the border, or a slope of the grid."""
    if mode == "bicubic" and len(shape[0]) == 5:
        return  # PyTorch has it for images
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) * scale for s, scale in zip(shape, (1.0, 1.3))]
    options = {"mode": mode, "padding_mode": padding, "align_corners": align}
    second = mode == "bilinear" and len(shape[0]) == 4  # where PyTorch has it
    ours, theirs = mi.operators.grid_sample, F.grid_sample
    for dtype, rel in (("float64", 1e-10), ("float32", 1e-4)):
        given = [a.astype(dtype) for a in arrays]
        if mode == "nearest":  # without a slope
            grid = given[1]
            check(
                partial(ours, grid=mi.Tensor(grid), **options),
                partial(theirs, grid=torch.from_numpy(grid), **options),
                given[:1],
                rel,
                second=False,
            )
        else:
            check(
                lambda *x: ours(*x, **options),
                lambda *x: theirs(*x, **options),
                given,
                rel,
                second=second and dtype == "float64",
            )


@pytest.mark.filterwarnings("ignore:Since version 1.3.0:UserWarning")
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 1, 1, 3), (2, 3, 4, 2, 3)], ids=str)
@pytest.mark.parametrize("align", [False, True])
def test_affine_grid(size, align):
    """Fault: a grid turned round, or its corners elsewhere."""
    n = len(size) - 2
    array = np.random.default_rng(0).normal(size=(2, n, n + 1))
    check(
        lambda t: mi.operators.affine_grid(t, size, align),
        lambda t: F.affine_grid(t, size, align),
        [array],
        1e-11,
    )

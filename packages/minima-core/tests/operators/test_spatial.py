"""What the operators with windows over space refuse, and what they say of it."""

import numpy as np
import pytest

import minima as mi
from minima.testing.launch import arguments, call
from minima.testing.samples import resizing, spatial, windowed

LINE, IMAGE, VOLUME = mi.ones((1, 2, 6)), mi.ones((1, 2, 6, 6)), mi.ones((1, 2, 4, 4, 4))
#: what is wrong -> call, error, what it says
BAD = {
    "conv axes": (lambda: mi.conv1d(mi.ones((6,)), mi.ones((1, 2, 2))), mi.ShapeError,
                  r"conv1d: got x of shape \(6,\); expected \(N, C, L\) or \(C, L\)"),
    "conv weight axes": (lambda: mi.conv3d(VOLUME, mi.ones((1, 2, 2))), mi.ShapeError,
                         r"conv3d: got weight of shape \(1, 2, 2\); expected .* 3 sizes"),
    "conv channels": (lambda: mi.conv1d(LINE, mi.ones((1, 3, 2))), mi.ShapeError,
                      r"conv1d: got x \(1, 2, 6\), weight \(1, 3, 2\), groups 1"),
    "conv groups": (lambda: mi.conv1d(LINE, mi.ones((3, 1, 2)), groups=2), mi.ShapeError,
                    "conv1d: .*divisible by groups"),
    "conv groups 0": (lambda: mi.conv1d(LINE, mi.ones((3, 1, 2)), groups=0), mi.ArgumentError,
                      "conv1d: got groups 0; expected at least 1"),
    "conv groups type": (lambda: mi.conv2d(IMAGE, mi.ones((2, 2, 2, 2)), groups=1.0), mi.DTypeError,
                         "conv2d: got groups 1.0; expected an integer"),
    "conv no channels": (lambda: mi.conv1d(mi.ones((1, 0, 6)), mi.ones((1, 0, 2))), mi.ShapeError,
                         "conv1d: .*at least one channel"),
    "conv bias": (lambda: mi.conv1d(LINE, mi.ones((3, 2, 2)), mi.ones(2)), mi.ShapeError,
                  r"conv1d: got a bias of shape \(2,\); expected \(3,\)"),
    "conv padding": (lambda: mi.conv1d(LINE, mi.ones((3, 2, 2)), padding=-1), mi.ArgumentError,
                     "conv1d: got padding -1; expected at least 0"),
    "conv padding name": (lambda: mi.conv1d(LINE, mi.ones((3, 2, 2)), padding="full"),
                          mi.ArgumentError, "conv1d: got padding 'full'; expected .*'same'"),
    "conv same": (lambda: mi.conv2d(IMAGE, mi.ones((3, 2, 2, 2)), None, 2, "same"),
                  mi.ArgumentError, r"conv2d: got padding 'same' with stride \(2, 2\)"),
    "conv stride": (lambda: mi.conv3d(VOLUME, mi.ones((1, 2, 2, 2, 2)), stride=(1, 2)),
                    mi.DTypeError, "conv3d: got stride .* expected an integer or 3 of them"),
    "conv kernel": (lambda: mi.conv3d(VOLUME, mi.ones((1, 2, 5, 2, 2))), mi.ShapeError,
                    "conv3d: a window of size 5 .* does not fit into 4"),
    "transposed groups": (lambda: mi.conv_transpose1d(LINE, mi.ones((2, 1, 2)), groups=4),
                          mi.ShapeError, "conv_transpose1d: .*divisible by groups"),
    "transposed channels": (lambda: mi.conv_transpose2d(IMAGE, mi.ones((3, 1, 2, 2))),
                            mi.ShapeError, r"conv_transpose2d: .*expected x.shape\[1\] =="),
    "transposed axes": (lambda: mi.conv_transpose2d(IMAGE, mi.ones((2, 1, 2))), mi.ShapeError,
                        r"conv_transpose2d: got weight of shape \(2, 1, 2\)"),
    "transposed more": (lambda: mi.conv_transpose1d(LINE, mi.ones((2, 1, 2)), output_padding=1),
                        mi.ArgumentError, "conv_transpose1d: got output_padding 1 with stride 1"),
    "transposed none": (lambda: mi.conv_transpose1d(LINE, mi.ones((2, 1, 2)), padding=4),
                        mi.ShapeError, r"conv_transpose1d: .*leave an output of sizes \(-1,\)"),
    "transposed bias": (lambda: mi.conv_transpose1d(LINE, mi.ones((2, 3, 2)), mi.ones(2)),
                        mi.ShapeError, r"bias of shape \(2,\); expected \(3,\)"),
    "unfold": (lambda: mi.unfold(IMAGE, 7), mi.ShapeError, "unfold: a window of size 7"),
    "unfold axes": (lambda: mi.unfold(mi.ones((2, 6)), 2), mi.ShapeError, "unfold: got x of shape"),
    "fold axes": (lambda: mi.fold(IMAGE, 3, 2), mi.ShapeError, "fold: got x of shape"),
    "fold count": (lambda: mi.fold(mi.ones((1, 4, 5)), (3, 3), 2), mi.ShapeError,
                   "fold: .*multiple of 4 rows .* and 4 columns"),
    "fold rows": (lambda: mi.fold(mi.ones((1, 5, 4)), (3, 3), 2), mi.ShapeError, "fold: .*4 rows"),
    "pad mode": (lambda: mi.pad(LINE, 1, "edge"), mi.ArgumentError,
                 "pad: got mode 'edge'; expected one of constant, reflect, replicate, circular"),
    "pad widths": (lambda: mi.pad(LINE, ((1, 1), (2, 2))), mi.ShapeError,
                   r"pad: got pad_width .* for shape \(1, 2, 6\); expected .* 3 pairs"),
    "pad type": (lambda: mi.pad(LINE, 1.5), mi.DTypeError, "pad: got pad_width 1.5"),
    "pad cut": (lambda: mi.pad(LINE, ((0, 0), (-1, -2), (0, 0))), mi.ShapeError,
                r"pad: got pad_width \(-1, -2\) for axis 1 of size 2"),
    "pad of none": (lambda: mi.pad(mi.ones((0,)), 1, "reflect"), mi.ShapeError,
                    "pad: axis 0 of shape .* has no elements to reflect"),
    "pool axes": (lambda: mi.max_pool1d(IMAGE, 2), mi.ShapeError, "max_pool1d: got x of shape"),
    "pool size": (lambda: mi.avg_pool3d(VOLUME, 5), mi.ShapeError,
                  "avg_pool3d: a window of size 5"),
    "pool padding": (lambda: mi.max_pool1d(LINE, 2, padding=2), mi.ArgumentError,
                     "max_pool1d: got padding 2 for kernel_size 2; expected at most half"),
    "pool kernel": (lambda: mi.max_pool3d(VOLUME, (2, 2)), mi.DTypeError,
                    "max_pool3d: got kernel_size .* expected an integer or 3 of them"),
    "pool kernel 0": (lambda: mi.avg_pool1d(LINE, 0), mi.ArgumentError,
                      "avg_pool1d: got kernel_size 0; expected at least 1"),
    "pool type": (lambda: mi.max_pool1d(mi.ones((1, 4), dtype="bool"), 2), mi.DTypeError,
                  "max_pool1d: got x of bool; expected real numbers"),
    "pool type 2d": (lambda: mi.max_pool2d(mi.ones((1, 1, 4, 4), dtype="bool"), 2), mi.DTypeError,
                     "max_pool2d: got x of bool; expected real numbers"),
    "adaptive type": (lambda: mi.adaptive_max_pool1d(mi.ones((1, 4), dtype="complex64"), 2),
                      mi.DTypeError, "adaptive_max_pool1d: got x of complex64"),
    "pool divisor": (lambda: mi.avg_pool2d(IMAGE, 2, divisor_override=0), mi.ArgumentError,
                     "avg_pool2d: got divisor_override 0"),
    "lp_pool": (lambda: mi.lp_pool1d(LINE, 0, 2), mi.ArgumentError, "lp_pool1d: got norm_type 0"),
    "adaptive": (lambda: mi.adaptive_avg_pool1d(LINE, 0), mi.ArgumentError,
                 "adaptive_avg_pool1d: got output_size .*; expected at least 1"),
    "adaptive sizes": (lambda: mi.adaptive_max_pool3d(VOLUME, (2, 2)), mi.DTypeError,
                       "adaptive_max_pool3d: got output_size"),
    "adaptive none": (lambda: mi.adaptive_max_pool1d(mi.ones((1, 2, 0)), 2), mi.ShapeError,
                      "adaptive_max_pool1d: .*expected at least one element"),
    "unpool shape": (lambda: mi.max_unpool1d(LINE, mi.zeros((1, 2, 5), dtype="int64"), 2),
                     mi.ShapeError, "max_unpool1d: got x of shape .* expected equal ones"),
    "unpool index": (lambda: mi.max_unpool1d(mi.ones((1, 1)), mi.Tensor([[2]]), 2),
                     mi.IndexRangeError, "max_unpool1d: got index 2; expected 0 to 1"),
    "unpool type": (lambda: mi.max_unpool1d(LINE, LINE, 2), mi.DTypeError,
                    "max_unpool1d: got indices of float32; expected integers"),
    "unpool size": (lambda: mi.max_unpool1d(mi.ones((1, 1)), mi.Tensor([[0]]), 2, output_size=(4,)),
                    mi.ArgumentError, r"max_unpool1d: got output_size \(4,\)"),
    "interpolate mode": (lambda: mi.interpolate(IMAGE, 3, mode="cubic"), mi.ArgumentError,
                         "interpolate: got mode 'cubic'; expected one of nearest"),
    "interpolate axes": (lambda: mi.interpolate(IMAGE, 3, mode="linear"), mi.ShapeError,
                         r"interpolate: got x of shape .* for mode 'linear'; expected \(N, C, and"),
    "interpolate both": (lambda: mi.interpolate(IMAGE, 3, 2.0), mi.ArgumentError,
                         "interpolate: got size 3 and scale_factor 2.0; expected one of the two"),
    "interpolate neither": (lambda: mi.interpolate(IMAGE), mi.ArgumentError,
                            "interpolate: got size None"),
    "interpolate factor": (lambda: mi.interpolate(IMAGE, scale_factor=-1), mi.ArgumentError,
                           "interpolate: got scale_factor -1; expected a positive number"),
    "interpolate none": (lambda: mi.interpolate(IMAGE, scale_factor=0.1), mi.ShapeError,
                         r"interpolate: scale_factor 0.1 of sizes \(6, 6\) leaves \(0, 0\)"),
    "interpolate corners": (lambda: mi.interpolate(IMAGE, 3, align_corners=True), mi.ArgumentError,
                            "interpolate: got align_corners with mode 'nearest'"),
    "interpolate smooth": (lambda: mi.interpolate(IMAGE, 3, antialias=True), mi.ArgumentError,
                           "interpolate: got antialias with mode 'nearest'"),
    "pixel_shuffle": (lambda: mi.pixel_shuffle(IMAGE, 2), mi.ShapeError,
                      "pixel_shuffle: .*expected the 2 channels to be a multiple of 4"),
    "pixel_unshuffle": (lambda: mi.pixel_unshuffle(IMAGE, 4), mi.ShapeError,
                        "pixel_unshuffle: .*divisible by downscale_factor 4"),
    "channel_shuffle": (lambda: mi.channel_shuffle(IMAGE, 3), mi.ShapeError,
                        "channel_shuffle: .*expected groups to divide the 2 channels"),
    "grid": (lambda: mi.grid_sample(IMAGE, mi.zeros((1, 2, 2, 3))), mi.ShapeError,
             "grid_sample: got x .* and grid"),
    "grid mode": (lambda: mi.grid_sample(IMAGE, mi.zeros((1, 2, 2, 2)), "linear"),
                  mi.ArgumentError, "grid_sample: got mode 'linear'"),
    "grid padding": (lambda: mi.grid_sample(IMAGE, mi.zeros((1, 2, 2, 2)), padding_mode="edge"),
                     mi.ArgumentError, "grid_sample: got padding_mode 'edge'"),
    "affine": (lambda: mi.affine_grid(mi.ones((1, 2, 2)), (1, 1, 2, 2)), mi.ShapeError,
               r"affine_grid: got theta \(1, 2, 2\) and size"),
}  # fmt: skip

ROWS = [s for f in (spatial, windowed, resizing) for s in f.COMPOSED if s.floating and not s.note]
#: a row for each function, of its plainest kind
FIRST = {s.operator: s for s in ROWS[::-1] if s.expected().size and not s.output}
#: its places are an index, whose values a plan cannot know
EAGER = {"max_unpool1d", "max_unpool2d", "max_unpool3d"}


@pytest.mark.parametrize("what", list(BAD))
def test_refused(what):
    """Fault: an error of NumPy's, or one that names no operation and no argument."""
    call, error, says = BAD[what]
    with pytest.raises(error, match=says):
        call()


def test_numpy_pads():
    """Fault: pairs taken from the last axis, as PyTorch has them."""
    x = np.arange(6.0).reshape(2, 3)
    for ours, theirs in (("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")):
        for width in (1, (2, 1), ((0, 1), (3, 2))):
            assert np.array_equal(mi.pad(x, width, ours).numpy(), np.pad(x, width, theirs))


def test_nearest_takes_views():
    """Fault: a copy, or rows looked up, where every other element is meant."""
    x = mi.ones((1, 1, 4, 6))
    assert np.shares_memory(mi.interpolate(x, (2, 3)).numpy(), x.numpy())


def test_all_directions_at_once():
    """Fault: a transposed convolution that is not the adjoint of the convolution."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 3):
        x = mi.Tensor(rng.normal(size=(2, 4, *(7, 6, 5)[:n])))
        weight = mi.Tensor(rng.normal(size=(6, 2, *(3, 2, 2)[:n])))
        how = {"stride": (2, 1, 3)[:n], "padding": (1, 0, 1)[:n], "groups": 2}
        y = getattr(mi, f"conv{n}d")(x, weight, **how)
        g = mi.Tensor(rng.normal(size=y.shape))
        small = getattr(mi, f"conv_transpose{n}d")(g, weight, **how)
        rest = [k - m for k, m in zip(x.shape[2:], small.shape[2:])]
        back = getattr(mi, f"conv_transpose{n}d")(g, weight, output_padding=rest, **how)
        assert abs(float((y * g).sum()) - float((x * back).sum())) < 1e-9


@pytest.mark.parametrize("name", sorted(FIRST.keys() - EAGER))
def test_compiled(name):
    """Fault: a plan that keeps what was computed from the values of its first call."""
    sample = FIRST[name]
    given = arguments(sample, mi.device("cpu"))
    plan = mi.compile(lambda x: call(sample, [x, *given[1:]]))
    for x in (given[0], given[0] * 0.5, mi.flip(given[0], axis=-1)):
        wanted = call(sample, [x, *given[1:]])
        np.testing.assert_allclose(plan(x).numpy(), wanted.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", sorted(FIRST))
def test_one_by_one(name):
    """Fault: a gradient that is another for each of many at once, by vmap, than for each alone."""
    sample = FIRST[name]
    x, *rest = arguments(sample, mi.device("cpu"))
    slope = mi.func.grad(lambda t: (call(sample, [t, *rest]) ** 2).sum())
    many = mi.stack([x, x * 0.5])
    wanted = mi.stack([slope(many[0]), slope(many[1])])
    np.testing.assert_allclose(mi.func.vmap(slope)(many).numpy(), wanted.numpy(), rtol=1e-9)

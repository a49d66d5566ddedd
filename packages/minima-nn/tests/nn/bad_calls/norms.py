"""Wrong calls of the normalisations."""

from __future__ import annotations

import minima as mi
from minima import nn

from . import Bad

INTEGERS = mi.ones((2, 4, 3), dtype="int64")


def of_channels(kind, name, good):
    """Return the rows that all normalisations by channels share; *good* has 2 channels."""
    ndim = len(good)
    few = (4,) * (ndim - 2)
    many = (*good, 1)
    channels = (good[0], 3, *good[2:])
    return [
        Bad(f"{name} few axes", lambda: kind(2)(mi.ones(few)), mi.ShapeError,
            rf"^{name}: input has shape .*expected \("),
        Bad(f"{name} many axes", lambda: kind(2)(mi.ones(many)), mi.ShapeError,
            rf"^{name}: input has shape .*expected \("),
        Bad(f"{name} channels", lambda: kind(2)(mi.ones(channels)), mi.ShapeError,
            rf"^{name}: input has shape .*3.*expected .*C = 2"),
        Bad(f"{name} channels in evaluation", lambda: kind(2).eval()(mi.ones(channels)),
            mi.ShapeError, rf"^{name}: input has shape .*3.*expected .*C = 2"),
        Bad(f"{name} dtype", lambda: kind(2)(mi.ones(good, dtype="int64")), mi.DTypeError,
            rf"^{name}: input has dtype int64; expected a floating"),
        Bad(f"{name} no tensor", lambda: kind(2)([1.0]), mi.DTypeError,
            rf"^{name}: input is a list; expected a Tensor"),
        Bad(f"{name} zero features", lambda: kind(0), mi.ArgumentError,
            rf"^{name}: num_features is 0; expected an integer of at least 1"),
        Bad(f"{name} negative features", lambda: kind(-2), mi.ArgumentError,
            rf"^{name}: num_features is -2; expected an integer of at least 1"),
        Bad(f"{name} part of a feature", lambda: kind(1.5), mi.DTypeError,
            rf"^{name}: num_features is 1.5; expected an integer"),
        Bad(f"{name} eps", lambda: kind(2, -1.0), mi.ArgumentError,
            rf"^{name}: eps is -1.0; expected a number of at least 0"),
        Bad(f"{name} momentum", lambda: kind(2, momentum=1.5), mi.ArgumentError,
            rf"^{name}: momentum is 1.5; expected a number from 0 to 1"),
        Bad(f"{name} momentum text", lambda: kind(2, momentum="much"), mi.DTypeError,
            rf"^{name}: momentum is 'much'; expected a number"),
    ]  # fmt: skip


ROWS = [
    *of_channels(nn.BatchNorm1d, "BatchNorm1d", (4, 2, 3)),
    *of_channels(nn.BatchNorm2d, "BatchNorm2d", (4, 2, 3, 3)),
    *of_channels(nn.BatchNorm3d, "BatchNorm3d", (4, 2, 3, 3, 3)),
    *of_channels(nn.InstanceNorm1d, "InstanceNorm1d", (4, 2, 3)),
    *of_channels(nn.InstanceNorm2d, "InstanceNorm2d", (4, 2, 3, 3)),
    *of_channels(nn.InstanceNorm3d, "InstanceNorm3d", (4, 2, 3, 3, 3)),
    Bad("BatchNorm1d one value", lambda: nn.BatchNorm1d(2)(mi.ones((1, 2))), mi.ShapeError,
        r"^BatchNorm1d: input has shape \(1, 2\), one value per channel.*expected a larger batch"),
    Bad("BatchNorm1d two names", lambda: nn.BatchNorm1d(2, dim=2), mi.ArgumentError,
        "^BatchNorm1d: num_features is 2 and dim is 2.*expected one of them"),
    Bad("BatchNorm1d no name", nn.BatchNorm1d, mi.ArgumentError,
        "^BatchNorm1d: num_features is None and dim is None.*expected one of them"),
    Bad("InstanceNorm1d one value", lambda: nn.InstanceNorm1d(2)(mi.ones((3, 2, 1))),
        mi.ShapeError, r"^InstanceNorm1d: input has shape \(3, 2, 1\), one value.*expected at"),
    Bad("LayerNorm size", lambda: nn.LayerNorm(3)(mi.ones((2, 4))), mi.ShapeError,
        r"^LayerNorm: input has shape \(2, 4\); expected \(\*, 3\)"),
    Bad("LayerNorm axes", lambda: nn.LayerNorm((3, 4))(mi.ones(4)), mi.ShapeError,
        r"^LayerNorm: input has shape \(4,\); expected \(\*, 3, 4\)"),
    Bad("LayerNorm dtype", lambda: nn.LayerNorm(3)(INTEGERS), mi.DTypeError,
        "^LayerNorm: input has dtype int64; expected a floating"),
    Bad("LayerNorm no axes", lambda: nn.LayerNorm(()), mi.ShapeError,
        "^LayerNorm: normalized_shape is empty; expected at least one"),
    Bad("LayerNorm negative", lambda: nn.LayerNorm((3, -1)), mi.ArgumentError,
        "^LayerNorm: normalized_shape is -1; expected an integer of at least 1"),
    Bad("LayerNorm eps", lambda: nn.LayerNorm(3, eps="small"), mi.DTypeError,
        "^LayerNorm: eps is 'small'; expected a number"),
    Bad("LayerNorm1d size", lambda: nn.LayerNorm1d(3)(mi.ones((2, 4))), mi.ShapeError,
        r"^LayerNorm1d: input has shape \(2, 4\); expected \(B, 3\)"),
    Bad("LayerNorm1d axes", lambda: nn.LayerNorm1d(3)(mi.ones(3)), mi.ShapeError,
        r"^LayerNorm1d: input has shape \(3,\); expected \(B, 3\)"),
    Bad("LayerNorm1d dtype", lambda: nn.LayerNorm1d(3)(INTEGERS), mi.DTypeError,
        "^LayerNorm1d: input has dtype int64; expected a floating"),
    Bad("LayerNorm1d zero", lambda: nn.LayerNorm1d(0), mi.ArgumentError,
        "^LayerNorm1d: dim is 0; expected an integer of at least 1"),
    Bad("LayerNorm1d two sizes", lambda: nn.LayerNorm1d((3, 4)), mi.ShapeError,
        r"^LayerNorm1d: dim is \(3, 4\); expected C or \(C, H, W\)"),
    Bad("RMSNorm size", lambda: nn.RMSNorm(3)(mi.ones((2, 4))), mi.ShapeError,
        r"^RMSNorm: input has shape \(2, 4\); expected \(\*, 3\)"),
    Bad("RMSNorm axes", lambda: nn.RMSNorm((3, 4))(mi.ones(4)), mi.ShapeError,
        r"^RMSNorm: input has shape \(4,\); expected \(\*, 3, 4\)"),
    Bad("RMSNorm dtype", lambda: nn.RMSNorm(3)(INTEGERS), mi.DTypeError,
        "^RMSNorm: input has dtype int64; expected a floating"),
    Bad("RMSNorm no axes", lambda: nn.RMSNorm([]), mi.ShapeError,
        "^RMSNorm: normalized_shape is empty; expected at least one"),
    Bad("RMSNorm zero", lambda: nn.RMSNorm(0), mi.ArgumentError,
        "^RMSNorm: normalized_shape is 0; expected an integer of at least 1"),
    Bad("RMSNorm eps", lambda: nn.RMSNorm(3, -1e-5), mi.ArgumentError,
        "^RMSNorm: eps is -1e-05; expected a number of at least 0"),
    Bad("GroupNorm channels", lambda: nn.GroupNorm(2, 4)(mi.ones((2, 6, 3))), mi.ShapeError,
        r"^GroupNorm: input has shape \(2, 6, 3\); expected \(N, 4, \*\)"),
    Bad("GroupNorm axes", lambda: nn.GroupNorm(2, 4)(mi.ones(4)), mi.ShapeError,
        r"^GroupNorm: input has shape \(4,\); expected \(N, 4, \*\)"),
    Bad("GroupNorm dtype", lambda: nn.GroupNorm(2, 4)(INTEGERS), mi.DTypeError,
        "^GroupNorm: input has dtype int64; expected a floating"),
    Bad("GroupNorm groups", lambda: nn.GroupNorm(3, 4), mi.ArgumentError,
        "^GroupNorm: num_channels is 4 and num_groups is 3; expected groups of equal size"),
    Bad("GroupNorm no groups", lambda: nn.GroupNorm(0, 4), mi.ArgumentError,
        "^GroupNorm: num_groups is 0; expected an integer of at least 1"),
    Bad("GroupNorm no channels", lambda: nn.GroupNorm(2, 0), mi.ArgumentError,
        "^GroupNorm: num_channels is 0; expected an integer of at least 1"),
    Bad("LocalResponseNorm axes", lambda: nn.LocalResponseNorm(2)(mi.ones((2, 4))), mi.ShapeError,
        r"^LocalResponseNorm: input has shape \(2, 4\); expected \(N, C, \*\)"),
    Bad("LocalResponseNorm dtype", lambda: nn.LocalResponseNorm(2)(INTEGERS), mi.DTypeError,
        "^LocalResponseNorm: input has dtype int64; expected a floating"),
    Bad("LocalResponseNorm size", lambda: nn.LocalResponseNorm(0), mi.ArgumentError,
        "^LocalResponseNorm: size is 0; expected an integer of at least 1"),
    Bad("LocalResponseNorm beta", lambda: nn.LocalResponseNorm(2, beta=None), mi.DTypeError,
        "^LocalResponseNorm: beta is None; expected a number"),
    Bad("GroupNorm one value", lambda: nn.GroupNorm(2, 2)(mi.ones((1, 2, 1))), mi.ShapeError,
        r"^GroupNorm: input has shape \(1, 2, 1\), one value in each of 2 groups; expected more"),
    Bad("group_norm one value", lambda: nn.functional.group_norm(mi.ones((1, 3)), 3),
        mi.ShapeError, r"^group_norm: input has shape \(1, 3\), one value in each of 3 groups"),
]  # fmt: skip

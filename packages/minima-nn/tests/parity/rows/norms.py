"""Normalisations: every option, in training and in evaluation, with and without a batch."""

from __future__ import annotations

from ..table import layer

ROUNDED = {
    "tolerances": {"float32": 3e-5},
    "why": "second gradients of the weight are what is left of a sum that cancels",
}


def norm(name, *args, takes, **options):
    return layer(name, *args, kind="norm", takes=[takes], **options)


def channels(name, shape):
    """Return the rows of a normalisation by channels with running figures."""
    n = shape[1]
    return [
        norm(name, n, takes=shape),
        norm(name, n, 0.1, 0.3, True, True, takes=shape, label="affine-tracking", **ROUNDED),
        norm(name, n, takes=shape, affine=True, bias=False, label="no-bias", **ROUNDED),
        norm(name, n, takes=shape, affine=False, track_running_stats=True),
        norm(name, n, takes=shape, track_running_stats=False),
    ]


ROWS = [
    *channels("BatchNorm1d", (4, 3)),
    norm("BatchNorm1d", 3, takes=(3, 3, 2), label="sequence"),
    norm("BatchNorm1d", 3, takes=(4, 3), momentum=None),
    norm("BatchNorm1d", 3, takes=(0, 3), label="batch-0"),
    norm("BatchNorm2d", 3, takes=(0, 3, 2, 2), momentum=None, label="batch-0"),
    *channels("BatchNorm2d", (2, 3, 2, 2)),
    *channels("BatchNorm3d", (2, 3, 2, 1, 2)),
    norm("BatchNorm3d", 3, takes=(2, 3, 2, 1, 2), momentum=None),
    *channels("InstanceNorm1d", (2, 3, 4)),
    norm("InstanceNorm1d", 3, takes=(3, 4), affine=True, label="unbatched"),
    norm("InstanceNorm1d", 3, takes=(3, 4), track_running_stats=True, label="unbatched-tracking"),
    norm("InstanceNorm1d", 3, takes=(2, 3, 4), momentum=None, track_running_stats=True),
    *channels("InstanceNorm2d", (2, 3, 2, 3)),
    norm("InstanceNorm2d", 3, takes=(3, 2, 3), track_running_stats=True, label="unbatched"),
    *channels("InstanceNorm3d", (2, 2, 2, 1, 3)),
    norm("InstanceNorm3d", 2, takes=(2, 2, 1, 3), affine=True, label="unbatched"),
    norm("LayerNorm", 4, takes=(3, 4)),
    norm("LayerNorm", (3, 4), 0.1, takes=(2, 3, 4)),
    norm("LayerNorm", 4, takes=(2, 3, 4), bias=False),
    norm("LayerNorm", 4, takes=(2, 3, 4), elementwise_affine=False),
    norm("RMSNorm", 4, takes=(3, 4)),
    norm("RMSNorm", (3, 4), 0.1, takes=(2, 3, 4), label="(3,4),0.1"),
    norm("RMSNorm", 4, takes=(3, 4), elementwise_affine=False),
    norm("GroupNorm", 2, 6, takes=(2, 6)),
    norm("GroupNorm", 2, 4, 0.1, takes=(2, 4, 3)),
    norm("GroupNorm", 4, 4, takes=(2, 4, 2, 2), affine=False),
    norm("GroupNorm", 1, 4, takes=(2, 4, 2), bias=False),
    norm("LocalResponseNorm", 2, takes=(2, 4, 3)),
    norm("LocalResponseNorm", 3, 0.5, 0.6, 2.0, takes=(2, 4, 3)),
    norm("LocalResponseNorm", 3, takes=(2, 4, 2, 2), alpha=0.5, beta=1.5, k=0.7),
    norm("LocalResponseNorm", 5, takes=(1, 3, 2, 1, 2), alpha=0.5),
]

"""The rows of the normalisations."""

from __future__ import annotations

from . import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    LayerNorm,
    LayerNorm1d,
    LocalResponseNorm,
    RMSNorm,
)
from .layer_case import LayerCase

__all__ = ["NORMS"]

NORMS = [
    LayerCase(lambda: LayerNorm1d(5), (4, 5), (4, 5)),
    LayerCase(lambda: LayerNorm1d(5), (3, 4, 5), (3, 4, 5), note="sequence"),
    LayerCase(lambda: LayerNorm1d((3, 2, 2)), (4, 3, 2, 2), (4, 3, 2, 2), note="image"),
    LayerCase(lambda: LayerNorm(5), (2, 4, 5), (2, 4, 5)),
    LayerCase(lambda: LayerNorm((3, 2), bias=False), (4, 3, 2), (4, 3, 2), note="no-bias"),
    LayerCase(lambda: LayerNorm(5, elementwise_affine=False), (4, 5), (4, 5), note="no-parameters"),
    LayerCase(lambda: RMSNorm(5), (2, 4, 5), (2, 4, 5)),
    LayerCase(lambda: RMSNorm((3, 2), 0.1), (4, 3, 2), (4, 3, 2), note="axes"),
    LayerCase(lambda: GroupNorm(2, 4), (2, 4, 3), (2, 4, 3)),
    LayerCase(lambda: GroupNorm(2, 4, 0.1, False), (2, 4, 2, 2), (2, 4, 2, 2), note="plain"),
    LayerCase(lambda: LocalResponseNorm(3, 0.1), (2, 4, 3), (2, 4, 3)),
    LayerCase(lambda: BatchNorm1d(3), (5, 3), (5, 3)),
    LayerCase(lambda: BatchNorm1d(3, affine=False), (4, 3, 2), (4, 3, 2), note="sequence"),
    LayerCase(lambda: BatchNorm2d(3), (4, 3, 2, 2), (4, 3, 2, 2)),
    LayerCase(lambda: BatchNorm3d(2), (2, 2, 2, 1, 2), (2, 2, 2, 1, 2)),
    LayerCase(lambda: InstanceNorm1d(3), (2, 3, 4), (2, 3, 4)),
    LayerCase(lambda: InstanceNorm2d(3, affine=True), (2, 3, 2, 2), (2, 3, 2, 2)),
    LayerCase(
        lambda: InstanceNorm2d(3, affine=True, track_running_stats=True),
        (3, 2, 2),
        (3, 2, 2),
        note="tracking",
        batch=None,
    ),
    LayerCase(lambda: InstanceNorm3d(2), (1, 2, 2, 1, 2), (1, 2, 2, 1, 2)),
]

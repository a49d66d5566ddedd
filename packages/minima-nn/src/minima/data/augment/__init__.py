"""Augmentation: changes at random of batches of images, and their preparation.

Each is an object to call with a batch (N, C, H, W), an array or a Tensor, which it leaves as it
is; what comes back is of the same kind, type and device. What is drawn, separately for each
image, comes from `generator`, by default minima's default generator at the time of the call: in
a worker of a DataLoader that one has a seed of the worker's own.

>>> from minima.data import augment
>>> prepare = augment.Compose([
...     augment.RandomCrop(8, padding=1, generator=mi.Generator(0)),
...     augment.RandomHorizontalFlip(generator=mi.Generator(1)),
...     augment.Normalize([0.3], [0.35]),
... ])
>>> images, _ = next(iter(mi.data.DataLoader(mi.data.digits(), batch_size=4)))
>>> prepare(images).shape
(4, 1, 8, 8)
"""

from minima.data.augment.base import Augmentation, Compose
from minima.data.augment.framing import CenterCrop, Pad, RandomCrop, Resize
from minima.data.augment.mixing import CutMix, Mixup
from minima.data.augment.moving import RandomHorizontalFlip, RandomRotation, RandomVerticalFlip
from minima.data.augment.values import ColorJitter, Cutout, Normalize, RandomErasing, ToFloat

__all__ = [
    "Augmentation",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "CutMix",
    "Cutout",
    "Mixup",
    "Normalize",
    "Pad",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "ToFloat",
]

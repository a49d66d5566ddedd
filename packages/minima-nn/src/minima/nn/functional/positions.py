"""Places in a sequence: as waves that are added, as angles to turn by, as a bias of distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minima import Tensor, asarray, concat, stack
from minima.devices import Device
from minima.errors import ShapeError

from ..arguments import check_choice, check_floating, integer, real

__all__ = ["alibi_bias", "rotary", "rotary_angles", "sinusoidal_positions"]

#: how the features of a pair that turns together lie
LAYOUTS = ("half", "interleaved")


def sinusoidal_positions(
    length: int,
    features: int,
    base: float = 10000.0,
    *,
    device: str | Device | None = None,
    dtype: npt.DTypeLike = "float32",
) -> Tensor:
    """Return (length, features): sines at the even features, cosines at the odd ones.

    y[t, 2i] = sin(t / base ** (2i / features)), y[t, 2i + 1] = cos of the same.
    Raises: ArgumentError for sizes below 1. Source: Vaswani et al. 2017, section 3.5.

    >>> mi.nn.functional.sinusoidal_positions(2, 2)
    Tensor([[0.      , 1.      ],
            [0.841471, 0.540302]])
    """
    name = "sinusoidal_positions"
    length, features = integer(name, "length", length), integer(name, "features", features)
    found = np.empty((length, features))
    angles = _angles(length, features, real(name, "base", base, low=1.0))
    found[:, 0::2] = np.sin(angles)
    found[:, 1::2] = np.cos(angles)[:, : features // 2]
    return asarray(found, device=device).astype(dtype)


def rotary_angles(
    length: int,
    features: int,
    base: float = 10000.0,
    *,
    device: str | Device | None = None,
    dtype: npt.DTypeLike = "float32",
) -> tuple[Tensor, Tensor]:
    """Return the cosines and sines, (length, features / 2) each, that `rotary` turns by.

    Pair i turns by t / base ** (2i / features) at place t.
    Raises: ArgumentError for sizes below 1, ShapeError for an odd number of features.
    Source: Su et al. 2021.

    >>> cos, sin = mi.nn.functional.rotary_angles(2, 2)
    >>> sin
    Tensor([[0.      ],
            [0.841471]])
    """
    name = "rotary_angles"
    length, features = integer(name, "length", length), integer(name, "features", features)
    if features % 2:
        raise ShapeError(f"{name}: features is {features}; expected an even number, for pairs")
    angles = _angles(length, features, real(name, "base", base, low=1.0))
    cos, sin = (asarray(f(angles), device=device).astype(dtype) for f in (np.cos, np.sin))
    return cos, sin


def _angles(length: int, features: int, base: float) -> npt.NDArray[np.float64]:
    """Return (length, pairs): place times the pair's frequency."""
    rates = base ** (-np.arange(0, features, 2) / features)
    return np.arange(length)[:, None] * rates


def rotary(input: Tensor, cos: Tensor, sin: Tensor, layout: str = "half") -> Tensor:
    """Return *input*, whose first 2 * P features are turned pair by pair; the others stay.

    (a, b) becomes (a cos - b sin, a sin + b cos). With *layout* "half" the pairs are features i
    and i + P, as in GPT-NeoX and in Llama's weights of Hugging Face; with "interleaved" 2i and
    2i + 1, as in the paper and in Meta's weights.

    Shapes: input (*, T, D), cos and sin (T, P), or what broadcasts to (*, T, P) -> as input.
    Raises: ShapeError when sizes do not fit, ArgumentError for another layout.
    Source: Su et al. 2021, equation 34.

    >>> cos, sin = mi.nn.functional.rotary_angles(2, 2)
    >>> mi.nn.functional.rotary(mi.Tensor([[1.0, 0.0], [1.0, 0.0]]), cos, sin)
    Tensor([[1.      , 0.      ],
            [0.540302, 0.841471]])
    """
    check_choice("rotary", "layout", layout, LAYOUTS)
    for argument, t in (("input", input), ("cos", cos), ("sin", sin)):
        check_floating("rotary", argument, t)
    pairs = cos.shape[-1] if cos.ndim else 0
    lead = input.shape[:-1]
    fits = input.ndim > 1 and pairs and input.shape[-1] >= 2 * pairs and cos.ndim <= input.ndim
    fits = fits and all(n in (1, m) for n, m in zip(cos.shape[-2::-1], lead[::-1]))
    if not fits or cos.shape != sin.shape:
        raise ShapeError(
            f"rotary: input has shape {input.shape}, cos {cos.shape}, sin {sin.shape}; expected "
            "(*, T, D) and twice (T, P), with 2 * P features or more"
        )
    cos, sin = cos.astype(input.dtype), sin.astype(input.dtype)
    x = input if input.shape[-1] == 2 * pairs else input[..., : 2 * pairs]
    if layout == "half":
        a, b = x[..., :pairs], x[..., pairs:]
        y = concat([a * cos - b * sin, a * sin + b * cos], axis=-1)
    else:
        a, b = x[..., 0::2], x[..., 1::2]
        y = stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(x.shape)
    return y if x is input else concat([y, input[..., 2 * pairs :]], axis=-1)


def alibi_bias(
    num_heads: int,
    length: int,
    keys: int | None = None,
    *,
    device: str | Device | None = None,
    dtype: npt.DTypeLike = "float32",
) -> Tensor:
    """Return (num_heads, length, keys), to add to scores: less for keys that are further back.

    y[h, i, j] = -m_h * |i + keys - length - j|, the slopes m_h falling from head to head, from
    2 ** (-8 / num_heads) by that factor each; for other numbers than powers of two, those of the
    power below and of every second of the one above. The queries are the last *length* of *keys*.
    Raises: ArgumentError for sizes below 1. Source: Press et al. 2022.

    >>> mi.nn.functional.alibi_bias(1, 2)
    Tensor([[[ 0.      , -0.003906],
             [-0.003906,  0.      ]]])
    """
    heads = integer("alibi_bias", "num_heads", num_heads)
    length = integer("alibi_bias", "length", length)
    keys = integer("alibi_bias", "keys", length if keys is None else keys, low=length)
    below = 1 << (heads.bit_length() - 1)
    slopes = [2.0 ** (-8.0 * (i + 1) / below) for i in range(below)]
    slopes += [2.0 ** (-4.0 * (2 * i + 1) / below) for i in range(heads - below)]
    far = np.abs(np.arange(keys - length, keys)[:, None] - np.arange(keys))
    return asarray(0.0 - np.asarray(slopes)[:, None, None] * far, device=device).astype(dtype)

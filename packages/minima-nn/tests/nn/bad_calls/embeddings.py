"""Wrong calls of tables, of layers that take pairs, and of dropout."""

import numpy as np

import minima as mi
from minima import nn
from minima.devices import Device

from . import Bad

OTHER = Device("another", xp=np)
ONE, TWO = mi.Tensor([[1, 2]]), mi.Tensor([1, 2])


def tables(kind):
    """Return the rows that both tables share."""

    def make(*args, **options):
        return getattr(nn, kind)(*args, **options)

    return [
        Bad(
            f"{kind} no rows", lambda: make(0, 3), mi.ArgumentError, f"{kind}: num_embeddings is 0"
        ),
        Bad(
            f"{kind} no columns", lambda: make(4, -1), mi.ArgumentError, f"{kind}: embedding_dim is"
        ),
        Bad(
            f"{kind} padding_idx",
            lambda: make(4, 3, padding_idx=4),
            mi.ArgumentError,
            f"{kind}: padding_idx is 4; expected at most 3",
        ),
        Bad(
            f"{kind} max_norm",
            lambda: make(4, 3, max_norm=-1.0),
            mi.ArgumentError,
            f"{kind}: max_norm is -1.0; expected a number of at least 0",
        ),
        Bad(
            f"{kind} norm_type",
            lambda: make(4, 3, norm_type="two"),
            mi.DTypeError,
            f"{kind}: norm_type is 'two'; expected a number",
        ),
        Bad(
            f"{kind} sparse",
            lambda: make(4, 3, sparse=True),
            mi.ArgumentError,
            f"{kind}: sparse is True; expected False",
        ),
        Bad(
            f"{kind} scale_grad_by_freq",
            lambda: make(4, 3, scale_grad_by_freq=2),
            mi.DTypeError,
            f"{kind}: scale_grad_by_freq is 2; expected a bool",
        ),
        Bad(
            f"{kind} weight",
            lambda: make(4, 3, _weight=mi.ones((3, 4))),
            mi.ShapeError,
            rf"{kind}: _weight has shape \(3, 4\); expected \(4, 3\)",
        ),
        Bad(
            f"{kind} no table",
            lambda: getattr(nn, kind).from_pretrained(mi.ones(3)),
            mi.ShapeError,
            rf"{kind}: embeddings have shape \(3,\); expected \(V, D\)",
        ),
        Bad(
            f"{kind} a table of integers",
            lambda: getattr(nn, kind).from_pretrained(mi.ones((3, 2), dtype="int64")),
            mi.DTypeError,
            f"{kind}: embeddings has dtype int64; expected",
        ),
        Bad(
            f"{kind} floats",
            lambda: make(4, 3)(mi.ones((1, 2))),
            mi.DTypeError,
            f"{kind}: input has dtype float32; expected integers",
        ),
        Bad(
            f"{kind} a list",
            lambda: make(4, 3)([1]),
            mi.DTypeError,
            f"{kind}: input is a list; expected a Tensor",
        ),
        Bad(
            f"{kind} an index beyond",
            lambda: make(2, 3)(ONE),
            mi.IndexRangeError,
            f"{kind}: got index 2; expected 0 to 1",
        ),
        Bad(
            f"{kind} a negative index",
            lambda: make(2, 3)(ONE * -1),
            mi.IndexRangeError,
            f"{kind}: got index -.; expected 0 to 1",
        ),
        Bad(
            f"{kind} another device",
            lambda: make(4, 3)(ONE.to(OTHER)),
            mi.DeviceError,
            f"{kind}: inputs lie on another and cpu; expected one device",
        ),
    ]


def dropout(kind, shape):
    """Return the rows of a dropout that takes axes as in *shape*."""

    def make(*args, **options):
        return getattr(nn, kind)(*args, **options)

    found = [
        Bad(
            f"{kind} p", lambda: make(1.5), mi.ArgumentError, f"{kind}: p is 1.5; expected a number"
        ),
        Bad(f"{kind} negative p", lambda: make(-0.1), mi.ArgumentError, f"{kind}: p is -0.1; exp"),
        Bad(
            f"{kind} inplace",
            lambda: make(0.5, 3),
            mi.DTypeError,
            f"{kind}: inplace is 3; expected",
        ),
        Bad(
            f"{kind} integers",
            lambda: make()(mi.ones(shape, dtype="int64")),
            mi.DTypeError,
            f"{kind}: input has dtype int64; expected",
        ),
    ]
    if kind in ("Dropout", "AlphaDropout"):  # of any axes
        return found
    return [
        *found,
        Bad(
            f"{kind} axes",
            lambda: make()(mi.ones(shape[-1:])),
            mi.ShapeError,
            rf"{kind}: got x \(2,\); expected",
        ),
    ]


ROWS = [
    *tables("Embedding"),
    *tables("EmbeddingBag"),
    Bad(
        "EmbeddingBag mode",
        lambda: nn.EmbeddingBag(4, 3, mode="min"),
        mi.ArgumentError,
        "EmbeddingBag: mode is 'min'; expected one of",
    ),
    Bad(
        "EmbeddingBag frequent maximum",
        lambda: nn.EmbeddingBag(4, 3, mode="max", scale_grad_by_freq=True),
        mi.ArgumentError,
        "EmbeddingBag: scale_grad_by_freq is True and mode 'max'; expected",
    ),
    Bad(
        "EmbeddingBag offsets twice",
        lambda: nn.EmbeddingBag(4, 3)(ONE, TWO),
        mi.ShapeError,
        r"EmbeddingBag: input has shape \(1, 2\), offsets are of shape \(2,\); expected",
    ),
    Bad(
        "EmbeddingBag no offsets",
        lambda: nn.EmbeddingBag(4, 3)(TWO),
        mi.ShapeError,
        r"EmbeddingBag: input has shape \(2,\), offsets are None; expected",
    ),
    Bad(
        "EmbeddingBag late offsets",
        lambda: nn.EmbeddingBag(4, 3)(TWO, mi.Tensor([1])),
        mi.IndexRangeError,
        r"EmbeddingBag: got offsets \[1\] for 2 entries; expected the first to be 0",
    ),
    Bad(
        "EmbeddingBag far offsets",
        lambda: nn.EmbeddingBag(4, 3)(TWO, mi.Tensor([0, 3])),
        mi.IndexRangeError,
        r"EmbeddingBag: got offsets \[0, 3\] for 2 entries; expected",
    ),
    Bad(
        "EmbeddingBag no last offset",
        lambda: nn.EmbeddingBag(4, 3, include_last_offset=True)(TWO, TWO[:0]),
        mi.ShapeError,
        r"EmbeddingBag: offsets have shape \(0,\); expected \(B \+ 1\)",
    ),
    Bad(
        "EmbeddingBag early end",
        lambda: nn.EmbeddingBag(4, 3, include_last_offset=True)(TWO, mi.Tensor([0, 1])),
        mi.IndexRangeError,
        r"EmbeddingBag: the last offset is 1; expected 2",
    ),
    Bad(
        "EmbeddingBag floating offsets",
        lambda: nn.EmbeddingBag(4, 3)(TWO, mi.zeros(1)),
        mi.DTypeError,
        "EmbeddingBag: offsets has dtype float32; expected integers",
    ),
    Bad(
        "EmbeddingBag scales of a mean",
        lambda: nn.EmbeddingBag(4, 3)(ONE, None, mi.ones((1, 2))),
        mi.ArgumentError,
        "EmbeddingBag: per_sample_weights .* 'mean'; expected .* mode 'sum'",
    ),
    Bad(
        "EmbeddingBag other scales",
        lambda: nn.EmbeddingBag(4, 3, mode="sum")(ONE, None, mi.ones(2)),
        mi.ArgumentError,
        r"EmbeddingBag: per_sample_weights have shape \(2,\).*; expected",
    ),
    Bad(
        "Bilinear features",
        lambda: nn.Bilinear(0, 3, 2),
        mi.ArgumentError,
        "Bilinear: in1_features is 0; expected",
    ),
    Bad(
        "Bilinear input1",
        lambda: nn.Bilinear(2, 3, 2)(mi.ones((4, 3)), mi.ones((4, 3))),
        mi.ShapeError,
        r"Bilinear: input1 has shape \(4, 3\); expected \(\*, 2\), as in1_features is 2",
    ),
    Bad(
        "Bilinear input2",
        lambda: nn.Bilinear(2, 3, 2)(mi.ones((4, 2)), mi.ones((4, 2))),
        mi.ShapeError,
        r"Bilinear: input2 has shape \(4, 2\); expected \(\*, 3\), as in2_features is 3",
    ),
    Bad(
        "Bilinear batches",
        lambda: nn.Bilinear(2, 3, 2)(mi.ones((4, 2)), mi.ones((5, 3))),
        mi.ShapeError,
        r"Bilinear: input1 has shape \(4, 2\) and input2 \(5, 3\); expected",
    ),
    Bad(
        "Bilinear integers",
        lambda: nn.Bilinear(2, 3, 2)(mi.ones((4, 2)), mi.ones((4, 3), dtype="int64")),
        mi.DTypeError,
        "Bilinear: input2 has dtype int64; expected",
    ),
    Bad(
        "CosineSimilarity sizes",
        lambda: nn.CosineSimilarity()(mi.ones((4, 2)), mi.ones((4, 3))),
        mi.ShapeError,
        r"CosineSimilarity: x1 has shape \(4, 2\) and x2 \(4, 3\); expected",
    ),
    Bad(
        "CosineSimilarity axis",
        lambda: nn.CosineSimilarity(2)(mi.ones((4, 2)), mi.ones((4, 2))),
        mi.ShapeError,
        "CosineSimilarity: x1 .*; expected an axis 2, as dim is 2",
    ),
    Bad(
        "CosineSimilarity eps",
        lambda: nn.CosineSimilarity(eps=-1.0),
        mi.ArgumentError,
        "CosineSimilarity: eps is -1.0; expected",
    ),
    Bad(
        "CosineSimilarity dim",
        lambda: nn.CosineSimilarity(0.5),
        mi.DTypeError,
        "CosineSimilarity: dim is 0.5; expected an integer",
    ),
    Bad(
        "PairwiseDistance sizes",
        lambda: nn.PairwiseDistance()(mi.ones((4, 2)), mi.ones((3, 2))),
        mi.ShapeError,
        r"PairwiseDistance: x1 has shape \(4, 2\) and x2 \(3, 2\); expected",
    ),
    Bad(
        "PairwiseDistance p",
        lambda: nn.PairwiseDistance(-1.0),
        mi.ArgumentError,
        "PairwiseDistance: p is -1.0; expected",
    ),
    Bad(
        "PairwiseDistance list",
        lambda: nn.PairwiseDistance()(mi.ones(2), [1.0, 2.0]),
        mi.DTypeError,
        "PairwiseDistance: x2 is a list; expected a Tensor",
    ),
    *(
        row
        for kind, shape in {
            "Dropout": (2, 2),
            "Dropout1d": (2, 2, 2),
            "Dropout2d": (2, 2, 2, 2),
            "Dropout3d": (2, 2, 2, 2, 2),
            "AlphaDropout": (2, 2),
            "FeatureAlphaDropout": (2, 2, 2),
        }.items()
        for row in dropout(kind, shape)
    ),
]

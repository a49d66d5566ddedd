"""Wrong calls of losses: what they were made with, and what they are called with."""

from __future__ import annotations

import minima as mi
from minima import nn

from . import Bad

#: losses of two tensors of one shape
PAIRS = """
BCELoss BCEWithLogitsLoss FocalLoss HuberLoss KLDivLoss L1Loss MSELoss PoissonNLLLoss SmoothL1Loss
HingeEmbeddingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss SoftMarginLoss
""".split()
#: losses of scores and classes
CLASSES = "CrossEntropyLoss NLLLoss MultiMarginLoss".split()
#: losses of three tensors
TRIPLES = """
CosineEmbeddingLoss MarginRankingLoss TripletMarginLoss TripletMarginWithDistanceLoss
GaussianNLLLoss
""".split()
X = mi.ones((2, 3))


def _made(name, **options):
    return getattr(nn, name)(**options)


def _rows():
    for name in [*PAIRS, *CLASSES, *TRIPLES, "CTCLoss"]:
        yield Bad(
            f"{name} reduction", lambda name=name: _made(name, reduction="avg"), mi.ArgumentError,
            f"^{name}: reduction is 'avg'; expected one of 'mean'",
        )  # fmt: skip
    for name in [*PAIRS, *CLASSES]:
        for label, given in (("a list", [1.0]), ("None", None)):
            yield Bad(
                f"{name} of {label}", lambda name=name, given=given: _made(name)(given, X),
                mi.DTypeError, rf"^{name}: inputs? is a \w+; expected a Tensor",
            )  # fmt: skip
        yield Bad(
            f"{name} of whole numbers",
            lambda name=name: _made(name)(X.astype("int64"), X.astype("int64")), mi.DTypeError,
            f"^{name}: inputs? has dtype int64; expected a floating type",
        )  # fmt: skip
    for name in PAIRS:
        yield Bad(
            f"{name} sizes", lambda name=name: _made(name)(X, mi.ones((2, 4))), mi.ShapeError,
            rf"^{name}: inputs? has shape \(2, 3\), targets? \(2, 4\); expected equal shapes",
        )  # fmt: skip
        yield Bad(
            f"{name} axes", lambda name=name: _made(name)(X, mi.ones((3,))), mi.ShapeError,
            rf"^{name}: inputs? has shape \(2, 3\), targets? \(3,\); expected",
        )  # fmt: skip
    for name in TRIPLES:
        third = mi.ones((4,))
        yield Bad(
            f"{name} sizes", lambda name=name, t=third: _made(name)(X, X, t), mi.ShapeError,
            rf"^{name}: \w+ has shape \(2, 3\), \w+ \(4,\); expected",
        )  # fmt: skip
        yield Bad(
            f"{name} of a list", lambda name=name: _made(name)([1.0], X, X), mi.DTypeError,
            rf"^{name}: \w+ is a list; expected a Tensor",
        )  # fmt: skip
    for name in CLASSES:
        yield Bad(
            f"{name} batch", lambda name=name: _made(name)(X, mi.Tensor([0, 1, 2])), mi.ShapeError,
            rf"^{name}: .*\(2, 3\).*\(3,\); expected",
        )  # fmt: skip
        yield Bad(
            f"{name} class", lambda name=name: _made(name)(X, mi.Tensor([0, 3])),
            mi.IndexRangeError, rf"^{name}: .*3; expected 0 to 2",
        )  # fmt: skip


LOG = mi.log_softmax(mi.ones((5, 2, 4)))
ROWS = [
    *_rows(),
    Bad(
        "CrossEntropyLoss smoothing", lambda: nn.CrossEntropyLoss(label_smoothing=1.5),
        mi.ArgumentError, "^CrossEntropyLoss: label_smoothing is 1.5; expected a number from 0",
    ),
    Bad(
        "CrossEntropyLoss weight", lambda: nn.CrossEntropyLoss(mi.ones(4))(X, mi.Tensor([0, 1])),
        mi.ShapeError, r"^CrossEntropyLoss: weight has shape \(4,\) .*; expected \(3,\)",
    ),
    Bad(
        "NLLLoss weight", lambda: nn.NLLLoss(mi.ones(4))(X, mi.Tensor([0, 1])), mi.ShapeError,
        r"^NLLLoss: weight has shape \(4,\) .*; expected \(3,\)",
    ),
    Bad(
        "HuberLoss delta", lambda: nn.HuberLoss(delta=-1.0)(X, X), mi.ArgumentError,
        "^HuberLoss: delta is -1.0; expected",
    ),
    Bad(
        "SmoothL1Loss beta", lambda: nn.SmoothL1Loss(beta=-1.0)(X, X), mi.ArgumentError,
        "^SmoothL1Loss: beta is -1.0; expected",
    ),
    Bad(
        "CTCLoss axes",
        lambda: nn.CTCLoss()(LOG[0, 0], mi.Tensor([1]), mi.Tensor([4]), mi.Tensor([1])),
        mi.ShapeError, r"^CTCLoss: log_probs has shape \(4,\); expected",
    ),
    Bad(
        "CTCLoss lengths",
        lambda: nn.CTCLoss()(LOG, mi.Tensor([[1], [2]]), mi.Tensor([6, 5]), mi.Tensor([1, 1])),
        mi.MinimaError, r"^CTCLoss: input_lengths .*6.*; expected",
    ),
]  # fmt: skip

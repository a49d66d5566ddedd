"""Losses: every one with every option and every reduction."""

from __future__ import annotations

import numpy as np

from ..table import Given, Whole, layer, values

X = (4, 3)
REDUCTIONS = ("mean", "sum", "none")


def share(*shape, seed="share"):
    """Return shares, as an input whose gradient is compared."""
    return Given(1.0 / (1.0 + np.exp(-values(seed, shape))), True)


def logs(*shape):
    """Return logarithms of shares."""
    x = values("logs", shape)
    return Given(x - np.log(np.exp(x).sum(axis=1, keepdims=True)), True)


def signs(*shape):
    return Given(np.sign(values("signs", shape)))


def count(*shape):
    return Given(np.floor(np.abs(values("count", shape)) * 2))


def yes(*shape):
    return Given((values("yes", shape) > 0) * 1.0)


def positive(*shape):
    return Given(np.abs(values("positive", shape)) + 0.1, True)


def weights(**arrays):
    """Return what makes a loss of these tensors, in the dtype of the side, and the options."""

    def make(name, options):
        return lambda side: getattr(side.nn, name)(
            **{k: side.tensor(np.array(v)) for k, v in arrays.items()}, **options
        )

    return make


def loss(name, *takes, reductions=REDUCTIONS, tensors=None, label="", call=None, second=True, **o):
    """Return a row for each reduction."""
    found = []
    for reduction in reductions:
        options = {**o, "reduction": reduction}
        text = ",".join(filter(None, [label, *(f"{k}={v}" for k, v in options.items())]))
        make = weights(**(tensors or {}))(name, options)
        found.append(
            layer(
                name,
                takes=takes,
                kind="loss",
                label=text,
                make=make,
                call=call,
                modes=(True,),
                second=second,
            )
        )
    return found


W = [0.5, 1.0, 2.0]
CLASSES = Whole((4,), 3)
IMAGE = Whole((4, 2), 3)
SPELLED = Given(np.array([[1, 2], [2, 2]]))


def spelling(side, module, x, targets):
    lengths = [side.tensor(np.array(v)) for v in ([5, 4], [2, 1])]
    shares = side.F.log_softmax(x, -1)
    return module(shares, targets, *lengths)


def near(side):
    return side.nn.TripletMarginWithDistanceLoss(
        distance_function=lambda a, b: ((a - b) * (a - b)).sum(-1), margin=0.5, swap=True
    )


ROWS = [
    row
    for rows in (
        loss("MSELoss", X, X),
        loss("L1Loss", X, X),
        loss("SmoothL1Loss", (5, 3), (5, 3)),
        loss("SmoothL1Loss", (5, 3), (5, 3), beta=0.5),
        loss("HuberLoss", (5, 3), (5, 3)),
        loss("HuberLoss", (5, 3), (5, 3), delta=0.5),
        loss("PoissonNLLLoss", X, count(*X)),
        loss("PoissonNLLLoss", positive(*X), count(*X), log_input=False, full=True, eps=1e-3),
        loss("GaussianNLLLoss", X, X, positive(*X)),
        loss("GaussianNLLLoss", X, X, positive(4, 1), full=True, eps=1e-3),
        loss("CrossEntropyLoss", X, CLASSES),
        loss("CrossEntropyLoss", (4, 3, 2), IMAGE, ignore_index=1),
        loss("CrossEntropyLoss", X, CLASSES, tensors={"weight": W}, label_smoothing=0.2),
        loss("CrossEntropyLoss", (3,), Given(np.array(1)), label="single"),
        loss("CrossEntropyLoss", X, share(*X), tensors={"weight": W}, label="probabilities"),
        loss("NLLLoss", logs(*X), CLASSES, second=False),
        loss("NLLLoss", (4, 3, 2), IMAGE, tensors={"weight": W}, ignore_index=1, second=False),
        loss("BCELoss", share(*X), yes(*X)),
        loss("BCELoss", share(*X), share(*X, seed="target"), tensors={"weight": W}, label="weight"),
        loss("BCEWithLogitsLoss", X, yes(*X)),
        loss(
            "BCEWithLogitsLoss",
            X,
            share(*X),
            tensors={"weight": W, "pos_weight": W},
            label="weight",
        ),
        loss("KLDivLoss", logs(*X), share(*X), reductions=(*REDUCTIONS, "batchmean")),
        loss("KLDivLoss", logs(*X), logs(*X), reductions=("sum", "batchmean"), log_target=True),
        loss("HingeEmbeddingLoss", X, signs(*X)),
        loss("HingeEmbeddingLoss", X, signs(*X), margin=0.5),
        loss("MarginRankingLoss", (5,), (5,), signs(5)),
        loss("MarginRankingLoss", (5,), (5,), signs(5), margin=0.5),
        loss("CosineEmbeddingLoss", X, X, signs(4)),
        loss("CosineEmbeddingLoss", X, X, signs(4), margin=-0.5),
        loss("TripletMarginLoss", X, X, X),
        loss("TripletMarginLoss", X, X, X, margin=2.0, p=3.0, eps=1e-3, swap=True),
        loss("TripletMarginWithDistanceLoss", X, X, X, margin=2.0),
        loss("MultiMarginLoss", X, CLASSES, second=False),
        loss("MultiMarginLoss", X, CLASSES, tensors={"weight": W}, second=False, p=2, margin=0.5),
        loss("MultiLabelMarginLoss", X, Given(np.array([[1, -1, 0]] * 4)), second=False),
        loss("MultiLabelSoftMarginLoss", X, yes(*X)),
        loss("MultiLabelSoftMarginLoss", X, yes(*X), tensors={"weight": W}, label="weight"),
        loss("SoftMarginLoss", X, signs(*X)),
        loss("CTCLoss", (5, 2, 4), SPELLED, call=spelling, second=False),
        loss("CTCLoss", (5, 2, 4), SPELLED, call=spelling, second=False, blank=3),
        loss(
            "CTCLoss",
            (5, 2, 4),
            Given(np.array([1, 2, 2])),
            call=spelling,
            second=False,
            zero_infinity=True,
        ),
    )
    for row in rows
] + [layer("TripletMarginWithDistanceLoss", takes=(X, X, X), kind="loss", label="near", make=near)]

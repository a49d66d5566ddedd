"""Tables of rows, and layers that take pairs: every option."""

from __future__ import annotations

from ..table import Given, Whole, layer


def embedding(name, *args, takes, **options):
    return layer(name, *args, takes=takes, kind="embedding", **options)


INPUT = Whole((3, 4), 5)
TWICE = Given([[0, 1, 1], [4, 1, 0]])
ENTRIES, OFFSETS = Given([0, 1, 1, 4, 2, 3]), Given([0, 2, 2, 5])
ENDS = Given([0, 2, 2, 6])
LEFT, RIGHT = Given([[0.5, -2.0, 0.1]], True), Given([[1.0, 0.25, 1.5]], True)
#: each row as often as any other: else PyTorch 2.13 divides by another count (on the cpu)
EVENLY = Given([[0, 3, 1], [1, 0, 3]])
FREQUENT = {"scale_grad_by_freq": True}
TABLE = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]]


def _pretrained(name, **options):
    return {
        "make": lambda side: getattr(side.nn, name).from_pretrained(side.tensor(TABLE), **options)
    }


def _weighed(side, module, x, offsets, scales):
    return module(x, offsets, per_sample_weights=scales)


ROWS = [
    embedding("Embedding", 5, 3, takes=(INPUT,)),
    embedding("Embedding", 5, 3, takes=(Given(2),), label="one"),
    embedding("Embedding", 5, 3, takes=(Whole((0, 4), 5),), label="none"),
    embedding("Embedding", 5, 3, padding_idx=1, takes=(TWICE,)),
    embedding("Embedding", 5, 3, padding_idx=-1, takes=(TWICE,)),
    embedding("Embedding", 5, 3, max_norm=0.4, takes=(TWICE,)),
    embedding("Embedding", 5, 3, max_norm=0.4, norm_type=1.0, takes=(TWICE,)),
    embedding("Embedding", 5, 3, max_norm=0.4, norm_type=3.0, padding_idx=0, takes=(TWICE,)),
    embedding("Embedding", 5, 3, scale_grad_by_freq=True, takes=(TWICE,), second=False),
    embedding(
        "Embedding", 5, 3, 1, scale_grad_by_freq=True, takes=(TWICE,), second=False, label="both"
    ),
    embedding("Embedding", takes=(Given([0, 2]),), label="given", **_pretrained("Embedding")),
    embedding(
        "Embedding",
        takes=(Given([0, 2, 2]),),
        label="trained",
        **_pretrained("Embedding", freeze=False, padding_idx=2),
    ),
    *(
        row
        for mode in ("sum", "mean", "max")
        for row in (
            embedding("EmbeddingBag", 5, 3, mode=mode, takes=(TWICE,), second=False),
            embedding(
                "EmbeddingBag",
                *(5, 3),
                mode=mode,
                takes=(ENTRIES, OFFSETS),
                label=f"{mode}-offsets",
                second=False,
            ),
            embedding("EmbeddingBag", 5, 3, mode=mode, padding_idx=1, takes=(TWICE,), second=False),
            embedding("EmbeddingBag", 5, 3, mode=mode, max_norm=0.4, takes=(TWICE,), second=False),
            embedding(
                "EmbeddingBag",
                *(5, 3),
                mode=mode,
                include_last_offset=True,
                takes=(ENTRIES, ENDS),
                second=False,
            ),
        )
    ),
    *(
        embedding("EmbeddingBag", 5, 3, takes=(EVENLY,), second=False, mode=m, **FREQUENT)
        for m in ("sum", "mean")
    ),
    embedding("EmbeddingBag", 5, 3, 0.4, 1.0, mode="sum", takes=(TWICE,), second=False),
    embedding(
        "EmbeddingBag",
        *(5, 3),
        mode="sum",
        takes=(ENTRIES, OFFSETS, (6,)),
        call=_weighed,
        label="weighed",
        second=False,
    ),
    embedding(
        "EmbeddingBag",
        *(5, 3),
        mode="sum",
        padding_idx=1,
        takes=(ENTRIES, OFFSETS, (6,)),
        call=_weighed,
        label="weighed-padding",
        second=False,
    ),
    embedding(
        "EmbeddingBag",
        takes=(Given([[0, 2, 2]]),),
        label="trained",
        **_pretrained("EmbeddingBag", freeze=False, mode="sum"),
        second=False,
    ),
    embedding("Bilinear", 3, 4, 2, takes=((5, 3), (5, 4))),
    embedding("Bilinear", 3, 4, 2, False, takes=((2, 5, 3), (2, 5, 4))),
    embedding("Bilinear", 3, 4, 2, takes=((3,), (4,)), label="single"),
    embedding("CosineSimilarity", takes=((3, 4), (3, 4))),
    embedding("CosineSimilarity", -1, 1e-3, takes=((2, 3, 4), (2, 1, 4))),
    embedding("CosineSimilarity", 0, takes=((4,), (4,)), label="single"),
    embedding("PairwiseDistance", takes=((3, 4), (3, 4))),
    embedding("PairwiseDistance", 3.0, 1e-3, True, takes=((3, 4), (1, 4))),
    embedding("PairwiseDistance", 0.0, 0.5, takes=((3, 4), (3, 4)), second=False),
    embedding("PairwiseDistance", 1.0, takes=((4,), (4,)), label="single"),
    embedding("PairwiseDistance", float("inf"), takes=(LEFT, RIGHT), second=False),
    embedding("Identity", 1, 2, anything=3, takes=((3, 4),), second=False),
    *(
        embedding(name, 0.0, takes=(shape,), second=False)
        for name, shape in {
            "Dropout": (3, 4),
            "Dropout1d": (3, 4, 2),
            "Dropout2d": (3, 4, 2, 2),
            "Dropout3d": (3, 4, 2, 1, 2),
            "AlphaDropout": (3, 4),
            "FeatureAlphaDropout": (3, 4, 2),
        }.items()
    ),
    *(
        embedding(name, 0.5, True, takes=(shape,), second=False, modes=(False,))
        for name, shape in {
            "Dropout": (3, 4),
            "Dropout1d": (3, 4, 2),
            "Dropout2d": (3, 4, 2, 2),
            "Dropout3d": (3, 4, 2, 1, 2),
            "AlphaDropout": (3, 4),
            "FeatureAlphaDropout": (3, 4, 2),
        }.items()
    ),
    embedding("Dropout", 1.0, takes=((3, 4),), second=False),
]

"""Draw the graph of a residual MLP: what backward goes through.

Run ``python mlp_graph.py graph`` for ``graph.dot`` and, with Graphviz and the package graphviz
installed, ``graph.svg``.
"""

import argparse
from pathlib import Path

import minima as mi
from minima import nn


def mlp(size, hidden, depth, classes):
    """Return blocks of two layers, each with a way round, and a layer that scores classes."""
    blocks = [
        nn.Sequential(
            nn.Residual(
                nn.Sequential(
                    nn.Linear(hidden, hidden // 2), nn.LayerNorm1d(hidden // 2), nn.ReLU(),
                    nn.Dropout(0.1),
                    nn.Linear(hidden // 2, hidden), nn.LayerNorm1d(hidden),
                )
            ),
            nn.ReLU(),
        )
        for _ in range(depth)
    ]  # fmt: skip
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), *blocks, nn.Linear(hidden, classes))


def main(argv=None):
    """Write the picture, and return its text."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("out", nargs="?", default="graph", help="name of the files, without end")
    out = Path(options.parse_args(argv).out)
    mi.manual_seed(0)
    model = mlp(8, 16, 2, 4)
    loss = nn.CrossEntropyLoss()(model(mi.ones((3, 8))), mi.Tensor([0, 1, 3]))
    drawing = mi.viz.graph(loss, params=dict(model.named_parameters()))
    drawing.save(out.with_suffix(".dot"))
    text = str(drawing)
    try:
        drawing.save(out.with_suffix(".svg"))
    except mi.MinimaError as error:  # Graphviz is not there
        print(error)
    print(f"{text.count('->')} arrows in {out.with_suffix('.dot')}")
    return text


if __name__ == "__main__":
    main()

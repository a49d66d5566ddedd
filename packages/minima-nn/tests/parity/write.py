"""Write the references: what PyTorch gives, in float64, for each row of the table.

Run ``python -m parity.write`` in packages/minima-nn/tests, in an environment with PyTorch;
with names of kinds for those alone.
"""

from __future__ import annotations

import sys

import numpy as np

from .rows import ROWS
from .sides import torch_side
from .table import store


def main(kinds):
    for kind in kinds or sorted({row.kind for row in ROWS}):
        rows = {}
        for row in ROWS:
            if row.kind == kind:
                found = row.run(torch_side()("float64"))
                rows[row.id] = {name: np.asarray(a) for name, a in found.items()}
        store(kind, rows)
        print(f"{kind}: {sum(map(len, rows.values()))} arrays of {len(rows)} rows")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Write the references: what PyTorch gives, in float64, for each row of the table.

Run ``python -m parity.write`` in packages/minima-nn/tests, in an environment with PyTorch;
with names of kinds for those alone.
"""

from __future__ import annotations

import sys

import numpy as np

from .rows import ROWS
from .sides import torch_side
from .table import REFERENCES


def main(kinds):
    for kind in kinds or sorted({row.kind for row in ROWS}):
        arrays = {}
        for row in ROWS:
            if row.kind == kind:
                found = row.run(torch_side()("float64"))
                arrays.update({f"{row.id}/{key}": np.asarray(a) for key, a in found.items()})
        np.savez_compressed(REFERENCES / f"{kind}.npz", **arrays)
        print(f"{kind}: {len(arrays)} arrays")


if __name__ == "__main__":
    main(sys.argv[1:])

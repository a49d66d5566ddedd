"""Make minima-nn's copy of the UCI handwritten digits from `digits.csv.gz`.

    python scripts/make_digits.py digits.csv.gz

The source is the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin,
C. Kaynak, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0) as
scikit-learn ships it: `pip download --no-deps scikit-learn`, then take
`sklearn/datasets/data/digits.csv.gz` out of the wheel, which is a zip file. One line is one
image: 64 pixels of 0 to 16, row by row, then the digit.

The text is checked against its SHA-256 and the published counts, the arrays against it. The
same input always gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

TEXT_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
TARGET = Path(__file__).parents[1] / "src/minima/data/uci_digits/digits.npz"
OLDEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def parse(text: bytes) -> dict[str, np.ndarray]:
    """Return the arrays that the text holds, or end the program when it is another text."""
    found = hashlib.sha256(text).hexdigest()
    if found != TEXT_SHA256:
        sys.exit(f"make_digits: the text has SHA-256 {found}, expected {TEXT_SHA256}")
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.int64)
    pixels, labels = table[:, :-1], table[:, -1]
    if table.shape != (1797, 65) or pixels.min() < 0 or pixels.max() > 16:
        sys.exit(f"make_digits: got a table {table.shape} of {pixels.min()} to {pixels.max()}")
    if np.bincount(labels).tolist() != COUNTS:
        sys.exit(f"make_digits: got {np.bincount(labels)} images per digit, expected {COUNTS}")
    return {
        "images": pixels.reshape(-1, 8, 8).astype(np.uint8),
        "labels": labels.astype(np.uint8),
    }


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an npz whose bytes depend on the arrays alone, not on the time of day."""
    with zipfile.ZipFile(path, "w") as file:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=OLDEST_ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            data = io.BytesIO()
            np.lib.format.write_array(data, array, allow_pickle=False)
            file.writestr(member, data.getvalue(), compresslevel=9)


def main() -> None:
    """Read the named file, check it, write the npz and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="digits.csv.gz of scikit-learn")
    parser.add_argument("--out", type=Path, default=TARGET, help="the npz to write")
    arguments = parser.parse_args()
    with gzip.open(arguments.source) as file:
        arrays = parse(file.read())
    write(arguments.out, arrays)
    with np.load(arguments.out, allow_pickle=False) as written:
        if any(not np.array_equal(written[name], array) for name, array in arrays.items()):
            sys.exit(f"make_digits: {arguments.out} does not hold what was written")
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, images per digit {COUNTS}")


if __name__ == "__main__":
    main()

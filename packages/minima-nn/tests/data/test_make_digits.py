import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minima.data.digits import FILE, digits

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_digits.py"
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="the script is in the sources alone")


def run(source, out):
    return subprocess.run(
        [sys.executable, SCRIPT, source, "--out", out], capture_output=True, text=True, check=False
    )


def source_text():
    """Write the shipped images as the lines that the source has."""
    data = digits("all")
    table = np.column_stack([data.pixels.reshape(-1, 64), data.targets])
    return "".join(",".join(map(str, row)) + "\n" for row in table.tolist()).encode()


def test_same_text_gives_same_bytes(tmp_path):
    """Catch a script that no longer makes the file that is shipped, byte by byte."""
    source, out = tmp_path / "digits.csv.gz", tmp_path / "digits.npz"
    source.write_bytes(gzip.compress(source_text()))
    result = run(source, out)
    assert result.returncode == 0, result.stderr
    assert "178, 182, 177" in result.stdout
    with np.load(out) as made, np.load(FILE) as shipped:
        assert sorted(made) == sorted(shipped)
        assert all(np.array_equal(made[name], shipped[name]) for name in made)


def test_another_text_is_refused(tmp_path):
    """Catch a data set that changed on its way."""
    source, out = tmp_path / "digits.csv.gz", tmp_path / "digits.npz"
    source.write_bytes(gzip.compress(source_text()[:-1]))
    result = run(source, out)
    assert result.returncode == 1
    assert "SHA-256" in result.stderr
    assert not out.exists()

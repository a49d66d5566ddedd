"""All operators and all rows of the kernels on the GPU, and under compute-sanitizer."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minima as mi
from minima.operators import TABLE
from minima.testing.launch import launch
from minima.testing.samples import SAMPLES
from minima_cuda.library import kernels

pytestmark = pytest.mark.gpu

TESTS = Path(__file__).parents[1]
OWN = sorted(set(kernels(None, np)) & set(TABLE))


def pytest_run(*words, before=()):
    """Run pytest in a process of its own, for a fault on a GPU takes its process along."""
    line = [*before, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(line, cwd=TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_conformance():
    """Catches an operator that is not on a GPU what it is on the cpu."""
    pytest_run("--minima-device", "cuda", "--pyargs", "minima.testing.conformance")


@pytest.mark.slow
def test_rows_of_the_emulator():
    """Catches a kernel that the emulator passes and a GPU does not."""
    words = ["--ignore=kernels/test_mutations.py", "--deselect=kernels/test_resources.py"]
    found = pytest_run("kernels", "-p", "gpu.rows", *words)
    assert "passed" in found


@pytest.mark.parametrize("name", OWN)
def test_own_kernels(name):
    """Catches a kernel of our own that differs from the answers of NumPy, or between two runs."""
    device = mi.device("cuda")
    for sample in (s for s in SAMPLES if s.operator == name):
        for dtype in ("float64", "float32", "float16") if sample.floating else ("float64",):
            made = launch(sample, device, dtype)
            first, second = (device.to_host(made.run()) for _ in range(2))
            assert first.tobytes() == second.tobytes(), sample.id
            wanted = sample.expected(dtype)
            if first.dtype.kind != "f":
                np.testing.assert_array_equal(first, wanted, sample.id)
                continue
            bound = 64 * float(np.finfo(first.dtype).eps)
            size = max(1.0, float(np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)))
            np.testing.assert_allclose(
                first.astype(np.float64), wanted, bound, bound * size, err_msg=sample.id
            )


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["memcheck", "racecheck", "initcheck", "synccheck"])
def test_compute_sanitizer(tool):
    """Catches an access out of bounds, a race or a barrier that the emulator does not see."""
    found = shutil.which("compute-sanitizer")
    if found is None:
        pytest.skip("compute-sanitizer, which comes with NVIDIA's toolkit, is not installed")
    before = [found, "--tool", tool, "--error-exitcode", "9", "--target-processes", "all"]
    pytest_run("gpu/test_kernels.py", "-m", "gpu", "-k", "own_kernels", before=before)

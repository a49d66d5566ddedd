"""The precision of products, in PyTorch's words."""

import pytest

import minima as mi
import minima_cuda
from minima_cuda import precision

DEFAULT, TF32 = 1, 7


@pytest.fixture(autouse=True)
def _as_before():
    yield
    minima_cuda.set_float32_matmul_precision("highest")


def test_two_names_of_one_setting():
    """Catches a setting that the other name does not show."""
    matmul = minima_cuda.backends.cuda.matmul
    assert (matmul.allow_tf32, minima_cuda.get_float32_matmul_precision()) == (False, "highest")
    matmul.allow_tf32 = True
    assert minima_cuda.get_float32_matmul_precision() == "high"
    minima_cuda.set_float32_matmul_precision("medium")
    assert matmul.allow_tf32 is True
    matmul.allow_tf32 = False
    assert minima_cuda.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize(("name", "kind"), [("highest", DEFAULT), ("high", TF32), ("medium", TF32)])
@pytest.mark.parametrize("opened", [True, False])
def test_cupy_is_told(cupy, name, kind, opened):
    """Catches a setting that acts only before, or only after, the device is opened."""
    if opened:
        mi.device("cuda")
    minima_cuda.set_float32_matmul_precision(name)
    mi.device("cuda")
    assert cupy.machine.compute_types["float32"] == kind


def test_an_older_gpu_has_no_tf32(cupy):
    """Catches the warning that CuPy would give."""
    cupy.machine.compute_capability = "75"
    mi.device("cuda")
    minima_cuda.set_float32_matmul_precision("high")
    assert cupy.machine.compute_types["float32"] == DEFAULT


def test_unknown_precision():
    """Catches a misspelled precision that is taken for the default."""
    with pytest.raises(mi.errors.ArgumentError, match="got 'hihg'; expected one of highest, high"):
        minima_cuda.set_float32_matmul_precision("hihg")
    assert precision.get_float32_matmul_precision() == "highest"

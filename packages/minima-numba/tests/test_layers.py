"""Every row of the table of layers: output, gradients and buffers, compiled and eager."""

import pytest

testing = pytest.importorskip("minima.nn.testing", reason="minima-nn is not installed")


@pytest.mark.parametrize("case", testing.LAYERS, ids=str)
def test_compiled_equals_eager(case):
    """Catch a layer whose step loops compute in another way, in training or in evaluation."""
    testing.check_compiled(case, "numba", exact=False)

"""Every operator on the simulated GPU: the reference kernels over what stands in for CuPy.

It shows which calls of CuPy an operator needs, and that no way of minima-core leaves the GPU.
"""

import pytest

import minima as mi
from minima.testing.conformance import *  # noqa: F403
from minima.testing.conformance import silent_numpy  # noqa: F401  (a fixture)

for _name in ("test_gradcheck", "test_missing_kernel", "test_entry", "test_rows_are_told_apart"):
    del globals()[_name]  # slow here, or of no device


@pytest.fixture(params=["cuda:1"])
def minima_device(request, cupy):
    return mi.device(request.param)

"""NVRTC for tests, where it is installed, and kernels to compile."""

from dataclasses import dataclass

import pytest

import minima as mi
from minima_cuda import nvrtc

try:
    nvrtc.nvrtc()
    MISSING = ""
except mi.DeviceUnavailableError as error:
    MISSING = str(error)

needs_nvrtc = pytest.mark.skipif(bool(MISSING), reason=MISSING)

GOOD = """#define T float
#line 1 "common.cuh"
// a header
#line 1 "double.cu"
extern "C" __global__ void twice(T* x) {
  x[threadIdx.x] *= 2;
}
"""


@dataclass(frozen=True)
class Written:
    """Kernels that a test writes."""

    text: str = GOOD
    file: str = "double.cu"

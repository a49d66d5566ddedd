"""What kernels use, as the compiler reports it."""

import pytest
from toolchain import Written, needs_nvrtc

from minima_cuda.compile import Module, compiled
from minima_cuda.resources import Resources, faults, resources

KERNELS = """
extern "C" __global__ void plain(float* x) { x[threadIdx.x] += 1; }
extern "C" __global__ void __launch_bounds__(64, 2) bounded(float* x) {
  __shared__ float kept[96];
  kept[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = kept[95 - threadIdx.x];
}
extern "C" __global__ void indexed(float* x, int n) {
  float kept[64];
  for (int i = 0; i < n; ++i) kept[i] = x[i];
  for (int i = 0; i < n; ++i) x[i] = kept[kept[i] > 0 ? i : 0];
}
extern "C" __global__ void __launch_bounds__(1024) crowded(const float* x, float* y) {
  float kept[96];
#pragma unroll
  for (int i = 0; i < 96; ++i) kept[i] = x[i * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 96; ++i) y[i * 1024 + threadIdx.x] = kept[95 - i];
}
"""


@pytest.fixture(params=["sm_75", "sm_90", "sm_120"])
def found(request, tmp_path, monkeypatch):
    monkeypatch.setenv("MINIMA_CACHE", str(tmp_path))
    return resources(compiled(Written(KERNELS, "made.cu"), request.param))


@needs_nvrtc
def test_the_report_is_read(found):
    """Catches a field that is read from another kernel, or not at all."""
    assert list(found) == ["bounded", "crowded", "indexed", "plain"]
    assert 0 < found["plain"].registers < 32
    assert found["plain"][1:] == (0, 0, 0, 1024)
    assert (found["bounded"].shared, found["bounded"].threads) == (96 * 4, 64)
    assert found["indexed"].stack >= 64 * 4
    assert found["crowded"].spills > 0
    assert found["crowded"].registers <= 64


@needs_nvrtc
def test_what_is_wrong_is_named(found):
    """Catches a spill that passes."""
    assert faults("plain", found["plain"]) == faults("bounded", found["bounded"]) == []
    assert faults("crowded", found["crowded"])[0].startswith("spills ")
    assert faults("indexed", found["indexed"]) == [
        f"{found['indexed'].stack} bytes of local memory"
    ]


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (Resources(64, 48 << 10, 0, 0, 1024), []),
        (Resources(65, 0, 0, 0, 1024), ["blocks of 1024 threads; registers allow 896"]),
        (Resources(256, 0, 0, 0, 32), ["256 registers"]),
        (Resources(32, (48 << 10) + 1, 0, 0, 32), ["49153 bytes of shared memory"]),
    ],
)
def test_limits(found, what):
    assert faults("sum_rows", found) == what


def test_sine_may_use_local_memory_but_not_spill():
    assert faults("sin_each", Resources(32, 0, 40, 0, 256)) == []
    assert len(faults("sin_each", Resources(32, 0, 40, 8, 256))) == 2
    assert len(faults("sum_rows", Resources(32, 0, 40, 0, 256))) == 1


def test_nothing_compiled_uses_nothing():
    assert resources(Module(bytes(64), "")) == {}

// What every kernel file may use. sources.py puts this text, and in front of it the macros T (the
// type in memory) and A (the type to compute in), before a family's file. There are no other
// headers: NVRTC has none, and the emulator of the tests (CUEMU) compiles the same text with g++.
#pragma once

typedef signed char Int8;
typedef unsigned char UInt8;
typedef unsigned short UInt16;
typedef int Int32;
typedef unsigned int UInt32;
typedef long long Int64;
typedef unsigned long long UInt64;
typedef Int64 Index;  // counts and offsets of elements, which may pass 2^31

#define DEVICE __device__ __forceinline__
// No kernel has launch bounds: for their sake the compiler spills registers, to fit more blocks than
// it can use. That a block's registers fit is checked in tests/kernels/test_table.py.
#define KERNEL extern "C" __global__ void
#define WARP 32
#define ALL_LANES 0xffffffffu

// Name the block's dynamic shared memory, of the size that the launch gives in bytes.
#ifdef CUEMU
#define DYNAMIC_SHARED(type, name) type* name = static_cast<type*>(cuemu_dynamic_shared())
#else
#define DYNAMIC_SHARED(type, name)                                 \
  extern __shared__ __align__(16) unsigned char dynamic_shared[]; \
  type* name = reinterpret_cast<type*>(dynamic_shared)
#endif

// ---- types in memory -----------------------------------------------------------------------------
struct Half {
  UInt16 bits;
};
struct BFloat16 {
  UInt16 bits;
};

DEVICE UInt32 bits_of(float value) { return __float_as_uint(value); }

#ifdef CUEMU
DEVICE float half_to_float(UInt16 bits) {
  UInt32 sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 31) return __uint_as_float(sign | 0x7f800000u | fraction << 13);
  float size = exponent ? __uint_as_float((exponent + 112) << 23 | fraction << 13)
                        : fraction * 5.9604644775390625e-8f;  // 2^-24
  return __uint_as_float(sign | bits_of(size));
}
DEVICE UInt16 float_to_half(float value) {  // to nearest, ties to even
  UInt32 all = bits_of(value), sign = (all >> 16) & 0x8000u, size = all & 0x7fffffffu;
  if (size > 0x7f800000u) return sign | 0x7fffu;
  if (size >= 0x47800000u) return sign | 0x7c00u;  // 2^16 and more
  if (size < 0x38800000u) {                        // below 2^-14: adding 0.5 rounds to 2^-24
    return sign | (bits_of(__uint_as_float(size) + 0.5f) - 0x3f000000u);
  }
  return sign | ((size - 0x38000000u + 0xfffu + ((size >> 13) & 1)) >> 13);
}
#else
DEVICE float half_to_float(UInt16 bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}
DEVICE UInt16 float_to_half(float value) {
  UInt16 bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
#endif

DEVICE UInt16 float_to_bfloat16(float value) {  // sm_75 has no instruction for it
  UInt32 all = bits_of(value);
  if ((all & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;
  return (all + 0x7fffu + ((all >> 16) & 1)) >> 16;
}

// load(x): what is computed with; store<V>(a): what is written, rounded to nearest even.
template <class V>
DEVICE V load(V value) {
  return value;
}
DEVICE float load(Half value) { return half_to_float(value.bits); }
DEVICE float load(BFloat16 value) { return __uint_as_float(UInt32(value.bits) << 16); }

template <class V>
struct Store {
  template <class W>
  static DEVICE V from(W value) {
    return V(value);
  }
};
template <>
struct Store<Half> {
  static DEVICE Half from(float value) { return Half{float_to_half(value)}; }
};
template <>
struct Store<BFloat16> {
  static DEVICE BFloat16 from(float value) { return BFloat16{float_to_bfloat16(value)}; }
};
template <class V, class W>
DEVICE V store(W value) {
  return Store<V>::from(value);
}

// ---- where a thread is ---------------------------------------------------------------------------
// The first element of this thread and the step to its next one, in a grid along x.
DEVICE Index first_element() { return Index(blockIdx.x) * blockDim.x + threadIdx.x; }
DEVICE Index element_step() { return Index(gridDim.x) * blockDim.x; }

DEVICE int block_threads() { return blockDim.x * blockDim.y * blockDim.z; }
DEVICE int block_rank() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

// ---- reductions ----------------------------------------------------------------------------------
struct Sum {
  template <class V>
  DEVICE V operator()(V a, V b) const {
    return a + b;
  }
};
struct Max {  // NaN wins, as in the reference
  template <class V>
  DEVICE V operator()(V a, V b) const {
    return a > b || a != a ? a : b;
  }
};
struct Min {
  template <class V>
  DEVICE V operator()(V a, V b) const {
    return a < b || a != a ? a : b;
  }
};

// Every lane of a full warp gets the same result, combined in the same order.
template <class V, class Combine>
DEVICE V warp_reduce(V value, Combine combine) {
#pragma unroll
  for (int distance = WARP / 2; distance; distance /= 2)
    value = combine(value, __shfl_xor_sync(ALL_LANES, value, distance));
  return value;
}

// Every thread of a block of whole warps gets the same result. May be called again at once.
template <class V, class Combine>
DEVICE V block_reduce(V value, V nothing, Combine combine) {
  __shared__ V of_warp[WARP];
  int rank = block_rank(), warps = block_threads() / WARP;
  value = warp_reduce(value, combine);
  if (warps == 1) return value;
  if (rank % WARP == 0) of_warp[rank / WARP] = value;
  __syncthreads();
  int lane = rank % WARP;
  value = warp_reduce(lane < warps ? of_warp[lane] : nothing, combine);
  __syncthreads();  // of_warp may be written again
  return value;
}

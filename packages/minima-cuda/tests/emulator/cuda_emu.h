// CUDA C++ as kernels of minima-cuda use it, for g++: what the compiler of a kernel file sees.
// The other side of the functions in `cuemu` is runtime.cpp. There are no headers: they would
// take longer to compile than a kernel file does.
#pragma once

// build.py finds a kernel by the first of these marks, and its largest block by the second
#define __global__ __attribute__((noinline, cuda_kernel))
#define __launch_bounds__(...) __attribute__((cuda_bounds(__VA_ARGS__)))
#define __device__
#define __host__
#define __constant__ static const
#define __shared__ static  // all that a kernel file has in writable memory; one block at a time
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define __restrict__ __restrict

using size_t = decltype(sizeof 0);
constexpr int warpSize = 32;

#define CUEMU_VECTOR(type, name, bytes2, bytes4)                          \
  struct __align__(bytes2) name##2 { type x, y; };                        \
  struct name##3 { type x, y, z; };                                       \
  struct __align__(bytes4) name##4 { type x, y, z, w; };                  \
  inline name##2 make_##name##2(type x, type y) { return {x, y}; }        \
  inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; } \
  inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
CUEMU_VECTOR(float, float, 8, 16)
CUEMU_VECTOR(double, double, 16, 16)
CUEMU_VECTOR(int, int, 8, 16)
CUEMU_VECTOR(unsigned, uint, 8, 16)
CUEMU_VECTOR(short, short, 4, 8)
CUEMU_VECTOR(unsigned short, ushort, 4, 8)
CUEMU_VECTOR(signed char, char, 2, 4)
CUEMU_VECTOR(unsigned char, uchar, 2, 4)
CUEMU_VECTOR(long long, longlong, 16, 16)
CUEMU_VECTOR(unsigned long long, ulonglong, 16, 16)

// const: a kernel cannot change them, and reading them is not checked
extern const uint3 threadIdx, blockIdx, blockDim, gridDim;

extern "C" {
void* cuemu_dynamic_shared();
unsigned cuemu_rank();
void cuemu_trap(const char* file, int line);
int cuemu_barrier(int predicate, int reduce, const char* file, int line);
// Give the lanes of *mask* these bits; return those of lane *source*, or all votes for -1.
unsigned long long cuemu_exchange(int kind, unsigned mask, unsigned long long bits, int source,
                                  const char* file, int line);
void cuemu_atomic(void* address, int bytes, void* caller);  // in front of each atomic access
}

namespace cuemu {
enum Kind { EXACT, DOWN, UP, XOR, BALLOT, SYNC };
enum Reduce { NONE, COUNT, AND, OR };

template <class V>
V shuffle(Kind kind, unsigned mask, V value, int source, const char* file, int line) {
  static_assert(sizeof(V) <= 8);
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof value);
  bits = cuemu_exchange(kind, mask, bits, source, file, line);
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// What a launch has to give for a parameter: p pointer, f floating, i integer or bool, s struct;
// and the size, for a pointer that of what it points to.
struct Parameter {
  int kind, size;
};
template <class P>
inline constexpr Parameter parameter{__is_class(P) ? 's' : 'i', sizeof(P)};
template <>
inline constexpr Parameter parameter<float>{'f', 4};
template <>
inline constexpr Parameter parameter<double>{'f', 8};
template <class V>
inline constexpr Parameter parameter<V*>{'p', sizeof(V)};

template <class... P>
const Parameter* parameters(void (*)(P...)) {
  static constexpr Parameter table[] = {parameter<P>..., {0, 0}};
  return table;
}

template <int... I>
struct Order {};
template <int N, int... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <int... I>
struct Count<0, I...> {
  using Type = Order<I...>;
};
template <class... P, int... I>
__attribute__((no_sanitize("thread"))) void call(void (*kernel)(P...), void** arguments, Order<I...>) {
  kernel(*static_cast<P*>(arguments[I])...);
}
template <class... P>
__attribute__((no_sanitize("thread"))) void call(void (*kernel)(P...), void** arguments) {
  call(kernel, arguments, typename Count<sizeof...(P)>::Type{});
}
}  // namespace cuemu

// the place of the call, for messages
#define CUEMU_LINE const char* file = __builtin_FILE(), int line = __builtin_LINE()

// ---- barriers and warps --------------------------------------------------------------------------
inline void __syncthreads(CUEMU_LINE) { cuemu_barrier(0, cuemu::NONE, file, line); }
inline int __syncthreads_count(int p, CUEMU_LINE) { return cuemu_barrier(p, cuemu::COUNT, file, line); }
inline int __syncthreads_and(int p, CUEMU_LINE) { return cuemu_barrier(p, cuemu::AND, file, line); }
inline int __syncthreads_or(int p, CUEMU_LINE) { return cuemu_barrier(p, cuemu::OR, file, line); }
inline void __syncwarp(unsigned mask = ~0u, CUEMU_LINE) {
  cuemu_exchange(cuemu::SYNC, mask, 0, -1, file, line);
}
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __trap(CUEMU_LINE) { cuemu_trap(file, line); }

inline unsigned __ballot_sync(unsigned mask, int predicate, CUEMU_LINE) {
  return cuemu_exchange(cuemu::BALLOT, mask, predicate != 0, -1, file, line);
}
inline int __any_sync(unsigned mask, int predicate, CUEMU_LINE) {
  return cuemu_exchange(cuemu::BALLOT, mask, predicate != 0, -1, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, CUEMU_LINE) {
  return cuemu_exchange(cuemu::BALLOT, mask, predicate == 0, -1, file, line) == 0;
}

// A lane outside of its segment of *width* lanes gives its own value, as on a GPU.
template <class V>
V __shfl_sync(unsigned mask, V value, int lane, int width = 32, CUEMU_LINE) {
  int own = cuemu_rank() % 32;
  return cuemu::shuffle(cuemu::EXACT, mask, value, (own & -width) | (lane & (width - 1)), file, line);
}
template <class V>
V __shfl_down_sync(unsigned mask, V value, unsigned delta, int width = 32, CUEMU_LINE) {
  int own = cuemu_rank() % 32, from = own + delta;
  if (from >= (own & -width) + width) from = own;
  return cuemu::shuffle(cuemu::DOWN, mask, value, from, file, line);
}
template <class V>
V __shfl_up_sync(unsigned mask, V value, unsigned delta, int width = 32, CUEMU_LINE) {
  int own = cuemu_rank() % 32, from = own - int(delta);
  if (from < (own & -width)) from = own;
  return cuemu::shuffle(cuemu::UP, mask, value, from, file, line);
}
template <class V>
V __shfl_xor_sync(unsigned mask, V value, int lanes, int width = 32, CUEMU_LINE) {
  int own = cuemu_rank() % 32, from = own ^ lanes;
  if (from >= (own & -width) + width) from = own;
  return cuemu::shuffle(cuemu::XOR, mask, value, from, file, line);
}

// ---- atomics: the access is reported, and itself unseen by the instrumentation ------------------
#define CUEMU_UNSEEN __attribute__((noinline, no_sanitize("thread")))
#define CUEMU_ATOMIC(name, type, ...)                             \
  CUEMU_UNSEEN inline type name(type* address, type value) {      \
    cuemu_atomic(address, sizeof(type), __builtin_return_address(0));                       \
    type old = *address;                                          \
    *address = __VA_ARGS__;                                       \
    return old;                                                   \
  }
#define CUEMU_ATOMICS(type)                                       \
  CUEMU_ATOMIC(atomicAdd, type, old + value)                      \
  CUEMU_ATOMIC(atomicExch, type, value)
#define CUEMU_INTEGER_ATOMICS(type)                               \
  CUEMU_ATOMICS(type)                                             \
  CUEMU_ATOMIC(atomicSub, type, old - value)                      \
  CUEMU_ATOMIC(atomicMax, type, old > value ? old : value)        \
  CUEMU_ATOMIC(atomicMin, type, old < value ? old : value)        \
  CUEMU_ATOMIC(atomicAnd, type, old & value)                      \
  CUEMU_ATOMIC(atomicOr, type, old | value)                       \
  CUEMU_ATOMIC(atomicXor, type, old ^ value)                      \
  CUEMU_UNSEEN inline type atomicCAS(type* address, type compare, type value) { \
    cuemu_atomic(address, sizeof(type), __builtin_return_address(0));                       \
    type old = *address;                                          \
    if (old == compare) *address = value;                         \
    return old;                                                   \
  }
CUEMU_ATOMICS(float)
CUEMU_ATOMICS(double)
CUEMU_INTEGER_ATOMICS(int)
CUEMU_INTEGER_ATOMICS(unsigned)
CUEMU_INTEGER_ATOMICS(long long)
CUEMU_INTEGER_ATOMICS(unsigned long long)

// ---- mathematics ---------------------------------------------------------------------------------
#define CUEMU_MATH1(name)                                             \
  inline float name##f(float x) { return __builtin_##name##f(x); }    \
  inline float name(float x) { return __builtin_##name##f(x); }       \
  inline double name(double x) { return __builtin_##name(x); }
#define CUEMU_MATH2(name)                                                            \
  inline float name##f(float x, float y) { return __builtin_##name##f(x, y); }       \
  inline float name(float x, float y) { return __builtin_##name##f(x, y); }          \
  inline double name(double x, double y) { return __builtin_##name(x, y); }
CUEMU_MATH1(exp) CUEMU_MATH1(exp2) CUEMU_MATH1(expm1) CUEMU_MATH1(log) CUEMU_MATH1(log2)
CUEMU_MATH1(log10) CUEMU_MATH1(log1p) CUEMU_MATH1(sqrt) CUEMU_MATH1(cbrt) CUEMU_MATH1(sin)
CUEMU_MATH1(cos) CUEMU_MATH1(tan) CUEMU_MATH1(asin) CUEMU_MATH1(acos) CUEMU_MATH1(atan)
CUEMU_MATH1(sinh) CUEMU_MATH1(cosh) CUEMU_MATH1(tanh) CUEMU_MATH1(erf) CUEMU_MATH1(erfc)
CUEMU_MATH1(asinh) CUEMU_MATH1(acosh) CUEMU_MATH1(atanh)
CUEMU_MATH1(floor) CUEMU_MATH1(ceil) CUEMU_MATH1(trunc) CUEMU_MATH1(rint) CUEMU_MATH1(round)
CUEMU_MATH1(fabs) CUEMU_MATH2(pow) CUEMU_MATH2(fmod) CUEMU_MATH2(atan2) CUEMU_MATH2(copysign)
CUEMU_MATH2(fmax) CUEMU_MATH2(fmin) CUEMU_MATH2(hypot)
inline float fmaf(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
inline float rsqrtf(float x) { return 1 / __builtin_sqrtf(x); }
inline float rsqrt(float x) { return 1 / __builtin_sqrtf(x); }
inline double rsqrt(double x) { return 1 / __builtin_sqrt(x); }
inline float normcdff(float x) { return __builtin_erfcf(-x * 0.70710678f) / 2; }
inline double normcdf(double x) { return __builtin_erfc(-x * 0.7071067811865476) / 2; }
inline void sincosf(float x, float* s, float* c) { *s = sinf(x), *c = cosf(x); }
inline void sincos(double x, double* s, double* c) { *s = sin(x), *c = cos(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1 / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
inline bool isnan(double x) { return x != x; }
inline bool isinf(double x) { return __builtin_isinf(x); }
inline bool isfinite(double x) { return __builtin_isfinite(x); }
inline bool signbit(double x) { return __builtin_signbit(x); }

#define CUEMU_SELECT(type)                                     \
  inline type max(type a, type b) { return a > b ? a : b; }    \
  inline type min(type a, type b) { return a < b ? a : b; }
CUEMU_SELECT(int) CUEMU_SELECT(unsigned) CUEMU_SELECT(long) CUEMU_SELECT(unsigned long)
CUEMU_SELECT(long long) CUEMU_SELECT(unsigned long long)
inline float max(float a, float b) { return fmaxf(a, b); }
inline float min(float a, float b) { return fminf(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline int abs(int x) { return __builtin_abs(x); }
inline long long abs(long long x) { return __builtin_llabs(x); }
inline float abs(float x) { return __builtin_fabsf(x); }
inline double abs(double x) { return __builtin_fabs(x); }

// ---- bits ----------------------------------------------------------------------------------------
#define CUEMU_AS(name, from, to) \
  inline to name(from x) { return __builtin_bit_cast(to, x); }
CUEMU_AS(__float_as_uint, float, unsigned) CUEMU_AS(__uint_as_float, unsigned, float)
CUEMU_AS(__float_as_int, float, int) CUEMU_AS(__int_as_float, int, float)
CUEMU_AS(__double_as_longlong, double, long long) CUEMU_AS(__longlong_as_double, long long, double)
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
  unsigned y = 0;
  for (int i = 0; i < 32; i++) y |= (x >> i & 1) << (31 - i);
  return y;
}
inline unsigned __umulhi(unsigned x, unsigned y) { return (unsigned long long)x * y >> 32; }
inline int __mulhi(int x, int y) { return (long long)x * y >> 32; }
inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
  return (unsigned __int128)x * y >> 64;
}
template <class V>
inline V __ldg(const V* address) { return *address; }
template <class V>
inline V __ldcs(const V* address) { return *address; }
template <class V>
inline void __stcs(V* address, V value) { *address = value; }

// Operators that floats and integers have: arithmetic, comparisons, choices.
#include "elements.cuh"

// Whether V holds fractions.
template <class V>
constexpr bool FRACTIONS = V(0.5) != V(0);

template <class V>
DEVICE V remainder_of(V a, V b) {  // has the sign of b
  if constexpr (FRACTIONS<V>) {
    V left = fmod(a, b);
    if (left == V(0)) return copysign(V(0), b);
    return (left < V(0)) != (b < V(0)) ? left + b : left;
  } else {
    if (b == V(0)) return V(0);
    const V left = b == V(-1) ? V(0) : a % b;
    return left != V(0) && (left < V(0)) != (b < V(0)) ? left + b : left;
  }
}

template <class V>
DEVICE V floor_quotient(V a, V b) {
  if constexpr (FRACTIONS<V>) {
    if (b == V(0)) return a / b;
    const V left = fmod(a, b);
    V whole = (a - left) / b;  // but for rounding
    if (left != V(0) && (left < V(0)) != (b < V(0))) whole -= V(1);
    const V found = floor(whole);
    return whole - found > V(0.5) ? found + V(1) : found;
  } else {
    return b == V(0) ? V(0) : b == V(-1) ? V(0) - a : (a - remainder_of(a, b)) / b;
  }
}

template <class V>
DEVICE V size_of(V a) {
  if constexpr (FRACTIONS<V>) {
    return fabs(a);
  } else {
    return a < V(0) ? V(0) - a : a;
  }
}

DEVICE A larger(A a, A b) { return Max()(a, b); }
DEVICE A smaller(A a, A b) { return Min()(a, b); }
DEVICE A sign_of(A a) { return a > A(0) ? A(1) : a < A(0) ? A(-1) : a; }
DEVICE A clipped(A a, A low, A high, Int32 limits) {  // limits: 1 has low, 2 has high
  if (limits & 1) a = larger(a, low);
  return limits & 2 ? smaller(a, high) : a;
}

BINARY(add, v + w)
BINARY(subtract, v - w)
BINARY(multiply, v* w)
BINARY(maximum, larger(v, w))
BINARY(minimum, smaller(v, w))
BINARY(floor_divide, floor_quotient(v, w))
BINARY(remainder, remainder_of(v, w))
BINARY_WITH(add_scaled, T, v + w * value, A value)
TERNARY_WITH(addcmul, T, v + w * u * value, A value)

UNARY(negative, -v)
UNARY(square, v* v)
UNARY(abs, size_of(v))
UNARY(sign, sign_of(v))
UNARY(relu, larger(v, A(0)))
UNARY_WITH(clip, T, clipped(v, low, high, limits), A low, A high, Int32 limits)
BINARY(relu_gradient, w <= A(0) ? A(0) : v)

COMPARE(equal, v == w)
COMPARE(not_equal, v != w)
COMPARE(less, v < w)
COMPARE(less_equal, v <= w)
COMPARE(greater, v > w)
COMPARE(greater_equal, v >= w)
ASK(logical_not, v == A(0))

KERNEL copy_each(const T* a, T* y, Layout layout) {
  each<1>(layout, y, [=](T v, T, T) { return v; }, a, a, a);
}
KERNEL where_each(const bool* condition, const T* a, const T* b, T* y, Layout layout) {
  each<3>(layout, y, [=](bool c, T v, T w) { return c ? v : w; }, condition, a, b);
}

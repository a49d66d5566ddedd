// Operators that only floats have: quotients, powers, exponentials, activations.
#include "elements.cuh"

// 1 / (1 + exp(-v)), without overflow and exact in both tails.
DEVICE A logistic(A v) {
  const A e = exp(-fabs(v));
  return (v >= A(0) ? A(1) : e) / (A(1) + e);
}

DEVICE A power_of(A v, A exponent) {
  if (exponent == A(2)) return v * v;
  if (exponent == A(3)) return v * v * v;
  if (exponent == A(0.5)) return sqrt(v);
  if (exponent == A(-1)) return A(1) / v;
  return pow(v, exponent);
}

constexpr double SQRT_HALF = 0.7071067811865476, SQRT_2_PI = 0.7978845608028654;
constexpr double CUBIC = 0.044715, DENSITY = 0.3989422804014327;

// The share of the normal distribution below v.
DEVICE A share_below(A v) { return A(0.5) * erfc(v * A(-SQRT_HALF)); }

DEVICE A gelu_slope(A v) { return share_below(v) + v * (exp(v * v * A(-0.5)) * A(DENSITY)); }

DEVICE A tanh_gelu(A v) {
  return v * A(0.5) * (tanh((v + v * v * v * A(CUBIC)) * A(SQRT_2_PI)) + A(1));
}

DEVICE A tanh_gelu_slope(A v) {
  const A square = v * v, t = tanh((square * A(CUBIC) + A(1)) * v * A(SQRT_2_PI));
  const A inner = (square * A(3 * CUBIC) + A(1)) * A(SQRT_2_PI);
  return (t + A(1) + (A(1) - t * t) * (v * inner)) * A(0.5);
}

BINARY(divide, v / w)
BINARY(power, pow(v, w))
BINARY_WITH(lerp, T, v + (w - v) * weight, A weight)
TERNARY_WITH(addcdiv, T, v + w / u * value, A value)
BINARY(share, v > w ? A(1) : v == w ? A(0.5) : A(0))

UNARY_WITH(power_scalar, T, power_of(v, exponent), A exponent)
UNARY(exp, exp(v))
UNARY(expm1, expm1(v))
UNARY(log, log(v))
UNARY(log1p, log1p(v))
UNARY(sqrt, sqrt(v))
UNARY(sin, sin(v))
UNARY(cos, cos(v))
UNARY(tanh, tanh(v))
UNARY(erf, erf(v))
UNARY(sigmoid, logistic(v))
UNARY(gelu, v* share_below(v))
UNARY(gelu_tanh, tanh_gelu(v))
BINARY(gelu_gradient, v* gelu_slope(w))
BINARY(gelu_tanh_gradient, v* tanh_gelu_slope(w))

ASK(isnan, v != v)
ASK(isinf, fabs(v) == infinity())
ASK(isfinite, fabs(v) < infinity())

// Elements of one type as another; floats to integers towards 0.
#include "elements.cuh"

// The float beside a double from which each narrower type gets what it would from the double: where
// the double lies between two floats, the one whose last bit is set ("round to odd").
DEVICE float to_odd(double value) {
  const float near = float(value);
  if (double(near) == value || value != value) return near;
  UInt32 bits = bits_of(near);
  const bool beyond = fabs(double(near)) > fabs(value);
  if (beyond) --bits;  // towards 0; of infinity, the largest float
  return __uint_as_float(bits | 1);
}

template <class V>
struct Cast {
  template <class W>
  static DEVICE V from(W value) {
    return V(value);
  }
};
template <>
struct Cast<bool> {
  template <class W>
  static DEVICE bool from(W value) {
    return value != W(0);
  }
};
template <>
struct Cast<Half> {
  static DEVICE Half from(float value) { return store<Half>(value); }
  static DEVICE Half from(double value) { return store<Half>(to_odd(value)); }
  template <class W>
  static DEVICE Half from(W value) {
    return store<Half>(to_odd(double(value)));
  }
};
template <>
struct Cast<BFloat16> {
  static DEVICE BFloat16 from(float value) { return store<BFloat16>(value); }
  static DEVICE BFloat16 from(double value) { return store<BFloat16>(to_odd(value)); }
  template <class W>
  static DEVICE BFloat16 from(W value) {
    return store<BFloat16>(to_odd(double(value)));
  }
};

#define CAST(name, Out)                                                                  \
  KERNEL to_##name##_each(const T* a, Out* y, Layout layout) {                           \
    each<1>(layout, y, [=](T v, T, T) { return Cast<Out>::from(load(v)); }, a, a, a);    \
  }

CAST(float16, Half)
CAST(bfloat16, BFloat16)
CAST(float32, float)
CAST(float64, double)
CAST(bool, bool)
CAST(uint8, UInt8)
CAST(int32, Int32)
CAST(int64, Int64)

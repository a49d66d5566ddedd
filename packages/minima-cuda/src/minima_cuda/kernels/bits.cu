// Operators on the bits of integers and on bools.
#include "elements.cuh"

BINARY(bitwise_and, v& w)
BINARY(bitwise_or, v | w)
BINARY(bitwise_xor, v ^ w)

KERNEL bitwise_invert_each(const T* a, T* y, Layout layout) {
  // ~ makes an integer of a bool, and true of both
  each<1>(layout, y, [=](T v, T, T) { return sizeof(T) == 1 ? T(v ^ T(1)) : T(~v); }, a, a, a);
}

// Reading and writing 16 bytes at a time, indices, and the numbers that C++ has no names for.

constexpr int WIDTH = 16 / sizeof(T);  // elements of type T in 16 bytes

// WIDTH elements that are read or written at once.
template <class V>
struct alignas(WIDTH * sizeof(V)) Pack {
  V items[WIDTH];
};

template <class V>
DEVICE bool is_aligned(const V* address) {
  return reinterpret_cast<UInt64>(address) % sizeof(Pack<V>) == 0;
}

// A GPU takes 16 bytes at once from multiples of 16 alone.
template <class V>
DEVICE void demand_aligned(const V* address) {
#ifdef CUEMU
  if (!is_aligned(address)) __trap();
#endif
}

template <class V>
DEVICE Pack<V> load_pack(const V* address) {
  demand_aligned(address);
  return *reinterpret_cast<const Pack<V>*>(address);
}

template <class V>
DEVICE void store_pack(V* address, const Pack<V>& pack) {
  demand_aligned(address);
  *reinterpret_cast<Pack<V>*>(address) = pack;
}

// a / b of what is not negative; division of 64 bits takes many times as long as of 32.
DEVICE Index quotient(Index a, Index b) {
  return (a | b) >> 32 ? a / b : Index(UInt32(a) / UInt32(b));
}

DEVICE A infinity() { return A(__uint_as_float(0x7f800000u)); }
DEVICE A not_a_number() { return A(__uint_as_float(0x7fc00000u)); }

// What the kernels that printer.py writes for fused groups are made of.

template <class V>
DEVICE V endless() { return V(__uint_as_float(0x7f800000u)); }
template <class V>
DEVICE V no_number() { return V(__uint_as_float(0x7fc00000u)); }

// 1 / (1 + exp(-v)), without overflow and exact in both tails.
template <class V>
DEVICE V logistic(V v) {
  const V e = exp(-fabs(v));
  return (v >= V(0) ? V(1) : e) / (V(1) + e);
}

template <class V>
DEVICE V sign_of(V v) { return v > V(0) ? V(1) : v < V(0) ? V(-1) : v; }
template <class V>
DEVICE V size_of(V v) { return v < V(0) ? V(0) - v : v; }

// A row belongs to a warp (blocks of 32 x rows) or to a block; all its threads get the result.
template <class V, class Combine>
DEVICE V row_reduce(V value, V nothing, Combine combine) {
  return blockDim.x == WARP ? warp_reduce(value, combine) : block_reduce(value, nothing, combine);
}

// Blocks of 32 x 8: thread (x, 0) gets what the eight threads of column x have, in order.
template <class V, class Combine>
DEVICE V column_reduce(V value, Combine combine) {
  __shared__ V slots[8][WARP];
  slots[threadIdx.y][threadIdx.x] = value;
  __syncthreads();
  V total = slots[0][threadIdx.x];
  for (int y = 1; y < 8; ++y) total = combine(total, slots[y][threadIdx.x]);
  __syncthreads();  // slots may be written again
  return total;
}

// What reductions fold elements into, and how the results of lanes, warps and blocks are merged.
//
// A state has none(), take(values, count, first, step) for a group of elements, and merge(other).
// Merging goes by a fixed tree, so a result never depends on the order in which threads run.
#include "access.cuh"

constexpr int GROUP = 4;  // elements that a thread loads before it folds them

// ---- merging -------------------------------------------------------------------------------------
// A state as the 32-bit words that lanes can exchange.
template <class S>
union Words {
  S state;
  UInt32 words[sizeof(S) / 4];
};

// The state of the lane `delta` above.
template <class S>
DEVICE S from_above(S state, int delta) {
  Words<S> all;
  all.state = state;
#pragma unroll
  for (int i = 0; i < int(sizeof(S) / 4); ++i) {
    all.words[i] = __shfl_down_sync(ALL_LANES, all.words[i], delta);
  }
  return all.state;
}

// The state of the first lane.
template <class S>
DEVICE S from_first(S state) {
  Words<S> all;
  all.state = state;
#pragma unroll
  for (int i = 0; i < int(sizeof(S) / 4); ++i) {
    all.words[i] = __shfl_sync(ALL_LANES, all.words[i], 0);
  }
  return all.state;
}

// Merge the states of a warp's lanes; all of them get the result.
template <class S>
DEVICE S merge_warp(S state) {
#pragma unroll
  for (int delta = WARP / 2; delta > 0; delta /= 2) state.merge(from_above(state, delta));
  return from_first(state);
}

// Merge the states of a block of whole warps along x; all threads get the result.
template <class S>
DEVICE S merge_block(S state) {
  __shared__ S slots[WARP];
  const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  state = merge_warp(state);
  __syncthreads();  // the slots may still be read from the merge before
  if (lane == 0) slots[warp] = state;
  __syncthreads();
  return merge_warp(lane < warps ? slots[lane] : S::none());
}

// Merge the states of the threads that share threadIdx.x; those with threadIdx.y 0 get the result.
template <class S>
DEVICE S merge_columns(S state, S* slots) {
  const int place = threadIdx.y * blockDim.x + threadIdx.x;
  __syncthreads();
  slots[place] = state;
  __syncthreads();
  if (threadIdx.y == 0) {
    for (int y = 1; y < int(blockDim.y); ++y) state.merge(slots[y * blockDim.x + threadIdx.x]);
  }
  return state;
}

// Give all threads that share threadIdx.x the state of the one with threadIdx.y 0, after a merge by
// the same slots.
template <class S>
DEVICE S spread_columns(S state, S* slots) {
  if (threadIdx.y == 0) slots[threadIdx.x] = state;
  __syncthreads();
  return slots[threadIdx.x];
}

// One warp to a row where a row is a warp of the block, else the whole block.
template <class S>
DEVICE S merge_row(S state) {
  return blockDim.x == WARP ? merge_warp(state) : merge_block(state);
}

// ---- states --------------------------------------------------------------------------------------
struct Total {
  A sum;

  static DEVICE Total none() { return {A(0)}; }
  DEVICE void take(const A* values, int count, Index, Index) {
    for (int i = 0; i < GROUP; ++i) sum += i < count ? values[i] : A(0);
  }
  DEVICE void merge(Total other) { sum += other.sum; }
};

// The largest (or smallest) element; NaN where there is one.
template <bool LARGEST>
struct Extreme {
  A value;
  A seen;  // 0 before the first element

  static DEVICE Extreme none() { return {A(0), A(0)}; }
  static DEVICE bool ahead(A a, A b) {
    return a != a || (LARGEST ? a > b : a < b);
  }
  DEVICE void take(const A* values, int count, Index, Index) {
    for (int i = 0; i < GROUP; ++i) {
      if (i < count) merge({values[i], A(1)});
    }
  }
  DEVICE void merge(Extreme other) {
    if (other.seen != A(0) && (seen == A(0) || ahead(other.value, value))) *this = other;
  }
};

// Where the first of the largest (or smallest) elements is; the first NaN where there is one.
template <bool LARGEST>
struct Place {
  Index index;  // -1 before the first element
  A value;
  A padding;

  static DEVICE Place none() { return {-1, A(0), A(0)}; }
  DEVICE bool behind(Place other) const {
    if (other.index < 0) return false;
    if (index < 0) return true;
    const bool nan = value != value, other_nan = other.value != other.value;
    if (nan != other_nan) return other_nan;
    if (nan || value == other.value) return other.index < index;
    return LARGEST ? other.value > value : other.value < value;
  }
  DEVICE void take(const A* values, int count, Index first, Index step) {
    for (int i = 0; i < GROUP; ++i) {
      if (i < count) merge({first + i * step, values[i], A(0)});
    }
  }
  DEVICE void merge(Place other) {
    if (behind(other)) *this = other;
  }
};

// Whether some element is nonzero (SOME), or every one is.
template <bool SOME>
struct Truth {
  int holds;

  static DEVICE Truth none() { return {SOME ? 0 : 1}; }
  DEVICE void take(const A* values, int count, Index, Index) {
    for (int i = 0; i < GROUP; ++i) {
      if (i < count) merge({values[i] != A(0)});
    }
  }
  DEVICE void merge(Truth other) {
    holds = SOME ? holds | other.holds : holds & other.holds;
  }
};

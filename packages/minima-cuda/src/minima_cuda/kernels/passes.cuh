// Reductions along axes, whatever is folded: in one pass where there are results enough to fill the
// GPU, else in two.
//
// The first pass cuts the reduced axes into runs of `chunk` elements, one for each block along y;
// where there is more than one, it writes states, which the second pass (`finish`) merges.
#include "states.cuh"

// An index over at most two axes, of which the inner has `inner` elements.
struct Walk {
  Index inner, outer_step, inner_step;

  DEVICE Index at(Index i) const {
    if (i < inner) return i * inner_step;
    const Index outer = quotient(i, inner);
    return outer * outer_step + (i - outer * inner) * inner_step;
  }
};

// Element r of those that are reduced to result k lies at keep.at(k) + walk.at(r).
struct Plan {
  Index kept, length, chunk;
  Walk keep, walk;
};

// ---- folding -------------------------------------------------------------------------------------
// Folds the elements of one array.
template <class S>
struct Fold {
  const T* x;
  Walk walk;

  // Fold what thread `thread` of `threads` has of the elements begin .. end - 1.
  DEVICE S operator()(Index base, Index begin, Index end, int thread, int threads) const {
    S state = S::none();
    if (walk.inner_step == 1 && end <= walk.inner && is_aligned(x + base + begin)) {
      const Index packs = (end - begin) / WIDTH;
      for (Index p = thread; p < packs; p += threads) {
        take_pack(state, x + base, begin + p * WIDTH);
      }
      begin += packs * WIDTH;
    }
    for (Index r = begin + thread; r < end; r += GROUP * Index(threads)) {
      A values[GROUP] = {};
      int count = 0;
#pragma unroll
      for (int i = 0; i < GROUP; ++i) {
        const Index at = r + i * Index(threads);
        if (at < end) {
          values[i] = load(x[base + walk.at(at)]);
          count = i + 1;
        }
      }
      state.take(values, count, r, threads);
    }
    return state;
  }

  static DEVICE void take_pack(S& state, const T* row, Index first) {
    const Pack<T> pack = load_pack(row + first);
#pragma unroll
    for (int g = 0; g < WIDTH; g += GROUP) {
      A values[GROUP] = {};
      const int count = WIDTH - g < GROUP ? WIDTH - g : GROUP;
#pragma unroll
      for (int i = 0; i < count; ++i) values[i] = load(pack.items[g + i]);
      state.take(values, count, first + g, 1);
    }
  }
};

// ---- passes --------------------------------------------------------------------------------------
template <class S, class Emit>
DEVICE void leave(S state, Index k, S* partial, Emit emit) {
  if (gridDim.y == 1) {
    emit(state, k);
  } else {
    partial[k * gridDim.y + blockIdx.y] = state;
  }
}

DEVICE Index end_of(Index begin, const Plan& plan) {
  return begin + plan.chunk < plan.length ? begin + plan.chunk : plan.length;
}

// Threads along the reduced axes: a warp (block 32 x rows) or a block to a result.
template <class S, class F, class Emit>
DEVICE void rows(F fold, Emit emit, S* partial, const Plan& plan) {
  const Index begin = blockIdx.y * plan.chunk, end = end_of(begin, plan);
  const Index step = Index(gridDim.x) * blockDim.y;
  for (Index k = Index(blockIdx.x) * blockDim.y + threadIdx.y; k < plan.kept; k += step) {
    const S state = merge_row(fold(plan.keep.at(k), begin, end, threadIdx.x, blockDim.x));
    if (threadIdx.x == 0) leave(state, k, partial, emit);
  }
}

// Threads along the kept axes, whose elements are neighbours; along y they share a result.
template <class S, class F, class Emit>
DEVICE void columns(F fold, Emit emit, S* partial, const Plan& plan) {
  __shared__ S slots[256];
  const Index begin = blockIdx.y * plan.chunk, end = end_of(begin, plan);
  const Index step = Index(gridDim.x) * blockDim.x;
  for (Index first = Index(blockIdx.x) * blockDim.x; first < plan.kept; first += step) {
    const Index k = first + threadIdx.x;
    S state = S::none();
    if (k < plan.kept) state = fold(plan.keep.at(k), begin, end, threadIdx.y, blockDim.y);
    state = merge_columns(state, slots);
    if (threadIdx.y == 0 && k < plan.kept) leave(state, k, partial, emit);
  }
}

// A warp to a result: merge its parts.
template <class S, class Emit>
DEVICE void finish(const S* partial, Emit emit, Index kept, Index parts) {
  const Index step = Index(gridDim.x) * blockDim.y;
  for (Index k = Index(blockIdx.x) * blockDim.y + threadIdx.y; k < kept; k += step) {
    S state = S::none();
    for (Index p = threadIdx.x; p < parts; p += WARP) state.merge(partial[k * parts + p]);
    state = merge_warp(state);
    if (threadIdx.x == 0) emit(state, k);
  }
}

// ---- kernels -------------------------------------------------------------------------------------
// What becomes of a state: `state`, `k`, `kept`, `y` and `parameter` are at hand.
#define EMIT(name, S, Out, ...)                                         \
  struct name##_emit {                                                  \
    Out* y;                                                             \
    Index kept;                                                         \
    A parameter;                                                        \
    DEVICE void operator()(S state, Index k) const { __VA_ARGS__; }     \
  };
#define PASS(name, form, S, Out)                                        \
  KERNEL name##_##form(const T* x, Out* y, UInt8* partial, Plan plan, A parameter) { \
    S* states = reinterpret_cast<S*>(partial); \
    form(Fold<S>{x, plan.walk}, name##_emit{y, plan.kept, parameter}, states, plan); \
  }
#define FINISH(name, S, Out)                                            \
  KERNEL name##_finish(const UInt8* partial, Out* y, Index kept, Index parts, A parameter) { \
    finish(reinterpret_cast<const S*>(partial), name##_emit{y, kept, parameter}, kept, parts);   \
  }
#define REDUCTION(name, S, Out, ...) \
  EMIT(name, S, Out, __VA_ARGS__)    \
  PASS(name, rows, S, Out)           \
  PASS(name, columns, S, Out)        \
  FINISH(name, S, Out)

// Softmax, log softmax, cross entropy and their gradients.
//
// Rows that fit are held in the registers of a warp (`short`: 128 elements, `medium`: 1024) and read
// once; longer ones are read twice by a block, the first time for all sums at once. `columns` takes
// arrays (outer, length, inner), with neighbouring threads on neighbours along inner.
#include "moments.cuh"

constexpr int SHORT = 4, MEDIUM = 32;  // elements of a row that a lane holds

// ---- what is written -----------------------------------------------------------------------------
// Each has: the sums of a row that it needs (State), the inputs of an element (In) and
//   fetch(at), the inputs of the element at `at`; add(state, in); value(in, state, row, column).
struct Softmax {
  const T* x;
  typedef Online State;
  typedef A In;

  DEVICE In fetch(Index at) const { return load(x[at]); }
  static DEVICE void add(State& state, const In* in, int count) { state.take(in, count, 0, 0); }
  DEVICE T value(In in, State state, Index, Index) const {
    return store<T>(exp(in - state.top) / state.norm());
  }
};

struct LogSoftmax : Softmax {
  DEVICE T value(In in, State state, Index, Index) const {
    return store<T>(in - state.top - log(state.norm()));
  }
};

struct Pair {
  A g, y;
};

struct SoftmaxGradient {
  const T *g, *y;
  typedef Total State;
  typedef Pair In;

  DEVICE In fetch(Index at) const { return {load(g[at]), load(y[at])}; }
  static DEVICE void add(State& state, const In* in, int count) {
    for (int i = 0; i < GROUP; ++i) state.sum += i < count ? in[i].g * in[i].y : A(0);
  }
  DEVICE T value(In in, State state, Index, Index) const {
    return store<T>((in.g - state.sum) * in.y);
  }
};

// scale * g * (softmax - wanted), where wanted is `rest` and, at the target, `rest` + `picked`.
struct CrossEntropyGradient : Softmax {
  const T* g;
  const Index* targets;
  int g_step;  // 0: one g for all rows
  A scale, picked, rest;

  DEVICE T value(In in, State state, Index row, Index column) const {
    const A wanted = targets[row] == column ? rest + picked : rest;
    const A share = exp(in - state.top) / state.norm();
    return store<T>(load(g[row * g_step]) * scale * (share - wanted));
  }
};

// ---- passes --------------------------------------------------------------------------------------
// A warp to a row, LANES elements to a lane.
template <int LANES, class Op>
DEVICE void held_rows(Op op, T* out, Index rows, Index length) {
  const Index step = Index(gridDim.x) * blockDim.y;
  for (Index row = Index(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += step) {
    typename Op::In in[LANES];
    typename Op::State state = Op::State::none();
#pragma unroll
    for (int i = 0; i < LANES; i += GROUP) {
      int count = 0;
#pragma unroll
      for (int j = 0; j < GROUP; ++j) {
        const Index column = (i + j) * 32 + threadIdx.x;
        if (column < length) {
          in[i + j] = op.fetch(row * length + column);
          count = j + 1;
        }
      }
      if (count) op.add(state, in + i, count);
    }
    state = merge_warp(state);
#pragma unroll
    for (int i = 0; i < LANES; ++i) {
      const Index column = i * 32 + threadIdx.x;
      if (column < length) out[row * length + column] = op.value(in[i], state, row, column);
    }
  }
}

// Fold the elements column, column + step, ... of the run of `length` that starts at `base`.
template <class Op>
DEVICE typename Op::State fold(
    Op op, Index base, Index first, Index length, Index threads, Index step) {
  typename Op::State state = Op::State::none();
  for (Index column = first; column < length; column += GROUP * threads) {
    typename Op::In in[GROUP];
    int count = 0;
#pragma unroll
    for (int i = 0; i < GROUP; ++i) {
      const Index at = column + i * threads;
      if (at < length) {
        in[i] = op.fetch(base + at * step);
        count = i + 1;
      }
    }
    op.add(state, in, count);
  }
  return state;
}

// A block to a row.
template <class Op>
DEVICE void long_rows(Op op, T* out, Index rows, Index length) {
  for (Index row = blockIdx.x; row < rows; row += gridDim.x) {
    const Index base = row * length;
    const auto state = merge_block(fold(op, base, threadIdx.x, length, blockDim.x, 1));
    for (Index column = threadIdx.x; column < length; column += blockDim.x) {
      out[base + column] = op.value(op.fetch(base + column), state, row, column);
    }
  }
}

// A thread, or several along y, to a run of elements `inner` apart.
template <class Op>
DEVICE void columns(Op op, T* out, Index rows, Index length, Index inner) {
  __shared__ typename Op::State slots[256];
  const Index step = Index(gridDim.x) * blockDim.x;
  for (Index first = Index(blockIdx.x) * blockDim.x; first < rows; first += step) {
    const Index row = first + threadIdx.x, outer = quotient(row, inner);
    const Index base = outer * length * inner + (row - outer * inner);
    auto state = Op::State::none();
    if (row < rows) state = fold(op, base, threadIdx.y, length, blockDim.y, inner);
    state = spread_columns(merge_columns(state, slots), slots);
    if (row >= rows) continue;
    for (Index column = threadIdx.y; column < length; column += blockDim.y) {
      const Index at = base + column * inner;
      out[at] = op.value(op.fetch(at), state, row, column);
    }
  }
}

// ---- kernels -------------------------------------------------------------------------------------
#define SOFTMAX(name, OP, ...)                                                                \
  KERNEL name##_short(__VA_ARGS__, T* out, Index rows, Index length) {                           \
    held_rows<SHORT>(OP, out, rows, length);                                                  \
  }                                                                                           \
  KERNEL name##_medium(__VA_ARGS__, T* out, Index rows, Index length) {                          \
    held_rows<MEDIUM>(OP, out, rows, length);                                                 \
  }                                                                                           \
  KERNEL name##_long(__VA_ARGS__, T* out, Index rows, Index length) {                            \
    long_rows(OP, out, rows, length);                                                         \
  }                                                                                           \
  KERNEL name##_columns(__VA_ARGS__, T* out, Index rows, Index length, Index inner) {            \
    columns(OP, out, rows, length, inner);                                                    \
  }

SOFTMAX(softmax, (Softmax{x}), const T* x)
SOFTMAX(log_softmax, (LogSoftmax{{x}}), const T* x)
SOFTMAX(softmax_gradient, (SoftmaxGradient{g, y}), const T* g, const T* y)
SOFTMAX(cross_entropy_gradient,
    (CrossEntropyGradient{{x}, g, targets, g_step, scale, picked, rest}), const T* g, const T* x,
    const Index* targets, int g_step, A scale, A picked, A rest)

// ---- losses --------------------------------------------------------------------------------------
// -log softmax at the target, mixed with the mean over all classes where `rest` is not 0.
struct Loss {
  const T* x;
  const Index* targets;
  A* out;
  A picked, rest;

  struct State {
    Online online;
    A total;

    static DEVICE State none() { return {Online::none(), A(0)}; }
    DEVICE void merge(State other) {
      online.merge(other.online);
      total += other.total;
    }
  };
  typedef A In;

  DEVICE In fetch(Index at) const { return load(x[at]); }
  static DEVICE void add(State& state, const In* in, int count) {
    state.online.take(in, count, 0, 0);
    for (int i = 0; i < GROUP; ++i) state.total += i < count ? in[i] : A(0);
  }
  // Write the loss of `row`, whose element `column` lies at base + column * step.
  DEVICE void leave(State state, Index row, Index base, Index length, Index step) const {
    const Index target = targets[row];
    if (target < 0 || target >= length) {
      out[row] = not_a_number();
      return;
    }
    const A top = state.online.top;
    A loss = log(state.online.norm()) - (load(x[base + target * step]) - top) * picked;
    if (rest != A(0)) loss -= (state.total - A(length) * top) * rest;
    out[row] = loss;
  }
};

#define LOSS                                                                            \
  const T *x, const Index *targets, A *out, Index rows, Index length, A picked, A rest

KERNEL cross_entropy_rows(LOSS) {
  const Loss op{x, targets, out, picked, rest};
  const Index step = Index(gridDim.x) * blockDim.y;
  for (Index row = Index(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += step) {
    const Index base = row * length;
    const auto state = merge_row(fold(op, base, threadIdx.x, length, blockDim.x, 1));
    if (threadIdx.x == 0) op.leave(state, row, base, length, 1);
  }
}

KERNEL cross_entropy_columns(LOSS, Index inner) {
  __shared__ Loss::State slots[256];
  const Loss op{x, targets, out, picked, rest};
  const Index step = Index(gridDim.x) * blockDim.x;
  for (Index first = Index(blockIdx.x) * blockDim.x; first < rows; first += step) {
    const Index row = first + threadIdx.x, outer = quotient(row, inner);
    const Index base = outer * length * inner + (row - outer * inner);
    auto state = Loss::State::none();
    if (row < rows) state = fold(op, base, threadIdx.y, length, blockDim.y, inner);
    state = merge_columns(state, slots);
    if (threadIdx.y == 0 && row < rows) op.leave(state, row, base, length, inner);
  }
}

// One pass over the elements of up to three arrays that broadcast, in any layout.
#include "access.cuh"

// The axes are cut into rows along the last one, and rows into runs of `run` elements: WIDTH where
// the arrays' steps along the rows are 0 or 1, else 1. A thread takes a run at a time.
struct Layout {
  Index runs, runs_of_row, length;  // of all, of a row; elements of a row
  Index sizes[3];                   // of the axes in front of the last, right aligned
  Index steps[4][4];                // of the output and the inputs, along each axis
  Int32 run, axes;                  // axes: that are in use, the last included
};

// The offsets of a run's first element in the output and the inputs.
struct Offsets {
  Index of[4];
};

template <int ARRAYS>
DEVICE Offsets offsets_of(const Layout& layout, Index row, Index column) {
  Offsets found;
#pragma unroll
  for (int array = 0; array < ARRAYS; ++array) {
    found.of[array] = column * layout.steps[array][3];
  }
#pragma unroll
  for (int axis = 2; axis >= 0; --axis) {
    if (axis + layout.axes < 4) break;
    const Index next = quotient(row, layout.sizes[axis]);
    const Index place = row - next * layout.sizes[axis];
#pragma unroll
    for (int array = 0; array < ARRAYS; ++array) {
      found.of[array] += place * layout.steps[array][axis];
    }
    row = next;
  }
  return found;
}

// Read a whole run: one element for all of it, 16 bytes at once, or one by one.
template <class V>
DEVICE Pack<V> read_run(const V* from, Index step) {
  if (step == 1 && is_aligned(from)) return load_pack(from);
  Pack<V> pack;
#pragma unroll
  for (int i = 0; i < WIDTH; ++i) pack.items[i] = from[i * step];
  return pack;
}

template <class V>
DEVICE void write_run(V* to, Index step, const Pack<V>& pack) {
  if (step == 1 && is_aligned(to)) {
    store_pack(to, pack);
    return;
  }
#pragma unroll
  for (int i = 0; i < WIDTH; ++i) to[i * step] = pack.items[i];
}

// Write f(a, b, c), of elements as they lie in memory, for each element; INPUTS of them are read.
template <int INPUTS, class Out, class F, class X, class Y, class Z>
DEVICE void each(const Layout& layout, Out* out, F f, const X* a, const Y* b, const Z* c) {
  const Index step = layout.steps[0][3], a_step = layout.steps[1][3];
  const Index b_step = layout.steps[2][3], c_step = layout.steps[3][3];
  for (Index i = first_element(); i < layout.runs; i += element_step()) {
    const Index row = i < layout.runs_of_row ? 0 : quotient(i, layout.runs_of_row);
    const Index column = (i - row * layout.runs_of_row) * layout.run;
    const Offsets o = offsets_of<INPUTS + 1>(layout, row, column);
    if (layout.run == WIDTH && column + WIDTH <= layout.length) {
      const Pack<X> x = read_run(a + o.of[1], a_step);
      Pack<Y> y = {};
      Pack<Z> z = {};
      if (INPUTS > 1) y = read_run(b + o.of[2], b_step);
      if (INPUTS > 2) z = read_run(c + o.of[3], c_step);
      Pack<Out> result;
#pragma unroll
      for (int j = 0; j < WIDTH; ++j) result.items[j] = f(x.items[j], y.items[j], z.items[j]);
      write_run(out + o.of[0], step, result);
      continue;
    }
    for (Index j = 0; j < layout.run && column + j < layout.length; ++j) {
      const X x = a[o.of[1] + j * a_step];
      Y y = {};
      Z z = {};
      if (INPUTS > 1) y = b[o.of[2] + j * b_step];
      if (INPUTS > 2) z = c[o.of[3] + j * c_step];
      out[o.of[0] + j * step] = f(x, y, z);
    }
  }
}

// ---- kernels: name_each(inputs, output, numbers, layout) -----------------------------------------
// `expression` is of the elements v, w, u and of the numbers; A is what it computes in.
#define UNARY_WITH(name, Out, expression, ...)                                               \
  KERNEL name##_each(const T* a, Out* y, ##__VA_ARGS__, Layout layout) {                     \
    const auto f = [=](T a_, T, T) {                                                         \
      const A v = load(a_);                                                                  \
      return store<Out>(expression);                                                         \
    };                                                                                       \
    each<1>(layout, y, f, a, a, a);                                                          \
  }
#define BINARY_WITH(name, Out, expression, ...)                                              \
  KERNEL name##_each(const T* a, const T* b, Out* y, ##__VA_ARGS__, Layout layout) {         \
    const auto f = [=](T a_, T b_, T) {                                                      \
      const A v = load(a_), w = load(b_);                                                    \
      return store<Out>(expression);                                                         \
    };                                                                                       \
    each<2>(layout, y, f, a, b, b);                                                          \
  }
#define TERNARY_WITH(name, Out, expression, ...)                                             \
  KERNEL name##_each(const T* a, const T* b, const T* c, Out* y, ##__VA_ARGS__, Layout layout) { \
    const auto f = [=](T a_, T b_, T c_) {                                                   \
      const A v = load(a_), w = load(b_), u = load(c_);                                      \
      return store<Out>(expression);                                                         \
    };                                                                                       \
    each<3>(layout, y, f, a, b, c);                                                          \
  }
#define UNARY(name, expression) UNARY_WITH(name, T, expression)
#define BINARY(name, expression) BINARY_WITH(name, T, expression)
#define ASK(name, expression) UNARY_WITH(name, bool, expression)
#define COMPARE(name, expression) BINARY_WITH(name, bool, expression)

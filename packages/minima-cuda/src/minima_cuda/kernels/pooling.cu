// Windows of an image as one number each, and back. An element has one owner in each direction.
#include "window.cuh"

// The elements that a window sees along one axis, or the windows that see an element.
struct Range {
  Int32 begin, end;
};

DEVICE Range seen_by(const Window& w, int axis, Int32 number) {
  const Int32 start = w.seen(axis, number, 0);
  return {max(start, 0), min(start + w.kernel[axis], w.size[axis])};
}

DEVICE Range seers_of(const Window& w, int axis, Int32 at) {
  const Int32 from = at + w.padding[axis], before = from - w.kernel[axis];
  const Int32 begin = before < 0 ? 0 : before / w.stride[axis] + 1;
  return {begin, min(from / w.stride[axis] + 1, w.count[axis])};
}

// ---- the largest -----------------------------------------------------------------------------------
KERNEL max_pool2d(const T* x, T* y, Index count, Window w) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.count[0], w.count[1]);
    const Range rows = seen_by(w, 0, at.y), columns = seen_by(w, 1, at.x);
    const T* const image = x + at.plane * w.elements();
    A best = load(image[Index(rows.begin) * w.size[1] + columns.begin]);
    for (Int32 row = rows.begin; row < rows.end; ++row) {
      for (Int32 column = columns.begin; column < columns.end; ++column) {
        best = Max()(best, A(load(image[Index(row) * w.size[1] + column])));
      }
    }
    y[i] = store<T>(best);
  }
}

// Whether *value* is as large as the largest of a window; NaN is the largest there is.
DEVICE bool is_largest(A value, A best) { return value == best || value != value; }

// Whether no element of the window in front of (row, column) is as large as the best.
DEVICE bool is_first(const T* image, const Window& w, Range rows, Range columns, Int32 row,
                     Int32 column, A best) {
  for (Int32 y = rows.begin; y <= row; ++y) {
    const Int32 end = y < row ? columns.end : column;
    for (Int32 x = columns.begin; x < end; ++x) {
      if (is_largest(load(image[Index(y) * w.size[1] + x]), best)) return false;
    }
  }
  return true;
}

// g and y (N, C, OH, OW), x (N, C, H, W) -> out (N, C, H, W): to the first largest of each window.
KERNEL max_pool2d_gradient(const T* g, const T* x, const T* y, T* out, Index count, Window w) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.size[0], w.size[1]);
    const Range down = seers_of(w, 0, at.y), across = seers_of(w, 1, at.x);
    const T* const image = x + at.plane * w.elements();
    const A value = load(x[i]);
    A total = 0;
    for (Int32 v = down.begin; v < down.end; ++v) {
      for (Int32 u = across.begin; u < across.end; ++u) {
        const Index window = (at.plane * w.count[0] + v) * w.count[1] + u;
        const A best = load(y[window]);
        if (!is_largest(value, best)) continue;
        const Range rows = seen_by(w, 0, v), columns = seen_by(w, 1, u);
        if (is_first(image, w, rows, columns, at.y, at.x, best)) total += load(g[window]);
      }
    }
    out[i] = store<T>(total);
  }
}

// x (planes, taps, windows) -> 1 at the first largest tap of each window, 0 elsewhere.
KERNEL first_largest(const T* x, T* y, Index count, Index windows, Index taps) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Index plane = quotient(i, windows);
    const Index start = plane * taps * windows + (i - plane * windows);
    Index place = 0;
    A best = load(x[start]);
    for (Index tap = 1; tap < taps; ++tap) {
      const A value = load(x[start + tap * windows]);
      if (best == best && !(value <= best)) best = value, place = tap;
    }
    for (Index tap = 0; tap < taps; ++tap) y[start + tap * windows] = store<T>(A(tap == place));
  }
}

// ---- the mean --------------------------------------------------------------------------------------
DEVICE A divisor(const Window& w, Range rows, Range columns, Int32 count_padding) {
  if (count_padding) return A(w.taps());
  return A((rows.end - rows.begin) * (columns.end - columns.begin));
}

KERNEL avg_pool2d(const T* x, T* y, Index count, Window w, Int32 count_padding) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.count[0], w.count[1]);
    const Range rows = seen_by(w, 0, at.y), columns = seen_by(w, 1, at.x);
    const T* const image = x + at.plane * w.elements();
    A total = 0;
    for (Int32 row = rows.begin; row < rows.end; ++row) {
      for (Int32 column = columns.begin; column < columns.end; ++column) {
        total += load(image[Index(row) * w.size[1] + column]);
      }
    }
    y[i] = store<T>(total / divisor(w, rows, columns, count_padding));
  }
}

KERNEL avg_pool2d_gradient(const T* g, T* y, Index count, Window w, Int32 count_padding) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.size[0], w.size[1]);
    const Range down = seers_of(w, 0, at.y), across = seers_of(w, 1, at.x);
    A total = 0;
    for (Int32 v = down.begin; v < down.end; ++v) {
      const Range rows = seen_by(w, 0, v);
      for (Int32 u = across.begin; u < across.end; ++u) {
        const A slope = load(g[(at.plane * w.count[0] + v) * w.count[1] + u]);
        total += slope / divisor(w, rows, seen_by(w, 1, u), count_padding);
      }
    }
    y[i] = store<T>(total);
  }
}

// ---- windows by the size of the result -------------------------------------------------------------
// Share *number* of *size* elements that are cut into *parts*; neighbours may overlap by one. The
// other way round, the same formula says which of the parts an element is in.
DEVICE Range share(Int32 number, Int32 size, Int32 parts) {
  const Index begin = quotient(Index(number) * size, parts);
  const Index end = quotient(Index(number + 1) * size + parts - 1, parts);
  return {Int32(begin), Int32(end)};
}

// LANES threads, one or a warp, add up each window of x.
template <int LANES>
DEVICE void adaptive_means(const T* x, T* y, Index count, const Window& w) {
  const int lane = LANES == 1 ? 0 : block_rank() % LANES;
  for (Index i = first_element() / LANES; i < count; i += element_step() / LANES) {
    const Place at = place_of(i, w.count[0], w.count[1]);
    const Range rows = share(at.y, w.size[0], w.count[0]);
    const Range columns = share(at.x, w.size[1], w.count[1]);
    const T* const image = x + at.plane * w.elements();
    const Int32 width = columns.end - columns.begin;
    const Index elements = Index(rows.end - rows.begin) * width;
    A total = 0;
    for (Index k = lane; k < elements; k += LANES) {
      const Index row = quotient(k, width);
      total += load(image[(rows.begin + row) * w.size[1] + columns.begin + k - row * width]);
    }
    if (LANES > 1) total = warp_reduce(total, Sum());
    if (lane == 0) y[i] = store<T>(total / A(elements));
  }
}

KERNEL adaptive_avg_pool2d_by_thread(const T* x, T* y, Index count, Window w) {
  adaptive_means<1>(x, y, count, w);
}
KERNEL adaptive_avg_pool2d_by_warp(const T* x, T* y, Index count, Window w) {
  adaptive_means<WARP>(x, y, count, w);
}

KERNEL adaptive_avg_pool2d_gradient(const T* g, T* y, Index count, Window w) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.size[0], w.size[1]);
    const Range down = share(at.y, w.count[0], w.size[0]);
    const Range across = share(at.x, w.count[1], w.size[1]);
    A total = 0;
    for (Int32 v = down.begin; v < down.end; ++v) {
      const Range rows = share(v, w.size[0], w.count[0]);
      for (Int32 u = across.begin; u < across.end; ++u) {
        const Range columns = share(u, w.size[1], w.count[1]);
        const Index elements = Index(rows.end - rows.begin) * (columns.end - columns.begin);
        total += load(g[(at.plane * w.count[0] + v) * w.count[1] + u]) / A(elements);
      }
    }
    y[i] = store<T>(total);
  }
}

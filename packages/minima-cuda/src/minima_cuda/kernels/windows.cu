// Windows as a copy (im2col), and what lies over each other added up (col2im).
#include "window.cuh"

// x (planes, H, W) -> y (planes, kh, kw, OH, OW), *fill* beyond the border.
KERNEL windows_forward(const T* x, T* y, Index count, Window w, A fill) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place of = place_of(i, w.count[0], w.count[1]);
    const Place tap = place_of(of.plane, w.kernel[0], w.kernel[1]);
    const Int32 row = w.seen(0, of.y, tap.y), column = w.seen(1, of.x, tap.x);
    const bool inside = w.inside(row, column);
    y[i] = inside ? x[(tap.plane * w.size[0] + row) * w.size[1] + column] : store<T>(fill);
  }
}

// g (planes, kh, kw, OH, OW) -> y (planes, H, W). An element has one owner, and adds up in order.
KERNEL windows_gradient(const T* g, T* y, Index count, Window w) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.size[0], w.size[1]);
    A total = 0;
    for (Int32 tap_y = 0; tap_y < w.kernel[0]; ++tap_y) {
      const Int32 row = w.seer(0, at.y, tap_y);
      if (row < 0) continue;
      for (Int32 tap_x = 0; tap_x < w.kernel[1]; ++tap_x) {
        const Int32 column = w.seer(1, at.x, tap_x);
        if (column < 0) continue;
        const Index tap = (at.plane * w.kernel[0] + tap_y) * w.kernel[1] + tap_x;
        total += load(g[(tap * w.count[0] + row) * w.count[1] + column]);
      }
    }
    y[i] = store<T>(total);
  }
}

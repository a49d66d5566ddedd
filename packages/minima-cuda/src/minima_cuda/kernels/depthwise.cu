// Convolution of each channel by itself: groups of one channel, which *multiplier* outputs see.
// There is next to nothing to multiply, so each thread reads what it needs through the caches.
#include "window.cuh"

// x (N, C, H, W), weight (O, 1, kh, kw), bias (O) -> y (N, O, OH, OW); O = C * multiplier.
KERNEL depthwise_forward(const T* x, const T* weight, const T* bias, T* y, Index count, Window w,
                         Int32 channels, Int32 multiplier, Int32 biased) {
  const Index outputs = Index(channels) * multiplier;
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.count[0], w.count[1]);
    const Index output = at.plane - quotient(at.plane, outputs) * outputs;
    const T* const image = x + quotient(at.plane, multiplier) * w.elements();
    const T* const factor = weight + output * w.taps();
    A total = biased ? load(bias[output]) : A(0);
    for (Int32 tap_y = 0; tap_y < w.kernel[0]; ++tap_y) {
      const Int32 row = w.seen(0, at.y, tap_y);
      if (UInt32(row) >= UInt32(w.size[0])) continue;
      for (Int32 tap_x = 0; tap_x < w.kernel[1]; ++tap_x) {
        const Int32 column = w.seen(1, at.x, tap_x);
        if (UInt32(column) >= UInt32(w.size[1])) continue;
        total += load(image[Index(row) * w.size[1] + column]) *
                 load(factor[tap_y * w.kernel[1] + tap_x]);
      }
    }
    y[i] = store<T>(total);
  }
}

// g (N, O, OH, OW), weight (O, 1, kh, kw) -> y (N, C, H, W).
KERNEL depthwise_input_gradient(const T* g, const T* weight, T* y, Index count, Window w,
                                Int32 channels, Int32 multiplier) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Place at = place_of(i, w.size[0], w.size[1]);
    const Index channel = at.plane - quotient(at.plane, channels) * channels;
    const T* const slopes = g + at.plane * multiplier * w.windows();
    const T* const factor = weight + channel * multiplier * w.taps();
    A total = 0;
    for (Int32 tap_y = 0; tap_y < w.kernel[0]; ++tap_y) {
      const Int32 row = w.seer(0, at.y, tap_y);
      if (row < 0) continue;
      for (Int32 tap_x = 0; tap_x < w.kernel[1]; ++tap_x) {
        const Int32 column = w.seer(1, at.x, tap_x);
        if (column < 0) continue;
        const Int32 tap = tap_y * w.kernel[1] + tap_x;
        const Index window = Index(row) * w.count[1] + column;
        for (Int32 m = 0; m < multiplier; ++m)
          total += load(slopes[m * w.windows() + window]) * load(factor[m * w.taps() + tap]);
      }
    }
    y[i] = store<T>(total);
  }
}

constexpr int TAPS = 9;  // places in a window that a block adds up for, in one pass

// x (N, C, H, W), g (N, O, OH, OW) -> parts (parts, O, 1, kh, kw), of *length* windows each. A
// block has an output, TAPS places of its window and a part.
KERNEL depthwise_weight_gradient(const T* x, const T* g, A* parts, Window w, Int32 images,
                                 Int32 channels, Int32 multiplier, Index length) {
  const Int32 runs = (w.taps() + TAPS - 1) / TAPS;
  const Index outputs = Index(channels) * multiplier, windows = w.windows();
  const Index rest = quotient(blockIdx.x, runs), part = quotient(rest, outputs);
  const Index output = rest - part * outputs;
  const Int32 first = Int32(blockIdx.x - rest * runs) * TAPS;
  A total[TAPS] = {};
  Int32 tap_y[TAPS], tap_x[TAPS];
#pragma unroll
  for (int t = 0; t < TAPS; ++t) {
    tap_y[t] = (first + t) / w.kernel[1], tap_x[t] = (first + t) % w.kernel[1];
  }
  const Index end = min((part + 1) * length, images * windows);
  for (Index i = part * length + block_rank(); i < end; i += block_threads()) {
    const Place at = place_of(i, w.count[0], w.count[1]);
    const Index plane = at.plane * outputs + output;
    const A slope = load(g[plane * windows + (i - at.plane * windows)]);
    const T* const image = x + quotient(plane, multiplier) * w.elements();
#pragma unroll
    for (int t = 0; t < TAPS; ++t) {
      const Int32 row = w.seen(0, at.y, tap_y[t]), column = w.seen(1, at.x, tap_x[t]);
      if (w.inside(row, column)) total[t] += slope * load(image[Index(row) * w.size[1] + column]);
    }
  }
#pragma unroll
  for (int t = 0; t < TAPS; ++t) {
    const A sum = block_reduce(total[t], A(0), Sum());
    if (block_rank() == 0 && first + t < w.taps()) {
      parts[(part * outputs + output) * w.taps() + first + t] = sum;
    }
  }
}

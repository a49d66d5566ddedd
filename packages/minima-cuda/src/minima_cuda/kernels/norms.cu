// Layer normalisation over rows, and normalisation by statistics of channels that were taken before
// (see `moments` and `slopes` of reductions.cu).
//
// Rows that fit are held in the registers of a warp (`short`: 128 elements, `medium`: 1024) and read
// once; longer ones are read twice by a block.
#include "moments.cuh"

constexpr int SHORT = 4, MEDIUM = 32;  // elements of a row that a lane holds

// A weight (of which bit 0 of `given` says that it is there) and a bias (bit 1).
struct Affine {
  const T *weight, *bias;
  Int32 given;

  DEVICE A apply(A x, Index place) const {
    if (given & 1) x *= load(weight[place]);
    return given & 2 ? x + load(bias[place]) : x;
  }
  DEVICE A back(A g, Index place) const { return given & 1 ? g * load(weight[place]) : g; }
};

// ---- rows, forward -------------------------------------------------------------------------------
template <int LANES>
DEVICE void held_rows(const T* x, Affine affine, T* y, Index rows, Index length, A eps) {
  const Index step = Index(gridDim.x) * blockDim.y;
  for (Index row = Index(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += step) {
    A held[LANES];
    Moments moments = Moments::none();
#pragma unroll
    for (int i = 0; i < LANES; i += GROUP) {
      int count = 0;
#pragma unroll
      for (int j = 0; j < GROUP; ++j) {
        const Index column = (i + j) * 32 + threadIdx.x;
        if (column < length) {
          held[i + j] = load(x[row * length + column]);
          count = j + 1;
        }
      }
      if (count) moments.take(held + i, count, 0, 0);
    }
    moments = merge_warp(moments);
    const A inverse = moments.inverse(eps);
#pragma unroll
    for (int i = 0; i < LANES; ++i) {
      const Index column = i * 32 + threadIdx.x;
      if (column < length) {
        y[row * length + column] = store<T>(affine.apply((held[i] - moments.mean) * inverse, column));
      }
    }
  }
}

DEVICE void long_rows(const T* x, Affine affine, T* y, Index rows, Index length, A eps) {
  for (Index row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* from = x + row * length;
    Moments moments = Moments::none();
    for (Index column = threadIdx.x; column < length; column += GROUP * blockDim.x) {
      A values[GROUP] = {};
      int count = 0;
#pragma unroll
      for (int i = 0; i < GROUP; ++i) {
        const Index at = column + i * blockDim.x;
        if (at < length) {
          values[i] = load(from[at]);
          count = i + 1;
        }
      }
      moments.take(values, count, 0, 0);
    }
    moments = merge_block(moments);
    const A inverse = moments.inverse(eps);
    for (Index column = threadIdx.x; column < length; column += blockDim.x) {
      const A centred = load(from[column]) - moments.mean;
      y[row * length + column] = store<T>(affine.apply(centred * inverse, column));
    }
  }
}

#define FORWARD                                                                       \
  const T *x, const T *weight, const T *bias, Int32 given, T *y, Index rows, Index length, A eps

KERNEL layer_norm_short(FORWARD) {
  held_rows<SHORT>(x, Affine{weight, bias, given}, y, rows, length, eps);
}
KERNEL layer_norm_medium(FORWARD) {
  held_rows<MEDIUM>(x, Affine{weight, bias, given}, y, rows, length, eps);
}
KERNEL layer_norm_long(FORWARD) {
  long_rows(x, Affine{weight, bias, given}, y, rows, length, eps);
}

// ---- rows, backward ------------------------------------------------------------------------------
// The gradient at one element: (g - mean(g) - n * mean(g * n)) * inverse, n the normalised x.
DEVICE A slope_at(A g, A x, Slopes sums, A inverse) {
  const A share = sums.along * inverse * inverse / sums.count;
  return (g - sums.level - (x - sums.mean) * share) * inverse;
}

template <int LANES>
DEVICE void held_rows_gradient(
    const T* g, const T* x, Affine affine, T* out, Index rows, Index length, A eps) {
  const Index step = Index(gridDim.x) * blockDim.y;
  for (Index row = Index(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += step) {
    A held[LANES], rise[LANES];
    Slopes sums = Slopes::none();
#pragma unroll
    for (int i = 0; i < LANES; ++i) {
      const Index column = i * 32 + threadIdx.x;
      if (column < length) {
        held[i] = load(x[row * length + column]);
        rise[i] = affine.back(load(g[row * length + column]), column);
        sums.take(held[i], rise[i]);
      }
    }
    sums = merge_warp(sums);
    const A inverse = sums.inverse(eps);
#pragma unroll
    for (int i = 0; i < LANES; ++i) {
      const Index column = i * 32 + threadIdx.x;
      if (column < length) {
        out[row * length + column] = store<T>(slope_at(rise[i], held[i], sums, inverse));
      }
    }
  }
}

DEVICE void long_rows_gradient(
    const T* g, const T* x, Affine affine, T* out, Index rows, Index length, A eps) {
  for (Index row = blockIdx.x; row < rows; row += gridDim.x) {
    const Index base = row * length;
    Slopes sums = Slopes::none();
    for (Index column = threadIdx.x; column < length; column += blockDim.x) {
      sums.take(load(x[base + column]), affine.back(load(g[base + column]), column));
    }
    sums = merge_block(sums);
    const A inverse = sums.inverse(eps);
    for (Index column = threadIdx.x; column < length; column += blockDim.x) {
      const A rise = affine.back(load(g[base + column]), column);
      out[base + column] = store<T>(slope_at(rise, load(x[base + column]), sums, inverse));
    }
  }
}

#define BACKWARD                                                                      \
  const T *g, const T *x, const T *weight, Int32 given, T *out, Index rows, Index length, A eps
#define WEIGHT Affine{weight, weight, given & 1}

KERNEL layer_norm_gradient_short(BACKWARD) {
  held_rows_gradient<SHORT>(g, x, WEIGHT, out, rows, length, eps);
}
KERNEL layer_norm_gradient_medium(BACKWARD) {
  held_rows_gradient<MEDIUM>(g, x, WEIGHT, out, rows, length, eps);
}
KERNEL layer_norm_gradient_long(BACKWARD) {
  long_rows_gradient(g, x, WEIGHT, out, rows, length, eps);
}

// The gradients of weight and bias: a thread, or several along y, to a column; the rows in runs of
// `chunk`, one for each block along y. `moments` holds mean and 1 / sqrt(variance) of the rows.
struct AffineSums {
  A weight, bias;

  static DEVICE AffineSums none() { return {A(0), A(0)}; }
  DEVICE void merge(AffineSums other) {
    weight += other.weight;
    bias += other.bias;
  }
};

KERNEL layer_norm_affine_parts(
    const T* g, const T* x, const A* moments, UInt8* partial, Index rows, Index length,
    Index chunk) {
  AffineSums* states = reinterpret_cast<AffineSums*>(partial);
  __shared__ AffineSums slots[256];
  const Index begin = blockIdx.y * chunk, end = begin + chunk < rows ? begin + chunk : rows;
  const Index step = Index(gridDim.x) * blockDim.x;
  for (Index first = Index(blockIdx.x) * blockDim.x; first < length; first += step) {
    const Index column = first + threadIdx.x;
    AffineSums sums = AffineSums::none();
    if (column < length) {
      for (Index row = begin + threadIdx.y; row < end; row += blockDim.y) {
        const A rise = load(g[row * length + column]);
        const A centred = load(x[row * length + column]) - moments[row];
        sums.merge({rise * centred * moments[rows + row], rise});
      }
    }
    sums = merge_columns(sums, slots);
    if (threadIdx.y == 0 && column < length) states[column * gridDim.y + blockIdx.y] = sums;
  }
}

KERNEL layer_norm_affine_finish(const UInt8* partial, T* out, Index length, Index parts) {
  const AffineSums* states = reinterpret_cast<const AffineSums*>(partial);
  const Index first = Index(blockIdx.x) * blockDim.y + threadIdx.y;
  for (Index column = first; column < length; column += Index(gridDim.x) * blockDim.y) {
    AffineSums sums = AffineSums::none();
    for (Index p = threadIdx.x; p < parts; p += WARP) sums.merge(states[column * parts + p]);
    sums = merge_warp(sums);
    if (threadIdx.x == 0) {
      out[column] = store<T>(sums.weight);
      out[length + column] = store<T>(sums.bias);
    }
  }
}

// ---- channels ------------------------------------------------------------------------------------
// Arrays (outer, channels, inner): the channel of element i is i / inner % channels.
DEVICE Index channel_of(Index i, Index inner, Index channels) {
  const Index plane = quotient(i, inner);
  return plane - quotient(plane, channels) * channels;
}

#define EACH_ELEMENT for (Index i = first_element(); i < count; i += element_step())

KERNEL normalise_channels(
    const T* x, const A* moments, const T* weight, const T* bias, Int32 given, T* y,
    Index count, Index channels, Index inner) {
  const Affine affine{weight, bias, given};
  EACH_ELEMENT {
    const Index c = channel_of(i, inner, channels);
    y[i] = store<T>(affine.apply((load(x[i]) - moments[c]) * moments[channels + c], c));
  }
}

KERNEL batch_norm(
    const T* x, const T* mean, const T* var, const T* weight, const T* bias, Int32 given, T* y,
    Index count, Index channels, Index inner, A eps) {
  const Affine affine{weight, bias, given};
  EACH_ELEMENT {
    const Index c = channel_of(i, inner, channels);
    y[i] = store<T>(affine.apply((load(x[i]) - load(mean[c])) / sqrt(load(var[c]) + eps), c));
  }
}

KERNEL channels_gradient(
    const T* g, const T* x, const A* slopes, const T* weight, Int32 given, T* out,
    Index count, Index channels, Index inner) {
  EACH_ELEMENT {
    const Index c = channel_of(i, inner, channels);
    const A mean = slopes[c], inverse = slopes[channels + c];
    const A level = slopes[2 * channels + c], share = slopes[3 * channels + c];
    const A slope = (load(g[i]) - level - (load(x[i]) - mean) * share) * inverse;
    out[i] = store<T>(Affine{weight, weight, given}.back(slope, c));
  }
}

// Convolution as products of matrices (implicit GEMM): the windows are one factor, read where they
// lie. Each of the three passes says what its rows, columns and depth are; the product is the same.
#include "window.cuh"

#ifndef TILE
#define TILE 64  // rows and columns of a tile of the product
#endif
#define THREADS 256  // of a block, 16 x 16

constexpr int EACH = TILE / 16;                // rows and columns that a thread computes
constexpr int DEPTH = TILE == 64 ? 16 : 8;     // of the factors that are in shared memory
constexpr int LOADS = TILE * DEPTH / THREADS;  // elements of a factor that a thread fetches
constexpr Int32 OUTSIDE = -(1 << 30);          // of any image, whatever is added to it once

// Of images and their windows; channels and outputs are those of a group.
struct Convolution {
  Window window;
  Int32 images, groups, channels, outputs;
};

// What a step in depth and a column of the product add to the place that is read: element
// (y, x) of an image which begins at `right`. And where the step lies in a row of the left factor.
struct Step {
  Index left, right;
  Int32 y, x;
};
struct Column {
  Index right;
  Int32 y, x;
};

// ---- the product ---------------------------------------------------------------------------------
struct alignas(16) Quad {
  A items[4];
};

struct Factors {
  const T *left, *right;
  Index row_step;       // from a row of the left factor to the next
  Int32 rows;           // of the product
  Int32 height, width;  // of the images that are the right factor
};

struct Stage {
  Step steps[DEPTH];
  alignas(16) A left[DEPTH][TILE + 4], right[DEPTH][TILE + 4];
};

DEVICE Stage* shared_stages() {
  __shared__ Stage stages[2];
  return stages;
}

// The block's tile of a product.
struct Tile {
  Int32 row;
  Index column, batch;
};

// Tiles of a column lie next to each other in the grid: they read the same images.
DEVICE Tile tile_of(Int32 rows, Index columns) {
  const Int32 of_rows = (rows + TILE - 1) / TILE;
  const Index of_columns = (columns + TILE - 1) / TILE;
  const Index number = quotient(blockIdx.x, of_rows);
  const Index batch = quotient(number, of_columns);
  return {Int32(blockIdx.x - number * of_rows) * TILE, (number - batch * of_columns) * TILE, batch};
}

DEVICE Int32 part_of_tile(int i, Int32 lane) {  // four by four, which one access takes
  return i / 4 * (TILE / 2) + lane * 4 + i % 4;
}

// The elements of both factors that a thread brings from global to shared memory. Neighbouring
// threads take neighbours in depth of the left factor, and of the right one where ALONG_DEPTH.
template <bool ALONG_DEPTH>
struct Fetch {
  A left[LOADS], right[LOADS];
  Column columns[ALONG_DEPTH ? LOADS : 1];

  static DEVICE int left_row(int i) { return block_rank() / DEPTH + i * (THREADS / DEPTH); }
  static DEVICE int left_depth() { return block_rank() % DEPTH; }
  static DEVICE int column(int i) {
    return ALONG_DEPTH ? left_row(i) : block_rank() % TILE;
  }
  static DEVICE int depth(int i) {
    return ALONG_DEPTH ? left_depth() : block_rank() / TILE + i * (THREADS / TILE);
  }

  DEVICE void read(const Factors& of, const Stage& stage, Int32 first_row) {
    const Index step = stage.steps[left_depth()].left;
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      const Int32 row = first_row + left_row(i);
      left[i] = row < of.rows && step >= 0 ? load(of.left[row * of.row_step + step]) : A(0);
    }
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      const Step& s = stage.steps[depth(i)];
      const Column& c = columns[ALONG_DEPTH ? i : 0];
      const Int32 y = s.y + c.y, x = s.x + c.x;
      const bool inside = UInt32(y) < UInt32(of.height) && UInt32(x) < UInt32(of.width);
      right[i] = inside ? load(of.right[s.right + c.right + Index(y) * of.width + x]) : A(0);
    }
  }
  DEVICE void write(Stage& stage) const {
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      stage.left[left_depth()][left_row(i)] = left[i];
      stage.right[depth(i)][column(i)] = right[i];
    }
  }
};

DEVICE void multiply_stage(const Stage& stage, A (&total)[EACH][EACH]) {
#pragma unroll
  for (int k = 0; k < DEPTH; ++k) {
    A a[EACH], b[EACH];
#pragma unroll
    for (int i = 0; i < EACH; i += 4) {
      const Quad rows = *reinterpret_cast<const Quad*>(&stage.left[k][part_of_tile(i, threadIdx.y)]);
      const Quad columns =
          *reinterpret_cast<const Quad*>(&stage.right[k][part_of_tile(i, threadIdx.x)]);
#pragma unroll
      for (int j = 0; j < 4; ++j) a[i + j] = rows.items[j], b[i + j] = columns.items[j];
    }
#pragma unroll
    for (int i = 0; i < EACH; ++i)
#pragma unroll
      for (int j = 0; j < EACH; ++j) total[i][j] += a[i] * b[j];
  }
}

// Compute one tile over the depth from *begin* to *end*, and write(row, column, value) of each.
// step(k) and column(n) say what they are a Step and a Column of; *columns* is how many there are.
// While one stage is multiplied, the next one is fetched.
template <bool ALONG_DEPTH, class StepOf, class ColumnOf, class Write>
DEVICE void multiply(const Factors& of, const Tile& tile, Index columns, Index begin, Index end,
                     StepOf step, ColumnOf column, Write write) {
  Stage* const stages = shared_stages();
  const int rank = block_rank();
  const Index count = (end - begin + DEPTH - 1) / DEPTH;
  Fetch<ALONG_DEPTH> fetch;
#pragma unroll
  for (int i = 0; i < (ALONG_DEPTH ? LOADS : 1); ++i) {
    const Index at = tile.column + fetch.column(i);
    fetch.columns[i] = at < columns ? column(at) : Column{0, OUTSIDE, 0};
  }
  const auto prepare = [&](Stage& stage, Index number) {
    const Index k = begin + number * DEPTH + rank;
    if (rank < DEPTH) stage.steps[rank] = k < end ? step(k) : Step{-1, 0, OUTSIDE, 0};
  };
  A total[EACH][EACH] = {};
  prepare(stages[0], 0);
  prepare(stages[1], 1);
  __syncthreads();
  fetch.read(of, stages[0], tile.row);
  fetch.write(stages[0]);
  __syncthreads();
  for (Index number = 0; number < count; ++number) {
    Stage &now = stages[number & 1], &next = stages[~number & 1];
    const bool more = number + 1 < count;
    if (more) fetch.read(of, next, tile.row);
    multiply_stage(now, total);
    if (more) {
      fetch.write(next);
      prepare(now, number + 2);
      __syncthreads();
    }
  }
#pragma unroll
  for (int j = 0; j < EACH; ++j) {
    const Index at = tile.column + part_of_tile(j, threadIdx.x);
    if (at >= columns) continue;
#pragma unroll
    for (int i = 0; i < EACH; ++i) {
      const Int32 row = tile.row + part_of_tile(i, threadIdx.y);
      if (row < of.rows) write(row, at, total[i][j]);
    }
  }
}

// ---- the passes ----------------------------------------------------------------------------------
// x (N, C, H, W), weight (O, C / groups, kh, kw), bias (O) -> y (N, O, OH, OW).
// Rows: outputs. Columns: windows of all images. Depth: the elements that a window sees.
KERNEL convolution_forward(const T* x, const T* weight, const T* bias,
                           T* y, Convolution c, Int32 biased) {
  const Window w = c.window;
  const Index windows = w.windows(), columns = c.images * windows;
  const Index depth = Index(c.channels) * w.taps();
  const Tile tile = tile_of(c.outputs, columns);
  const Index first = tile.batch * c.outputs, all = Index(c.outputs) * c.groups;
  const Factors of = {weight + first * depth, x + tile.batch * c.channels * w.elements(), depth,
                      c.outputs, w.size[0], w.size[1]};
  const auto step = [&](Index k) -> Step {
    const Place tap = place_of(k, w.kernel[0], w.kernel[1]);
    return {k, tap.plane * w.elements(), tap.y * w.dilation[0], tap.x * w.dilation[1]};
  };
  const auto column = [&](Index n) -> Column {
    const Place at = place_of(n, w.count[0], w.count[1]);
    return {at.plane * c.groups * c.channels * w.elements(), w.seen(0, at.y, 0),
            w.seen(1, at.x, 0)};
  };
  const auto write = [&](Int32 row, Index n, A value) {
    const Index image = quotient(n, windows), output = first + row;
    if (biased) value += load(bias[output]);
    y[(image * all + output) * windows + n - image * windows] = store<T>(value);
  };
  multiply<false>(of, tile, columns, 0, depth, step, column, write);
}

// x (N, C, H, W), g (N, O, OH, OW) -> parts (parts, O, C / groups, kh, kw), of the windows of
// *length* each, which sum_parts adds up.
// Rows: outputs. Columns: the elements that a window sees. Depth: windows of all images.
KERNEL convolution_weight_gradient(const T* x, const T* g, A* parts,
                                   Convolution c, Index length) {
  const Window w = c.window;
  const Index windows = w.windows(), depth = c.images * windows;
  const Index columns = Index(c.channels) * w.taps();
  const Tile tile = tile_of(c.outputs, columns);
  const Index part = quotient(tile.batch, c.groups), group = tile.batch - part * c.groups;
  const Factors of = {g + group * c.outputs * windows, x + group * c.channels * w.elements(),
                      windows, c.outputs, w.size[0], w.size[1]};
  const auto step = [&](Index k) -> Step {
    const Place at = place_of(k, w.count[0], w.count[1]);
    const Index of_image = k - at.plane * windows;
    return {at.plane * c.groups * c.outputs * windows + of_image,
            at.plane * c.groups * c.channels * w.elements(), w.seen(0, at.y, 0),
            w.seen(1, at.x, 0)};
  };
  const auto column = [&](Index n) -> Column {
    const Place tap = place_of(n, w.kernel[0], w.kernel[1]);
    return {tap.plane * w.elements(), tap.y * w.dilation[0], tap.x * w.dilation[1]};
  };
  A* const out = parts + tile.batch * c.outputs * columns;
  const auto write = [&](Int32 row, Index n, A value) { out[row * columns + n] = value; };
  const Index begin = part * length;
  multiply<true>(of, tile, columns, begin, min(begin + length, depth), step, column, write);
}

KERNEL sum_parts(const A* parts, T* y, Index count, Index many) {
  for (Index i = first_element(); i < count; i += element_step()) {
    A total = 0;
    for (Index part = 0; part < many; ++part) total += parts[part * count + i];
    y[i] = store<T>(total);
  }
}

// The elements of one axis that lie at *phase* in a stride: they are seen from the same places of
// windows, first_tap, first_tap + tap_step and so on. Element number u is seen from the first of
// them by window u + start, and from each next one by the window *back* before.
struct Phase {
  Int32 elements, taps, first_tap, tap_step, start, back;
};

DEVICE Phase phase_of(const Window& w, int axis, Int32 phase) {
  const Int32 stride = w.stride[axis], dilation = w.dilation[axis], kernel = w.kernel[axis];
  const Int32 size = w.size[axis], offset = phase + w.padding[axis];
  Phase found = {};
  found.elements = phase < size ? (size - phase + stride - 1) / stride : 0;
  Int32 tap = 0;
  while (tap < kernel && (offset - tap * dilation) % stride) ++tap;
  if (tap == kernel) return found;
  Int32 step = 1;
  while (step * dilation % stride) ++step;
  found.first_tap = tap, found.tap_step = step, found.taps = (kernel - tap + step - 1) / step;
  found.start = (offset - tap * dilation) / stride, found.back = step * dilation / stride;
  return found;
}

// Where a block's tile of the input gradient lies: in a phase of a group.
struct InputTile {
  Tile tile;
  Index group, columns;
  Int32 phase_y, phase_x;
  Phase v, u;  // along y and x

  DEVICE InputTile(const Convolution& c) {
    const Window& w = c.window;
    const Index most = Index((w.size[0] + w.stride[0] - 1) / w.stride[0]) *
                       ((w.size[1] + w.stride[1] - 1) / w.stride[1]);
    tile = tile_of(c.channels, c.images * most);
    const Index phase = quotient(tile.batch, c.groups);
    group = tile.batch - phase * c.groups;
    phase_y = Int32(quotient(phase, w.stride[1]));
    phase_x = Int32(phase - Index(phase_y) * w.stride[1]);
    v = phase_of(w, 0, phase_y), u = phase_of(w, 1, phase_x);
    columns = Index(c.images) * v.elements * u.elements;
  }
  // Where an element of the phase lies in y.
  DEVICE Index element(const Convolution& c, Int32 row, const Place& at) const {
    const Window& w = c.window;
    const Index plane = (at.plane * c.groups + group) * c.channels + row;
    const Int32 on_y = phase_y + at.y * w.stride[0], on_x = phase_x + at.x * w.stride[1];
    return (plane * w.size[0] + on_y) * w.size[1] + on_x;
  }
};

// The elements of the block's tile that are NaN and lie at a border, anew, from those windows alone
// that there are: in the product, others are zeros, which infinite weights make NaN. It is not
// inlined, for it would take registers from the product.
__device__ __noinline__ void mend_borders(const T* g, const T* weight, T* y, const Convolution& c) {
  const Window& w = c.window;
  const InputTile b(c);
  const Index windows = w.windows(), taps = w.taps();
#pragma unroll 1
  for (int i = 0; i < EACH * EACH; ++i) {
    const Int32 row = b.tile.row + part_of_tile(i % EACH, threadIdx.y);
    const Index n = b.tile.column + part_of_tile(i / EACH, threadIdx.x);
    if (row >= c.channels || n >= b.columns) continue;
    const Place at = place_of(n, b.v.elements, b.u.elements);
    const Index here = b.element(c, row, at);
    const A before = load(y[here]);
    const Int32 last_y = at.y + b.v.start, last_x = at.x + b.u.start;
    const bool all = w.is_window(last_y, last_x) &&
                     w.is_window(last_y - (b.v.taps - 1) * b.v.back,
                                 last_x - (b.u.taps - 1) * b.u.back);
    if (before == before || all) continue;
    A total = 0;
    for (Index k = 0; k < c.outputs * taps; ++k) {
      const Place tap = place_of(k, w.kernel[0], w.kernel[1]);
      const Int32 by_y = w.seer(0, b.phase_y + at.y * w.stride[0], tap.y);
      const Int32 by_x = w.seer(1, b.phase_x + at.x * w.stride[1], tap.x);
      if (by_y < 0 || by_x < 0) continue;
      const Index output = b.group * c.outputs + tap.plane;
      const Index plane = at.plane * c.groups * c.outputs + output;
      total += load(g[plane * windows + Index(by_y) * w.count[1] + by_x]) *
               load(weight[(output * c.channels + row) * taps + tap.y * w.kernel[1] + tap.x]);
    }
    y[here] = store<T>(total);
  }
}

// g (N, O, OH, OW), weight (O, C / groups, kh, kw) -> y (N, C, H, W), phase by phase.
// Rows: channels. Columns: elements of all images. Depth: outputs, and places in their windows.
KERNEL convolution_input_gradient(const T* g, const T* weight, T* y,
                                  const __grid_constant__ Convolution c) {
  const Window& w = c.window;
  const Index windows = w.windows(), taps = w.taps();
  const InputTile b(c);
  if (b.tile.column >= b.columns) return;
  const Phase &v = b.v, &u = b.u;
  const Index depth = Index(c.outputs) * v.taps * u.taps;
  const Factors of = {weight + b.group * c.outputs * c.channels * taps,
                      g + b.group * c.outputs * windows, taps, c.channels, w.count[0], w.count[1]};
  const auto step = [&](Index k) -> Step {
    const Place at = place_of(k, v.taps, u.taps);
    const Int32 tap = (v.first_tap + at.y * v.tap_step) * w.kernel[1] + u.first_tap +
                      at.x * u.tap_step;
    return {at.plane * c.channels * taps + tap, at.plane * windows, -at.y * v.back,
            -at.x * u.back};
  };
  const auto column = [&](Index n) -> Column {
    const Place at = place_of(n, v.elements, u.elements);
    return {at.plane * c.groups * c.outputs * windows, at.y + v.start, at.x + u.start};
  };
  bool lost = false;
  const auto write = [&](Int32 row, Index n, A value) {
    lost |= value != value;
    y[b.element(c, row, place_of(n, v.elements, u.elements))] = store<T>(value);
  };
  multiply<false>(of, b.tile, b.columns, 0, depth, step, column, write);
  if (lost) mend_borders(g, weight, y, c);
}

// One step of an optimiser for many parameters at once: one launch, whatever their number and sizes.
//
// Every tensor is cut into pieces of PIECE elements, and a block takes one piece after the other. A
// tensor has KINDS arrays of its size: the parameter, its gradient, and what the optimiser keeps.
#include "access.cuh"

constexpr int TENSORS = 32, THREADS = 256;
constexpr Index PIECE = 4096;
constexpr int GRADIENT = 1;  // the kind that is only read

template <int KINDS>
struct Arrays {
  T* at[TENSORS * KINDS];  // all kinds of a tensor, then those of the next one
};

struct Tensors {
  Index sizes[TENSORS], first[TENSORS];  // elements; the number of the first piece
  Index pieces;
  Index count;
};

template <int KINDS>
DEVICE bool all_aligned(T* const* arrays) {
  bool found = true;
  for (int kind = 0; kind < KINDS; ++kind) found = found && is_aligned(arrays[kind]);
  return found;
}

// Call step(numbers), which changes one element of each kind, for every element.
template <int KINDS, class Step>
DEVICE void update(const Arrays<KINDS>& arrays, const Tensors& tensors, Step step) {
  for (Index piece = blockIdx.x; piece < tensors.pieces; piece += gridDim.x) {
    int tensor = int(tensors.count) - 1;
    while (tensors.first[tensor] > piece) --tensor;
    T* of[KINDS];
    for (int kind = 0; kind < KINDS; ++kind) of[kind] = arrays.at[tensor * KINDS + kind];
    const Index begin = (piece - tensors.first[tensor]) * PIECE;
    const Index left = tensors.sizes[tensor] - begin, length = left < PIECE ? left : PIECE;
    const Index packs = all_aligned<KINDS>(of) ? length / WIDTH : 0;
    for (Index p = threadIdx.x; p < packs; p += THREADS) {
      Pack<T> taken[KINDS];
#pragma unroll
      for (int kind = 0; kind < KINDS; ++kind) taken[kind] = load_pack(of[kind] + begin + p * WIDTH);
#pragma unroll
      for (int i = 0; i < WIDTH; ++i) {
        A numbers[KINDS];
        for (int kind = 0; kind < KINDS; ++kind) numbers[kind] = load(taken[kind].items[i]);
        step(numbers);
        for (int kind = 0; kind < KINDS; ++kind) taken[kind].items[i] = store<T>(numbers[kind]);
      }
#pragma unroll
      for (int kind = 0; kind < KINDS; ++kind) {
        if (kind != GRADIENT) store_pack(of[kind] + begin + p * WIDTH, taken[kind]);
      }
    }
    for (Index i = begin + packs * WIDTH + threadIdx.x; i < begin + length; i += THREADS) {
      A numbers[KINDS];
      for (int kind = 0; kind < KINDS; ++kind) numbers[kind] = load(of[kind][i]);
      step(numbers);
      for (int kind = 0; kind < KINDS; ++kind) {
        if (kind != GRADIENT) of[kind][i] = store<T>(numbers[kind]);
      }
    }
  }
}

KERNEL sgd(Arrays<2> arrays, Tensors tensors, A lr, A decay) {
  update<2>(arrays, tensors, [=](A* of) { of[0] -= lr * (of[1] + decay * of[0]); });
}

// The first time the buffer becomes the gradient, whatever was in it.
KERNEL sgd_momentum(Arrays<3> arrays, Tensors tensors, A lr, A decay,
    A momentum, A share, Int32 started, Int32 nesterov) {
  update<3>(arrays, tensors, [=](A* of) {
    const A slope = of[1] + decay * of[0];
    of[2] = started ? momentum * of[2] + share * slope : slope;
    of[0] -= lr * (nesterov ? slope + momentum * of[2] : of[2]);
  });
}

// rate: the learning rate over the correction of the mean; root: of the correction of the square.
// shrink: what the parameter is first multiplied by (AdamW); decay: of it added to the gradient.
KERNEL adam(Arrays<4> arrays, Tensors tensors, A rate, A shrink, A decay,
    A of_mean, A of_square, A keep_square, A root, A eps) {
  update<4>(arrays, tensors, [=](A* of) {
    of[0] *= shrink;
    const A slope = of[1] + decay * of[0];
    of[2] += (slope - of[2]) * of_mean;
    of[3] = of[3] * keep_square + slope * slope * of_square;
    of[0] -= rate * of[2] / (sqrt(of[3]) / root + eps);
  });
}

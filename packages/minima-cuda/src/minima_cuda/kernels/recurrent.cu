// What one step of a recurrent layer does besides its product with the weight.
//
// States are (N, H), of N * H elements; gates (N, 4 * H) or (N, 3 * H), one block of H after the
// other. y and g hold several states of all steps, (6, T, N, H) or (5, T, N, H): `slab` elements
// lie between one state and the next, and step `at` starts at element at * count.
#include "access.cuh"

DEVICE A sigmoid(A x) { return tanh(x * A(0.5)) * A(0.5) + A(0.5); }
DEVICE A curve(A y) { return y * (A(1) - y); }  // slope of sigmoid where it is y
DEVICE A bend(A y) { return A(1) - y * y; }     // slope of tanh where it is y

// Call use(i, j) for each element i of the state, and where its first gate is among GATES.
template <int GATES, class Use>
DEVICE void each_unit(Index count, Index size, Use use) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Index row = quotient(i, size);
    use(i, row * size * (GATES - 1) + i);
  }
}

// ---- LSTM ----------------------------------------------------------------------------------------
KERNEL lstm_step(const T* product, const T* gates, const T* cell, T* y,
    Index at, Index slab, Index count, Index size) {
  each_unit<4>(count, size, [=](Index i, Index j) {
    A gate[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) gate[k] = load(product[j + k * size]) + load(gates[j + k * size]);
    const A in = sigmoid(gate[0]), forget = sigmoid(gate[1]);
    const A fresh = tanh(gate[2]), out = sigmoid(gate[3]);
    const A after = forget * load(cell[i]) + in * fresh;
    const A found[6] = {out * tanh(after), after, in, forget, fresh, out};
    T* step = y + at * count + i;
#pragma unroll
    for (int k = 0; k < 6; ++k) step[k * slab] = store<T>(found[k]);
  });
}

// of_h: what later steps give to this one's h. of_c too; it becomes what this step gives to c.
KERNEL lstm_gradient_step(const T* g, const T* y, const T* cell,
    const T* of_h, A* of_c, T* slopes, Index at, Index slab, Index count, Index size) {
  each_unit<4>(count, size, [=](Index i, Index j) {
    const T *given = g + at * count + i, *had = y + at * count + i;
    const A in = load(had[2 * slab]), forget = load(had[3 * slab]);
    const A fresh = load(had[4 * slab]), out = load(had[5 * slab]);
    const A before = load(at ? had[slab - count] : cell[i]);
    const A bent = tanh(load(had[slab]));
    const A to_h = load(of_h[i]) + load(given[0]);
    const A to_c = of_c[i] + load(given[slab]) + to_h * out * bend(bent);
    slopes[j] = store<T>((load(given[2 * slab]) + to_c * fresh) * curve(in));
    slopes[j + size] = store<T>((load(given[3 * slab]) + to_c * before) * curve(forget));
    slopes[j + 2 * size] = store<T>((load(given[4 * slab]) + to_c * in) * bend(fresh));
    slopes[j + 3 * size] = store<T>((load(given[5 * slab]) + to_h * bent) * curve(out));
    of_c[i] = to_c * forget;
  });
}

// ---- GRU -----------------------------------------------------------------------------------------
KERNEL gru_step(const T* product, const T* bias, const T* gates,
    const T* hidden, T* y, Int32 biased, Index at, Index slab, Index count, Index size) {
  each_unit<3>(count, size, [=](Index i, Index j) {
    const Index unit = i - quotient(i, size) * size;
    A of_h[3];
#pragma unroll
    for (int k = 0; k < 3; ++k) {
      of_h[k] = load(product[j + k * size]);
      if (biased) of_h[k] += load(bias[unit + k * size]);
    }
    const A reset = sigmoid(load(gates[j]) + of_h[0]);
    const A update = sigmoid(load(gates[j + size]) + of_h[1]);
    const A fresh = tanh(load(gates[j + 2 * size]) + reset * of_h[2]);
    const A after = fresh + update * (load(hidden[i]) - fresh);
    const A found[5] = {after, reset, update, fresh, of_h[2]};
    T* step = y + at * count + i;
#pragma unroll
    for (int k = 0; k < 5; ++k) step[k * slab] = store<T>(found[k]);
  });
}

// product, direct: the two parts of what later steps give to this one's h; `direct` becomes the part
// that this step gives to the h before it without the product. `inner` are the slopes of the gates
// of h, which differ from those of x in the last block.
KERNEL gru_gradient_step(const T* g, const T* y, const T* hidden,
    const T* product, A* direct, T* slopes, T* inner, Index at, Index slab, Index count,
    Index size) {
  each_unit<3>(count, size, [=](Index i, Index j) {
    const T *given = g + at * count + i, *had = y + at * count + i;
    const A reset = load(had[slab]), update = load(had[2 * slab]);
    const A fresh = load(had[3 * slab]), kept = load(had[4 * slab]);
    const A before = load(at ? had[-count] : hidden[i]);
    const A to_h = load(product[i]) + direct[i] + load(given[0]);
    const A of_fresh = (load(given[3 * slab]) + to_h * (A(1) - update)) * bend(fresh);
    const A of_reset = (load(given[slab]) + of_fresh * kept) * curve(reset);
    const A of_update = (load(given[2 * slab]) + to_h * (before - fresh)) * curve(update);
    slopes[j] = inner[j] = store<T>(of_reset);
    slopes[j + size] = inner[j + size] = store<T>(of_update);
    slopes[j + 2 * size] = store<T>(of_fresh);
    inner[j + 2 * size] = store<T>(load(given[4 * slab]) + of_fresh * reset);
    direct[i] = to_h * update;
  });
}

// y = product + direct.
KERNEL join(const T* product, const A* direct, T* y, Index count) {
  for (Index i = first_element(); i < count; i += element_step()) {
    y[i] = store<T>(load(product[i]) + direct[i]);
  }
}

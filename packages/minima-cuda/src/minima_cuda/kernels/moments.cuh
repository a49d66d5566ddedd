// What statistics and exponentials are folded into; see states.cuh.
#include "states.cuh"

// Count, mean and sum of squared deviations: Welford 1962, merged as in Chan et al. 1979.
struct Moments {
  A count, mean, squares;

  static DEVICE Moments none() { return {A(0), A(0), A(0)}; }
  DEVICE void take(const A* values, int many, Index, Index) {
    A sum = A(0), other = A(0);
    for (int i = 0; i < GROUP; ++i) sum += i < many ? values[i] : A(0);
    const A centre = sum / A(many);
    for (int i = 0; i < GROUP; ++i) {
      const A off = i < many ? values[i] - centre : A(0);
      other += off * off;
    }
    merge({A(many), centre, other});
  }
  DEVICE void merge(Moments other) {
    if (other.count == A(0)) return;
    if (count == A(0)) {
      *this = other;
      return;
    }
    const A both = count + other.count, share = other.count / both, off = other.mean - mean;
    squares += other.squares + off * off * (count * share);
    mean += off * share;
    count = both;
  }
  DEVICE A inverse(A eps) const { return A(1) / sqrt(squares / count + eps); }
};

// Moments of x beside the mean of g and the sum of both's deviations multiplied: what a gradient
// of a normalisation needs, in one pass.
struct Slopes {
  A count, mean, squares, level, along;

  static DEVICE Slopes none() { return {A(0), A(0), A(0), A(0), A(0)}; }
  DEVICE void take(A x, A g) { merge({A(1), x, A(0), g, A(0)}); }
  DEVICE void merge(Slopes other) {
    if (other.count == A(0)) return;
    if (count == A(0)) {
      *this = other;
      return;
    }
    const A both = count + other.count, share = other.count / both;
    const A off = other.mean - mean, rise = other.level - level;
    squares += other.squares + off * off * (count * share);
    along += other.along + off * rise * (count * share);
    mean += off * share;
    level += rise * share;
    count = both;
  }
  DEVICE A inverse(A eps) const { return A(1) / sqrt(squares / count + eps); }
};

// exp(x - top), and 1 where both are the same infinity.
DEVICE A weight_of(A x, A top) { return x == top ? A(1) : exp(x - top); }

// The largest element and the sum of exp(x - largest), in one pass: Milakov & Gimelshein 2018.
// NaN makes the sum NaN.
struct Online {
  A top, sum;

  static DEVICE Online none() { return {-infinity(), A(0)}; }
  DEVICE void take(const A* values, int count, Index, Index) {
    A most = top;
    for (int i = 0; i < GROUP; ++i) {
      if (i < count && values[i] > most) most = values[i];
    }
    sum *= weight_of(top, most);
    for (int i = 0; i < GROUP; ++i) sum += i < count ? weight_of(values[i], most) : A(0);
    top = most;
  }
  DEVICE void merge(Online other) {
    const A most = other.top > top ? other.top : top;
    sum = sum * weight_of(top, most) + other.sum * weight_of(other.top, most);
    top = most;
  }
  // What softmax divides by: NaN beside +infinity, as inf / inf is.
  DEVICE A norm() const { return top == infinity() ? not_a_number() : sum; }
};

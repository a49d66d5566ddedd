// Means and variances, and the statistics that normalisations and their gradients need.
#include "moments.cuh"
#include "passes.cuh"

// Folds the elements of two arrays of one layout.
struct FoldSlopes {
  const T *x, *g;
  Walk walk;

  DEVICE Slopes operator()(Index base, Index begin, Index end, int thread, int threads) const {
    Slopes state = Slopes::none();
    for (Index r = begin + thread; r < end; r += threads) {
      const Index at = base + walk.at(r);
      state.take(load(x[at]), load(g[at]));
    }
    return state;
  }
};

REDUCTION(mean, Total, T, y[k] = store<T>(state.sum / parameter))
REDUCTION(var, Moments, T, y[k] = store<T>(state.squares / parameter))
REDUCTION(logsumexp, Online, T, y[k] = store<T>(state.top + log(state.sum)))
// mean and 1 / sqrt(variance + parameter), as normalisations read them
REDUCTION(moments, Moments, A, y[k] = state.mean; y[kept + k] = state.inverse(parameter))

#define SLOPES(name, form, Out)                                                          \
  KERNEL name##_##form(const T* x, const T* g, Out* y, UInt8* partial, Plan plan, A parameter) { \
    const FoldSlopes fold{x, g, plan.walk};                                              \
    Slopes* states = reinterpret_cast<Slopes*>(partial);                                 \
    form(fold, name##_emit{y, plan.kept, parameter}, states, plan);                      \
  }
// the gradients of weight and bias
EMIT(affine, Slopes, T, y[k] = store<T>(state.along * state.inverse(parameter));
     y[kept + k] = store<T>(state.level * state.count))
SLOPES(affine, rows, T)
SLOPES(affine, columns, T)
FINISH(affine, Slopes, T)
// what the gradient of x is made of: mean, 1 / sqrt(variance), mean of g, and x's share
EMIT(slopes, Slopes, A, const A inverse = state.inverse(parameter); y[k] = state.mean;
     y[kept + k] = inverse; y[2 * kept + k] = state.level;
     y[3 * kept + k] = state.along * inverse * inverse / state.count)
SLOPES(slopes, rows, A)
SLOPES(slopes, columns, A)
FINISH(slopes, Slopes, A)

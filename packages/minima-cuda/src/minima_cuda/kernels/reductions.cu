// Sums, extremes and where they are, and truth.
#include "passes.cuh"

REDUCTION(all, Truth<false>, bool, y[k] = state.holds != 0)
REDUCTION(any, Truth<true>, bool, y[k] = state.holds != 0)
REDUCTION(sum, Total, T, y[k] = store<T>(state.sum))
REDUCTION(max, Extreme<true>, T, y[k] = store<T>(state.value))
REDUCTION(min, Extreme<false>, T, y[k] = store<T>(state.value))
REDUCTION(argmax, Place<true>, Index, y[k] = state.index)
REDUCTION(argmin, Place<false>, Index, y[k] = state.index)

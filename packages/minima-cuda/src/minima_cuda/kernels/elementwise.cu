// One element in, one element out.

#define EACH(i) for (Index i = first_element(); i < count; i += element_step())

#define UNARY(name, expression)                           \
  KERNEL name(const T* x, T* y, Index count) {            \
    EACH(i) {                                             \
      A v = load(x[i]);                                   \
      y[i] = store<T>(expression);                        \
    }                                                     \
  }

#define BINARY(name, expression)                          \
  KERNEL name(const T* a, const T* b, T* y, Index count) { \
    EACH(i) {                                             \
      A v = load(a[i]), w = load(b[i]);                   \
      y[i] = store<T>(expression);                        \
    }                                                     \
  }

UNARY(exp_each, exp(v))
UNARY(relu_each, v > A(0) || v != v ? v : A(0))
UNARY(square_each, v* v)
BINARY(add_each, v + w)
BINARY(multiply_each, v* w)

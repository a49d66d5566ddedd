"""The Python side of the kernels: one module per file of `minima_cuda/kernels`."""

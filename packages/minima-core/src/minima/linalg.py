"""Linear algebra on batches of matrices, with the names of the Array API standard and of NumPy.

Leading axes are batches. float16 is computed in float32, integers are taken as float32. Where a
matrix has no answer a `LinearAlgebraError` says which one. All are differentiable, most to any
order; what a gradient asks of the matrices is in each docstring.

>>> import minima as mi
>>> mi.linalg.solve(mi.Tensor([[2.0, 0.0], [0.0, 4.0]]), mi.Tensor([2.0, 2.0]))
Tensor([1. , 0.5])
"""

from __future__ import annotations

from .operators.decompositions import (
    EighResult,
    EigResult,
    LstsqResult,
    QRResult,
    SlogdetResult,
    SVDResult,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    lstsq,
    matrix_rank,
    qr,
    slogdet,
    solve_triangular,
    svd,
    svdvals,
)
from .operators.factorization import pinv
from .operators.linear_algebra import matmul
from .operators.matrices import cholesky, det, inv, solve
from .operators.matrix_functions import matrix_exp, matrix_power
from .operators.norms import cond, matrix_norm, norm, vector_norm
from .operators.products import (
    cross,
    diagonals,
    kron,
    matrix_transpose,
    multi_dot,
    outer,
    tensordot,
    trace,
    vecdot,
)
from .tensor import Tensor, TensorLike, as_tensor

__all__ = [
    "EigResult",
    "EighResult",
    "LstsqResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "kron",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def diagonal(x: TensorLike, *, offset: int = 0) -> Tensor:
    """Return a view of the diagonals of matrices, in the last two axes.

    Shapes: (*, m, n) -> (*, k). Raises: ShapeError for less than two axes.

    >>> import minima as mi
    >>> mi.linalg.diagonal(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), offset=1)
    Tensor([2.])
    """
    return diagonals("diagonal", as_tensor(x), offset)

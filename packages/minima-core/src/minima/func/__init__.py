"""Functions of functions: gradients, Jacobians, batches, recomputation; they nest in any order.

>>> import minima as mi
>>> w = mi.Tensor([1.0, 2.0])
>>> loss = lambda w, x, y: ((w * x).sum() - y) ** 2
>>> xs, ys = mi.Tensor([[1.0, 0.0], [0.0, 1.0]]), mi.Tensor([0.0, 0.0])
>>> mi.func.vmap(mi.func.grad(loss), in_axes=(None, 0, 0))(w, xs, ys)  # one gradient for each x
Tensor([[2., 0.],
        [0., 4.]])
"""

from __future__ import annotations

from .checkpoint import checkpoint
from .gradients import grad, jvp, linearize, value_and_grad, vjp
from .jacobian import hessian, jacfwd, jacobian, jacrev
from .vmap import vmap

__all__ = [
    "checkpoint",
    "grad",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "value_and_grad",
    "vjp",
    "vmap",
]

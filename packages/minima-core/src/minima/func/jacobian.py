"""Jacobians and Hessians: all rows, or all columns, in one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from ..explain import expect_function
from ..operators import eye, ones_like, permute_dims, reshape, zeros
from ..tensor import Tensor
from .gradients import Forward, _released, _with_aux
from .trace import Argnums, Trace, only_tensors
from .trees import flatten
from .vmap import vmap

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]


def jacrev(
    function: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the Jacobian, a row for each element of the result.

    One sweep back for all rows: the better way where the result is smaller than the argument.
    *argnums* and *has_aux* as in `grad`.

    Shapes: for a result of shape (*m) and an argument of shape (*n) -> (*m, *n); nested results
    hold, for each, the structure of the argument.

    >>> import minima as mi
    >>> mi.func.jacrev(lambda x: x * x)(mi.Tensor([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]])
    """
    expect_function("jacrev", function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("jacrev", args, argnums)
        out, aux = _with_aux("jacrev", trace.run(function, kwargs), has_aux)
        leaves, build = flatten(out)
        outputs = only_tensors("jacrev", "part of its result", leaves)
        found = build([trace.built(_rows(trace, t)) for t in outputs])
        return (found, _released(trace, aux)) if has_aux else found

    return call


def _rows(trace: Trace, output: Tensor) -> list[Tensor]:
    """Return, for each alias, the derivatives of *output* with respect to it."""
    shapes = [(*output.shape, *t.shape) for t in trace.leaves]
    if output.size == 1:
        rows: Sequence[Tensor] = trace.pull([output], [ones_like(output)], retain=True)
    elif not output.size or output._node is None:
        return [_none(s, t) for s, t in zip(shapes, trace.leaves)]
    else:
        rows = vmap(lambda g: tuple(trace.pull([output], [g], retain=True)))(_basis(output))
    return [reshape(r, s) for r, s in zip(rows, shapes)]


def jacfwd(
    function: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the Jacobian, a column for each element of the argument.

    As `jacrev`, by `jvp`: the better way where the argument is smaller than the result.

    >>> import minima as mi
    >>> mi.func.jacfwd(lambda x: x * x)(mi.Tensor([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]])
    """
    expect_function("jacfwd", function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        forward = Forward("jacfwd", function, args, argnums, kwargs, has_aux)
        columns = [_columns(forward, j) for j in range(len(forward.trace.leaves))]
        found = forward.build([forward.trace.built(part) for part in zip(*columns)])
        return (found, forward.aux) if has_aux else found

    return call


def _columns(forward: Forward, place: int) -> list[Tensor]:
    """Return, for each output, its derivatives with respect to the alias *place*."""
    x = forward.trace.leaves[place]
    if not x.size:
        return [_none((*t.shape, *x.shape), t) for t in forward.outputs]

    def push(tangent: Tensor) -> tuple[Tensor, ...]:
        tangents: list[Tensor | None] = [None] * len(forward.trace.leaves)
        tangents[place] = tangent
        return tuple(forward.push(tangents))

    columns = vmap(push)(_basis(x))
    return [
        reshape(permute_dims(c, (*range(1, c.ndim), 0)), (*t.shape, *x.shape))
        for c, t in zip(columns, forward.outputs)
    ]


def jacobian(
    function: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the Jacobian; `jacrev` under its usual name.

    >>> import minima as mi
    >>> mi.func.jacobian(lambda x: mi.stack([x.sum(), (x * x).sum()]))(mi.Tensor([1.0, 2.0]))
    Tensor([[1., 1.],
            [2., 4.]])
    """
    expect_function("jacobian", function)
    return jacrev(function, argnums, has_aux=has_aux)


def hessian(
    function: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the second derivatives: the Jacobian of the Jacobian.

    Shapes: for a number as the result and an argument of shape (*n) -> (*n, *n).

    >>> import minima as mi
    >>> mi.func.hessian(lambda x: (x**3).sum())(mi.Tensor([1.0, 2.0]))
    Tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    expect_function("hessian", function)
    return jacrev(jacrev(function, argnums, has_aux=has_aux), argnums, has_aux=has_aux)


def _basis(t: Tensor) -> Tensor:
    """Return one tensor like *t* for each of its elements, with a 1 there and 0 elsewhere."""
    return reshape(eye(t.size, dtype=t.dtype, device=t.device), (t.size, *t.shape))


def _none(shape: tuple[int, ...], like: Tensor) -> Tensor:
    return zeros(shape, dtype=like.dtype, device=like.device)

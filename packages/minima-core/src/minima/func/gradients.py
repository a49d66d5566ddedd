"""Gradients of functions as functions: grad, value_and_grad, vjp, jvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from ..errors import ArgumentError, DTypeError, ShapeError
from ..explain import expect_function
from ..operators import zeros_like
from ..tensor import Tensor
from .trace import Argnums, Trace, only_tensors
from .trees import flatten, same_structure, tensors

__all__ = ["grad", "jvp", "linearize", "value_and_grad", "vjp"]


def grad(
    function: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the gradient of *function*, whose result is one number.

    *argnums*: which argument, or arguments, the gradient is with respect to; each may be a Tensor
    or nested tuples, lists and dicts of them, and the gradient has its structure. With *has_aux*
    the function returns a pair of which the second goes along: ``(gradient, aux)``.

    Gradient: differentiable again, with respect to the arguments and to what the function closes
    over.
    Raises: ShapeError unless the result has one element, DTypeError for arguments without
    derivative.

    >>> import minima as mi
    >>> mi.func.grad(lambda x: x**3)(2.0)
    Tensor(12.)
    >>> mi.func.grad(mi.func.grad(lambda x: x**3))(2.0)
    Tensor(12.)
    """
    both = value_and_grad(function, argnums, has_aux=has_aux, _operation="grad")

    @wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def value_and_grad(
    function: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    _operation: str = "value_and_grad",
) -> Callable[..., Any]:
    """Return the function that gives the result of *function* and its gradient.

    As `grad`; the pair is ``(value, gradient)``, with *has_aux* ``((value, aux), gradient)``.

    >>> import minima as mi
    >>> mi.func.value_and_grad(lambda p: (p["w"] * p["w"]).sum())({"w": mi.ones(2)})
    (Tensor(2.), {'w': Tensor([2., 2.])})
    """
    expect_function("grad", function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(_operation, args, argnums)
        out, aux = _with_aux(_operation, trace.run(function, kwargs), has_aux)
        (value,) = only_tensors(_operation, "its value", [out])
        if value.size != 1:
            raise ShapeError(
                f"{_operation}: the function returned shape {value.shape}; expected one element, "
                "as after .sum() or .mean(); for more use minima.func.jacobian or vjp"
            )
        if value.dtype.kind not in "fV":
            raise DTypeError(
                f"{_operation}: the function returned {value.dtype}; expected a floating type"
            )
        found = trace.built(trace.pull([value], [None], retain=has_aux))
        value = trace.released(value)
        return ((value, _released(trace, aux)) if has_aux else value), found

    return call


def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return the result of *function* at *primals*, and a function: the way back.

    The latter takes gradients of some number with respect to the result, in its structure, and
    returns a tuple: those with respect to each primal. It may be called many times. With
    *has_aux* the function returns a pair of which the second goes along, third.

    >>> import minima as mi
    >>> y, back = mi.func.vjp(lambda x: x * x, mi.Tensor([1.0, 2.0]))
    >>> back(mi.Tensor([1.0, 10.0]))
    (Tensor([ 2., 40.]),)
    """
    expect_function("value_and_grad", function)
    trace = Trace("vjp", primals, tuple(range(len(primals))))
    out, aux = _with_aux("vjp", trace.run(function, {}), has_aux)
    leaves, build = flatten(out)
    outputs = only_tensors("vjp", "part of its result", leaves)

    def back(cotangents: Any) -> tuple[Any, ...]:
        given, _ = tensors("vjp", "gradients", cotangents)
        if len(given) != len(outputs):
            raise ArgumentError(
                f"vjp: got {len(given)} gradients; expected {len(outputs)}, one for each result"
            )
        if not same_structure(cotangents, out):
            raise ArgumentError(
                "vjp: the gradients are nested in another way than the result of the function; "
                "expected its tuples, lists and keys"
            )
        _same_shapes("vjp", "gradient", given, outputs)
        result: tuple[Any, ...] = trace.built(trace.pull(outputs, given, retain=True))
        return result

    value = build([trace.released(t) for t in outputs])
    return (value, back, _released(trace, aux)) if has_aux else (value, back)


def jvp(
    function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any],
    *, has_aux: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    """Return the result of *function* at *primals*, and its derivative in direction *tangents*.

    *tangents* has the structure of *primals*, the derivative that of the result. It is computed
    as the derivative of the gradient, which is linear in what it starts from.

    >>> import minima as mi
    >>> mi.func.jvp(lambda x: x * x, (mi.Tensor([1.0, 2.0]),), (mi.Tensor([1.0, 10.0]),))
    (Tensor([1., 4.]), Tensor([ 2., 40.]))
    """
    expect_function("jvp", function)
    expect_function("vjp", function)
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise ArgumentError("jvp: expected tuples of primals and of tangents, one per argument")
    forward = Forward("jvp", function, tuple(primals), tuple(range(len(primals))), {}, has_aux)
    given = _tangents("jvp", tuple(tangents), tuple(primals), forward)
    along = forward.build(forward.push(given))
    return (forward.value, along, forward.aux) if has_aux else (forward.value, along)


def linearize(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the result of *function* at *primals*, and a function: its derivative there.

    The latter takes tangents, one for each primal and of its structure, and may be called many
    times; the function itself is not run again.

    >>> import minima as mi
    >>> y, along = mi.func.linearize(lambda x: x * x, mi.Tensor([1.0, 2.0]))
    >>> along(mi.Tensor([1.0, 10.0]))
    Tensor([ 2., 40.])
    """
    expect_function("linearize", function)
    forward = Forward("linearize", function, primals, tuple(range(len(primals))), {}, False)

    def along(*tangents: Any) -> Any:
        given = _tangents("linearize", tangents, primals, forward)
        return forward.build(forward.push(given))

    return forward.value, along


def _tangents(
    operation: str, tangents: tuple[Any, ...], primals: tuple[Any, ...], forward: Forward
) -> list[Tensor]:
    """Return the leaves of *tangents*, which have to be nested as *primals* are."""
    given, _ = tensors(operation, "tangents", tangents)
    if len(given) != len(forward.trace.leaves):
        raise ArgumentError(
            f"{operation}: got {len(given)} tangents for {len(forward.trace.leaves)} primals"
        )
    if not same_structure(tangents, primals):
        raise ArgumentError(
            f"{operation}: the tangents are nested in another way than the primals; expected "
            "their tuples, lists and keys"
        )
    _same_shapes(operation, "tangent", given, forward.trace.leaves)
    return given


class Forward:
    """A function run once, ready to give derivatives in many directions."""

    def __init__(
        self,
        operation: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        argnums: Argnums,
        kwargs: dict[str, Any],
        has_aux: bool,
    ) -> None:
        self.trace = trace = Trace(operation, args, argnums)
        out, aux = _with_aux(operation, trace.run(function, kwargs), has_aux)
        leaves, self.build = flatten(out)
        self.outputs = only_tensors(operation, "part of its result", leaves)
        self.starts = [
            zeros_like(t).requires_grad_() if t._node is not None else None for t in self.outputs
        ]
        trace.own.update(id(u) for u in self.starts if u is not None)
        self.gradients = trace.pull(self.outputs, self.starts, retain=True, create=True)
        self.value = self.build([trace.released(t) for t in self.outputs])
        self.aux = _released(trace, aux)

    def push(self, tangents: Sequence[Tensor | None]) -> list[Tensor]:
        """Return the derivative of each output in direction *tangents*, None being 0."""
        pairs = [(g, t) for g, t in zip(self.gradients, tangents) if t is not None]
        aims = [u for u in self.starts if u is not None]
        found = iter(
            self.trace.pull([g for g, _ in pairs], [t for _, t in pairs], aims, retain=True)
        )
        return [
            zeros_like(o) if u is None else next(found) for u, o in zip(self.starts, self.outputs)
        ]


def _with_aux(operation: str, out: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise DTypeError(
            f"{operation}: has_aux=True, but the function returned {type(out).__name__}; expected "
            "a pair (result, aux)"
        )
    return out


def _released(trace: Trace, tree: Any) -> Any:
    leaves, build = flatten(tree)
    return build([trace.released(v) for v in leaves])


def _same_shapes(
    operation: str, what: str, given: Sequence[Tensor], expected: Sequence[Tensor]
) -> None:
    for i, (g, e) in enumerate(zip(given, expected)):
        if g.shape != e.shape:
            raise ShapeError(
                f"{operation}: {what} {i} has shape {g.shape}; expected {e.shape}, that of what it "
                "belongs to"
            )

"""Operations whose gradient the user writes, with what PyTorch's ``autograd.Function`` offers.

A call is one `FunctionNode`; each of its outputs has an `Output` before it, which hands on the
gradient that came to it, so that an operator, which has one output, pays nothing for several.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from weakref import ref

from ..errors import AutogradError, DTypeError, ShapeError
from ..tensor import Tensor, bump, wrap
from .mode import ANOMALY, GRAD
from .node import LEAF, Node, Output, Spec, Version

__all__ = ["Context", "Function", "FunctionNode", "once_differentiable"]


class Entry:
    """Stands, in the node of a function of the user's, for the operator."""

    variadic = False
    save_inputs = ()

    def __init__(self, name: str, rule: Callable[..., Any]) -> None:
        self.name, self.rule = name, rule


class FunctionNode(Node):
    """One call of a function; its gradients come from the user's ``backward``."""

    __slots__ = ("__weakref__", "context")

    context: Context | None

    def run(self, found: dict[int, Tensor], needed: set[Any] | None) -> tuple[Tensor | None, ...]:
        """Return the gradients of the inputs from those of the outputs, which *found* numbers."""
        context, kept, edges = cast("Context", self.context), self.saved or (), self.edges or ()
        context.needs_input_grad = tuple(
            edge is not None and (needed is None or edge in needed) for edge in edges
        )
        grads = [found.get(i) for i in range(len(context.outputs))]
        if context._materialize:
            from ..operators.creation import zeros

            for i, spec in enumerate(context.outputs):
                if grads[i] is None and spec is not None:
                    grads[i] = zeros(spec.shape, dtype=spec.dtype, device=spec.device)
        results = self.operator.rule(context, *grads)  # type: ignore[misc]
        results = tuple(results) if isinstance(results, tuple | list) else (results,)
        name, count = self.operator.name, len(kept)
        if len(results) < count or any(r is not None for r in results[count:]):
            raise AutogradError(
                f"{name}: backward returned {len(results)} gradients; expected {count}, one for "
                "each argument of forward: None for those that have no gradient"
            )
        fitting = tuple(
            None if edge is None else _fitting(name, i, result, spec)
            for i, (edge, result, spec) in enumerate(zip(edges, results, kept))
        )
        if ANOMALY.get():
            from .anomaly import check_results

            check_results(fitting, found)
        return fitting

    def release(self) -> None:
        """Drop what was saved and the nodes before this one."""
        super().release()
        if self.context is not None:
            self.context._saved = None
            self.context = None


def _fitting(name: str, i: int, result: Any, spec: Spec) -> Tensor | None:
    """Return the gradient of argument *i*, summed where the argument was broadcast."""
    if result is None:
        return None
    if not isinstance(result, Tensor):
        raise DTypeError(
            f"{name}: backward returned {type(result).__name__} for argument {i}; expected a "
            "Tensor, or None"
        )
    if result.shape == spec.shape:
        return result
    lead = result.ndim - spec.ndim
    if lead < 0 or any(n not in (1, m) for n, m in zip(spec.shape, result.shape[lead:])):
        raise ShapeError(
            f"{name}: backward returned a gradient of shape {result.shape} for argument {i}; "
            f"expected the argument's shape {spec.shape}"
        )
    from ..operators.table import sum_to

    return sum_to(result, spec.shape)


class Kept:
    """A saved tensor: its buffer, and where its gradient goes."""

    __slots__ = ("array", "device", "edge", "index")

    def __init__(self, t: Tensor, edge: Any, index: int | None = None) -> None:
        self.array, self.device, self.edge, self.index = t._array, t._device, edge, index


class Context:
    """What ``forward`` leaves to ``backward``: saved tensors, marks, and attributes at will."""

    def __init__(self, name: str, needs: tuple[bool, ...]) -> None:
        #: whether each argument of forward needs a gradient
        self.needs_input_grad = needs
        self.outputs: tuple[Spec | None, ...] = ()
        self._name = name
        self._given: tuple[Tensor | None, ...] = ()
        self._saved: list[Tensor | Kept | None] | None = None
        self._constant: tuple[Tensor, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._materialize = True
        self._node: ref[FunctionNode] | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs and outputs of forward, or None; changing them in place then raises."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise DTypeError(
                    f"{self._name}: save_for_backward takes Tensors and None; got "
                    f"{type(t).__name__}: keep other values as attributes of ctx"
                )
        self._given = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """What was saved, as parts of the graph.

        Raises: AutogradError once backward has gone through and freed it.
        """
        if self._saved is None:
            raise AutogradError(
                f"{self._name}: the saved tensors are there in backward alone, and freed after "
                "it; pass retain_graph=True to the first backward() to go through it twice"
            )
        return tuple(self._restored(kept) for kept in self._saved)  # type: ignore[misc]

    def _restored(self, kept: Tensor | Kept | None) -> Tensor | None:
        if not isinstance(kept, Kept):
            return kept
        edge = kept.edge
        if kept.index is not None:
            edge = edge()
            node = None if self._node is None else self._node()
            if edge is None and node is not None:  # no one else has the output any more
                spec = self.outputs[kept.index]
                edge = Output(node, kept.index, spec)  # type: ignore[arg-type]
        return wrap(kept.array, kept.device, edge)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Let *outputs* have no gradient; integer outputs never have one."""
        self._constant = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Say that forward has changed *inputs* in place; it has to return them too."""
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Choose what backward gets for an output without gradient: zeros (True), or None."""
        self._materialize = bool(value)


class Function:
    """Base of operations with a gradient of their own: a subclass is called by ``apply``.

    ``forward(ctx, *args)`` computes, unrecorded; ``backward(ctx, *grads)`` gets a gradient for
    each output and returns one for each argument, None where there is none. A subclass may define
    ``setup_context(ctx, inputs, output)`` instead of the *ctx* of forward. Written with operators,
    ``backward`` can be differentiated again.

    Raises: AutogradError for a wrong number of gradients, ShapeError and DTypeError for wrong ones.

    >>> class Cube(mi.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = mi.Tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    Tensor(12.)
    """

    @staticmethod
    def forward(*args: Any) -> Any:
        """Return the outputs; a subclass defines it."""
        raise AutogradError("Function: forward is not defined; expected a static method of it")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return the gradients of the arguments; a subclass defines it."""
        raise AutogradError(f"{ctx._name}: backward is not defined; expected a static method of it")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save for backward; where a subclass defines it, forward has no *ctx*."""

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward on *args* and, while gradients are recorded, note it for backward."""
        batch = _batch(args) if GRAD.get() else None
        if batch is not None:
            args = tuple(_of_batch(a, batch) for a in args)
        needs = tuple(isinstance(a, Tensor) and a._node is not None for a in args)
        context = Context(cls.__name__, needs)
        recorded = GRAD.get() and any(needs)
        edges = tuple(_edge(a) if need else None for a, need in zip(args, needs))
        token = GRAD.set(batch is not None)
        try:
            if batch is not None:
                result, context = _on_batch(cls, batch, args, needs)
            elif cls.setup_context is Function.setup_context:
                result = cls.forward(context, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(context, args, result)
        finally:
            GRAD.reset(token)
        outputs = tuple(result) if isinstance(result, tuple | list) else (result,)
        if recorded:
            outputs = _recorded(cls, context, args, edges, outputs)
        else:
            outputs = tuple(_plain(t) for t in outputs)
        return outputs if isinstance(result, tuple | list) else outputs[0]


def _batch(args: tuple[Any, ...]) -> Any:
    """Return the innermost vmap among *args* if gradients are asked for outside of it, or None."""
    if all(not isinstance(a, Tensor) or a._device.base is None for a in args):
        return None
    from ..func.function_rule import followed

    return followed(args)


def _of_batch(value: Any, batch: Any) -> Any:
    other = isinstance(value, Tensor) and value._device is not batch
    return batch.adopt("apply", value) if other else value


def _on_batch(cls: type[Function], batch: Any, args: tuple[Any, ...], needs: Any) -> Any:
    """Return what forward gives for *args* of a vmap, followed outside of it, and its context."""
    from ..func.function_rule import applied

    return applied(batch, cls, args, needs)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a ``backward`` that is not written with operators: its gradient raises.

    >>> class Double(mi.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     @mi.autograd.once_differentiable
    ...     def backward(ctx, g):
    ...         return mi.asarray(g.numpy() * 2)
    >>> x = mi.Tensor(1.0, requires_grad=True)
    >>> mi.autograd.grad(Double.apply(x), x)
    (Tensor(2.),)
    """

    @wraps(backward)
    def once(context: Any, *grads: Any) -> Any:
        create = GRAD.get()
        token = GRAD.set(False)
        try:
            results = backward(context, *grads)
        finally:
            GRAD.reset(token)
        node = context._node() if create else None
        if node is None:
            return results
        many = results if isinstance(results, tuple | list) else (results,)
        return tuple(last(node, r) if isinstance(r, Tensor) else r for r in many)

    return once


def last(node: FunctionNode, result: Tensor, name: str = "") -> Tensor:
    """Return *result* as one that raises when it is differentiated; *name*: of the Function."""
    name = name or node.operator.name

    def rule(*given: Any, **attrs: Any) -> Any:
        raise AutogradError(
            f"{name}: its backward is marked once_differentiable and cannot be differentiated; "
            "write it with operators of minima and take the mark away"
        )

    spec = Spec(result.shape, result.dtype, result._device)
    out = result.detach()
    entry: Any = Entry(name, rule)
    edges, saved = node.edges or (), node.saved or ()
    out._node = Node(entry, edges, saved, spec, {}, result._device, None)
    return out


def _edge(t: Tensor) -> Node | Tensor | None:
    return t if t._node is LEAF else t._node  # type: ignore[return-value]


def _plain(t: Any) -> Any:
    return t.detach() if isinstance(t, Tensor) and t._node is not None else t


def _recorded(
    cls: type[Function],
    context: Context,
    args: tuple[Any, ...],
    edges: tuple[Any, ...],
    outputs: tuple[Any, ...],
) -> tuple[Any, ...]:
    """Return *outputs* of forward as those of a node; keep what was saved."""
    from ..operators.views import base_of, become

    tensors = [a for a in args if isinstance(a, Tensor)]
    saved = tuple(
        Spec(a.shape, a.dtype, a._device) if isinstance(a, Tensor) else None for a in args
    )
    entry: Any = Entry(cls.__name__, cls.backward)
    node = FunctionNode(entry, edges, saved, None, {}, tensors[0]._device, None)
    node.context, context._node = context, ref(node)
    context.outputs = tuple(
        Spec(t.shape, t.dtype, t._device) if isinstance(t, Tensor) else None for t in outputs
    )
    for t in context._dirty:
        _check_dirty(context._name, t, base_of(t), tensors, outputs)
        bump(t)
    given, dirty = {id(t) for t in tensors}, {id(t) for t in context._dirty}
    constant = {id(t) for t in context._constant}
    own: dict[int, tuple[ref[Output], int]] = {}
    found = []
    for i, (t, spec) in enumerate(zip(outputs, context.outputs)):
        if not isinstance(t, Tensor) or spec is None:
            found.append(t)
            continue
        out = t
        if id(t) not in dirty and (t._node is not None or id(t) in given):
            out = t.detach()
        if id(t) not in constant and spec.dtype.kind in "fcV":
            part = Output(node, i, spec)
            if id(t) in dirty:
                become(t, part)
            else:
                out._node = part
            if out is t:
                _own(t, [*tensors, *outputs])
                own[id(t)] = (ref(part), i)
        found.append(out)
    node.versions = [_version(t) for t in context._given if t is not None]
    context._saved = [_kept(t, own) for t in context._given]
    context._given = context._constant = context._dirty = ()
    return tuple(found)


def _own(t: Tensor, others: list[Any]) -> None:
    """Let *t* be no view any more where forward alone has seen the rest of its memory."""
    if t._view is not None and all(
        o is t or not isinstance(o, Tensor) or o._version is not t._version for o in others
    ):
        t._view = None


def _version(t: Tensor) -> tuple[Version, int]:
    version = t._version
    if version is None:
        version = t._version = Version()
    return version, version.number


def _kept(t: Tensor | None, own: dict[int, tuple[ref[Output], int]]) -> Tensor | Kept | None:
    if t is None or t._node is LEAF:
        return t
    part = own.get(id(t))
    return Kept(t, t._node) if part is None else Kept(t, *part)


def _check_dirty(
    name: str, t: Tensor, base: Tensor, tensors: list[Tensor], outputs: tuple[Any, ...]
) -> None:
    """Raise where *t*, changed in place by forward, cannot be an output."""
    problem = ""
    if all(t is not a for a in tensors) or all(t is not o for o in outputs):
        problem = "is not both an argument of forward and returned by it"
    elif t._node is LEAF or base._node is LEAF:
        problem = "is a leaf that requires grad, or a view of one"
    if problem:
        raise AutogradError(
            f"{name}: a tensor of shape {t.shape} marked by mark_dirty {problem}; change a copy "
            "instead (x.clone())"
        )

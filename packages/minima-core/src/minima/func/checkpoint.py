"""checkpoint: keep the inputs of a part of a model, and compute what lies between again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..autograd.engine import grad_within
from ..autograd.mode import GRAD, TAPE
from ..autograd.node import LEAF, Node, Spec, Version, _sequence
from ..devices import Device
from ..dtypes import FLOAT32
from ..errors import AutogradError
from ..explain import expect_function
from ..operators import zeros
from ..operators.table import Array, Arrays, Operator
from ..random import Generator, _defaults, default_generator
from ..tensor import Tensor, wrap
from .batched import lifted
from .trace import alias
from .trees import flatten

__all__ = ["checkpoint"]


def checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return ``function(*args, **kwargs)``, whose inner results backward computes anew.

    Between forward and backward only the arguments are kept: less memory for more time. Arguments
    and results may be Tensors and nested tuples, lists and dicts of them; what the function closes
    over (a layer's parameters) gets its gradients too. Random numbers of the default generators
    are the same in both runs, so dropout is; other side effects happen twice. Within
    `minima.compile`, which plans memory itself, the function just runs.

    Raises: AutogradError in backward when the second run gives other results than the first.

    >>> import minima as mi
    >>> x = mi.Tensor([1.0, 2.0], requires_grad=True)
    >>> mi.func.checkpoint(lambda x: (x * x) ** 2, x).sum().backward()
    >>> x.grad
    Tensor([ 4., 32.])
    """
    expect_function("checkpoint", function)
    if not GRAD.get() or TAPE.get() is not None:
        return function(*args, **kwargs)
    return _Segment(function, args, kwargs).outputs()


class _Segment:
    """One call: how to run it again, and what its gradients go to."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.function = function
        leaves, self.build = flatten((args, kwargs))
        # within vmap, what lies below it has its gradients below: an alias here would cut them off
        leaves = [lifted(t, "checkpoint") if isinstance(t, Tensor) else t for t in leaves]
        tensors = [(i, t) for i, t in enumerate(leaves) if isinstance(t, Tensor)]
        self.places = [i for i, t in tensors if t._node is not None]
        self.inputs = [leaves[i] for i in self.places]
        self.kept = [t.detach() if isinstance(t, Tensor) else t for t in leaves]
        self.versions = [(v, v.number) for v in (_version(t) for _, t in tensors)]
        self.streams = _streams([t._device for _, t in tensors])
        self.captured: list[Tensor] = []
        self.given: dict[int, Tensor] = {}

    def outputs(self) -> Any:
        """Run the function and return its results, with nodes that will run it again."""
        start = next(_sequence)
        aliases = [t.detach().requires_grad_() for t in self.inputs]
        results, build = flatten(self.run(aliases))
        self.captured = _captured(results, aliases, start)
        self.live = [i for i, t in enumerate(results) if _is_made(t, aliases, start)]
        if not self.live:
            return build(results)
        joint = self.node()
        for slot, i in enumerate(self.live):
            out = results[i]
            results[i] = wrap(out._array, out._device, _part_node(joint, out, self, slot))
        return build(results)

    def run(self, aliases: list[Tensor]) -> Any:
        """Run the function on *aliases* of the inputs that gradients go to."""
        leaves = list(self.kept)
        for i, t in zip(self.places, aliases):
            leaves[i] = t
        args, kwargs = self.build(leaves)
        return self.function(*args, **kwargs)

    def node(self) -> Node:
        """Return the node that runs the function again, once all gradients have come."""
        whole = [*self.inputs, *self.captured]
        edges = tuple(t if t._node is LEAF else t._node for t in whole)
        saved = [t._array for t in self.inputs]
        saved += [_spec(t) for t in self.captured]
        device = next((t._device for t in self.inputs), None) or self.captured[0]._device
        kept = Spec((), FLOAT32, device)
        return Node(_JOINT, edges, tuple(saved), kept, {"segment": self}, device, self.versions)

    def gradients(self, inputs: tuple[Any, ...]) -> tuple[Tensor | None, ...]:
        """Return the gradients of all that the node has edges to."""
        create = GRAD.get()
        given, self.given = self.given, {}
        aliases = [
            alias(t) if create and t._node is not None else t.detach().requires_grad_()
            for t in inputs[: len(self.inputs)]
        ]
        token = GRAD.set(True)
        try:
            with _replayed(self.streams):
                results, _ = flatten(self.run(aliases))
        finally:
            GRAD.reset(token)
        pairs = []
        for slot, g in sorted(given.items()):
            i = self.live[slot]
            t = results[i] if i < len(results) else None
            if not isinstance(t, Tensor) or t.shape != g.shape or t._node is None:
                raise AutogradError(
                    "checkpoint: the function gave other results when it ran again for backward; "
                    "expected a function that depends on its arguments alone"
                )
            pairs.append((t, g))
        return grad_within(
            [t for t, _ in pairs],
            [*aliases, *self.captured],
            [g for _, g in pairs],
            retain=create,
            create=create,
        )


def _version(t: Tensor) -> Version:
    if t._version is None:
        t._version = Version()
    return t._version


def _spec(t: Tensor) -> Spec:
    """Return shape, dtype and device of what the function closes over."""
    about: Any = t._node.output if isinstance(t._node, Node) else t._array
    return Spec(about.shape, about.dtype, t._device)


def _is_made(t: Any, aliases: list[Tensor], start: int) -> bool:
    """Say whether *t* is a result that depends, differentiably, on something."""
    if not isinstance(t, Tensor) or t._node is None:
        return False
    if isinstance(t._node, Node):
        return -t._node.sequence > start
    return any(t is a for a in aliases)


def _captured(results: list[Any], aliases: list[Tensor], start: int) -> list[Tensor]:
    """Return what is in the graph of *results* that the function did not make: each once."""
    own = {id(a) for a in aliases}
    found: dict[int, Tensor] = {}
    seen: set[Node] = set()
    stack = [t._node for t in results if isinstance(t, Tensor) and isinstance(t._node, Node)]
    stack = [n for n in stack if -n.sequence > start]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for edge in node.edges or ():
            if isinstance(edge, Tensor):
                if id(edge) not in own:
                    found[id(edge)] = edge
            elif isinstance(edge, Node):
                if -edge.sequence > start:
                    stack.append(edge)
                else:
                    found[id(edge)] = wrap(None, edge.device, edge)
    return list(found.values())


# ---- random numbers ------------------------------------------------------------------------------
def _streams(devices: list[Device]) -> list[tuple[Generator, dict[str, Any]]]:
    """Return the default generators that the function may draw from, and where they are."""
    places = [d for d in _defaults if d.base is None]
    for device in devices:
        while device.base is not None:  # a batch draws from the device below
            device = device.base
        places.append(device)
    found = [default_generator(d) for d in dict.fromkeys(places)]
    return [(g, g.get_state()) for g in found]


@contextmanager
def _replayed(streams: list[tuple[Generator, dict[str, Any]]]) -> Iterator[None]:
    """Let the generators go back to where they were, within."""
    before = [(g, g.get_state()) for g, _ in streams]
    try:
        for generator, state in streams:
            generator.set_state(state)
        yield
    finally:
        for generator, state in before:
            generator.set_state(state)


# ---- nodes ---------------------------------------------------------------------------------------
def joint_reference(xp: Any, inputs: Arrays, segment: Any) -> Any:
    """Return nothing: results come from the function itself."""


def joint_gradient(g: Tensor, y: Any, inputs: tuple[Any, ...], segment: _Segment) -> Any:
    """Run the function again and return the gradients."""
    return segment.gradients(inputs)


def part_reference(xp: Any, x: Array, segment: Any, slot: int) -> Any:
    """Return nothing: results come from the function itself."""


def part_gradient(g: Tensor, y: Any, x: Any, segment: _Segment, slot: int) -> Tensor:
    """Leave the gradient of one result for the joint node, which comes when all have."""
    segment.given[slot] = g
    return zeros(())


_JOINT: Operator[Any] = Operator(joint_reference, promotes=False, floating=False, view=False)
_JOINT.name = "checkpoint"
_JOINT.gradient(joint_gradient, saves="inputs")
_PART: Operator[Any] = Operator(part_reference, promotes=False, floating=False, view=False)
_PART.name = "checkpoint"
_PART.gradient(part_gradient, saves="")


def _part_node(joint: Node, out: Tensor, segment: _Segment, slot: int) -> Node:
    spec = Spec((), FLOAT32, out._device)
    kept = Spec(out.shape, out.dtype, out._device)
    attrs = {"segment": segment, "slot": slot}
    return Node(_PART, (joint,), (spec,), kept, attrs, out._device, None)

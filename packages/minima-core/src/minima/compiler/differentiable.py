"""Compiled functions whose results are differentiated outside: a plan forward, a plan backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import ref

from ..autograd.engine import grad
from ..autograd.mode import GRAD, TAPE
from ..autograd.node import LEAF, Node, Spec
from ..errors import AutogradError
from ..operators.creation import zeros
from ..operators.indexing import getitem, put
from ..operators.manipulation import reshape
from ..operators.table import Array, Operator
from ..tensor import Tensor, wrap
from .plan import Plan
from .replay import Runnable, copied
from .tape import Tape

__all__ = ["Pullback", "capture_pullback"]


def compiled_reference(xp: Any, pullback: Any) -> Any:
    """Stand for a compiled function in the graph; it has no kernel of its own."""
    raise AutogradError("compile: a compiled function is no kernel")


def part_reference(xp: Any, x: Array, start: int, stop: int) -> Any:
    """Stand for one of several results of a compiled function."""
    raise AutogradError("compile: a compiled function is no kernel")


_COMPILED: Operator[Any] = Operator(compiled_reference, False, False, False)
_PART: Operator[Any] = Operator(part_reference, False, False, False)


def _compiled_gradient(g: Tensor, y: Any, *inputs: Any, pullback: Call) -> tuple[Any, ...]:
    return pullback(g)


def _part_gradient(g: Tensor, y: Any, x: Any, start: int, stop: int) -> Tensor:
    flat = zeros(x.shape, dtype=g.dtype, device=g.device)
    return put(flat, reshape(g, (stop - start,)), slice(start, stop))


_COMPILED.gradient(_compiled_gradient, saves="")
_PART.gradient(_part_gradient, saves="")


def ends_of(results: Sequence[Tensor], arguments: Sequence[Tensor]) -> list[Tensor]:
    """Return the leaves and *arguments* that *results* were computed from, in a stable order."""
    ends = {t._node: t for t in arguments if isinstance(t._node, Node)}
    found: dict[Tensor, None] = {}
    seen: set[Node] = set()
    stack = [t._node for t in results if isinstance(t._node, Node)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in ends:
            found[ends[node]] = None
            continue
        for edge in node.edges or ():
            if isinstance(edge, Node):
                stack.append(edge)
            elif edge is not None:
                found[edge] = None
    return list(found)


class Pullback:
    """The backward plan of a compiled function.

    *results* numbers the results that have gradients, of which *shapes* are the shapes; *targets*
    are the leaves that gradients go to, *arguments* says which argument of the call each stands
    for, or None; *used* numbers the targets that get one.
    """

    def __init__(
        self,
        plan: Plan,
        results: list[int],
        shapes: list[Spec],
        targets: list[Tensor],
        arguments: list[int | None],
        used: list[int],
    ) -> None:
        self.plan, self.results, self.shapes = plan, results, shapes
        self.targets, self.arguments, self.used = targets, arguments, used
        self.calls = 0
        self.pending: ref[Call] | None = None
        self.run: Any = None

    def ready(self, executor: str | None) -> None:
        """Make the plan run; call it once the forward plan is ready."""
        self.run = Runnable(self.plan, {}, executor)

    def busy(self) -> bool:
        """Say whether backward has yet to go through the last call."""
        call = self.pending() if self.pending is not None else None
        return call is not None and not call.done

    def attach(self, outputs: list[Tensor], given: list[Any], arguments: list[Tensor]) -> None:
        """Give *outputs* of a call the node that backward goes through."""
        self.calls += 1
        device = outputs[0]._device
        edges: list[Any] = []
        for target, i in zip(self.targets, self.arguments):
            leaf = target if i is None else arguments[i]
            edges.append(leaf if leaf._node is LEAF else leaf._node)
        specs = tuple(Spec(t.shape, t.dtype, device) for t in self.targets)
        call = Call(self, self.calls, given)
        flat = self.shapes[0]
        if len(self.shapes) > 1:
            flat = Spec((sum(s.size for s in self.shapes),), flat.dtype, device)
        node = Node(_COMPILED, tuple(edges), specs, flat, {"pullback": call}, device, None)
        self.pending = ref(call)
        if len(self.results) == 1:
            outputs[self.results[0]]._node = node
            return
        start = 0
        for number, spec in zip(self.results, self.shapes):
            attrs = {"start": start, "stop": start + spec.size}
            start += spec.size
            outputs[number]._node = Node(_PART, (node,), (flat,), spec, attrs, device, None)


class Call:
    """One call of a compiled function, of which backward may ask once."""

    def __init__(self, pullback: Pullback, number: int, given: list[Any]) -> None:
        self.pullback, self.number, self.given = pullback, number, given
        self.done = False

    def __call__(self, g: Tensor) -> tuple[Any, ...]:
        """Return the gradients of the inputs from that of the result."""
        pull = self.pullback
        if GRAD.get():
            raise AutogradError(
                "compile: the gradient of a compiled function cannot be differentiated again; call "
                "the function itself, or compile the whole computation with its backward"
            )
        if self.number != pull.calls:
            raise AutogradError(
                "compile: a later call of the compiled function has overwritten what this backward "
                "needs; call backward first, or compile the whole computation with its backward"
            )
        self.done = True
        seeds, start = [], 0
        for spec in pull.shapes:
            part = g
            if len(pull.shapes) > 1:
                part = reshape(getitem(g, slice(start, start + spec.size)), spec.shape)
                start += spec.size
            seeds.append(part._array)
        found = iter(pull.run([*seeds, *self.given]))
        return tuple(
            wrap(copied(next(found), g._device), g._device) if i in pull.used else None
            for i in range(len(pull.targets))
        )


def _whole(node: Node) -> bool:
    """Say whether no backward has been through *node* or what it comes from."""
    seen, ahead = {node}, [node]
    while ahead:
        node = ahead.pop()
        if node.saved is None:
            return False
        before = {edge for edge in node.edges or () if isinstance(edge, Node)} - seen
        seen |= before
        ahead += before
    return True


def capture_pullback(
    tape: Tape, results: list[Tensor], arguments: list[Tensor]
) -> tuple[Pullback | None, list[Any]]:
    """Capture the backward of *results*, whose graph stays.

    Returns it with the buffers of the forward run that it reads; None where it cannot be captured,
    or where the function went backward through all of the results itself.
    """
    numbers = [i for i, t in enumerate(results) if isinstance(t._node, Node) and _whole(t._node)]
    if not numbers:
        return None, []
    wanted = [results[i] for i in numbers]
    if len({t.dtype for t in wanted}) > 1:
        tape.fail("results of several dtypes need their graph")
        return None, []
    targets = ends_of(wanted, arguments)
    seeds = [wrap(copied(t._array, t._device), t._device) for t in wanted]
    backward = Tape()
    backward.buffers, backward.indices = tape.buffers, tape.indices
    token = TAPE.set(backward)
    try:
        found = grad(wanted, targets, seeds, retain_graph=True, allow_unused=True)
    finally:
        TAPE.reset(token)
    if backward.broken:
        tape.fail(backward.broken)
        return None, []
    gradients: list[Tensor | None] = list(found)
    used = [i for i, g in enumerate(gradients) if g is not None]
    place_of = {id(t): i for i, t in enumerate(arguments)}
    seed_arrays = [t._array for t in seeds]
    forward = {id(t._array): t._array for t in arguments}
    made = {id(launch.output) for launch in tape.launches if not launch.in_place}
    reads = {id(a): a for launch in backward.launches for a in launch.inputs if id(a) in made}
    backward.device = backward.device or wanted[0]._device
    given = list(forward.values())
    plan = Plan.of(
        backward,
        [*seed_arrays, *given, *reads.values()],
        [found[i]._array for i in used],
    )
    specs = [Spec(t.shape, t.dtype, t._device) for t in wanted]
    pullback = Pullback(plan, numbers, specs, targets, [place_of.get(id(t)) for t in targets], used)
    return pullback, list(reads.values())

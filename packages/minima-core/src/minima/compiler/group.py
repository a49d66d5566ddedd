"""Group: steps that one pass over their elements computes, without buffers between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from math import prod
from typing import Any

from .live import Live
from .lowering import LOWERINGS, Context
from .outline import address
from .plan import Plan, Step, Value
from .scalar import Node, Nodes, Unfit, kind_of

__all__ = ["Cell", "Group", "Memory"]

#: one element for each index: root's number, address at index 0, strides over the domain, kind
Cell = tuple[int, int, tuple[int, ...], str]
MAX_BUFFERS = 24
LONG_ROW = 1 << 15  # elements: a single row beyond it is not walked twice


class Memory:
    """Where the values of a plan lay in the captured run, and which are live numbers."""

    def __init__(self, plan: Plan) -> None:
        self._bounds: dict[Value, tuple[int, int]] = {}
        self._places: dict[Value, int] = {}
        written = plan.written()
        self.numbers: dict[Value, Any] = {
            s.output: s.attrs["value"]
            for s in plan.steps
            if s.name == "scalar" and s.output.root not in written
        }

    def address(self, value: Value) -> int:
        """Return where the element with all indices 0 lies, in bytes."""
        found = self._places.get(value)
        if found is None:
            source = None if value.view is None else value.view.inputs[0]
            if source is None:
                found = address(value.array if value.slot is None else value.slot)
            else:  # its source may have been put elsewhere since
                found = self.address(source) + address(value.array) - address(source.array)
            self._places[value] = found
        return found

    def root(self, value: Value) -> Value:
        """Return the value in whose memory *value* lies."""
        while value.root is not value:
            value = value.root
        return value

    def bounds(self, value: Value) -> tuple[int, int]:
        """Return the addresses of the first byte and of that behind the last."""
        found = self._bounds.get(value)
        if found is None:
            low = high = self.address(value)
            for size, stride in zip(value.shape, value.array.strides):
                low += min(0, (size - 1) * stride)
                high += max(0, (size - 1) * stride)
            found = self._bounds[value] = (low, high + value.dtype.itemsize)
        return found

    def overlap(self, a: Value, b: Value) -> bool:
        """Say whether two values may share memory."""
        if self.root(a) is not self.root(b):
            return False
        (low, high), (start, end) = self.bounds(a), self.bounds(b)
        return low < end and start < high

    def offset(self, value: Value, cell: Cell) -> int:
        """Return how many bytes behind the first element of *value* a cell of it lies."""
        return cell[1] - self.address(value)

    def regular(self, root: Value) -> bool:
        """Say whether a buffer made anew would have the strides of the captured one."""
        if root.kind == "external":
            return True
        low, high = self.bounds(root)
        return high - low == root.nbytes and min(root.array.strides, default=0) >= 0


class Group(Context):
    """The expressions of some steps over one *domain*.

    `include` and `check` raise Unfit where a step must stay outside.

    *rows* are the axes along which the group reduces and then goes on with the result: for each
    index of the others it passes over a row several times. A reduction whose result leaves the
    group may be along other axes.
    """

    def __init__(self, memory: Memory, domain: tuple[int, ...]) -> None:
        self.memory, self.domain = memory, domain
        self.steps: list[Step] = []
        self.nodes = Nodes()
        self.rows: frozenset[int] | None = None
        self.places: dict[Cell, Value] = {}
        self.loads: dict[Cell, Node] = {}
        self.stores: dict[Cell, Node] = {}
        self.numbers: dict[Hashable, Any] = {}
        self._maps: dict[Value, tuple[int, ...]] = {}
        self._shape: tuple[int, ...] = ()
        self._dims: tuple[int, ...] = ()
        if not prod(domain):
            raise Unfit

    @classmethod
    def of(cls, memory: Memory, steps: Iterable[Step], domain: tuple[int, ...]) -> Group:
        """Return the group of *steps*, which are in order."""
        group = cls(memory, domain)
        for step in steps:
            group.include(step)
        group.check()
        return group

    @property
    def full(self) -> frozenset[int]:
        """The axes that have more than one index."""
        return frozenset(i for i, n in enumerate(self.domain) if n > 1)

    def include(self, step: Step) -> None:
        """Let *step* be computed too."""
        lower = LOWERINGS.get(step.name)
        if lower is None or step.call is not None:
            raise Unfit
        shape = lower.shape(step)
        self.step, self._shape, self._dims = step, shape, self._align(step, shape)
        node = lower.rule(self)
        gone = lower.reduced(step)
        dims = tuple(d for i, d in enumerate(self._dims) if i not in gone)
        if isinstance(node, tuple):  # one for each index of the output's first axis
            for i, part in enumerate(node):
                self._store(step.output, part, self._cell(step.output, dims, part=i))
        else:
            layout = step.output.array if lower.layout is None else lower.layout(step)
            self._store(step.output, node, self._cell(step.output, dims, layout))
        if gone:
            self._maps[step.output] = dims
        elif step.output.shape == shape and step.inputs and self._dims != self._right(shape):
            self._maps[step.output] = self._dims
        self.steps.append(step)

    def _right(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(range(len(self.domain) - len(shape), len(self.domain)))

    def _align(self, step: Step, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return along which axis of the domain each axis of *shape* lies."""
        dims = self._right(shape)
        if shape == self.domain:
            return dims
        for value in step.reads():
            if value in self._maps and value.shape == shape:
                return self._maps[value]
        if len(shape) > len(self.domain):
            raise Unfit
        if any(n not in (1, self.domain[d]) for n, d in zip(shape, dims)):
            raise Unfit
        used = {d for n, d in zip(shape, dims) if n > 1}
        inner = self.rows if self.rows is not None else {max(self.full, default=0)}
        if used & inner:  # it would be computed again for each row
            raise Unfit
        return dims

    # ---- what lowerings ask for ------------------------------------------------------------------
    def x(self, i: int, dims: tuple[int, ...] | None = None) -> Node:
        """Return an element of the step's i-th input."""
        value = self.step.inputs[i]
        if value is None:
            raise Unfit
        along = self._dims[len(self._dims) - len(value.shape) :]
        return self._load(value, along if dims is None else tuple(self._dims[d] for d in dims))

    def number(self, value: Any, kind: str) -> Node:
        """Return a Python number, or a live one as an argument of the group."""
        if type(value) is Live:
            places = {key: i for i, key in enumerate(self.numbers)}
            self.numbers.setdefault(value.key, value)
            return self.nodes.number(value.key, places.get(value.key, len(places)), kind)
        if isinstance(value, bool | int | float):
            return self.nodes.const(value, kind)
        raise Unfit

    def index(self, axis: int) -> Node:
        """Return the index along *axis* of the step's domain."""
        if self._shape[axis] == 1:
            return self.nodes.const(0, "i8")
        along = self._dims[axis]
        return self.nodes.node("index", (), along, "i8", frozenset({along}))

    def reduce(self, kind: str, x: Node, axes: tuple[int, ...]) -> Node:
        """Return the reduction of *x* along *axes* of the step's domain."""
        self._use(x)
        wanted = frozenset(self._dims[a] for a in axes if self._shape[a] > 1)
        along = wanted & x.axes
        if kind == "sum" and along != wanted:
            x = self.op("mul", x, self.number(prod(self.domain[a] for a in wanted - along), x.kind))
        if not along:
            return x
        if x.kind == "b1":
            raise Unfit
        return self.nodes.node("reduce", (x,), (kind, along), x.kind, x.axes - along)

    def op(self, name: str, *args: Node) -> Node:
        """Return an operation on nodes."""
        for node in args:
            self._use(node)
        return self.nodes.op(name, *args)

    def cast(self, x: Node, kind: str) -> Node:
        """Return *x* as another kind of element."""
        self._use(x)
        return self.nodes.cast(x, kind)

    def _use(self, node: Node) -> None:
        """Note that a reduction's result is used inside of the group."""
        if node.op == "reduce":
            axes = node.attr[1]
            if self.rows is None:
                self.rows = axes
            elif self.rows != axes:
                raise Unfit

    # ---- memory ----------------------------------------------------------------------------------
    def _cell(
        self,
        value: Value,
        dims: tuple[int, ...],
        layout: Any = None,
        part: int | None = None,
    ) -> Cell:
        """Return where *value*, or one *part* along its first axis, lies; *dims* are its axes."""
        root = self.memory.root(value)
        if not self.memory.regular(root):
            raise Unfit
        strides, array = [0] * len(self.domain), value.array if layout is None else layout
        place, shape, steps = self.memory.address(value), array.shape, array.strides
        if part is not None:
            place, shape, steps = place + part * steps[0], shape[1:], steps[1:]
        for size, stride, axis in zip(shape, steps, dims):
            if size > 1:
                if self.domain[axis] != size:
                    raise Unfit
                strides[axis] = stride
        return root.number, place, tuple(strides), kind_of(value.dtype)

    def _load(self, value: Value, dims: tuple[int, ...]) -> Node:
        if value in self.memory.numbers:
            return self.number(self.memory.numbers[value], kind_of(value.dtype))
        if value.constant and not value.shape:
            return self.number(value.array.item(), kind_of(value.dtype))
        cell = self._cell(value, dims)
        for known in (self.stores, self.loads):
            if cell in known:
                return known[cell]
        if any(self._overlap(cell, other) for other in self.stores):
            raise Unfit
        self.places[cell] = value
        axes = frozenset(i for i, s in enumerate(cell[2]) if s)
        node = self.loads[cell] = self.nodes.node("load", (), cell, cell[3], axes)
        return node

    def _overlap(self, a: Cell, b: Cell) -> bool:
        """Say whether two cells may be the same memory at different indices."""
        if a[0] != b[0]:
            return False
        (low, high), (start, end) = self._bounds(a), self._bounds(b)
        return low < end and start < high

    def _bounds(self, cell: Cell) -> tuple[int, int]:
        steps = [(n - 1) * s for n, s in zip(self.domain, cell[2])]
        low = cell[1] + sum(min(0, s) for s in steps)
        return low, cell[1] + sum(max(0, s) for s in steps) + int(cell[3][1])

    def _store(self, value: Value, node: Node, cell: Cell) -> None:
        if node.kind != cell[3]:
            raise Unfit
        axes = frozenset(i for i, s in enumerate(cell[2]) if s)
        if not node.axes <= axes:
            raise Unfit
        for other in (*self.stores, *self.loads):
            if other != cell and self._overlap(cell, other):
                raise Unfit
        self.places[cell] = value
        self.stores[cell] = node
        if len(self.places) > MAX_BUFFERS:
            raise Unfit

    def rename(self, cell: Cell, other: Cell) -> None:
        """Store at *other*, which the group reads, what it stores at *cell*."""
        self.stores = {other if c == cell else c: node for c, node in self.stores.items()}
        del self.places[cell]

    # ---- the whole -------------------------------------------------------------------------------
    def looped(self) -> frozenset[int]:
        """Return the axes along which something differs."""
        axes = {i for c in (*self.stores, *self.loads) for i, s in enumerate(c[2]) if s}
        return frozenset(axes.union(*(n.axes for n in self.nodes.all)))

    def order(self) -> list[int]:
        """Return the axes of the loops, that with the longest stride in most buffers first."""
        full = self.looped()
        cells = [c[2] for c in (*self.stores, *self.loads) if all(c[2][a] for a in full)]
        if not cells or not full:
            return sorted(full)
        orders = [sorted(full, key=lambda a: (-abs(strides[a]), a)) for strides in cells]
        last = Counter(order[-1] for order in orders).most_common(1)[0][0]
        return next(order for order in orders if order[-1] == last)

    def reductions(self) -> set[frozenset[int]]:
        """Return the sets of axes along which the group reduces."""
        return {n.attr[1] for n in self.nodes.all if n.op == "reduce"}

    def check(self) -> None:
        """Settle the axes of rows; raise Unfit when the steps cannot be computed together."""
        order, full = self.order(), self.looped()
        if self.rows is not None:
            one = not (full - self.rows) and prod(self.domain) > LONG_ROW
            if order and (order[-1] not in self.rows or one):
                raise Unfit
        elif order:
            along = [axes for axes in self.reductions() if order[-1] in axes]
            if len(self.reductions()) == 1 and along:
                self.rows = along[0]
        outer = full - (self.rows if self.rows is not None else frozenset(order[-1:]))
        for cell, node in self.stores.items():
            axes = frozenset(i for i, s in enumerate(cell[2]) if s)
            whole = axes in (frozenset(), outer, full)
            if node.op == "reduce" and node.attr[1] != self.rows:  # added to, element by element
                often = node.args[0].axes not in (outer, full)
                fits = axes == node.axes and cell not in self.loads and not often
            else:
                fits = whole or (axes <= outer and cell not in self.loads)
            if not fits:
                raise Unfit

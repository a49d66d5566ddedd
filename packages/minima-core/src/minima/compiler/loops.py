"""The loops of a group: which axes they run along, how often a row is walked, what each walk does.

A printer writes, in this order: the scalars (`Schedule.scalars`), what is summed up set to its
first value, loops along the outer axes, and in them for each `Pass` its row values, then loops
along the inner axes with its elements; after the last pass what is stored once for each row.
"""

from __future__ import annotations

from math import prod

from .group import Cell, Group
from .scalar import Node

__all__ = ["Loop", "Pass", "Schedule"]

LONG_SUM = 2048  # elements, from which a sum along rows is taken in double precision


class Loop:
    """One loop, along axes of the domain that lie behind each other in memory."""

    def __init__(self, size: int, strides: dict[Cell, int], axes: tuple[int, ...]) -> None:
        self.size, self.strides, self.axes = size, strides, axes


class Pass:
    """One walk along rows."""

    def __init__(self) -> None:
        self.values: list[Node] = []  # one for each row, computed before it
        self.elements: list[Node] = []  # computed for each element
        self.reduces: list[Node] = []  # along the row
        self.sums: list[Cell] = []  # reductions that are added to in memory
        self.stores: list[Cell] = []
        self.saves: list[Node] = []  # elements that a later pass reads


class Schedule:
    """A group as loops.

    *keep* has a later pass over a row read what is costly from where an earlier one kept it (see
    `saved`); without it, each pass computes what it needs.

    >>> from minima.compiler.loops import Schedule
    >>> Schedule.__doc__.splitlines()[0]
    'A group as loops.'
    """

    def __init__(self, group: Group, *, keep: bool = True) -> None:
        self.group, self.keep = group, keep
        self.stores = dict(group.stores)
        self.cells = self._cells()
        order = group.order()
        inner = group.rows if group.rows is not None else frozenset(order[-1:])
        self.inner_axes = inner
        self.outer = self.loops([a for a in order if a not in inner])
        self.inner = self.loops([a for a in order if a in inner])
        if group.rows is None:  # nothing depends on where a row ends
            both = self.loops(order)
            if both:
                self.outer, self.inner = both[:-1], both[-1:]
                self.inner_axes = frozenset(both[-1].axes)
        self.row = prod(loop.size for loop in self.inner)
        self._stages: dict[Node, int] = {}
        self._late: dict[Node, bool] = {}
        self.scalars: list[Node] = []
        self.scalar_stores: list[Cell] = []
        self.row_stores: list[Cell] = []
        self.row_sums: list[Cell] = []
        self.passes: list[Pass] = []
        self._plan()

    @property
    def divisible(self) -> bool:
        """Whether parts of the outermost loop can run side by side, with `sums` of their own."""
        again = any(c in self.group.loads for c in self.scalar_stores)
        outermost = self.outer or (self.inner if self.group.rows is None else [])
        return bool(outermost) and not again

    @property
    def sums(self) -> list[Cell]:
        """Where reductions are added up over the whole group."""
        return [*self.row_sums, *(c for p in self.passes for c in p.sums)]

    @property
    def elements(self) -> int:
        """The number of elements of the domain."""
        return prod(self.group.domain)

    def _cells(self) -> list[Cell]:
        """Return the cells that are read or written, in an order that only the code decides."""
        found: dict[Cell, None] = {}
        seen: set[Node] = set()

        def visit(node: Node) -> None:
            todo = [node]
            while todo:
                n = todo.pop()
                if n in seen:
                    continue
                seen.add(n)
                if n.op == "load":
                    found[n.attr] = None
                todo += n.args

        for cell, node in self.stores.items():
            visit(node)
            found[cell] = None
        self.needed = sorted(seen, key=lambda n: n.number)
        return list(found)

    def loops(self, axes: list[int]) -> list[Loop]:
        """Return loops along *axes*, outermost first; neighbours become one where they can."""
        indexed = {n.attr for n in self.needed if n.op == "index"}
        loops: list[Loop] = []
        for a in axes:
            size, strides = self.group.domain[a], {c: c[2][a] for c in self.cells}
            last = loops[-1] if loops else None
            if (
                last is not None
                and not indexed & {a, *last.axes}
                and all(last.strides[c] == strides[c] * size for c in self.cells)
            ):
                loops[-1] = Loop(last.size * size, strides, (*last.axes, a))
            else:
                loops.append(Loop(size, strides, (a,)))
        return loops

    # ---- levels and stages -----------------------------------------------------------------------
    def along_row(self, node: Node) -> bool:
        """Say whether *node* differs from element to element of a row."""
        return bool(node.axes & self.inner_axes)

    def is_row_reduce(self, node: Node) -> bool:
        """Say whether *node* is a reduction along the rows."""
        return node.op == "reduce" and node.attr[1] == self.group.rows

    def after_reduce(self, node: Node) -> bool:
        """Say whether *node* depends on a reduction along the rows."""
        found = self._late.get(node)
        if found is None:
            found = self.is_row_reduce(node) or any(map(self.after_reduce, node.args))
            self._late[node] = found
        return found

    def _is_scalar(self, node: Node) -> bool:
        return not node.axes and not self.after_reduce(node)

    def stage(self, node: Node) -> int:
        """Return the number of the first pass in, or before, which *node* can be computed."""
        found = self._stages.get(node)
        if found is None:
            found = max(map(self.stage, node.args), default=0) + self.is_row_reduce(node)
            self._stages[node] = found
        return found

    def _plan(self) -> None:
        """Give every node and store its place."""
        last = max((self.stage(n) for n in self.needed), default=0)
        self.passes = [Pass() for _ in range(last + 1)]
        for node in self.needed:
            if node.op == "reduce":
                if self.is_row_reduce(node):
                    self.passes[self.stage(node.args[0])].reduces.append(node)
            elif self._is_scalar(node):
                self.scalars.append(node)
            elif not self.along_row(node):
                self.passes[self.stage(node)].values.append(node)
        for cell, node in self.stores.items():
            self._place(cell, node, last)
        for number, one in enumerate(self.passes):
            self._gather(number, one)
        # a pass that only computed what later ones can compute themselves is none
        self.passes = [p for p in self.passes if p.elements or p.values or p.stores]

    def _place(self, cell: Cell, node: Node, last: int) -> None:
        if node.op == "reduce" and not self.is_row_reduce(node):
            x = node.args[0]
            if self.along_row(x):
                self.passes[self.stage(x)].sums.append(cell)
            else:
                self.row_sums.append(cell)
            return
        axes = {i for i, s in enumerate(cell[2]) if s}
        if self.along_row(node) or axes & self.inner_axes:
            # memory that is also read is written when it has been read for the last time
            read = cell in self.group.loads
            self.passes[last if read else self.stage(node)].stores.append(cell)
        elif self._is_scalar(node) and not axes:
            self.scalar_stores.append(cell)
        else:
            self.row_stores.append(cell)

    def _gather(self, number: int, one: Pass) -> None:
        """List what a pass computes for each element, and save what it takes from earlier ones."""
        roots = [n.args[0] for n in one.reduces]
        roots += [self.stores[c].args[0] for c in one.sums] + [self.stores[c] for c in one.stores]
        found: set[Node] = set()
        todo = [n for n in roots + one.saves if self.along_row(n)]
        while todo:
            node = todo.pop()
            if node in found:
                continue
            found.add(node)
            if self.keep and node.costly and self.stage(node) < number:
                earlier = self.passes[self.stage(node)]
                if node not in earlier.saves:
                    earlier.saves.append(node)
                    self._gather(self.stage(node), earlier)
            else:
                todo += [a for a in node.args if self.along_row(a) and a.op != "reduce"]
        one.elements = sorted(found, key=lambda n: n.number)

    @property
    def saved(self) -> list[Node]:
        """The elements that are kept from pass to pass, each in a buffer of a row's length."""
        return [n for p in self.passes for n in p.saves]

    def reads_saved(self, node: Node, one: Pass) -> bool:
        """Say whether *one* reads *node* from where an earlier pass kept it."""
        return any(node in p.saves for p in self.passes[: self.passes.index(one)])

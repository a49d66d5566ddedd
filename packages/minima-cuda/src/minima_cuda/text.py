"""Kernels as text: statements, the names in them, and how a program of them is launched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from minima.compiler.group import Cell
from minima.compiler.loops import Loop
from minima.compiler.scalar import Node

from .expressions import NAMES, SIZES, expression, number
from .sources import TYPES, header

if TYPE_CHECKING:
    from .printer import Printer

__all__ = ["NUMBERS", "Kernel", "Launch", "Printed", "Program", "Scratch", "Space", "number_source"]

NUMBERS = "numbers"  # the argument that holds the live numbers, as doubles


@dataclass(frozen=True)
class Printed:
    """The text of a module, as a `sources.Source` has it."""

    file: str
    text: str


class Scratch(NamedTuple):
    """Memory that a program needs while it runs: its number, the kind and number of elements."""

    place: int
    kind: str
    size: int


class Launch(NamedTuple):
    """A kernel of a program; *args* are cells, `Scratch` and `NUMBERS`."""

    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Program:
    """What a group is on a GPU: a module and launches in order."""

    source: Printed
    launches: tuple[Launch, ...]
    scratch: tuple[Scratch, ...]


def number_source(dtype: str) -> Printed:
    """Return a module whose ``number`` writes one of the live numbers to an array without axes."""
    storage, accumulator = TYPES[dtype]
    text = (
        f"KERNEL number(const double* numbers, {storage}* y, Int32 place) {{\n"
        f"  if (first_element() == 0) *y = store<{storage}>({accumulator}(numbers[place]));\n}}\n"
    )
    return Printed("number.cu", header("groups.cuh") + '#line 1 "number.cu"\n' + text)


class Space:
    """Loops as one, along which a flat index runs; *index* names it, and prefixes theirs."""

    def __init__(self, loops: Sequence[Loop], index: str) -> None:
        self.loops, self.index = list(loops), index
        self.size = prod(loop.size for loop in loops)
        many = len(self.loops) > 1
        self.names = [f"{index}{n}" if many else index for n in range(len(self.loops))]

    def lines(self) -> list[str]:
        """Return the statements that find the index of each loop."""
        found, rest = [], self.index
        for n in range(len(self.loops) - 1, 0, -1):
            size, left = self.loops[n].size, f"{self.index}_{n}" if n > 1 else self.names[0]
            found.append(f"const At {left} = {rest} / {size}, {self.names[n]} = {rest} % {size};")
            rest = left
        return found


class Kernel:
    """The text of one kernel as it grows, and what it uses of cells and scratch."""

    def __init__(self, printer: Printer, spaces: Sequence[Space] = ()) -> None:
        self.printer, self.spaces = printer, list(spaces)
        self.lines: list[str] = []
        self.known: dict[Node, str] = {}
        self.used: dict[Any, str] = {}
        self._depth = 1

    def do(self, *lines: str) -> None:
        """Append statements."""
        self.lines += ["  " * self._depth + line for line in lines]

    def block(self, head: str, body: Callable[[], None]) -> None:
        """Append a block; what is computed inside is not known behind it."""
        known = dict(self.known)
        self.do(f"{head} {{")
        self._depth += 1
        body()
        self._depth -= 1
        self.do("}")
        self.known = known

    # ---- memory ----------------------------------------------------------------------------------
    def at(self, key: Any, spaces: Sequence[Space] | None = None) -> str:
        """Return the element of the cell or scratch *key* at the indices of the *spaces*."""
        name = self.used.setdefault(key, self.printer.name(key))
        size = SIZES[self.printer.kind(key)]
        terms = [str(self.printer.behind(key) // size)] if self.printer.behind(key) else []
        for space in self.spaces if spaces is None else spaces:
            for loop, index in zip(space.loops, space.names):
                stride = loop.strides.get(key, 0) // size
                if stride:
                    terms.append(index if stride == 1 else f"{index} * {stride}")
        return f"{name}[{' + '.join(terms) or '0'}]"

    def store(self, cell: Cell, value: str) -> None:
        """Write *value* where the cell does not run along an axis only at that axis' first index.

        Otherwise many threads would write the one element.
        """
        others = [
            f"{index} == 0"
            for space in self.spaces
            for loop, index in zip(space.loops, space.names)
            if not loop.strides.get(cell, 0) and loop.size > 1
        ]
        test = f"if ({' && '.join(others)}) " if others else ""
        self.do(f"{test}{self.at(cell)} = {value};")

    # ---- values ----------------------------------------------------------------------------------
    def compute(self, nodes: Sequence[Node]) -> None:
        """Append the computation of *nodes*, which are in order, unless they are known."""
        for node in nodes:
            if node not in self.known and node.op not in ("const", "reduce"):
                name = self.known[node] = f"v{node.number}"
                self.do(f"const {NAMES[node.kind]} {name} = {self._term(node)};")

    def value(self, node: Node) -> str:
        """Return the name, or the number, that is *node*."""
        return number(node.attr, node.kind) if node.op == "const" else self.known[node]

    def _term(self, node: Node) -> str:
        if node.op == "load":
            return self.at(node.attr)
        if node.op == "number":
            self.used[NUMBERS] = NUMBERS
            return f"{NUMBERS}[{node.attr[0]}]"
        if node.op == "index":
            return f"Int64({self._index(node)})"
        return expression(node, [self.value(a) for a in node.args])

    def _index(self, node: Node) -> str:
        for space in self.spaces:
            for loop, index in zip(space.loops, space.names):
                if node.attr in loop.axes:
                    return index
        return "0"

    def text(self, name: str, most: int) -> str:
        """Return the kernel."""
        parameters = ", ".join(self.printer.parameter(key) for key in self.used)
        head = f"KERNEL __launch_bounds__({most})\n{name}({parameters}) {{"
        return "\n".join([head, *self.lines, "}", ""])

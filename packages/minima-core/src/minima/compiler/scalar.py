"""Scalar expressions: what one element of a fused group is computed from.

Nodes are shared: two that are equal are one. A `Node` varies over some axes of the group's domain;
one that varies over none is computed once, one that varies over the outer axes once for each row.

Operations: add sub mul div neg abs max min sqrt sigmoid sign pow; exp expm1 log log1p log2 log10
sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh atan2 hypot erf erfc; floor ceil trunc
rint; eq ne lt le gt ge not and or xor isnan isinf isfinite; select cast; and the leaves load (an
element of a buffer), const, number (a live one), index (along an axis) and reduce.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

__all__ = ["COSTLY", "KINDS", "LIBM", "Node", "Nodes", "Unfit", "kind_of"]

#: the element types that printers know, as NumPy abbreviates them
KINDS = frozenset("f4 f8 i4 i8 b1".split())
#: what C's library of mathematics has by this name
LIBM = frozenset(
    "exp expm1 log log1p log2 log10 sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh "
    "atan2 hypot erf erfc pow".split()
)
#: what is kept for a later pass over a row, rather than computed again
COSTLY = LIBM | {"div", "sqrt", "sigmoid"}
_FLOATING = COSTLY | frozenset("isnan isinf isfinite floor ceil trunc rint".split())
_LOGICAL = frozenset("not and or xor".split())
_ANY = frozenset("select eq ne".split())
_BOOLEAN = frozenset("eq ne lt le gt ge not and or xor isnan isinf isfinite".split())


class Unfit(Exception):
    """A step cannot be part of this group; never leaves the compiler."""


def kind_of(dtype: Any) -> str:
    """Return the kind of elements of *dtype*; raise Unfit when printers do not know it.

    >>> import numpy as np
    >>> kind_of(np.dtype("float32"))
    'f4'
    """
    kind: str = np.dtype(dtype).str[1:]
    if kind not in KINDS or not np.dtype(dtype).isnative:
        raise Unfit
    return kind


class Node:
    """One value of an expression: *op* of *args*, of elements of *kind*, varying over *axes*."""

    __slots__ = ("args", "attr", "axes", "costly", "kind", "number", "op")

    def __init__(
        self,
        number: int,
        op: str,
        args: tuple[Node, ...],
        attr: Any,
        kind: str,
        axes: frozenset[int],
    ) -> None:
        self.number, self.op, self.args, self.attr = number, op, args, attr
        self.kind, self.axes = kind, axes
        self.costly = op in COSTLY

    def __repr__(self) -> str:
        inside = ", ".join(f"%{a.number}" for a in self.args)
        return f"%{self.number}:{self.kind} = {self.op}({inside}{self.attr or ''})"


class Nodes:
    """Makes nodes, each only once."""

    def __init__(self) -> None:
        self.all: list[Node] = []
        self._known: dict[Hashable, Node] = {}

    def node(
        self,
        op: str,
        args: tuple[Node, ...],
        attr: Hashable,
        kind: str,
        axes: frozenset[int],
    ) -> Node:
        """Return the node that is described, a new one if there is none."""
        same = repr(attr) if op == "const" else attr  # 0.0 and -0.0 are equal, but not one
        key = (op, tuple(a.number for a in args), same, kind)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Node(len(self.all), op, args, attr, kind, axes)
            self.all.append(found)
        return found

    def const(self, value: float, kind: str) -> Node:
        """Return a number, written into the code."""
        number = bool(value) if kind == "b1" else int(value) if kind[0] == "i" else float(value)
        return self.node("const", (), number if number == number else "nan", kind, frozenset())

    def number(self, key: Hashable, place: int, kind: str) -> Node:
        """Return the live number with *key*, which is the *place*-th that the group is given."""
        wide = self.node("number", (), (place, key), "f8", frozenset())
        return self.cast(wide, kind)

    def cast(self, x: Node, kind: str) -> Node:
        """Return *x* as another kind of element."""
        if x.kind == kind:
            return x
        if x.op == "const" and x.attr != "nan":
            return self.const(x.attr, kind)
        return self.node("cast", (x,), None, kind, x.axes)

    def op(self, name: str, *args: Node) -> Node:
        """Return an operation on nodes of one kind (``select``: a condition and two of a kind)."""
        values = args[1:] if name == "select" else args
        kind = values[0].kind
        allowed = "b1" if name in _LOGICAL else "f4 f8" if name in _FLOATING else "f4 f8 i4 i8"
        if any(a.kind != kind for a in values) or (kind not in allowed and name not in _ANY):
            raise Unfit
        axes = frozenset[int]().union(*(a.axes for a in args))
        return self.node(name, args, None, "b1" if name in _BOOLEAN else kind, axes)

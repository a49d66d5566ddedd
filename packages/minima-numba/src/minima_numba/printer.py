"""Print a schedule in LLVM's language: one function, whose inner loops become vector code.

``k(table, low, high)`` runs the outermost loop from *low* to *high*. *table* holds the addresses of
the group's cells, then those of the rows that are kept, then the live numbers as doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minima.compiler.loops import LONG_SUM, Loop, Pass, Schedule
from minima.compiler.scalar import LIBM, Node

from .functions import TYPES, Code, call, combined, number

__all__ = ["SIZES", "combine_source", "kernel_source"]

SIZES = {"f4": 4, "f8": 8, "i4": 4, "i8": 8, "b1": 1}
_COMPARE = {"eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
_FLOAT = {"add": "fadd contract", "sub": "fsub contract", "mul": "fmul contract", "div": "fdiv"}
_INTEGER = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}
ROLLED = range(8, 33, 8)  # sizes of loops that LLVM would write out, though they make vectors
_CALLS = LIBM | {"sigmoid"}

Key = Any  # a cell, or the number of a node that is kept
Pointers = dict[Key, str]


def kernel_source(schedule: Schedule) -> str:
    """Return the text of the module with the function ``k`` of *schedule*."""
    return Printer(schedule).source()


def combine_source(how: str, kind: str) -> str:
    """Return a module whose ``k`` adds up, or takes the largest or smallest of, two buffers.

    The result goes into the first one.
    """
    code, element = Code(), "i8" if kind == "b1" else TYPES[kind]
    places = [code(f"getelementptr inbounds {element}, ptr %{p}, i64 %i") for p in "ab"]
    given = [code(f"load {element}, ptr {place}") for place in places]
    total = combined(code, how, kind, *given)
    code.do(f"store {element} {total}, ptr {places[0]}")
    lines = [
        "define void @k(ptr %table, i64 %low, i64 %high) nounwind {",
        "entry:",
        "  %second = getelementptr inbounds i64, ptr %table, i64 1",
        "  %a = load ptr, ptr %table",
        "  %b = load ptr, ptr %second",
        "  br label %loop",
        "loop:",
        "  %i = phi i64 [ %low, %entry ], [ %next, %loop ]",
        *code.lines,
        "  %next = add nsw i64 %i, 1",
        "  %more = icmp slt i64 %next, %high",
        "  br i1 %more, label %loop, label %done",
        "done:",
        "  ret void",
        "}",
    ]
    return "\n".join([*sorted(code.declared), *lines, ""])


class Printer:
    """Writes one kernel; see `kernel_source`."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.code = schedule, Code()
        self.group = schedule.group
        self.values: dict[Node, str] = {}
        self.kinds: dict[Key, str] = {c: c[3] for c in schedule.cells}
        self.kept = {n: ("kept", n.number) for n in schedule.saved}
        self.kinds.update({key: n.kind for n, key in self.kept.items()})
        self.keys: list[Key] = list(self.kinds)
        self.strides: dict[int, dict[Key, int]] = {
            id(loop): dict(loop.strides) for loop in self._loops()
        }
        self._place_kept()
        self.slots: list[str] = []  # stack variables, made at the function's entry
        self.block = "entry"
        self.rolled: list[str] = []  # what is said of loops behind the functions
        self._indices: dict[int, str] = {}  # the loop's variable of each axis

    def _loops(self) -> list[Loop]:
        return [*self.schedule.outer, *self.schedule.inner]

    def _place_kept(self) -> None:
        """Give the kept rows strides along the inner loops."""
        step = 1
        for loop in reversed(self.schedule.inner):
            for node, key in self.kept.items():
                self.strides[id(loop)][key] = step * SIZES[node.kind]
            step *= loop.size

    # ---- the whole -------------------------------------------------------------------------------
    def source(self) -> str:
        """Return the module."""
        self._body()
        takes = [f"ptr noalias %p{i}" for i in range(len(self.keys))]
        takes += [f"double %n{i}" for i in range(len(self.group.numbers))]
        takes += ["i64 %low", "i64 %high"]
        body = [
            f"define internal void @body({', '.join(takes)}) alwaysinline nounwind {{",
            "entry:",
        ]
        body += [*self.slots, *self.code.lines, "  ret void", "}"]
        lines = ["define void @k(ptr %table, i64 %low, i64 %high) nounwind {"]
        names = []
        for i in range(len(self.keys) + len(self.group.numbers)):
            real = i >= len(self.keys)
            kind, name = ("double", f"%d{i}") if real else ("ptr", f"%a{i}")
            lines.append(f"  %t{i} = getelementptr inbounds i64, ptr %table, i64 {i}")
            lines.append(f"  {name} = load {kind}, ptr %t{i}")
            names.append(f"{kind} {name}" if real else f"ptr noalias {name}")
        names += ["i64 %low", "i64 %high"]
        lines += [f"  call void @body({', '.join(names)})", "  ret void", "}"]
        return "\n".join([*sorted(self.code.declared), *body, *lines, *self.rolled, ""])

    def _body(self) -> None:
        base = {key: f"%p{i}" for i, key in enumerate(self.keys)}
        for node in self.schedule.scalars:
            self._compute(node, base)
        for cell in self.schedule.scalar_stores:
            self._store(cell, self.schedule.stores[cell], base)
        for one in self.schedule.passes:
            for cell in one.sums:
                self._clear(cell, base)
        for cell in self.schedule.row_sums:
            self._clear(cell, base)
        self._nest(self.schedule.outer, base, self._row, outermost=True)

    def _row(self, base: Pointers) -> None:
        """Write what happens for one index of the outer axes."""
        outside = dict(self.values)
        for one in self.schedule.passes:
            for node in one.values:
                self._compute(node, base)
            if one.elements or one.stores or one.sums:
                self._pass(one, base)
        for cell in self.schedule.row_sums:
            self._combine_into(cell, base)
        stores = self.schedule.row_stores
        for cell in stores:
            self._compute(self.schedule.stores[cell], base)
        for cell in stores:
            self._store(cell, self.schedule.stores[cell], base)
        self.values = outside

    def _pass(self, one: Pass, base: Pointers) -> None:
        """Write one walk along the row."""
        slots = {node: self._slot(node) for node in one.reduces}
        alone = not self.schedule.outer and self.group.rows is None
        last = self.schedule.inner[-1] if self.schedule.inner else None
        held = [c for c in one.sums if last is not None and not last.strides[c]]
        sums = {cell: self._slot(self.schedule.stores[cell]) for cell in held}

        def element(pointers: Pointers) -> None:
            known = dict(self.values)
            for node in one.elements:
                if node in self.kept and self.schedule.reads_saved(node, one):
                    self.values[node] = self._read(self.kept[node], pointers)
                else:
                    self._compute(node, pointers)
            for node, slot in slots.items():
                self._combine(node, slot)
            for cell in one.sums:
                if cell in sums:
                    self._combine(self.schedule.stores[cell], sums[cell])
                else:
                    self._combine_into(cell, pointers)
            for node in one.saves:
                self._write(self.kept[node], self.values[node], pointers)
            for cell in one.stores:
                self._store(cell, self.schedule.stores[cell], pointers)
            self.values = known

        def around(inner: Callable[[], None], pointers: Pointers) -> None:
            for cell, slot in sums.items():
                self._start(self.schedule.stores[cell], slot)
            inner()
            for cell, slot in sums.items():
                self._add_slot(cell, slot, pointers)

        self._nest(self.schedule.inner, base, element, outermost=alone, around=around)
        for node, slot in slots.items():
            self.values[node] = self._finish(node, slot)

    # ---- loops -----------------------------------------------------------------------------------
    def _nest(
        self,
        loops: list[Loop],
        base: Pointers,
        body: Callable[[Pointers], None],
        *,
        outermost: bool = False,
        around: Callable[[Callable[[], None], Pointers], None] | None = None,
    ) -> None:
        """Write nested loops; *around* is put around the innermost of them."""
        if not loops:
            if around is None:
                body(base)
            else:
                around(lambda: body(base), base)
            return
        loop, rest = loops[0], loops[1:]

        def inner(index: str) -> None:
            self._nest(rest, self._moved(base, loop, index), body, around=around if rest else None)

        low, high = ("%low", "%high") if outermost else ("0", str(loop.size))
        if around is not None and not rest:
            around(lambda: self._loop(low, high, loop, inner), base)
        else:
            self._loop(low, high, loop, inner)

    def _loop(self, low: str, high: str, loop: Loop, body: Callable[[str], None]) -> None:
        code = self.code
        label = code.name()[1:]
        index, after, test = (code.name() for _ in range(3))
        before = self.block
        code.do(f"br label %{label}")
        code.lines.append(f"{label}:")
        code.do(f"{index} = phi i64 [ {low}, %{before} ], [ {after}, %{label}e ]")
        self.block = label
        self._indices |= dict.fromkeys(loop.axes, index)
        body(index)
        code.do(f"br label %{label}e")
        code.lines.append(f"{label}e:")
        code.do(f"{after} = add nsw i64 {index}, 1")
        code.do(f"{test} = icmp slt i64 {after}, {high}")
        short = loop is self._innermost() and loop.size in ROLLED
        whole = self._rolled() if short else ""
        code.do(f"br i1 {test}, label %{label}, label %{label}x{whole}")
        code.lines.append(f"{label}x:")
        self.block = f"{label}x"

    def _innermost(self) -> Loop | None:
        """Return the innermost loop, if there is one around it."""
        loops = self._loops()
        return loops[-1] if len(loops) > 1 else None

    def _rolled(self) -> str:
        """Return the mark of a loop that is not to be written out.

        It is to become vectors itself, and not the loop around it, with elements gathered.
        """
        number = len(self.rolled)
        self.rolled += [
            f"!{number} = distinct !{{!{number}, !{number + 1}}}",
            f'!{number + 1} = !{{!"llvm.loop.unroll.disable"}}',
        ]
        return f", !llvm.loop !{number}"

    def _moved(self, base: Pointers, loop: Loop, index: str) -> Pointers:
        """Return the pointers at *index* of *loop*."""
        moved = dict(base)
        for key, stride in self.strides[id(loop)].items():
            if stride and key in base:
                size = SIZES[self.kinds[key]]
                unit, count = ("i8", stride) if stride % size else (f"i{8 * size}", stride // size)
                at = index if count == 1 else self.code(f"mul nsw i64 {index}, {count}")
                moved[key] = self.code(f"getelementptr inbounds {unit}, ptr {base[key]}, i64 {at}")
        return moved

    # ---- memory ----------------------------------------------------------------------------------
    def _read(self, key: Key, pointers: Pointers) -> str:
        kind = self.kinds[key]
        if kind == "b1":
            return self.code(f"icmp ne i8 {self.code(f'load i8, ptr {pointers[key]}')}, 0")
        return self.code(f"load {TYPES[kind]}, ptr {pointers[key]}")

    def _write(self, key: Key, value: str, pointers: Pointers) -> None:
        kind = self.kinds[key]
        if kind == "b1":
            value = self.code(f"zext i1 {value} to i8")
        name = "i8" if kind == "b1" else TYPES[kind]
        self.code.do(f"store {name} {value}, ptr {pointers[key]}")

    def _store(self, key: Key, node: Node, pointers: Pointers) -> None:
        self._write(key, self._value(node), pointers)

    # ---- reductions ------------------------------------------------------------------------------
    def _wide(self, node: Node) -> str:
        """Return the kind in which *node*, a reduction, is taken."""
        exact = node.attr[0] == "sum" and node.kind == "f4" and self.schedule.row > LONG_SUM
        return "f8" if exact else node.kind

    def _slot(self, node: Node) -> str:
        name = self.code.name()
        self.slots.append(f"  {name} = alloca {TYPES[self._wide(node)]}")
        self._start(node, name)
        return name

    def _start(self, node: Node, slot: str) -> None:
        kind = self._wide(node)
        self.code.do(f"store {TYPES[kind]} {_identity(node.attr[0], kind)}, ptr {slot}")

    def _combine(self, node: Node, slot: str) -> None:
        kind = self._wide(node)
        value = self._converted(self._value(node.args[0]), node.kind, kind)
        old = self.code(f"load {TYPES[kind]}, ptr {slot}")
        new = combined(self.code, node.attr[0], kind, old, value)
        self.code.do(f"store {TYPES[kind]} {new}, ptr {slot}")

    def _finish(self, node: Node, slot: str) -> str:
        kind = self._wide(node)
        return self._converted(self.code(f"load {TYPES[kind]}, ptr {slot}"), kind, node.kind)

    def _add_slot(self, cell: Key, slot: str, pointers: Pointers) -> None:
        node = self.schedule.stores[cell]
        total = self._finish(node, slot)
        old = self._read(cell, pointers)
        self._write(cell, combined(self.code, node.attr[0], node.kind, old, total), pointers)

    def _combine_into(self, cell: Key, pointers: Pointers) -> None:
        node = self.schedule.stores[cell]
        old = self._read(cell, pointers)
        value = self._value(node.args[0])
        self._write(cell, combined(self.code, node.attr[0], node.kind, old, value), pointers)

    def _clear(self, cell: Key, base: Pointers) -> None:
        """Write loops that set what is summed up in memory to its first value."""
        node = self.schedule.stores[cell]
        loops = [loop for loop in self._loops() if loop.strides[cell]]
        first = _identity(node.attr[0], node.kind)
        self._nest(loops, {cell: base[cell]}, lambda at: self._write(cell, first, at))

    # ---- values ----------------------------------------------------------------------------------
    def _value(self, node: Node) -> str:
        if node.op == "const":
            return number(node.attr, node.kind)
        return self.values[node]

    def _compute(self, node: Node, pointers: Pointers) -> None:
        if node not in self.values and node.op != "const":
            self.values[node] = self._instruction(node, pointers)

    def _instruction(self, node: Node, pointers: Pointers) -> str:
        op, kind, code = node.op, node.kind, self.code
        if op == "load":
            return self._read(node.attr, pointers)
        if op == "number":
            return f"%n{node.attr[0]}"
        if op == "index":
            return self._indices[node.attr] if node.axes else "0"
        args = [self._value(a) for a in node.args]
        given = node.args[-1].kind
        name = TYPES[given]
        if op == "cast":
            return self._converted(args[0], given, kind)
        if op == "select":
            return code(f"select i1 {args[0]}, {name} {args[1]}, {name} {args[2]}")
        if op in _COMPARE:
            if given[0] == "f":
                how = "une" if op == "ne" else f"o{op}"
                return code(f"fcmp {how} {name} {args[0]}, {args[1]}")
            sign = "" if op in ("eq", "ne") else "s"
            return code(f"icmp {sign}{op} {name} {args[0]}, {args[1]}")
        if op in ("max", "min"):
            return combined(code, op, kind, *args)
        if op in _CALLS:
            return call(code, op, kind, *args)
        if op in _FLOAT and kind[0] == "f":
            return code(f"{_FLOAT[op]} {name} {args[0]}, {args[1]}")
        if op in _INTEGER:
            return code(f"{_INTEGER[op]} {name} {args[0]}, {args[1]}")
        return self._other(op, given, args)

    def _other(self, op: str, kind: str, args: list[str]) -> str:
        """Return the operations of one argument."""
        code, name, (x,) = self.code, TYPES[kind], args
        bits = SIZES[kind] * 8
        zero = number(0, kind)
        if op == "not":
            return code(f"xor i1 {x}, true")
        if op == "neg":
            return code(f"fneg {name} {x}" if kind[0] == "f" else f"sub {name} 0, {x}")
        if op in ("sqrt", "floor", "ceil", "trunc", "rint"):
            return code.external(f"llvm.{op}.f{bits}", kind, x)
        if op == "isnan":
            return code(f"fcmp uno {name} {x}, {x}")
        if op in ("isinf", "isfinite"):
            size = code.external(f"llvm.fabs.f{bits}", kind, x)
            how = "oeq" if op == "isinf" else "olt"
            return code(f"fcmp {how} {name} {size}, {number(float('inf'), kind)}")
        real = kind[0] == "f"
        greater, less = ("fcmp ogt", "fcmp olt") if real else ("icmp sgt", "icmp slt")
        below = code(f"{less} {name} {x}, {zero}")
        if op == "abs" and real:
            return code.external(f"llvm.fabs.f{bits}", kind, x)
        if op == "abs":
            return code(f"select i1 {below}, {name} {code(f'sub {name} 0, {x}')}, {name} {x}")
        above = code(f"{greater} {name} {x}, {zero}")  # sign: what is neither is 0 or NaN
        rest = code(f"select i1 {below}, {name} {number(-1, kind)}, {name} {x}")
        return code(f"select i1 {above}, {name} {number(1, kind)}, {name} {rest}")

    def _converted(self, x: str, given: str, kind: str) -> str:
        if given == kind:
            return x
        source, target = TYPES[given], TYPES[kind]
        if given[0] == kind[0] == "f":
            return self.code(f"{'fpext' if given == 'f4' else 'fptrunc'} {source} {x} to {target}")
        if kind[0] == "f":
            how = "uitofp" if given == "b1" else "sitofp"
        else:
            how = "zext" if given == "b1" else "sext" if given == "i4" else "trunc"
        return self.code(f"{how} {source} {x} to {target}")


def _identity(how: str, kind: str) -> str:
    if how == "sum":
        return number(0, kind)
    if kind[0] == "f":
        return number(float("-inf" if how == "max" else "inf"), kind)
    bits = SIZES[kind] * 8 - 1
    return str(-(2**bits) if how == "max" else 2**bits - 1)

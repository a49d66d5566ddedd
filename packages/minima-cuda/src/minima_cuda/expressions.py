"""Scalar expressions of a fused group as C++."""

from __future__ import annotations

import numpy as np

from minima.compiler.scalar import LIBM, Node

__all__ = ["COMBINE", "NAMES", "SIZES", "expression", "identity", "number"]

#: kinds of elements -> C++'s name, in registers and in memory, and their bytes
NAMES = {"f4": "float", "f8": "double", "i4": "Int32", "i8": "Int64", "b1": "bool"}
SIZES = {"f4": 4, "f8": 8, "i4": 4, "i8": 8, "b1": 1}
#: reductions -> the function object of common.cuh that combines two values
COMBINE = {"sum": "Sum()", "max": "Max()", "min": "Min()"}

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "eq": "==", "ne": "!=", "lt": "<", "le": "<=",
    "gt": ">", "ge": ">=", "and": "&", "or": "|", "xor": "^",
}  # fmt: skip
_SAME = LIBM | frozenset("sqrt floor ceil trunc rint".split())
_FORMS = {
    "neg": "-{0}",
    "not": "!{0}",
    "select": "{0} ? {1} : {2}",
    "sigmoid": "logistic({0})",
    "sign": "sign_of({0})",
    "isnan": "{0} != {0}",
    "isinf": "fabs({0}) == endless<{kind}>()",
    "isfinite": "fabs({0}) < endless<{kind}>()",
}


def number(value: float | str, kind: str) -> str:
    """Return a constant, exact.

    >>> number(0.5, "f4"), number(-1, "i8"), number("nan", "f8")
    ('0x1.0000000000000p-1f', 'Int64(-1)', 'no_number<double>()')
    """
    name = NAMES[kind]
    if kind == "b1":
        return "true" if value else "false"
    if kind[0] == "i":
        least = -(2 ** (SIZES[kind] * 8 - 1))
        return f"{name}({least + 1} - 1)" if value == least else f"{name}({int(value)})"
    with np.errstate(over="ignore"):
        real = float(np.dtype(kind).type(value))
    if real != real:
        return f"no_number<{name}>()"
    if real in (float("inf"), float("-inf")):
        return f"{'-' if real < 0 else ''}endless<{name}>()"
    return real.hex() + "f" * (kind == "f4")


def identity(how: str, kind: str) -> str:
    """Return what a "sum", "max" or "min" begins with."""
    if how == "sum":
        return number(0, kind)
    if kind[0] == "f":
        return number(float("-inf" if how == "max" else "inf"), kind)
    bits = SIZES[kind] * 8 - 1
    return number(-(2**bits) if how == "max" else 2**bits - 1, kind)


def expression(node: Node, args: list[str]) -> str:
    """Return the operation of *node* on the names *args*."""
    op, name = node.op, NAMES[node.args[-1].kind]
    if op == "cast":
        return f"{NAMES[node.kind]}({args[0]})"
    if op == "abs":
        return f"{'fabs' if node.kind[0] == 'f' else 'size_of'}({args[0]})"
    if op in ("max", "min"):
        return f"{COMBINE[op]}({args[0]}, {args[1]})"
    if op == "xor" and node.kind == "b1":
        return f"{args[0]} != {args[1]}"
    if op in _BINARY:
        return f"{args[0]} {_BINARY[op]} {args[1]}"
    if op in _SAME:
        return f"{op}({', '.join(args)})"
    return _FORMS[op].format(*args, kind=name)

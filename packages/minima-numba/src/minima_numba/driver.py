"""The code around kernels: run a list of them in one call, and multiply matrices through BLAS.

A program is an array of records of four 64-bit words: the address of a function, that of its
table, and the range that it runs over.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from .jit import address_of

__all__ = ["CALL", "WORDS", "Gemm", "copier", "gemm", "run_once", "runner"]

WORDS = 4  # of a record

#: what runs record number %i of a %program
CALL = """%at = mul i64 %i, 4
  %f = getelementptr i64, ptr %program, i64 %at
  %t = getelementptr i64, ptr %f, i64 1
  %l = getelementptr i64, ptr %f, i64 2
  %h = getelementptr i64, ptr %f, i64 3
  %function = load ptr, ptr %f
  %table = load ptr, ptr %t
  %low = load i64, ptr %l
  %high = load i64, ptr %h
  call void %function(ptr %table, i64 %low, i64 %high)"""

_RUN = """
define void @run(ptr %program, i64 %count) nounwind {
entry:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %done, label %step
step:
  %i = phi i64 [ 0, %entry ], [ %next, %step ]
  CALL
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %step, label %done
done:
  ret void
}
""".replace("CALL", CALL)

#: table: triples of where to, where from, and what to add
_COPY = """
define void @copy(ptr %table, i64 %low, i64 %high) nounwind {
entry:
  br label %step
step:
  %i = phi i64 [ %low, %entry ], [ %next, %step ]
  %at = mul i64 %i, 3
  %a = getelementptr i64, ptr %table, i64 %at
  %b = getelementptr i64, ptr %a, i64 1
  %c = getelementptr i64, ptr %a, i64 2
  %to = load ptr, ptr %a
  %from = load ptr, ptr %b
  %more = load i64, ptr %c
  %word = load i64, ptr %from
  %sum = add i64 %word, %more
  store i64 %sum, ptr %to
  %next = add i64 %i, 1
  %again = icmp slt i64 %next, %high
  br i1 %again, label %step, label %done
done:
  ret void
}
"""

#: table: gemm, flags of a and b, m, n, k, a, lda, b, ldb, c, ldc, bytes from matrix to matrix of
#: a, b, c, how many make a stack, bytes from stack to stack; it runs over all matrices
_GEMM = """
define void @{name}(ptr %t, i64 %low, i64 %high) nounwind {{
entry:
{loads}
  br label %step
step:
  %i = phi i64 [ %low, %entry ], [ %next, %step ]
  %stack = udiv i64 %i, %x15
  %which = urem i64 %i, %x15
  %na = mul i64 %which, %x12
  %nb = mul i64 %which, %x13
  %nc = mul i64 %which, %x14
  %sa = mul i64 %stack, %x16
  %sb = mul i64 %stack, %x17
  %sc = mul i64 %stack, %x18
  %oa = add i64 %na, %sa
  %ob = add i64 %nb, %sb
  %oc = add i64 %nc, %sc
  %a = getelementptr i8, ptr %x6, i64 %oa
  %b = getelementptr i8, ptr %x8, i64 %ob
  %c = getelementptr i8, ptr %x10, i64 %oc
  call void %x0(i32 101, i32 %f1, i32 %f2, {int} %m, {int} %n, {int} %k, {type} {one}, ptr %a,
    {int} %lda, ptr %b, {int} %ldb, {type} 0.0, ptr %c, {int} %ldc)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %high
  br i1 %more, label %step, label %done
done:
  ret void
}}
"""
_POINTERS = (0, 6, 8, 10)
_WIDTHS = {3: "m", 4: "n", 5: "k", 7: "lda", 9: "ldb", 11: "ldc"}


def _gemm_source(name: str, kind: str, width: int) -> str:
    loads = []
    for i in range(19):
        loads.append(f"  %p{i} = getelementptr i64, ptr %t, i64 {i}")
        loads.append(f"  %x{i} = load {'ptr' if i in _POINTERS else 'i64'}, ptr %p{i}")
    loads += [f"  %f{i} = trunc i64 %x{i} to i32" for i in (1, 2)]
    for i, short in _WIDTHS.items():
        how = "trunc i64 %x{} to i32" if width == 32 else "add i64 %x{}, 0"
        loads.append(f"  %{short} = {how.format(i)}")
    return _GEMM.format(name=name, loads="\n".join(loads), int=f"i{width}", type=kind, one="1.0")


@cache
def runner() -> Any:
    """Return ``run(address of a program, number of records)``, which lets other threads run."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address_of(_RUN, "run"))


def run_once(function: int, table: int, count: int) -> None:
    """Run one kernel over 0 .. *count* - 1."""
    program = np.array([function, table, 0, count], np.int64)
    runner()(program.ctypes.data, 1)


@cache
def copier() -> int:
    """Return the address of the function that copies words to where a table says."""
    return address_of(_COPY, "copy")


class Gemm:
    """The matrix product of NumPy's BLAS: *address* of what calls it, its *function*."""

    def __init__(self, address: int, function: int) -> None:
        self.address, self.function = address, function


_NAMES = (("scipy_cblas_{}64_", 64), ("cblas_{}64_", 64), ("cblas_{}", 32), ("scipy_cblas_{}", 32))


@cache
def gemm(kind: str) -> Gemm | None:
    """Return the product of matrices of "f4" or "f8", None where NumPy's BLAS cannot be called."""
    routine, name = ("sgemm", "float") if kind == "f4" else ("dgemm", "double")
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    for pattern, width in _NAMES:
        try:
            function = ctypes.cast(getattr(library, pattern.format(routine)), ctypes.c_void_p).value
        except AttributeError:
            continue
        address = address_of(_gemm_source("gemm", name, width), "gemm")
        found = Gemm(address, function or 0)
        return found if _right(found, np.dtype(kind)) else None
    return None


def _right(found: Gemm, dtype: Any) -> bool:
    """Say whether *found* gives NumPy's result."""
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 5)).astype(dtype), rng.random((4, 5)).astype(dtype)
    c, size = np.zeros((3, 4), dtype), dtype.itemsize
    table = np.array(
        [
            *(found.function, 111, 112, 3, 4, 5),
            *(a.ctypes.data, 5, b.ctypes.data, 5, c.ctypes.data, 4),
            *(a.size * size, b.size * size, c.size * size, 1, 0, 0, 0),
        ],
        np.int64,
    )
    run_once(found.address, table.ctypes.data, 1)
    return bool(np.allclose(c, a @ b.T, rtol=1e-5))

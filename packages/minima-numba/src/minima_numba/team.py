"""Threads that wait for stages of a program while it runs, so that sharing one costs little.

While a program with stages runs, threads of minima's pool look again and again whether a stage is
open, and take parts of it in turn. When it ends they go back to the pool. A thread that wakes up
late finds no part left, or no program; nobody waits for it.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from minima.threads import lend

from .driver import CALL, runner
from .jit import address_of

__all__ = ["Team", "stage"]

_LINE = 8  # words: what threads write to lies in cache lines of its own
#: words of a team's state: whether a stage is open, its records, how many; the next part; who works
#: on one; which program has ended; the function that yields
_OPEN, _RECORDS, _COUNT, _NEXT, _ACTIVE, _ENDED, _YIELD = (
    0,
    1,
    2,
    _LINE,
    2 * _LINE,
    3 * _LINE,
    3 * _LINE + 1,
)
_WORDS = 4 * _LINE

_SOURCE = """
{declare}

define internal void @rest(ptr %state, i64 %turn) nounwind {{
entry:
  {pause}
  %low = and i64 %turn, 1023
  %often = icmp eq i64 %low, 1023
  br i1 %often, label %yield, label %done
yield:
  %place = getelementptr i64, ptr %state, i64 {yields}
  %f = load ptr, ptr %place
  %none = icmp eq ptr %f, null
  br i1 %none, label %done, label %give
give:
  %ignored = call i32 %f()
  br label %done
done:
  ret void
}}

define internal void @take(ptr %state) nounwind {{
entry:
  %p1 = getelementptr i64, ptr %state, i64 {records}
  %p2 = getelementptr i64, ptr %state, i64 {count}
  %next = getelementptr i64, ptr %state, i64 {next}
  %program = load ptr, ptr %p1
  %count = load i64, ptr %p2
  br label %look
look:
  %i = atomicrmw add ptr %next, i64 1 seq_cst
  %more = icmp slt i64 %i, %count
  br i1 %more, label %work, label %done
work:
  {call}
  br label %look
done:
  ret void
}}

define void @stage(ptr %table, i64 %low, i64 %high) nounwind {{
entry:
  %second = getelementptr i64, ptr %table, i64 1
  %state = load ptr, ptr %table
  %list = load ptr, ptr %second
  %p1 = getelementptr i64, ptr %state, i64 {records}
  %p2 = getelementptr i64, ptr %state, i64 {count}
  %next = getelementptr i64, ptr %state, i64 {next}
  %active = getelementptr i64, ptr %state, i64 {active}
  store ptr %list, ptr %p1
  store i64 %high, ptr %p2
  store atomic i64 0, ptr %next seq_cst, align 8
  store atomic i64 1, ptr %state seq_cst, align 8
  call void @take(ptr %state)
  store atomic i64 0, ptr %state seq_cst, align 8
  br label %wait
wait:
  %turn = phi i64 [ 0, %entry ], [ %after, %again ]
  %busy = load atomic i64, ptr %active seq_cst, align 8
  %free = icmp eq i64 %busy, 0
  br i1 %free, label %done, label %again
again:
  %after = add i64 %turn, 1
  call void @rest(ptr %state, i64 %turn)
  br label %wait
done:
  ret void
}}

define void @serve(ptr %state, i64 %program) nounwind {{
entry:
  %count.p = getelementptr i64, ptr %state, i64 {count}
  %next = getelementptr i64, ptr %state, i64 {next}
  %active = getelementptr i64, ptr %state, i64 {active}
  %ended = getelementptr i64, ptr %state, i64 {ended}
  br label %look
look:
  %turn = phi i64 [ 0, %entry ], [ %after, %again ], [ 0, %leave ]
  %open = load atomic i64, ptr %state seq_cst, align 8
  %closed = icmp eq i64 %open, 0
  br i1 %closed, label %idle, label %left
left:
  %taken = load atomic i64, ptr %next seq_cst, align 8
  %count = load atomic i64, ptr %count.p monotonic, align 8
  %some = icmp slt i64 %taken, %count
  br i1 %some, label %enter, label %idle
enter:
  %one = atomicrmw add ptr %active, i64 1 seq_cst
  %still = load atomic i64, ptr %state seq_cst, align 8
  %gone = icmp eq i64 %still, 0
  br i1 %gone, label %leave, label %work
work:
  call void @take(ptr %state)
  br label %leave
leave:
  %less = atomicrmw sub ptr %active, i64 1 seq_cst
  br label %look
idle:
  %last = load atomic i64, ptr %ended seq_cst, align 8
  %over = icmp sge i64 %last, %program
  br i1 %over, label %done, label %again
again:
  %after = add i64 %turn, 1
  call void @rest(ptr %state, i64 %turn)
  br label %look
done:
  ret void
}}
"""


@cache
def _source() -> str:
    processor = llvm.get_default_triple().split("-")[0]
    declare, pause = "", ""
    if processor in ("x86_64", "i686"):
        declare, pause = "declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"
    elif processor in ("aarch64", "arm64"):
        declare = "declare void @llvm.aarch64.hint(i32)"
        pause = "call void @llvm.aarch64.hint(i32 1)"
    return _SOURCE.format(
        call=CALL,
        declare=declare,
        pause=pause,
        records=_RECORDS,
        count=_COUNT,
        next=_NEXT,
        active=_ACTIVE,
        ended=_ENDED,
        yields=_YIELD,
    )


@cache
def _serve() -> Any:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address_of(_source(), "serve"))


@cache
def _yielder() -> int:
    """Return the address of what gives the processor to another thread, 0 where there is none."""
    name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
    try:
        library = ctypes.windll.kernel32 if sys.platform == "win32" else ctypes.CDLL(None)  # type: ignore[attr-defined,unused-ignore]
        return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
    except (AttributeError, OSError):
        return 0


@cache
def stage() -> int:
    """Return the address of the function of a stage's record.

    Table: the team's state, the address of the records that run at the same time. It runs over
    these.
    """
    return address_of(_source(), "stage")


class Team:
    """Who works on the stages of one plan's programs; *state* is the address of what they share."""

    def __init__(self) -> None:
        block = np.zeros(_WORDS + _LINE, np.int64)
        skipped = -(block.ctypes.data // 8) % _LINE
        self._words = block[skipped : skipped + _WORDS]
        self._words[_YIELD] = _yielder()
        self.state = int(self._words.ctypes.data)
        self._programs = 0

    def run(self, program: int, count: int, most: int) -> None:
        """Run the records of *program*, some of them stages that *most* threads may share."""
        self._programs += 1
        number, serve, run = self._programs, _serve(), runner()

        def work() -> None:
            try:
                run(program, count)
            finally:
                self._words[_ENDED] = number

        lend(lambda: serve(self.state, number), work, most - 1)

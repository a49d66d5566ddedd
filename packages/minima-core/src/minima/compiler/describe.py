"""A plan in words: kernels, buffers, bytes, times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .cost import flops, moved, parts, phase, predicted, speeds
from .plan import Plan, Step, Value

__all__ = ["describe"]

WIDTH = 44  # of a fused kernel's name


def describe(plan: Plan) -> str:
    """Return the text of `Plan.describe`."""
    steps = plan.launches()
    return "\n".join([_summary(plan, steps), "", *_kernels(plan, steps), "", *_buffers(plan)])


def short(line: str) -> str:
    """Return ``file:line`` with the folder left out.

    >>> short("/home/me/train.py:12")
    'train.py:12'
    """
    return Path(line).name


def label(step: Step) -> str:
    """Return the name of a kernel; a fused one's is that of its operators, cut where it is long."""
    return step.name if len(step.name) <= WIDTH else step.name[: WIDTH - 3] + "..."


def _summary(plan: Plan, steps: Sequence[Step]) -> str:
    fused = [parts(s) for s in steps if len(parts(s)) > 1]
    known = speeds()
    text = f"plan on {plan.device}: {len(steps)} kernels"
    if fused:
        text += f", {len(fused)} of them fused from {sum(map(len, fused))} operators"
    return (
        f"{text}; {plan.planned_bytes:,} bytes of its own\n"
        f"predicted at {known.bandwidth / 1e9:.1f} GB/s and {known.products / 1e9:.0f} GFLOP/s, "
        "as measured here"
    )


def _kernels(plan: Plan, steps: Sequence[Step]) -> list[str]:
    rows = [
        ["", "kernel", "operators", "phase", "result", "bytes", "flops", "predicted us",
         "measured us", "line"]
    ]  # fmt: skip
    watch = plan.stopwatch
    for i, step in enumerate(steps):
        mean = None if watch is None else watch.mean(i)
        rows.append(
            [
                str(i),
                label(step),
                str(len(parts(step))),
                phase(step),
                ", ".join(map(_kind, step.writes())),
                f"{moved(step):,}",
                f"{flops(step):,}",
                f"{predicted(step) * 1e6:.1f}",
                "-" if mean is None else f"{mean * 1e6:.1f}",
                short(step.line),
            ]
        )
    taken = "-" if watch is None else f"{sum(watch.seconds) / watch.replays * 1e6:.1f}"
    sums = [
        "",
        "all",
        str(sum(len(parts(s)) for s in steps)),
        "",
        "",
        f"{sum(map(moved, steps)):,}",
        f"{sum(map(flops, steps)):,}",
        f"{sum(map(predicted, steps)) * 1e6:.1f}",
        taken,
        "",
    ]
    return columns([*rows, sums], left=(1, 3, 4, 9))


def _kind(value: Value) -> str:
    return f"{value.dtype}{list(value.shape)}"


def _buffers(plan: Plan) -> list[str]:
    """Return where each value of the plan's own lies and from which kernel to which."""
    lives: dict[Value, list[int]] = {}
    for i, step in enumerate(plan.launches()):
        for value in (*step.reads(), *step.writes()):
            lives.setdefault(value.root, []).append(i)
    own = {v: use for v, use in lives.items() if v.kind == "temp"}
    start = min((v.slot.ctypes.data for v in own if hasattr(v.slot, "ctypes")), default=0)
    rows = [["buffer", "kind", "bytes", "at", "kernels"]]
    for value, use in own.items():
        at = f"{value.slot.ctypes.data - start:,}" if hasattr(value.slot, "ctypes") else "-"
        rows.append(
            [f"%{value.number}", _kind(value), f"{value.nbytes:,}", at, f"{use[0]}-{use[-1]}"]
        )
    words = [
        f"{len(own)} buffers of {sum(v.nbytes for v in own):,} bytes share "
        f"{plan.planned_bytes:,}; outside of the plan:"
    ]
    for kind, name in (("input", "arguments"), ("external", "parameters, state and constants")):
        found = [v for v in lives if v.kind == kind]
        words.append(f"  {len(found)} {name} of {sum(v.nbytes for v in found):,} bytes")
    return [*words, "", *columns(rows, left=(0, 1, 4))]


def columns(rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    """Return *rows* with their cells below each other; columns in *left* begin at the left.

    >>> columns([["a", "1"], ["bb", "22"]], left=[0])
    ['a    1', 'bb  22']
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]

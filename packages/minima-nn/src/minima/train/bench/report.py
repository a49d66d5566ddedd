"""Tables of a measurement, in Markdown and reStructuredText; every number comes from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from minima.train.bench.workloads import WORKLOADS

__all__ = ["Table", "markdown", "rst", "tables"]

MODES = {"train": "training step", "infer": "inference", "single": "one sample"}
Row = dict[str, Any]


@dataclass
class Table:
    """A title, a header, lines of cells, and remarks below."""

    title: str
    header: list[str]
    lines: list[list[str]]
    remarks: list[str] = field(default_factory=list)

    def remark(self, text: str) -> str:
        """Return the sign of a remark, which is added if it is new."""
        if text not in self.remarks:
            self.remarks.append(text)
        return f"[{self.remarks.index(text) + 1}]"


def tables(rows: Sequence[Row], peers: Iterable[str] = ()) -> list[Table]:
    """Return the tables of *rows*, as `compare` returns them; *peers* names the others.

    >>> row = {"workload": "mlp-small", "mode": "train", "contender": "minima eager", "note": "",
    ...        "median": 5e-4, "low": 4e-4, "high": 6e-4, "first": 0.1, "bytes": 2**20}
    >>> print(markdown(tables([row])[0]))
    | workload | what | minima eager |
    |---|---|---:|
    | MLP 64-32-10, batch 32 | training step | 500 ±20% |
    """
    names = list(dict.fromkeys(row["contender"] for row in rows))
    others = [name for name in names if name in set(peers)]
    return [_times(rows, names, others), *_details(rows, names)]


def _times(rows: Sequence[Row], names: list[str], others: list[str]) -> Table:
    ours = [n for n in names if n not in others] if others else names[1:]
    against = "best peer" if others else names[0]
    header = ["workload", "what", *names, *(f"{_short(n)} / {against}" for n in ours)]
    table = Table("Microseconds of one call (median of rounds, half of their spread)", header, [])
    for (workload, mode), found in _grouped(rows).items():
        rivals = others or names[:1]
        medians = [found[n]["median"] for n in rivals if "median" in found.get(n, {})]
        cells = [_time(table, found.get(n)) for n in names]
        for name in ours:
            median = found.get(name, {}).get("median")
            cells.append(f"{median / min(medians):.2f}" if median and medians else "-")
        table.lines.append([WORKLOADS[workload].title, MODES[mode], *cells])
    return table


def _details(rows: Sequence[Row], names: list[str]) -> list[Table]:
    """Return the tables of first calls and of memory, where there are any."""
    kinds = (
        ("Seconds of the first three calls, compilation included", "first", 1.0, ".2f"),
        ("Peak memory of a training step, MB above that before the model", "bytes", 1e-6, ".1f"),
    )
    found = []
    for title, key, scale, form in kinds:
        table = Table(title, ["workload", *names], [])
        for (workload, mode), group in _grouped(rows).items():
            values = [group.get(n, {}).get(key) for n in names]
            if mode == "train" and any(v is not None for v in values):
                cells = ["-" if v is None else f"{v * scale:{form}}" for v in values]
                table.lines.append([WORKLOADS[workload].title, *cells])
        if table.lines:
            found.append(table)
    return found


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str], dict[str, Row]]:
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        found.setdefault((row["workload"], row["mode"]), {})[row["contender"]] = row
    return found


def _short(name: str) -> str:
    return name.removeprefix("minima ")


def _time(table: Table, row: Row | None) -> str:
    if row is None:
        return "-"
    if row["note"]:
        return f"- {table.remark(_clipped(row['note']))}"
    spread = (row["high"] - row["low"]) / 2 / row["median"]
    return f"{microseconds(row['median'])} ±{spread:.0%}"


def microseconds(seconds: float) -> str:
    """Return a time in microseconds with at least two digits.

    >>> microseconds(1.234e-6), microseconds(0.25)
    ('1.2', '250,000')
    """
    value = seconds * 1e6
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _clipped(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


# ---- renderers -----------------------------------------------------------------------------------
def markdown(table: Table) -> str:
    """Return *table* in Markdown, its remarks below."""
    numbers = max((i for i, name in enumerate(table.header) if name in _WORDS), default=0)
    rule = ["---" if i <= numbers else "---:" for i in range(len(table.header))]
    lines = [_line(table.header), f"|{'|'.join(rule)}|", *(_line(line) for line in table.lines)]
    if table.remarks:
        lines += ["", *(f"{_sign(i)} {text}  " for i, text in enumerate(table.remarks))]
    return "\n".join(lines)


#: columns of text; numbers stand on the right
_WORDS = ("workload", "what", "operator", "library", "package", "size")


def _sign(i: int) -> str:
    return f"[{i + 1}]"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rst(table: Table) -> str:
    """Return *table* in reStructuredText, its remarks below."""
    lines = [f".. list-table:: {table.title}", "   :header-rows: 1", ""]
    for cells in (table.header, *table.lines):
        lines += [f"   {'*' if not i else ' '} - {cell}" for i, cell in enumerate(cells)]
    lines.append("")
    for i, text in enumerate(table.remarks):
        lines.append(f"| {_sign(i)} ``{text.replace('`', chr(39))}``")
    return "\n".join([*lines, ""])

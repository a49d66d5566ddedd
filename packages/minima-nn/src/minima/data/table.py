"""Tables of numbers in CSV files."""

from __future__ import annotations

import csv
import math
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.data.errors import DatasetError
from minima.errors import ArgumentError, DTypeError

__all__ = ["Table", "read_csv"]


@dataclass(frozen=True)
class Table:
    """Columns of numbers: `values` (N, columns), their `names`, and `classes` of text columns.

    `table["x"]` is one column (N,), `table["x", "y"]` several (N, 2).

    >>> table = mi.data.Table(("x", "y"), np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> table["y"].tolist(), table["y", "x"].tolist()
    ([2.0, 4.0], [[2.0, 1.0], [4.0, 3.0]])
    """

    names: tuple[str, ...]
    values: npt.NDArray[Any]
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, names: str | tuple[str, ...]) -> npt.NDArray[Any]:
        if isinstance(names, str):
            column: npt.NDArray[Any] = self.values[:, self._place(names)]
            return column
        return self.values[:, [self._place(name) for name in names]]

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise ArgumentError(f"Table: got column {name!r}; expected one of {list(self.names)}")
        return self.names.index(name)


def read_csv(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str | int] | None = None,
    header: bool = True,
    dtype: npt.DTypeLike = np.float32,
    delimiter: str = ",",
    missing: float | None = None,
    text: Sequence[str | int] = (),
) -> Table:
    r"""Read the numbers of a CSV file (UTF-8, fields quoted where they need it).

    `columns` chooses columns, by name or by place, and their order. Without a `header` columns
    are named "0", "1", ... An empty field takes the value `missing`, or is an error without one.
    Columns in `text` become numbers of classes: their different texts, sorted.

    Shapes: values (N, columns).
    Dtype: `dtype`, a floating or integer one.
    Raises: DatasetError, naming file and line, for a file that is missing or no UTF-8, a row of
    another length, and a field that is empty, no number, or too large for the dtype; ArgumentError
    for a column that is not there; DTypeError for other types.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "flowers.csv")
    >>> _ = path.write_text("width,kind\n0.5,rose\n0.25,aster\n")
    >>> table = mi.data.read_csv(path, text=["kind"])
    >>> table.values.tolist(), table.classes
    ([[0.5, 1.0], [0.25, 0.0]], {'kind': ('aster', 'rose')})
    """
    kind = np.dtype(dtype)
    if kind.kind not in "fiu":
        raise DTypeError(f"read_csv: dtype is {kind}; expected a floating or integer one")
    if len(delimiter) != 1:
        raise ArgumentError(f"read_csv: delimiter is {delimiter!r}; expected one character")
    if missing is not None and kind.kind != "f":
        least, most = _limits(kind)
        if not least <= missing <= most or missing != int(missing):
            raise ArgumentError(
                f"read_csv: missing is {missing!r}; expected a whole number that fits {kind}"
            )
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(path, csv.reader(file, delimiter=delimiter, strict=True))
            return _read(path, rows, columns, header, kind, missing, text)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: is not UTF-8 ({error.reason}, byte {error.object[error.start]:#04x}); "
            "save it as UTF-8"
        ) from error


def _rows(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with its line."""
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{path}, line {reader.line_num}: not sound CSV: {error}") from error


def _read(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    columns: Sequence[str | int] | None,
    header: bool,
    dtype: np.dtype[Any],
    missing: float | None,
    text: Sequence[str | int],
) -> Table:
    line, first = next(rows, (1, []))
    if not first:
        raise DatasetError(f"{path}: holds no rows; expected a header or numbers")
    names = [name.strip() for name in first] if header else [str(i) for i in range(len(first))]
    if len(set(names)) < len(names) and header:
        raise DatasetError(f"{path}, line {line}: column names repeat: {names}; rename them")
    chosen = [_place(c, names) for c in (range(len(names)) if columns is None else columns)]
    texts: dict[int, dict[str, int]] = {_place(column, names): {} for column in text}
    numbers = _Numbers(path, names, dtype, missing)
    if not header:
        numbers.add(line, first, chosen, texts)
    for line, row in rows:
        numbers.add(line, row, chosen, texts)
    values = numbers.values(len(chosen))
    classes = {}
    for place, seen in texts.items():
        ordered = sorted(seen)
        classes[names[place]] = tuple(ordered)
        rank = np.empty(len(seen), dtype)
        rank[[seen[name] for name in ordered]] = np.arange(len(seen))
        for i, other in enumerate(chosen):
            if other == place and len(values):
                values[:, i] = rank[values[:, i].astype(np.int64)]
    return Table(tuple(names[place] for place in chosen), values, classes)


class _Numbers:
    """The numbers of all rows so far, eight bytes each."""

    def __init__(
        self, path: Path, names: list[str], dtype: np.dtype[Any], missing: float | None
    ) -> None:
        self.path, self.names, self.dtype = path, names, dtype
        self.whole = dtype.kind in "iu"
        self.least, self.most = _limits(dtype)
        self.found = array("q" if dtype.kind == "i" else "Q" if self.whole else "d")
        self.missing = missing

    def add(
        self, line: int, row: list[str], chosen: list[int], texts: dict[int, dict[str, int]]
    ) -> None:
        """Add the chosen fields of a row."""
        if len(row) != len(self.names):
            raise self.wrong(line, f"has {len(row)} fields; expected {len(self.names)}")
        for place in chosen:
            if place in texts:
                seen = texts[place]
                value: float = seen.setdefault(row[place], len(seen))
            else:
                value = self.number(line, place, row[place].strip())
            self.found.append(value)  # type: ignore[arg-type]

    def number(self, line: int, place: int, field: str) -> float:
        where = f"column {self.names[place]!r}"
        if not field:
            if self.missing is None:
                raise self.wrong(line, f"{where} is empty; fill it, or give missing=a value")
            return int(self.missing) if self.whole else float(self.missing)
        try:
            value: float = int(field) if self.whole else float(field)
        except ValueError:
            raise self.wrong(line, self.not_a_number(where, field)) from None
        if "_" in field:  # Python reads 1_0 as 10
            raise self.wrong(line, self.not_a_number(where, field))
        written = math.isinf(value) and "inf" in field.lower()
        if not written and (value < self.least or value > self.most):
            raise self.wrong(line, f"{where} is {field[:40]}, too large for {self.dtype}")
        return value

    def not_a_number(self, where: str, field: str) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{where} is {field[:40]!r}; expected {kind} (or name the column in text=)"

    def wrong(self, line: int, problem: str) -> DatasetError:
        return DatasetError(f"{self.path}, line {line}: {problem}")

    def values(self, columns: int) -> npt.NDArray[Any]:
        """Return the numbers as (rows, columns)."""
        flat = np.frombuffer(self.found, self.found.typecode) if self.found else np.empty(0)
        return flat.astype(self.dtype).reshape(-1, max(columns, 1))


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the least and the largest number of *dtype*, as Python has them."""
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _place(column: str | int, names: list[str]) -> int:
    if isinstance(column, str) and column in names:
        return names.index(column)
    if isinstance(column, int) and -len(names) <= column < len(names):
        return column % len(names)
    raise ArgumentError(f"read_csv: got column {column!r}; expected one of {names} or its place")

"""The text of a kernel file for one type: what a compiler gets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["TYPES", "Source", "header"]

#: dtype -> the C++ types of an element in memory (T) and in computation (A)
TYPES = {
    "float16": ("Half", "float"),
    "bfloat16": ("BFloat16", "float"),
    "float32": ("float", "float"),
    "float64": ("double", "double"),
    "int32": ("Int32", "Int32"),
    "int64": ("Int64", "Int64"),
    "uint8": ("UInt8", "Int32"),
    "bool": ("bool", "Int32"),
}

_INCLUDE = re.compile(r'^#include "(\w+\.cuh)"$', re.MULTILINE)


@cache
def _read(file: str) -> str:
    return (files(__package__) / "kernels" / file).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Source:
    """A kernel file for one dtype; *defines* are more macros, as (name, value)."""

    family: str
    dtype: str
    defines: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        """The name of the kernel file."""
        return f"{self.family}.cu"

    @property
    def text(self) -> str:
        """The macros, common.cuh and the kernel file."""
        storage, accumulator = TYPES[self.dtype]
        macros = (("T", storage), ("A", accumulator), *self.defines)
        head = "".join(f"#define {name} {value}\n" for name, value in macros)
        seen: set[str] = set()
        return head + _with_headers("common.cuh", seen) + _with_headers(self.file, seen)


def _with_headers(file: str, seen: set[str]) -> str:
    """Return the text of *file* with the headers not yet *seen* in the place of their #include."""

    def header(match: re.Match[str]) -> str:
        if match[1] in seen:
            return ""
        line = text.count("\n", 0, match.start()) + 2
        return f'{_with_headers(match[1], seen)}#line {line} "{file}"'

    seen.add(file)
    text = _read(file)
    return f'#line 1 "{file}"\n' + _INCLUDE.sub(header, text)


def header(file: str) -> str:
    """Return common.cuh and the header *file*, for kernels that name the types they work on."""
    seen: set[str] = set()
    return _with_headers("common.cuh", seen) + _with_headers(file, seen)

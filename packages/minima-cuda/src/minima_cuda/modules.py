"""All modules that there are: which kernel file is compiled for which dtypes and macros."""

from __future__ import annotations

from collections.abc import Iterable

from .sources import Source

__all__ = ["TABLE", "families", "modules", "name_of"]

FLOATS = ("float16", "bfloat16", "float32", "float64")
WHOLE = ("int32", "int64", "uint8", "bool")
ANY = (*FLOATS, *WHOLE)

Defines = tuple[tuple[str, str], ...]
PLAIN: tuple[Defines, ...] = ((),)
INDICES: tuple[Defines, ...] = ((("I", "Int32"),), (("I", "Int64"),))


def _tiles(*numbers: tuple[int, int, int]) -> tuple[Defines, ...]:
    return tuple(
        (("SIDE", str(side)), ("PARTS", str(parts)), ("MASK", str(mask)))
        for side, parts, mask in numbers
    )


#: of the tiles that attention chooses among by the sizes, the largest and the smallest
SINGLE = _tiles((4, 1, 0), (4, 1, 1), (4, 1, 2), (2, 2, 0), (2, 4, 0), (1, 1, 0), (1, 4, 0))
DOUBLE = _tiles((2, 1, 0), (2, 1, 1), (2, 1, 2), (1, 1, 0), (1, 8, 0))

#: kernel file without ``.cu``, dtypes, and sets of macros: what families compile
TABLE: tuple[tuple[str, tuple[str, ...], tuple[Defines, ...]], ...] = (
    ("attention", FLOATS[:3], SINGLE),
    ("attention", FLOATS[3:], DOUBLE),
    ("bits", WHOLE, PLAIN),
    ("cast", ANY, PLAIN),
    ("convolution", FLOATS, PLAIN),
    ("convolution", FLOATS[:3], ((("TILE", "128"),),)),
    ("depthwise", FLOATS, PLAIN),
    ("dropout", ANY, PLAIN),
    ("elementwise", ANY, PLAIN),
    ("embedding", ANY, INDICES),
    ("functions", FLOATS, PLAIN),
    ("moments", FLOATS, PLAIN),
    ("norms", FLOATS, PLAIN),
    ("optimizers", FLOATS, PLAIN),
    ("pooling", (*FLOATS, "int32", "int64", "uint8"), PLAIN),
    ("recurrent", FLOATS, PLAIN),
    ("reductions", ANY, PLAIN),
    ("softmax", FLOATS, PLAIN),
    ("windows", FLOATS, PLAIN),
)


def families() -> list[str]:
    """Return the kernel files, without ``.cu``."""
    return list(dict.fromkeys(family for family, _, _ in TABLE))


def modules(wanted: Iterable[str] = ()) -> list[Source]:
    """Return every source of the *wanted* kernel files, by default of all.

    >>> from minima_cuda.modules import modules
    >>> [source.dtype for source in modules(["softmax"])]
    ['float16', 'bfloat16', 'float32', 'float64']
    """
    names = set(wanted) or set(families())
    return [
        Source(family, dtype, defines)
        for family, dtypes, variants in TABLE
        if family in names
        for dtype in dtypes
        for defines in variants
    ]


def name_of(source: Source) -> str:
    """Return what a module is called in tables.

    >>> from minima_cuda.modules import name_of
    >>> from minima_cuda.sources import Source
    >>> name_of(Source("embedding", "float32", (("I", "Int64"),)))
    'embedding float32 I=Int64'
    """
    words = [f"{name}={value}" for name, value in source.defines]
    return " ".join([source.family, source.dtype, *words])

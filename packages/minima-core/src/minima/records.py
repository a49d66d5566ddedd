"""Tuples with names, as `typing.NamedTuple` makes them, at a tenth of its cost when imported."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar, Self

__all__ = ["Record"]


class Record(tuple[Any, ...]):
    """Base of results with several parts: a subclass annotates its fields, in order.

    >>> from minima.records import Record
    >>> class Point(Record):
    ...     x: int
    ...     y: int
    >>> point = Point(1, 2)
    >>> point.y, point, tuple(point)
    (2, Point(x=1, y=2), (1, 2))
    """

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        for place, name in enumerate(cls._fields):
            setattr(cls, name, property(itemgetter(place)))

    def __new__(cls, *values: Any) -> Self:
        """Make one of a value for each field."""
        if len(values) != len(cls._fields):
            raise TypeError(f"{cls.__name__}: got {len(values)} values for {cls._fields}")
        return tuple.__new__(cls, values)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def _asdict(self) -> dict[str, Any]:
        """Return field -> value."""
        return dict(zip(self._fields, self))

    def _replace(self, **changes: Any) -> Any:
        """Return another one, with some fields changed."""
        return type(self)(*(changes.pop(n, v) for n, v in self._asdict().items()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
        return f"{type(self).__name__}({fields})"

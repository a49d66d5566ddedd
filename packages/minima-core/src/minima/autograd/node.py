"""What one recorded operation keeps for backward: raw buffers and the nodes before it.

A node never holds the output Tensor, so a finished step leaves no reference cycle. The buffers
that a gradient reads are kept with their version; of the others only shape and type remain.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..errors import AutogradError

if TYPE_CHECKING:
    from ..operators.table import Operator
    from ..tensor import Tensor

__all__ = ["LEAF", "Node", "Output", "Spec", "Version", "View"]


class _Leaf:
    """Marks, in place of a node, a Tensor that collects its own gradient."""

    def __repr__(self) -> str:
        return "LEAF"


LEAF = _Leaf()
_sequence = count()


class Version:
    """How often the memory behind a tensor and its views was written, and the views alive."""

    __slots__ = ("number", "views")

    def __init__(self) -> None:
        self.number = 0
        self.views: WeakSet[Tensor] | None = None

    def add_view(self, view: Tensor) -> None:
        """Remember *view*: recording an in-place change must not pass it by."""
        if self.views is None:
            self.views = WeakSet()
        self.views.add(view)


class View:
    """How a Tensor came to lie over the memory of another: the *base*, and each step from there.

    A step is an operator, its attributes, and the shape and dtype that it was given. *base* is None
    for a view made while nothing was recorded: in-place changes do not make it part of the graph.
    """

    __slots__ = ("base", "steps")

    def __init__(self, base: Tensor | None, steps: tuple[Any, ...]) -> None:
        self.base, self.steps = base, steps

    @classmethod
    def of(cls, source: Tensor, operator: Operator[Any], attrs: dict[str, Any]) -> View:
        """Return what is to be known of the view that *operator* makes of *source*."""
        before = source._view
        step = (operator, attrs, source.shape, source.dtype)
        if before is None:
            return cls(source, (step,))
        return before if before.base is None else cls(before.base, (*before.steps, step))


class Spec:
    """Stands for an input whose values the gradient does not read: shape, dtype and device."""

    __slots__ = ("device", "dtype", "requires_grad", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: Any, device: Any) -> None:
        self.shape, self.dtype, self.device = shape, dtype, device
        self.requires_grad = True

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        total = 1
        for n in self.shape:
            total *= n
        return total


class Node:
    """One recorded operation.

    *edges* holds, for each input, the node or leaf Tensor that its gradient goes to, or None;
    *saved* the raw buffer of each input that the gradient reads, or a `Spec`; *output* the
    same for the output. *line* is the caller's, noted while anomalies are looked for alone.
    """

    __slots__ = (
        "attrs",
        "device",
        "edges",
        "hooks",
        "line",
        "operator",
        "output",
        "saved",
        "sequence",
        "versions",
    )

    def __init__(
        self,
        operator: Operator[Any],
        edges: tuple[Node | Tensor | None, ...],
        saved: tuple[Any, ...],
        output: Any,
        attrs: dict[str, Any],
        device: Any,
        versions: list[tuple[Version, int]] | None,
    ) -> None:
        self.line: str  # not set, so that it costs nothing
        self.operator = operator
        self.edges: tuple[Node | Tensor | None, ...] | None = edges
        self.saved: tuple[Any, ...] | None = saved
        self.output = output
        self.attrs = attrs
        self.device = device
        self.versions = versions
        self.hooks: dict[int, Any] | None = None
        self.sequence = -next(_sequence)  # negative: the heap of the sweep yields the newest first

    def __repr__(self) -> str:
        return f"<Node {self.operator.name}>"

    def check(self) -> None:
        """Raise when a kept buffer was freed, or changed in place since it was kept."""
        if self.saved is None:
            raise AutogradError(
                f"backward: the graph of {self.operator.name} was used already and its buffers are "
                "freed; pass retain_graph=True to the first backward() to go through it twice"
            )
        for version, number in self.versions or ():
            if version.number != number:
                raise AutogradError(
                    f"backward: a tensor that {self.operator.name} needs for its gradient was "
                    f"changed in place: it was kept at version {number} and is at version "
                    f"{version.number}; change a copy instead (x.clone(), or x = x + 1 for x += 1)"
                )

    def release(self) -> None:
        """Drop the buffers and the nodes before this one."""
        self.saved = self.edges = self.output = self.versions = None


class Output(Node):
    """One output of a function of several; *edges* holds the function's node alone."""

    __slots__ = ("__weakref__", "index")

    def __init__(self, function: Node, index: int, spec: Spec) -> None:
        super().__init__(function.operator, (function,), (spec,), spec, {}, spec.device, None)
        self.index = index

"""A table of the layers of a model: shapes, parameters, multiply-adds, memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from minima import Tensor, no_grad, zeros
from minima.errors import ArgumentError, DTypeError
from minima.random import default_generator

from .arguments import integer
from .module import Module
from .work import COUNTS, is_free

__all__ = ["Summary", "SummaryRow", "summary"]

Shape = tuple[int, ...]


@dataclass
class SummaryRow:
    """A layer: its dotted name, its class, and what its calls took, gave and cost.

    *multiply_adds* is None where they are not counted: the layer's own, without those below.
    *bytes* is the memory of its outputs. *calls* may be several, of a layer that is shared.
    """

    path: str
    kind: str
    depth: int
    inputs: list[Shape]
    outputs: list[Shape]
    parameters: int
    trainable: int
    multiply_adds: int | None
    bytes: int
    calls: int


@dataclass
class Summary:
    """The rows, in the order of calls, and the totals; ``str()`` is the table.

    *uncounted* are the classes of layers whose multiply-adds the total lacks.
    """

    rows: list[SummaryRow]
    parameters: int
    trainable: int
    multiply_adds: int
    uncounted: list[str]
    parameter_bytes: int
    output_bytes: int

    def __str__(self) -> str:
        head = ("layer", "input", "output", "parameters", "multiply-adds")
        lines = [head, *map(_cells, self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        text = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
        rule = "-" * max(map(len, text))
        return "\n".join([text[0], rule, *text[1:], rule, *self._totals()])

    def _totals(self) -> list[str]:
        frozen = self.parameters - self.trainable
        found = [
            f"parameters: {self.parameters:,} ({self.trainable:,} trainable, {frozen:,} not)",
            f"multiply-adds: {self.multiply_adds:,}",
            f"memory: {_size(self.parameter_bytes)} of parameters, "
            f"{_size(self.output_bytes)} of outputs",
        ]
        if self.uncounted:
            found[1] += f", not counted: {', '.join(self.uncounted)}"
        return found


def _size(count: int) -> str:
    return f"{count / 2**20:,.2f} MiB" if count >= 2**20 else f"{count / 1024:,.2f} KiB"


def _shapes(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes)) or "-"


def _cells(row: SummaryRow) -> tuple[str, ...]:
    name = "  " * row.depth + (f"{row.path}: {row.kind}" if row.path else row.kind)
    count = "not counted" if row.multiply_adds is None else f"{row.multiply_adds:,}"
    return (name, _shapes(row.inputs), _shapes(row.outputs), f"{row.parameters:,}", count)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    left = [c.ljust(w) for c, w in zip(cells[:3], widths[:3], strict=True)]
    return left + [c.rjust(w) for c, w in zip(cells[3:], widths[3:], strict=True)]


def summary(
    model: Module,
    input_shape: Any = None,
    *,
    input_data: Any = None,
    dtypes: Any = None,
    device: Any = None,
    depth: int | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Summary:
    """Call *model* once and return a table of its layers; ``print()`` shows it.

    *input_shape* is a shape, with the batch, or a list of them for several inputs, which are zeros
    of *dtypes* (one, or one for each; float32) on *device* (that of the parameters). *input_data*
    is the input itself, or a tuple of them. Rows go *depth* levels down. The call is in evaluation
    and without gradients; modes, buffers and the random generator are as before afterwards.

    Multiply-adds are those of products: of linear layers, convolutions, recurrent layers and
    attention. Normalisations, activations and pooling count as none; a layer of another class is
    "not counted" unless all it does is call others.

    Raises: ArgumentError unless one of input_shape and input_data is given, or for a *depth* below
    0.

    >>> net = mi.nn.Sequential(mi.nn.Linear(4, 3), mi.nn.ReLU(), mi.nn.Linear(3, 2))
    >>> print(mi.nn.summary(net, (1, 4)))
    layer               input   output  parameters  multiply-adds
    -------------------------------------------------------------
    Sequential          (1, 4)  (1, 2)          23             18
      module_0: Linear  (1, 4)  (1, 3)          15             12
      module_1: ReLU    (1, 3)  (1, 3)           0              0
      module_2: Linear  (1, 3)  (1, 2)           8              6
    -------------------------------------------------------------
    parameters: 23 (23 trainable, 0 not)
    multiply-adds: 18
    memory: 0.09 KiB of parameters, 0.03 KiB of outputs
    """
    if not isinstance(model, Module):
        raise DTypeError(f"summary: model is a {type(model).__name__}; expected a Module")
    if (input_shape is None) == (input_data is None):
        raise ArgumentError("summary: expected either input_shape or input_data")
    if depth is not None:
        depth = integer("summary", "depth", depth, low=0)
    if input_data is None:
        args = _zeros(model, input_shape, dtypes, device)
    else:
        args = tuple(input_data) if isinstance(input_data, tuple | list) else (input_data,)
    watch = _Watch()
    before = [(b, b.detach().clone()) for b in model.buffers()]
    modes = [(m, m.training) for m in model.modules()]
    state = default_generator().get_state()
    try:
        with ExitStack() as stack, no_grad():
            for path, part in model.named_modules():
                watch.begin(stack, path, part)
            model.eval()
            model(*args, **(kwargs or {}))
    finally:
        for module, mode in modes:
            module.training = mode
        with no_grad():
            for buffer, value in before:
                buffer.copy_(value)
        default_generator().set_state(state)
    return watch.summary(model, depth)


def _zeros(model: Module, shapes: Any, dtypes: Any, device: Any) -> tuple[Tensor, ...]:
    """Return a Tensor of zeros for each shape."""
    one = isinstance(shapes, tuple | list) and all(hasattr(n, "__index__") for n in shapes)
    many = [shapes] if one else shapes
    if not isinstance(many, tuple | list) or not all(isinstance(s, tuple | list) for s in many):
        raise DTypeError(f"summary: input_shape is {shapes!r}; expected a shape, or several")
    kinds = dtypes if isinstance(dtypes, tuple | list) else [dtypes] * len(many)
    if len(kinds) != len(many):
        raise ArgumentError(
            f"summary: {len(kinds)} dtypes and {len(many)} shapes; expected one for each"
        )
    parameters = model.parameters()
    if device is None and parameters:
        device = parameters[0].device
    return tuple(
        zeros(tuple(s), dtype=k or "float32", device=device)
        for s, k in zip(many, kinds, strict=True)
    )


def _tensors(found: Any) -> list[Tensor]:
    if isinstance(found, Tensor):
        return [found]
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, tuple | list):
        return [t for part in found for t in _tensors(part)]
    return []


class _Watch:
    """What hooks note of the calls."""

    def __init__(self) -> None:
        self.rows: dict[int, SummaryRow] = {}
        self.stack: list[int] = []
        self.below: set[int] = set()
        self.modules: list[Module] = []  # alive, so that ids stay theirs

    def begin(self, stack: ExitStack, path: str, module: Module) -> None:
        """Watch the calls of *module* until the stack ends."""
        self.modules.append(module)

        def enter(module: Module, args: Any, kwargs: Any) -> None:
            if id(module) not in self.rows:
                depth = 0 if not path else 1 + path.count(".")
                own = list(module.parameters())
                trainable = sum(p.size for p in own if p.requires_grad)
                self.rows[id(module)] = SummaryRow(
                    path,
                    type(module).__name__,
                    depth,
                    [tuple(t.shape) for t in _tensors([args, dict(kwargs)])],
                    [],
                    sum(p.size for p in own),
                    trainable,
                    0,
                    0,
                    0,
                )
            self.below.update(self.stack)
            self.stack.append(id(module))

        def leave(module: Module, args: Any, kwargs: Any, output: Any) -> None:
            self.stack.pop()
            row = self.rows[id(module)]
            outputs = _tensors(output)
            if not row.calls:
                row.outputs = [tuple(t.shape) for t in outputs]
            row.calls += 1
            if id(module) not in self.below:
                row.bytes += sum(t.size * t.dtype.itemsize for t in outputs)
            count = _counter(module)
            if count is not None and row.multiply_adds is not None:
                row.multiply_adds += count(module, _tensors([args, dict(kwargs)]), outputs)
            elif not is_free(module, id(module) not in self.below):
                row.multiply_adds = None

        hooks = (
            module.register_forward_pre_hook(enter, prepend=True, with_kwargs=True),
            module.register_forward_hook(leave, with_kwargs=True),
        )
        for hook in hooks:
            stack.enter_context(hook)

    def summary(self, model: Module, depth: int | None) -> Summary:
        """Return the rows with the sums of what is below them, and the totals."""
        rows = list(self.rows.values())
        counts = [row.multiply_adds for row in rows]
        total = sum(n for n in counts if n is not None)
        uncounted = sorted({row.kind for row in rows if row.multiply_adds is None})
        for row in rows:
            start = f"{row.path}." if row.path else ""
            inside = [
                n
                for other, n in zip(rows, counts, strict=True)
                if n is not None and (other is row or other.path.startswith(start))
            ]
            if row.multiply_adds is not None:
                row.multiply_adds = sum(inside)
        everything = {id(p): p for p in model.parameters()}.values()
        return Summary(
            [row for row in rows if depth is None or row.depth <= depth],
            sum(p.size for p in everything),
            sum(p.size for p in everything if p.requires_grad),
            total,
            uncounted,
            sum(p.size * p.dtype.itemsize for p in everything),
            sum(row.bytes for row in rows),
        )


def _counter(module: Module) -> Callable[..., int] | None:
    for kind in type(module).__mro__:
        if kind in COUNTS:
            return COUNTS[kind]
    return None

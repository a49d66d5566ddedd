"""The table of operators: for each a reference kernel and, next to it, its gradient.

``@operator`` turns a reference kernel ``(xp, *inputs, **attributes)`` into a public function and
enters it in `TABLE`. Parameters annotated ``Array`` are inputs (Tensors, or anything that becomes
one), ``Arrays`` marks one sequence of inputs, the rest are attributes.

A gradient gets ``g`` (of the output), ``y`` (the output), the inputs and the attributes, and
returns one result for each input: a Tensor, None, or a function without arguments that computes
it if it is needed. It is written with operators, so it can be differentiated again. It may return
``g`` or a view; it never returns one new Tensor for two inputs. Sums over broadcast axes are taken
by the engine, and so is the real part for a real input of a complex result; a factor that may be
complex goes through `minima.operators.complex.conjugated`, or the operator is marked ``real`` and
takes real numbers alone, or of complex ones what `Operator.of_complex` composes. ``saves`` names
the values that the gradient reads; of the others it sees a `Spec` (shape, dtype, device).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeAlias, cast, overload

from ..amp.lists import LISTS
from ..devices.base import REFERENCES
from ..errors import ArgumentError
from ..late import Late
from ..tensor import Tensor
from .calls import Calls, Rule
from .options import kinds_of

__all__ = ["TABLE", "Array", "Arrays", "Operator", "OperatorFunction", "operator"]

P = ParamSpec("P")
#: a buffer inside of a kernel; a Tensor, array or number for the caller
Array: TypeAlias = Any
Arrays: TypeAlias = Sequence[Any]


class OperatorFunction(Protocol[P]):
    """A public operator: call it.

    ``gradient``, ``prepare``, ``explain`` and ``of_complex`` complete its entry.
    """

    __name__: str
    __doc__: str | None
    entry: Operator[Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        """Run the operator."""

    @overload
    def gradient(self, rule: Rule, /) -> Rule: ...
    @overload
    def gradient(self, *, saves: str | Mapping[str, str]) -> Callable[[Rule], Rule]: ...

    def prepare(self, function: Rule, /) -> Rule:
        """Enter what checks inputs and returns the attributes in canonical form."""

    def explain(self, function: Rule, /) -> Rule:
        """Enter what says in words why inputs do not fit."""

    def of_complex(self, function: Rule, /) -> Rule:
        """Enter what computes it of complex numbers, composed of other operators."""


class Operator(Calls, Generic[P]):
    """One entry of the table; see the module's text for the roles of its parts."""

    def __init__(
        self,
        reference: Callable[..., Any],
        promotes: Sequence[str] | bool,
        floating: bool,
        view: bool,
        real: bool = False,
    ):
        self.name = reference.__name__.rstrip("_")
        self.reference = reference
        parameters = _parameters(reference)
        notes = {n: str(note) for n, note in reference.__annotations__.items()}
        self.inputs = [p.name for p in parameters if notes.get(p.name, "").startswith("Array")]
        self.variadic = "Arrays" in [notes.get(n) for n in self.inputs]
        self.optional = sum(p.default is None for p in parameters if p.name in self.inputs)
        self.attrs = [p.name for p in parameters if p.name not in self.inputs]
        self.defaults = {
            p.name: p.default
            for p in parameters
            if p.name in self.attrs and p.default is not p.empty
        }
        self.positional = [
            p.name for p in parameters if p.name in self.attrs and p.kind is not p.KEYWORD_ONLY
        ]
        self.signature = inspect.Signature(parameters, __validate_parameters__=False)
        if promotes is True:
            promotes = self.inputs
        self.promotes = [n in promotes for n in self.inputs] if promotes else []
        self.floating, self.view, self.real = floating, view, real
        #: kinds of dtype that need no conversion and no error; empty: all
        self.kinds = ("f" if real else "fc") if floating else ("fiubV" if real else "")
        self.options = kinds_of(reference, self.attrs)
        self.rule: Rule | None = None
        self.preparation: Rule | None = None
        self.explanation: Rule | None = None
        self.composition: Rule | None = None
        self.save_inputs: tuple[bool, ...] = ()
        self.save_output = False
        self.reads: list[tuple[list[bool], bool]] = []
        self.cast = LISTS.get(self.name)
        self.function: Callable[P, Tensor] = self._function()

    @property
    def doc(self) -> str:
        """The docstring of the reference kernel, without its indentation."""
        return inspect.getdoc(self.reference) or ""

    @property
    def differentiable(self) -> bool:
        """Whether the operator has a gradient."""
        return self.rule is not None

    def __repr__(self) -> str:
        return f"<operator {self.name}{self.signature}>"

    def gradient(
        self, rule: Rule | None = None, *, saves: str | Mapping[str, str] | None = None
    ) -> Any:
        """Enter *rule* as the gradient; *saves* names what it reads (all, unless given).

        A mapping says it for each input's gradient: what none asks for is not kept, and may be
        changed in place.
        """
        if rule is None:
            return lambda r: self.gradient(r, saves=saves)
        if isinstance(saves, Mapping):
            read = [set(saves[n].split()) for n in self.inputs]
            self.reads = [([n in r for n in self.inputs], "y" in r) for r in read]
            saves = " ".join(saves.values())
        kept = set((saves if saves is not None else " ".join([*self.inputs, "y"])).split())
        if kept - {*self.inputs, "y"}:
            raise ArgumentError(f"{self.name}: saves={saves!r} names no input and not 'y'")
        if self.view and kept:
            raise ArgumentError(
                f"{self.name}: the gradient of a view reads no values; say saves='', for the view "
                "is recorded anew where its memory is changed in place"
            )
        self.save_inputs = tuple(n in kept for n in self.inputs)
        self.save_output = "y" in kept
        self.rule = rule
        return rule

    def prepare(self, function: Rule) -> Rule:
        """Enter *function*, which checks inputs and returns the attributes in canonical form.

        Raises: ArgumentError for one or two inputs without attributes, whose quick way has no
        place for it: let the kernel raise, and `explain` say why.
        """
        if self.quick:
            raise ArgumentError(f"{self.name}: has no attributes to prepare; use explain instead")
        self.preparation = function
        return function

    def explains(self, function: Rule) -> Rule:
        """Enter *function*, which says why inputs do not fit; asked when a kernel raises."""
        self.explanation = function
        return function

    def of_complex(self, function: Rule) -> Rule:
        """Enter *function*, which computes an operator for real numbers of complex ones.

        It gets Tensors, all of one complex dtype, and the attributes in canonical form, and is
        composed of other operators: so kernels see real numbers alone.
        """
        self.composition = function
        return function

    def _function(self) -> Callable[P, Tensor]:
        """Return the public function: quick where all is plain, `apply` for all else."""
        apply, name = self.apply, self.name
        general = self.attrs or self.variadic or self.optional or self.view
        self.quick = not general and len(self.inputs) in (1, 2)
        if not self.quick:

            def call(*args: Any, **attrs: Any) -> Tensor:
                return apply(args, attrs)

        elif len(self.inputs) == 2:
            call = self._binary()
        else:
            call = self._unary()
        call.__name__ = call.__qualname__ = name
        call.__doc__ = self.reference.__doc__
        call.__module__ = self.reference.__module__
        call.__signature__ = self.signature  # type: ignore[attr-defined]
        call.__wrapped__ = self.reference  # type: ignore[attr-defined]
        call.entry, call.explain = self, self.explains  # type: ignore[attr-defined]
        call.gradient, call.prepare = self.gradient, self.prepare  # type: ignore[attr-defined]
        call.of_complex = self.of_complex  # type: ignore[attr-defined]
        return cast("Callable[P, Tensor]", call)


def _parameters(reference: Any) -> list[inspect.Parameter]:
    """Return the parameters of a kernel but ``xp``; `inspect.signature` takes four times as long.

    They have no annotations. There is a default for each of those that come after another with one.
    """
    code, kind = reference.__code__, inspect.Parameter
    count = code.co_argcount
    places, named = code.co_varnames[1:count], code.co_varnames[count:][: code.co_kwonlyargcount]
    given = reference.__defaults__ or ()
    defaults = dict(zip(places[len(places) - len(given) :], given))
    defaults.update(reference.__kwdefaults__ or {})
    return [
        *(kind(n, kind.POSITIONAL_OR_KEYWORD, default=defaults.get(n, kind.empty)) for n in places),
        *(kind(n, kind.KEYWORD_ONLY, default=defaults.get(n, kind.empty)) for n in named),
    ]


TABLE: Late[Operator[Any]] = Late()


@overload
def operator(reference: Callable[Concatenate[Any, P], Any], /) -> OperatorFunction[P]: ...
@overload
def operator(
    *,
    promotes: Sequence[str] | bool = ...,
    floating: bool = ...,
    view: bool = ...,
    real: bool = ...,
) -> Callable[[Callable[Concatenate[Any, P], Any]], OperatorFunction[P]]: ...
def operator(
    reference: Any = None,
    *,
    promotes: Sequence[str] | bool = True,
    floating: bool = False,
    view: bool = False,
    real: bool = False,
) -> Any:
    """Enter a reference kernel in the table and return its public function.

    *promotes* says which inputs are brought to one dtype (True: all, False: none); *floating*
    that integers become float32 first, *view* that the output may share the first input's memory,
    *real* that complex inputs are refused, or left to what `Operator.of_complex` enters.

    Raises: ArgumentError when the name is taken or the docstring is missing.
    """
    if reference is None:
        return lambda kernel: operator(  # type: ignore[call-overload]
            kernel, promotes=promotes, floating=floating, view=view, real=real
        )
    entry: Operator[Any] = Operator(reference, promotes, floating, view, real)
    if TABLE.taken(entry.name, reference.__module__):
        raise ArgumentError(f"operator: the name {entry.name!r} is taken by {TABLE[entry.name]!r}")
    if not reference.__doc__:
        raise ArgumentError(f"operator: {entry.name!r} has no docstring; say what it computes")
    TABLE[entry.name] = entry
    REFERENCES[entry.name] = entry.reference
    return entry.function


def table_operator(name: str) -> Callable[..., Tensor]:
    """Return the public function of the operator *name*."""
    return TABLE[name].function


def sum_to(g: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum *g* over the axes along which an input of *shape* was broadcast."""
    lead = g.ndim - len(shape)
    axes = tuple(i for i, n in enumerate(g.shape) if i < lead or (shape[i - lead] == 1 and n != 1))
    total = table_operator("sum")(g, axis=axes) if axes else g
    return total if total.shape == shape else table_operator("reshape")(total, shape)

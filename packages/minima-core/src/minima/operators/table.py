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
takes real numbers alone. ``saves`` names the values that the gradient reads; of the others it
sees a `Spec` (shape, dtype, device).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import (
    Any,
    Concatenate,
    Generic,
    NoReturn,
    ParamSpec,
    Protocol,
    TypeAlias,
    cast,
    overload,
)

import numpy as np

from ..amp.casting import ACTIVE, adapted
from ..amp.lists import LISTS
from ..autograd.mode import GRAD, TAPE
from ..autograd.node import LEAF, Node, Spec, Version
from ..compiler.live import Live
from ..compiler.tape import plain
from ..devices.base import REFERENCES, Device
from ..dtypes import DType, float_for, is_floating, promote, weaken
from ..errors import ArgumentError, DTypeError, IndexRangeError, MinimaError, ShapeError
from ..explain import RAW, named, signature_error
from ..tensor import Tensor, as_tensor, share_version, wrap

__all__ = ["TABLE", "Array", "Arrays", "Operator", "OperatorFunction", "operator"]

P = ParamSpec("P")
#: a buffer inside of a kernel; a Tensor, array or number for the caller
Array: TypeAlias = Any
Arrays: TypeAlias = Sequence[Any]
Rule: TypeAlias = Callable[..., Any]


class OperatorFunction(Protocol[P]):
    """A public operator: call it; ``gradient``, ``prepare`` and ``explain`` complete its entry."""

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


class Operator(Generic[P]):
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
        self.rule: Rule | None = None
        self.preparation: Rule | None = None
        self.explanation: Rule | None = None
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
        return cast("Callable[P, Tensor]", call)

    def _unary(self) -> Callable[..., Tensor]:
        apply, name, record, kinds = self.apply, self.name, self.record, self.kinds
        cast = self.cast

        def call(x: Any) -> Tensor:
            try:
                a, device = x._array, x._device
            except AttributeError:
                return apply((x,), {})
            if (kinds and a.dtype.kind not in kinds) or (cast and ACTIVE):
                return apply((x,), {})
            try:
                y = device.kernels[name](a)
            except Exception as error:
                self.fail(error, (x,), {})
            if type(y) is not device.buffer:
                y = device.as_buffer(y)
            if TAPE.get() is not None:
                return self.finish((x,), (a,), {}, y, device)
            if x._node is not None and self.rule is not None and GRAD.get():
                return record((x,), (a,), {}, y, device)
            return wrap(y, device)

        return call

    def _binary(self) -> Callable[..., Tensor]:
        apply, name, record, kinds = self.apply, self.name, self.record, self.kinds
        promotes, cast = bool(self.promotes), self.cast

        def call(a: Any, b: Any) -> Tensor:
            if cast and ACTIVE:
                return apply((a, b), {})
            try:
                xa, xb, device = a._array, b._array, a._device
                dtype = xa.dtype
                plain = device is b._device and (dtype is xb.dtype or not promotes)
            except AttributeError:
                if promotes and type(b) is float and isinstance(a, Tensor):
                    device = a._device
                    dtype = a._array.dtype
                    if dtype.kind == "f" and TAPE.get() is None:
                        return call(a, wrap(device.scalar(b, dtype), device))
                plain = False
            if not plain or (kinds and dtype.kind not in kinds):
                return apply((a, b), {})
            try:
                y = device.kernels[name](xa, xb)
            except Exception as error:
                self.fail(error, (a, b), {})
            if type(y) is not device.buffer:
                y = device.as_buffer(y)
            if TAPE.get() is not None:
                return self.finish((a, b), (xa, xb), {}, y, device)
            if (
                (a._node is not None or b._node is not None)
                and self.rule is not None
                and GRAD.get()
            ):
                return record((a, b), (xa, xb), {}, y, device)
            return wrap(y, device)

        return call

    # ---- the general way -------------------------------------------------------------------------
    def apply(self, args: tuple[Any, ...], attrs: dict[str, Any]) -> Tensor:
        """Run on any inputs: bind, convert, promote, check, launch, record."""
        given, attrs = self.bind(args, attrs)
        if ACTIVE and self.cast is not None:
            given = tuple(adapted(self.cast, given))
        for name, value in attrs.items():
            if isinstance(value, np.generic):  # its type would count, where a number's does not
                attrs = {**attrs, name: value.item()}
        inputs = given if self._plain(given) else self.tensors(given)
        tape = TAPE.get()
        if tape is not None and self.preparation is not None:
            attrs = {k: v.constant() if type(v) is Live else v for k, v in attrs.items()}
        if self.preparation is not None:
            try:
                attrs = (
                    self.preparation(inputs, **attrs)
                    if self.variadic
                    else self.preparation(*inputs, **attrs)
                )
            except RAW as error:
                self.fail(error, inputs, attrs, explains=False)
        if not inputs:
            raise ArgumentError(f"{self.name}: got no tensors; expected at least one")
        device = inputs[0]._device
        arrays = tuple([None if t is None else t._array for t in inputs])
        kernel = device.kernels[self.name]
        options = attrs if tape is None else plain(attrs)
        try:
            y = kernel(arrays, **options) if self.variadic else kernel(*arrays, **options)
        except Exception as error:
            self.fail(error, inputs, attrs)
        if type(y) is not device.buffer:
            y = device.as_buffer(y)
        return self.finish(inputs, arrays, attrs, y, device)

    def finish(
        self,
        inputs: tuple[Any, ...],
        arrays: tuple[Any, ...],
        attrs: dict[str, Any],
        y: Any,
        device: Device,
    ) -> Tensor:
        """Return the Tensor over the buffer *y*: recorded, captured, sharing as it has to."""
        out = None
        if self.rule is not None and GRAD.get() and is_floating(y.dtype):
            for t in inputs:
                if t is not None and t._node is not None:
                    out = self.record(inputs, arrays, attrs, y, device)
                    break
        if out is None:
            out = wrap(y, device)
        view = self.view and device.shares(arrays[0], y)
        if view:
            share_version(inputs[0], out, self, attrs)
        tape = TAPE.get()
        if tape is not None:
            tape.launch(self.name, arrays, attrs, y, device, view=view)
            tape.track(out)
        return out

    def bind(
        self, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call into inputs and attributes."""
        extra = len(args) - len(self.inputs)
        if -self.optional <= extra <= len(self.positional):
            filled = {**self.defaults, **attrs}
            if extra > 0:
                filled.update(zip(self.positional, args[-extra:]))
                args = args[:-extra]
            elif extra:
                args += (None,) * -extra
            # as many names as there are attributes, none of them unknown or given twice
            if len(filled) == len(self.attrs) and not (
                extra > 0 and attrs and self._twice(extra, attrs)
            ):
                return (self._many(args[0]) if self.variadic else args), filled
            if extra > 0:
                args += tuple(filled[n] for n in self.positional[:extra])
            elif extra:
                args = args[:extra]
        wrong = signature_error(self.name, self.signature, args, attrs)
        if wrong is not None:
            raise wrong
        bound = self.signature.bind(*args, **attrs)
        bound.apply_defaults()
        values = bound.arguments
        found = tuple(values[i] for i in self.inputs)
        return (self._many(found[0]) if self.variadic else found), {
            a: values[a] for a in self.attrs
        }

    def _many(self, given: Any) -> tuple[Any, ...]:
        """Return the sequence of inputs *given* as a tuple."""
        try:
            return tuple(given)
        except TypeError:
            raise DTypeError(
                f"{self.name}: got {named(given)}; expected a sequence of tensors"
            ) from None

    def _twice(self, extra: int, attrs: dict[str, Any]) -> bool:
        """Say whether *attrs* names one of the first *extra* positional attributes again."""
        return not attrs.keys().isdisjoint(self.positional[:extra])

    def _plain(self, given: tuple[Any, ...]) -> bool:
        """Say whether the inputs are Tensors of one device and dtype, ready for the kernel."""
        device = dtype = None
        for t in given:
            if t is None:
                if not self.optional:
                    return False
                continue
            try:
                place, kind = t._device, t._array.dtype
            except AttributeError:
                return False
            if device is None:
                device, dtype = place, kind
            elif place is not device or (kind is not dtype and self.promotes):
                return False
        return dtype is not None and not (self.kinds and dtype.kind not in self.kinds)

    def tensors(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the inputs as Tensors of one device and, where the operator asks, one dtype."""
        given, device = on_one_device(self.name, given)
        if not self.optional:
            for i, t in enumerate(given):
                if t is None:
                    self._missing(i)
        numbers = [type(t) in NUMBERS or isinstance(t, np.generic) for t in given]
        inputs = [
            t
            if weak or isinstance(t, Tensor) or (t is None and self.optional)
            else as_tensor(t, device=device, operation=self.name)
            for t, weak in zip(given, numbers)
        ]
        dtype = self._common(inputs, numbers)
        for i, t in enumerate(inputs):
            promoted = not self.promotes or self.variadic or self.promotes[i]
            if numbers[i]:
                target = dtype if promoted and dtype is not None else weaken(None, _number(t))
                inputs[i] = scalar_tensor(self.name, t, target, device)
            elif promoted and t is not None and dtype is not None and t.dtype != dtype:
                inputs[i] = table_operator("astype")(t, dtype)
        if self.real:
            for t in inputs:
                if t is not None and t.dtype.kind == "c":
                    raise DTypeError(
                        f"{self.name}: got {t.dtype}{list(t.shape)}; expected real numbers: take "
                        "the parts with mi.real and mi.imag, or the size with mi.abs"
                    )
        return tuple(inputs)

    def _missing(self, i: int) -> NoReturn:
        what = f"input {i}" if self.variadic else self.inputs[i]
        raise DTypeError(
            f"{self.name}: got None for {what}; expected a Tensor, an array or numbers"
        )

    def _common(self, inputs: list[Any], numbers: list[bool]) -> DType | None:
        """Return the dtype that inputs are brought to, or None where each keeps its own."""
        if not self.promotes and not self.floating:
            return None
        chosen = [
            (t, weak)
            for i, (t, weak) in enumerate(zip(inputs, numbers))
            if t is not None and (self.variadic or not self.promotes or self.promotes[i])
        ]
        dtype: DType | None = None
        for t, weak in chosen:
            if not weak:
                dtype = t.dtype if dtype is None else promote(dtype, t.dtype)
        for t, weak in chosen:
            if weak:
                dtype = weaken(dtype, _number(t))
        return float_for(dtype) if self.floating and dtype is not None else dtype

    # ---- recording and errors --------------------------------------------------------------------
    def record(
        self,
        inputs: tuple[Any, ...],
        arrays: tuple[Any, ...],
        attrs: dict[str, Any],
        y: Any,
        device: Any,
    ) -> Tensor:
        """Return the output Tensor with the node that backward will go through."""
        edges: list[Any] = []
        saved: list[Any] = []
        versions: list[tuple[Version, int]] = []
        keeps: Sequence[bool] = self.save_inputs
        save_output = self.save_output
        if self.reads:
            keeps, save_output = self.kept(inputs)
        elif self.variadic:
            keeps = self.save_inputs * len(inputs)
        for t, array, keep in zip(inputs, arrays, keeps):
            if t is None:
                edges.append(None)
                saved.append(None)
                continue
            node = t._node
            edges.append(t if node is LEAF else node)
            if keep:
                version = t._version
                if version is None:
                    version = t._version = Version()
                versions.append((version, version.number))
                saved.append(array)
            else:
                saved.append(Spec(array.shape, array.dtype, device))
        out = wrap(y, device)
        if save_output:
            version = out._version = Version()
            versions.append((version, 0))
            kept = y
        else:
            kept = Spec(y.shape, y.dtype, device)
        out._node = Node(self, tuple(edges), tuple(saved), kept, attrs, device, versions)
        return out

    def kept(self, inputs: tuple[Any, ...]) -> tuple[Sequence[bool], bool]:
        """Say which of *inputs* some gradient that is asked for reads, and whether the output."""
        if not self.reads:
            return self.save_inputs, self.save_output
        wanted = [r for t, r in zip(inputs, self.reads) if getattr(t, "_node", None) is not None]
        if len(wanted) == 1:
            return wanted[0]
        if len(wanted) == len(self.reads):
            return self.save_inputs, self.save_output
        return [any(k) for k in zip(*[r[0] for r in wanted])], any(r[1] for r in wanted)

    def fail(
        self,
        error: Exception,
        inputs: tuple[Any, ...],
        attrs: dict[str, Any],
        explains: bool = True,
    ) -> NoReturn:
        """Raise what the user sees for *error*, which a kernel, or the preparation, raised."""
        found = self.explain(error, inputs, attrs, explains)
        try:
            if found is error:  # as its own cause it would keep all that its frames hold
                raise error
            raise found from error
        finally:
            del error, found  # of an error the frames, this one too, hold what they worked on

    def explain(
        self,
        error: Exception,
        inputs: tuple[Any, ...],
        attrs: dict[str, Any],
        explains: bool = True,
    ) -> Exception:
        """Return the error that the user sees for *error*, which a kernel raised.

        *explains* says that what was entered with ``explain`` may be asked.
        """
        if isinstance(error, MinimaError | MemoryError | Warning):
            return error
        for i, t in enumerate(inputs):
            if t is None and i < len(self.inputs) - self.optional:
                return DTypeError(
                    f"{self.name}: got None for {self.inputs[i]}; expected a Tensor, an array or "
                    "numbers"
                )
        if isinstance(error, TypeError) and any(words in str(error) for words in _NO_LOOP):
            kinds = " and ".join(dict.fromkeys(str(t.dtype) for t in inputs if t is not None))
            return DTypeError(
                f"{self.name}: got {kinds}, for which it has no meaning; cast first with "
                ".astype(...)"
                + (
                    "; bools have mi.logical_not, logical_and, logical_xor"
                    if "bool" in kinds
                    else ""
                )
            )
        if isinstance(error, ValueError) and "negative integer powers" in str(error):
            return DTypeError(
                f"{self.name}: got integers and a negative exponent, whose power is not whole; "
                "cast first with .astype('float32')"
            )
        if explains and self.explanation is not None:
            return ShapeError(f"{self.name}: {self.explanation(*inputs, **attrs)}")
        shapes = [t.shape for t in inputs if isinstance(t, Tensor)]
        if len(shapes) > 1 and self.promotes and not self.attrs and not self.variadic:
            try:
                np.broadcast_shapes(*shapes)
            except ValueError:
                return ShapeError(
                    f"{self.name}: shapes {' and '.join(map(str, shapes))} do not broadcast; "
                    "expected equal sizes, or 1, in each axis counted from the last"
                )
        got = ", ".join(f"{t.dtype}{list(t.shape)}" for t in inputs if isinstance(t, Tensor))
        options = "".join(f", {k}={named(v)}" for k, v in attrs.items())
        for builtin, ours in (
            (IndexError, IndexRangeError),
            (TypeError, DTypeError),
            (AttributeError, DTypeError),
            (ValueError, ShapeError),
            (ArithmeticError, ArgumentError),
            (LookupError, ArgumentError),
        ):
            if isinstance(error, builtin):
                return ours(f"{self.name}: {error}; got {got}{options}")
        return error


#: what NumPy and CuPy say of a function that does not know a dtype
_NO_LOOP = ("not supported for the input types", "did not contain a loop", "numpy boolean")
#: the types of Python numbers that an operator takes in place of a Tensor
NUMBERS = (float, int, bool, complex, Live)


def on_one_device(name: str, given: tuple[Any, ...]) -> tuple[tuple[Any, ...], Device | None]:
    """Return the inputs with all Tensors on one device, and that device.

    Raises: DeviceError where they lie on several, unless all but one stand below it, in `vmap`.
    """
    device: Device | None = None
    several = False
    for t in given:
        if isinstance(t, Tensor):
            if device is None:
                device = t._device
            elif t._device is not device:
                several = True
                if t._device.stands_on(device):
                    device = t._device
    if several and device is not None:
        given = tuple(
            device.adopt(name, t) if isinstance(t, Tensor) and t._device is not device else t
            for t in given
        )
    return given, device


def _number(value: Any) -> Any:
    if type(value) is Live:
        return value.value
    return value.item() if isinstance(value, np.generic) else value


def scalar_tensor(name: str, value: Any, dtype: DType, device: Device | None) -> Tensor:
    """Return a Python number as a 0-d Tensor of *dtype*."""
    from ..devices import CPU

    device = device or CPU
    if device.base is not None:
        return device.adopt(name, scalar_tensor(name, value, dtype, device.base))  # type: ignore[no-any-return]
    try:
        array = device.scalar(_number(value), dtype)
    except MinimaError:  # of the device, which has said what is wrong
        raise
    except (OverflowError, ValueError, TypeError) as error:
        raise DTypeError(
            f"{name}: the number {value!r} does not fit into {dtype} ({error}); "
            "cast the tensor first with .astype(...)"
        ) from None
    tape = TAPE.get()
    if tape is not None:
        live = type(value) is Live
        name, attrs = ("scalar", {"value": value}) if live else ("constant", {"values": array})
        tape.launch(name, (), attrs, array, device)
    return wrap(array, device)


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


TABLE: dict[str, Operator[Any]] = {}


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
    *real* that complex inputs are refused.

    Raises: ArgumentError when the name is taken or the docstring is missing.
    """
    if reference is None:
        return lambda kernel: operator(  # type: ignore[call-overload]
            kernel, promotes=promotes, floating=floating, view=view, real=real
        )
    entry: Operator[Any] = Operator(reference, promotes, floating, view, real)
    if entry.name in TABLE:
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

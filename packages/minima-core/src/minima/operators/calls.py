"""A call of an operator: quick where all is plain, else bound, converted, promoted and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..amp.casting import ACTIVE, adapted
from ..autograd.mode import GRAD, TAPE
from ..autograd.node import LEAF, Node, Spec, Version
from ..compiler.live import Live
from ..compiler.tape import plain
from ..devices.base import Device
from ..dtypes import DType, float_for, is_floating, promote, weaken
from ..errors import ArgumentError, DTypeError
from ..explain import RAW, named, signature_error
from ..tensor import Tensor, as_tensor, share_version, wrap
from .misfits import misfit
from .options import check_option
from .scalars import NUMBERS, number, on_one_device, only_real, scalar_tensor

__all__ = ["Calls", "Rule"]

Rule = Callable[..., Any]


class Calls:
    """Base of `Operator`: how an entry of the table is called, from its parts."""

    name: str
    inputs: list[str]
    variadic: bool
    optional: int
    attrs: list[str]
    defaults: dict[str, Any]
    positional: list[str]
    signature: inspect.Signature
    promotes: list[bool]
    floating: bool
    view: bool
    real: bool
    kinds: str
    options: dict[str, frozenset[type]]
    cast: str | None
    rule: Rule | None
    preparation: Rule | None
    explanation: Rule | None
    composition: Rule | None
    save_inputs: tuple[bool, ...]
    save_output: bool
    reads: list[tuple[list[bool], bool]]

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
        for name, types in self.options.items():
            value = attrs[name]
            if type(value) not in types:
                check_option(self.name, name, value, types)
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
        if self.composition is not None and inputs[0]._array.dtype.kind == "c":
            composed: Tensor = self.composition(*inputs, **attrs)
            return composed
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
                target = dtype if promoted and dtype is not None else weaken(None, number(t))
                inputs[i] = scalar_tensor(self.name, t, target, device)
            elif promoted and t is not None and dtype is not None and t.dtype != dtype:
                inputs[i] = t.astype(dtype)
        if self.real and self.composition is None:
            only_real(self.name, *inputs)
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
                dtype = weaken(dtype, number(t))
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
        shape, dtype = y.shape, y.dtype
        kept: Any = None
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
                spec = Spec(array.shape, array.dtype, device)
                saved.append(spec)
                if spec.shape == shape and spec.dtype is dtype:
                    kept = spec  # says of the output what is to be said
        out = wrap(y, device)
        if save_output:
            version = out._version = Version()
            versions.append((version, 0))
            kept = y
        elif kept is None:
            kept = Spec(shape, dtype, device)
        entry: Any = self
        out._node = Node(entry, tuple(edges), tuple(saved), kept, attrs, device, versions)
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
        found = misfit(self, error, inputs, attrs, explains)
        try:
            if found is error:  # as its own cause it would keep all that its frames hold
                raise error
            raise found from error
        finally:
            del error, found  # of an error the frames, this one too, hold what they worked on

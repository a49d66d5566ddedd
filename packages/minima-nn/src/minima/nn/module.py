"""Module: the base of all layers and models.

Parameters and modules are ordinary attributes, found when asked for, through lists, tuples and
dicts. Reading an attribute is plain Python, and a call without hooks costs about a microsecond.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy.typing as npt

from minima import Tensor
from minima.autograd.mode import TAPE
from minima.errors import ArgumentError, DTypeError

from .errors import uninitialised
from .hooks import Hook, HookHandle, Hooks
from .parameter import Parameter, adopt, clear_gradients
from .placement import moved, placement
from .record import LastCall, pack
from .state import LoadResult, load_state
from .tree import gathered, members, walk

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


class Module:
    """Base class of layers and models: subclass it, assign layers, define ``forward``.

    Parameters and modules among the attributes belong to the module, also inside lists, tuples
    and dicts, and get dotted names such as ``blocks.0.weight``. What PyTorch returns as an
    iterator (``parameters()``, ``children()``, ...) is a list here. ``input`` and ``output`` give
    what the last call got and returned, whose arrays stay in memory until the next call.

    Raises: ModuleInitError when a subclass forgets ``super().__init__()``.

    >>> class Net(mi.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layers = [mi.nn.Linear(4, 3), mi.nn.Linear(3, 2)]
    ...     def forward(self, x):
    ...         for layer in self.layers:
    ...             x = layer(x)
    ...         return x
    >>> Net()
    Net(
      (layers.0): Linear(in_features=4, out_features=3, bias=True)
      (layers.1): Linear(in_features=3, out_features=2, bias=True)
    )
    >>> Net()(mi.ones((5, 4))).shape
    (5, 2)
    """

    # outside of __dict__, where parameters and modules are looked for
    __slots__ = ("__dict__", "__weakref__", "_buffers", "_hooks", "_seen")

    training: bool
    _buffers: dict[str, bool]
    _hooks: Hooks | None
    _seen: tuple[Any, ...] | None

    input = LastCall(0, "input", "The positional arguments of the last call, detached copies.")
    output = LastCall(1, "output", "What the last call returned, Tensors as detached copies.")

    __minima_guard__ = ("_hooks",)  # a plan holds only while there are no others

    def __init__(self) -> None:
        _set_hooks(self, None)
        _set_seen(self, None)
        _set_buffers(self, {})
        self.training = True

    # ---- calling ---------------------------------------------------------------------------------
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it."""
        raise NotImplementedError(
            f"{type(self).__name__}: forward is not defined; define forward(self, x) in the class"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what forward returns, hooks included."""
        try:
            hooks = self._hooks
        except AttributeError:
            raise uninitialised(self, "cannot be called") from None
        tape = TAPE.get()
        if hooks is not None:
            if tape is not None:
                tape.fail(f"{type(self).__name__} has hooks, which a plan would not call")
            args, y = hooks.call(self, args, kwargs)
        else:
            y = self.forward(*args, **kwargs)
        if tape is not None:  # a replay would not bring them up to date
            _set_seen(self, None)
            return y
        try:
            (x,) = args
            _set_seen(self, (x._array, x._device, y._array, y._device))
        except (AttributeError, ValueError):
            self._remember(args, y)
        return y

    def _remember(self, args: tuple[Any, ...], y: Any) -> None:
        _set_seen(self, (pack(args), pack(y)))

    def register_forward_pre_hook(self, hook: Hook) -> HookHandle:
        """Call ``hook(module, args)`` before forward; a result that is not None replaces args.

        >>> layer = mi.nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] * 2)
        >>> layer(mi.Tensor([1.0]))
        Tensor([2.])
        """
        return HookHandle(self, "forward_pre", hook)

    def register_forward_hook(self, hook: Hook) -> HookHandle:
        """Call ``hook(module, args, output)`` after forward; a result not None replaces output.

        >>> layer = mi.nn.Identity()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output + 1)
        >>> layer(mi.Tensor([1.0]))
        Tensor([2.])
        """
        return HookHandle(self, "forward", hook)

    def register_backward_hook(self, hook: Hook) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` when backward passes the module.

        Both are tuples: of the gradients of the positional arguments, None where there is none,
        and of the outputs. A result that is not None takes the place of grad_input.

        >>> layer = mi.nn.Identity()
        >>> handle = layer.register_backward_hook(lambda module, gi, go: print(gi, go))
        >>> layer(mi.Tensor(1.0, requires_grad=True)).backward()
        (Tensor(1.),) (Tensor(1.),)
        """
        return HookHandle(self, "backward", hook)

    # ---- attributes ------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor | Module):
            self._check_assignment(name, value)
        object.__setattr__(self, name, value)

    def _check_assignment(self, name: str, value: Tensor | Module) -> None:
        if isinstance(value, Parameter | Module) and not hasattr(self, "_hooks"):
            raise uninitialised(self, f"cannot assign {name!r}")
        if isinstance(self.__dict__.get(name), Parameter) and not isinstance(
            value, Parameter | Module
        ):
            raise DTypeError(
                f"{type(self).__name__}: {name!r} is a Parameter and the value a Tensor; assign "
                f"minima.nn.Parameter(value), or change the values: {name}.copy_(value) under "
                "no_grad()"
            )

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make *tensor* an attribute that moves and is saved with the module but is not trained.

        It is in the state unless *persistent* is False.

        Raises: DTypeError when it is neither Tensor nor None, ArgumentError when the name is
        taken, empty or has a dot.

        >>> module = mi.nn.Module()
        >>> module.register_buffer("count", mi.zeros(1))
        >>> module.state_dict()
        {'count': Tensor([0.])}
        """
        owner = type(self).__name__
        if tensor is not None and not isinstance(tensor, Tensor):
            raise DTypeError(
                f"{owner}: buffer {name!r} is a {type(tensor).__name__}; expected a Tensor or None"
            )
        self._check_name("buffer", name)
        self._buffers[name] = persistent
        setattr(self, name, tensor)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Make *parameter* the attribute *name*, as an assignment does.

        Raises: DTypeError when it is neither Parameter nor None, ArgumentError when the name is
        taken, empty or has a dot.

        >>> module = mi.nn.Module()
        >>> module.register_parameter("scale", mi.nn.Parameter([1.0]))
        >>> [name for name, _ in module.named_parameters()]
        ['scale']
        """
        if parameter is not None and not isinstance(parameter, Parameter):
            raise DTypeError(
                f"{type(self).__name__}: parameter {name!r} is a {type(parameter).__name__}; "
                "expected a Parameter or None"
            )
        self._check_name("parameter", name)
        setattr(self, name, parameter)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make *module* the attribute *name*, as an assignment does.

        Raises: DTypeError when it is neither Module nor None, ArgumentError when the name is
        taken, empty or has a dot.

        >>> module = mi.nn.Module()
        >>> module.add_module("act", mi.nn.ReLU())
        >>> module.act
        ReLU()
        """
        if module is not None and not isinstance(module, Module):
            raise DTypeError(
                f"{type(self).__name__}: module {name!r} is a {type(module).__name__}; expected a "
                "Module or None"
            )
        self._check_name("module", name)
        setattr(self, name, module)

    def _check_name(self, what: str, name: Any) -> None:
        owner = type(self).__name__
        if not hasattr(self, "_hooks"):
            raise uninitialised(self, f"cannot register the {what} {name!r}")
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(
                f"{owner}: the {what} name is {name!r}; expected a str that is not empty and has "
                "no dot"
            )
        taken = self.__dict__.get(name) is not None and name not in self._buffers
        if taken or hasattr(type(self), name):
            raise ArgumentError(
                f"{owner}: the {what} name {name!r} is taken by an attribute; expected another"
            )

    # ---- what belongs to it ----------------------------------------------------------------------
    def _own(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """Yield (name, value) of each attribute of *kind*, through lists, tuples and dicts."""
        for name, value in self.__dict__.items():
            for dotted, found in members(name, value, (Parameter, Module)):
                if isinstance(found, kind):
                    yield dotted, found

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return self._own(Parameter)

    def _own_modules(self) -> Iterator[tuple[str, Module]]:
        return self._own(Module)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, *, remove_duplicate: bool = True
    ) -> list[tuple[str, Parameter]]:
        """Return (dotted name, parameter): the module's own first, then those of its children.

        A parameter that has several names is there once, under the first.

        >>> [name for name, _ in mi.nn.Sequential(mi.nn.Linear(2, 1)).named_parameters()]
        ['module_0.weight', 'module_0.bias']
        """
        return gathered(
            self, Module._own_parameters, prefix, recurse=recurse, unique=remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> list[Parameter]:
        """Return every parameter once, in the order of `named_parameters`.

        >>> [p.shape for p in mi.nn.Linear(2, 1).parameters()]
        [(2, 1), (1,)]
        """
        return [p for _, p in self.named_parameters(recurse=recurse)]

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, *, remove_duplicate: bool = True
    ) -> list[tuple[str, Tensor]]:
        """Return (dotted name, buffer) of every registered buffer that is not None.

        >>> [name for name, _ in mi.nn.BatchNorm1d(2).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        return gathered(self, Module._own_buffers, prefix, recurse=recurse, unique=remove_duplicate)

    def buffers(self, recurse: bool = True) -> list[Tensor]:
        """Return every buffer once.

        >>> mi.nn.Linear(2, 1).buffers()
        []
        """
        return [b for _, b in self.named_buffers(recurse=recurse)]

    def _own_buffers(self, persistent: bool = False) -> Iterator[tuple[str, Tensor]]:
        for name, saved in self._buffers.items():
            value = self.__dict__.get(name)
            if isinstance(value, Tensor) and (saved or not persistent):
                yield name, value

    def named_children(self) -> list[tuple[str, Module]]:
        """Return (name, module) of the modules one level below, each once.

        >>> mi.nn.Residual(mi.nn.ReLU()).named_children()
        [('fn', ReLU())]
        """
        seen: set[int] = set()
        return [
            (name, m)
            for name, m in self._own_modules()
            if not (id(m) in seen or seen.add(id(m)))  # type: ignore[func-returns-value]
        ]

    def children(self) -> list[Module]:
        """Return the modules one level below, each once.

        >>> mi.nn.Sequential(mi.nn.ReLU(), mi.nn.Tanh()).children()
        [ReLU(), Tanh()]
        """
        return [module for _, module in self.named_children()]

    def named_modules(
        self, prefix: str = "", *, remove_duplicate: bool = True
    ) -> list[tuple[str, Module]]:
        """Return (dotted name, module) of this module and all below it, parents first.

        >>> [name for name, _ in mi.nn.Sequential(mi.nn.ReLU()).named_modules()]
        ['', 'module_0']
        """
        return list(walk(self, prefix, set(), remove_duplicate))

    def modules(self) -> list[Module]:
        """Return this module and all below it, parents first, each once.

        >>> len(mi.nn.Sequential(mi.nn.ReLU(), mi.nn.Residual(mi.nn.Tanh())).modules())
        4
        """
        return [module for _, module in self.named_modules()]

    def _children(self) -> list[Module]:
        """Return all modules below this one, parents first, each once."""
        return self.modules()[1:]

    def apply(self: M, fn: Callable[[Module], object]) -> M:
        """Call ``fn(module)`` for every module below this one, then for this one.

        >>> _ = mi.nn.Sequential(mi.nn.ReLU()).apply(lambda m: print(type(m).__name__))
        ReLU
        Sequential
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # ---- modes -----------------------------------------------------------------------------------
    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training, or with False to evaluation.

        Raises: DTypeError when *mode* is no bool.

        >>> mi.nn.Dropout().train(False).training
        False
        """
        if not isinstance(mode, bool):
            raise DTypeError(f"{type(self).__name__}: train(mode) is {mode!r}; expected a bool")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Switch this module and all below it to evaluation.

        >>> mi.nn.Dropout().eval().training
        False
        """
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Say for every parameter whether it collects a gradient.

        >>> mi.nn.Linear(2, 1).requires_grad_(False).weight.requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient of every parameter, or with False set it to zero in place.

        >>> layer = mi.nn.Linear(2, 1)
        >>> layer(mi.ones((1, 2))).sum().backward()
        >>> layer.zero_grad()
        >>> layer.weight.grad is None
        True
        """
        clear_gradients(self.parameters(), set_to_none)

    def to(self: M, *where: Any, device: Any = None, dtype: npt.DTypeLike | None = None) -> M:
        """Move every parameter and buffer to a device, and the floating ones to a dtype.

        *where* is a device, a dtype or both. Parameters stay the same objects, gradients move
        along.

        Raises: DeviceError, DTypeError for what there is not, or for a dtype that is no floating
        type.

        >>> mi.nn.Linear(2, 1).to("float64").weight.dtype
        dtype('float64')
        """
        target, kind = placement(type(self).__name__, where, device, dtype)
        tensors: list[Tensor] = [*self.parameters(), *self.buffers()]
        for tensor in tensors:
            adopt(tensor, moved(tensor, target, kind))
            if tensor.grad is not None:
                tensor.grad = moved(tensor.grad, target, kind)
        return self

    # ---- state -----------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Tensor]:
        """Return every parameter and persistent buffer under its dotted name, detached.

        The Tensors share the module's memory: ``clone()`` what must not change with it. What has
        two names is there under both.

        >>> list(mi.nn.Linear(2, 1).state_dict())
        ['weight', 'bias']
        """
        return {name: t.detach() for name, t in self._stateful()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Copy *state* into the parameters and buffers; all of it or, when it does not fit, none.

        Values are Tensors or arrays; floating ones are brought to the module's dtype. With
        *strict* False, keys that are missing or unexpected are returned, not raised.

        Raises: StateDictError that lists every key that is missing, unexpected or does not fit.

        >>> layer = mi.nn.Linear(2, 1)
        >>> layer.load_state_dict({"weight": np.ones((1, 2)), "scale": np.ones(1)})
        Traceback (most recent call last):
        minima.nn.errors.StateDictError: Linear: the state does not fit: missing: bias; \
unexpected: scale; weight: got shape (1, 2), expected (2, 1)
        """
        return load_state(type(self).__name__, dict(self._stateful()), state, strict)

    def _stateful(self) -> list[tuple[str, Tensor]]:
        def own(module: Module) -> Iterator[tuple[str, Tensor]]:
            yield from module._own_parameters()
            yield from module._own_buffers(persistent=True)

        return gathered(self, own, unique=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.__dict__, self._hooks, self._buffers

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        Module.__init__(self)
        attributes, hooks, buffers = state
        self.__dict__.update(attributes)
        _set_hooks(self, hooks)
        _set_buffers(self, buffers)

    # ---- printing --------------------------------------------------------------------------------
    def extra_repr(self) -> str:
        """Return what `repr` shows of this module besides its children; empty unless redefined.

        >>> mi.nn.Dropout(0.1).extra_repr()
        'p=0.1'
        """
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [
            f"({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._own_modules()
        ]
        if not children and len(extra) <= 1:
            return f"{self._get_name()}({''.join(extra)})"
        return f"{self._get_name()}(\n  " + "\n  ".join([*extra, *children]) + "\n)"


_set_hooks: Callable[[Module, Hooks | None], None] = Module._hooks.__set__  # type: ignore[union-attr]
_set_seen: Callable[[Module, tuple[Any, ...] | None], None] = Module._seen.__set__  # type: ignore[union-attr]
_set_buffers: Callable[[Module, dict[str, bool]], None] = Module._buffers.__set__  # type: ignore[attr-defined]

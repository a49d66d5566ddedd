"""Module: the base of all layers and models.

Parameters and modules are ordinary attributes, found when asked for, through lists, tuples and
dicts. Reading an attribute is plain Python, and a call without hooks costs about a microsecond.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Self

from minima import Tensor, compile, is_grad_enabled
from minima.autograd.mode import TAPE
from minima.errors import ArgumentError, DTypeError

from .errors import uninitialised
from .habits import missing_attribute
from .hooked import Hooked
from .hooks import Hooks, StateHooks
from .parameter import Parameter, clear_gradients
from .record import LastCall, pack
from .state import Stateful

__all__ = ["Module"]


class Module(Hooked, Stateful):
    """Base class of layers and models: subclass it, assign layers, define ``forward``.

    Parameters and modules among the attributes belong to the module, also inside lists, tuples
    and dicts, and get dotted names such as ``blocks.0.weight``. What PyTorch returns as an
    iterator (``parameters()``, ``children()``, ...) is a list here, and takes `next` too. ``input``
    and ``output`` give what the last call got and returned, whose arrays stay in memory until the
    next call.

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
    __slots__ = ("__dict__", "__weakref__", "_buffers", "_hooks", "_seen", "_state_hooks")

    training: bool
    _buffers: dict[str, bool]
    _hooks: Hooks | None
    _seen: tuple[Any, ...] | None
    _state_hooks: StateHooks | None

    input = LastCall(0, "input", "The positional arguments of the last call, detached copies.")
    output = LastCall(1, "output", "What the last call returned, Tensors as detached copies.")

    __minima_guard__ = ("_hooks",)  # a plan holds only while there are no others

    def __init__(self) -> None:
        _set_hooks(self, None)
        _set_seen(self, None)
        _set_buffers(self, {})
        _set_state_hooks(self, None)
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
                tape.fail(f"{type(self).__name__} has hooks, which a plan {hooks.uncaptured()}")
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

    # ---- attributes ------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor | Module):
            self._check_assignment(name, value)
        object.__setattr__(self, name, value)

    def _check_assignment(self, name: str, value: Tensor | Module) -> None:
        if isinstance(value, Parameter | Module):
            if not hasattr(self, "_hooks"):
                raise uninitialised(self, f"cannot assign {name!r}")
            self._buffers.pop(name, None)
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

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make *param* the attribute *name*, as an assignment does.

        Raises: DTypeError when it is neither Parameter nor None, ArgumentError when the name is
        taken, empty or has a dot.

        >>> module = mi.nn.Module()
        >>> module.register_parameter("scale", mi.nn.Parameter([1.0]))
        >>> [name for name, _ in module.named_parameters()]
        ['scale']
        """
        if param is not None and not isinstance(param, Parameter):
            raise DTypeError(
                f"{type(self).__name__}: parameter {name!r} is a {type(param).__name__}; "
                "expected a Parameter or None"
            )
        self._check_name("parameter", name)
        setattr(self, name, param)

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

    def register_module(self, name: str, module: Module | None) -> None:
        """Do what `add_module` does.

        >>> module = mi.nn.Module()
        >>> module.register_module("act", mi.nn.ReLU())
        >>> module.act
        ReLU()
        """
        self.add_module(name, module)

    if not TYPE_CHECKING:  # a checker would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that raised: its own words
                return object.__getattribute__(self, name)
            said = missing_attribute(type(self).__name__, name)
            raise AttributeError(said, name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        if name not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: no attribute {name!r} to delete")
        object.__delattr__(self, name)
        self._buffers.pop(name, None)

    def __dir__(self) -> list[str]:
        return sorted(name for name in object.__dir__(self) if name.isidentifier())

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

    # ---- modes -----------------------------------------------------------------------------------
    def train(self, mode: bool = True) -> Self:
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

    def eval(self) -> Self:
        """Switch this module and all below it to evaluation.

        >>> mi.nn.Dropout().eval().training
        False
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
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

    # ---- copies ----------------------------------------------------------------------------------
    def __getstate__(self) -> tuple[Any, ...]:
        attributes = {
            name: value.detach() if isinstance(value, Tensor) and not value.is_leaf else value
            for name, value in self.__dict__.items()
            if not isinstance(value, _Compiled)
        }
        return attributes, self._hooks, dict(self._buffers), self._state_hooks

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        Module.__init__(self)
        attributes, hooks, buffers, *more = state
        self.__dict__.update(attributes)
        _set_hooks(self, hooks)
        _set_buffers(self, buffers)
        _set_state_hooks(self, more[0] if more else None)

    # ---- compiling -------------------------------------------------------------------------------
    def compile(self, executor: str | None = None) -> None:
        """Let calls without gradients replay a plan of ``forward``, as `minima.compile` does.

        Calls that record for backward run as always: of a training step compile the whole. The
        state and its names stay; a copy of the module is not compiled.

        Raises: PluginError for an unknown executor.

        >>> layer = mi.nn.Linear(2, 1)
        >>> layer.compile()
        >>> with mi.no_grad():
        ...     layer(mi.ones((3, 2))).shape
        (3, 1)
        """
        self.__dict__.pop("forward", None)
        self.forward = _Compiled(self, executor)  # type: ignore[method-assign]

    # ---- printing --------------------------------------------------------------------------------
    def extra_repr(self) -> str:
        """Return what `repr` shows of this module besides its children; empty unless redefined.

        >>> mi.nn.Dropout(0.1).extra_repr()
        'p=0.1, inplace=False'
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
_set_state_hooks: Callable[[Module, StateHooks | None], None] = Module._state_hooks.__set__  # type: ignore[union-attr]


class _Compiled:
    """The ``forward`` of a module that `Module.compile` was called on."""

    def __init__(self, module: Module, executor: str | None) -> None:
        self.eager = MethodType(type(module).forward, module)
        self.replayed = compile(self.eager, executor)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        run = self.eager if is_grad_enabled() or TAPE.get() is not None else self.replayed
        return run(*args, **kwargs)

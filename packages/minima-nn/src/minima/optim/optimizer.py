"""Optimizer: parameter groups, their options, and the state that a run resumes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Unpack

from minima import Tensor, asarray, enable_grad, no_grad
from minima.autograd.mode import TAPE
from minima.compiler.live import Live, live_options
from minima.errors import ArgumentError, DTypeError
from minima.init import constant
from minima.nn.arguments import real
from minima.nn.errors import StateDictError
from minima.nn.parameter import Uninitialized, clear_gradients
from minima.quiet import quietly

from .ahead import Ahead
from .how import How, check_how
from .pieces import LARGE, update_in_pieces
from .together import update_together

__all__ = ["Group", "Optimizer", "check_betas", "check_positive", "decayed", "slot"]

Group = dict[str, Any]

#: options that a state from before them does not have: False there
_NEWER = ("maximize", "amsgrad", "decoupled_weight_decay")


class Optimizer:
    """Base of the optimisers: a subclass says its options and how to update one parameter.

    *params* are Tensors, or dicts with "params" and options of their own, which win over those of
    the optimiser; an "lr" that is a Tensor counts as the number in it. ``param_groups`` may be
    changed between steps (a new "lr", say); ``state`` holds what each parameter carries from step
    to step.

    A subclass defines ``update(parameter, gradient, state, group)``, which runs under no_grad and
    changes the parameter in place; ``check(group)``, which raises for options out of range; and
    ``slots``, the names of its state tensors.

    Raises: ArgumentError for no parameters, one given twice, or an option out of range;
    DTypeError for what is no Tensor or not floating.

    >>> class SignDescent(mi.optim.Optimizer):
    ...     def update(self, parameter, gradient, state, group):
    ...         parameter.sub_(mi.sign(gradient), alpha=group["lr"])
    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = SignDescent([w], {"lr": 0.25})
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy()
    array([0.75], dtype=float32)
    """

    #: why a plan cannot repeat the steps; empty where it can
    eager: ClassVar[str] = ""

    #: names of the plain numbers in a parameter's state
    numbers: ClassVar[tuple[str, ...]] = ()

    #: whether ``state["step"]`` counts the steps of each parameter, from 1
    counts: ClassVar[bool] = False
    __minima_live__ = True  # a plan reads options and steps anew each time

    #: whether ``update`` changes each element by what lies at its place alone, in place: a large
    #: parameter is then updated in pieces. Not inherited, for a subclass may do otherwise
    elementwise: ClassVar[bool] = False

    #: names of the Tensors in a parameter's state, each of the parameter's shape
    slots: ClassVar[tuple[str, ...]] = ()

    #: the kernel, of devices that have one, that updates many parameters at once: it takes lists
    #: of parameters, gradients and `fused_slots`, and `fused_options`. Not inherited either
    fused: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        for name, without in (("elementwise", False), ("fused", "")):
            setattr(cls, name, cls.__dict__.get(name, without))

    def __init__(self, params: Any, defaults: Mapping[str, Any], **how: Unpack[How]) -> None:
        check_how(self._name, how, defaults)
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        if isinstance(params, Tensor | Mapping | str) or not hasattr(params, "__iter__"):
            raise DTypeError(
                f"{self._name}: params is a {type(params).__name__}; expected a list of Tensors or "
                "of groups: model.parameters()"
            )
        given = list(params)
        if not given:
            raise ArgumentError(
                f"{self._name}: params is empty; expected at least one Tensor: does the model "
                "assign its layers to attributes?"
            )
        if isinstance(given[0], Mapping):
            for group in given:
                self.add_param_group(group)
        else:
            self.add_param_group({"params": given})

    @property
    def _name(self) -> str:
        return type(self).__name__

    # ---- what a subclass defines -----------------------------------------------------------------
    def update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group
    ) -> None:
        """Change *parameter* in place; every subclass defines it."""
        raise NotImplementedError(f"{self._name}: update is not defined")

    def check(self, group: Group) -> None:
        """Raise for options of *group* that are out of range."""
        real(self._name, "lr", group["lr"], low=0.0)

    def slot_shape(self, name: str, parameter: Tensor) -> tuple[int, ...]:
        """Return the shape of the state *name* of *parameter*."""
        return parameter.shape

    def begin(self, state: dict[str, Any], group: Group) -> None:
        """Bring on what *state* counts, before `update` does a step with it."""
        if self.counts:
            advance(state)

    def fuses(self, group: Group) -> bool:
        """Say whether the kernel `fused` has all that the options of *group* ask for."""
        return not group.get("maximize", False)

    def stage(self, state: dict[str, Any]) -> Any:
        """Return what parameters must have in common to be updated at once: steps done."""
        return state.get("step", 0)

    def fused_slots(self, group: Group) -> tuple[str, ...]:
        """Return the names of the state that the kernel `fused` takes."""
        return self.slots

    def fused_options(self, group: Group, stage: Any) -> dict[str, Any]:
        """Return the options that the kernel `fused` takes."""
        raise NotImplementedError(f"{self._name}: fused_options is not defined")

    # ---- groups ----------------------------------------------------------------------------------
    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add Tensors with options of their own.

        Raises: as the constructor; then nothing is added.

        >>> a, b = mi.nn.Parameter([1.0]), mi.nn.Parameter([1.0])
        >>> optimizer = mi.optim.SGD([a], lr=0.1)
        >>> optimizer.add_param_group({"params": [b], "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        given: Any = group
        if not isinstance(given, Mapping) or "params" not in given:
            raise DTypeError(
                f"{self._name}: a group is {given!r}; expected a dict with 'params', as the "
                "first group is one"
            )
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        unknown = sorted(group.keys() - self.defaults.keys() - {"params"})
        if unknown:
            raise ArgumentError(
                f"{self._name}: a group has the option {unknown[0]!r}; expected "
                f"{', '.join(self.defaults)}"
            )
        full = {**self.defaults, **group, "params": params}
        if isinstance(full.get("lr"), Tensor) and full["lr"].size == 1:
            full["lr"] = float(full["lr"].item())
        self.check(full)
        self._check_params(params)
        self.param_groups.append(full)

    def _check_params(self, params: list[Any]) -> None:
        if not params:
            raise ArgumentError(f"{self._name}: a group has no params; expected at least one")
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise DTypeError(
                    f"{self._name}: params[{i}] is a {type(p).__name__}; expected a Tensor"
                )
            if isinstance(p, Uninitialized):
                raise ArgumentError(
                    f"{self._name}: params[{i}] is of a lazy module and has no shape yet; expected "
                    "a call of the model before, with an input"
                )
            if p.dtype.kind in "biu" or not p.is_leaf:
                got = "the result of an operation" if not p.is_leaf else f"of dtype {p.dtype}"
                raise DTypeError(
                    f"{self._name}: params[{i}] is {got}; expected a floating leaf, such as a "
                    "Parameter"
                )
            if id(p) in seen:
                raise ArgumentError(
                    f"{self._name}: params[{i}] of shape {p.shape} is given twice; expected each "
                    "parameter once, as model.parameters() returns them"
                )
            seen.add(id(p))

    # ---- steps -----------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        *closure*, if given, computes the loss and its gradients first; its result is returned.

        >>> w = mi.nn.Parameter([1.0])
        >>> optimizer = mi.optim.SGD([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.numpy()
        array([0.8], dtype=float32)
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad(), quietly():
            for group in self.param_groups:
                if TAPE.get() is None:
                    self.update_group(group)
                else:
                    self.capture_group(group)
        return loss

    def update_group(self, group: Group) -> None:
        """Update every parameter of *group* that has a gradient."""
        update, states, elementwise = self.update, self.state, self.elementwise
        for parameter in update_together(self, group) if self.fused else group["params"]:
            gradient = parameter.grad
            if gradient is not None:
                gradient = -gradient if group.get("maximize") else gradient
                state = states.get(parameter)
                if state is None:
                    state = states[parameter] = {}
                self.begin(state, group)
                large = elementwise and parameter._array.size >= LARGE
                if not large or not update_in_pieces(update, parameter, gradient, state, group):
                    update(parameter, gradient, state, group)

    def capture_group(self, group: Group) -> None:
        """Update as `update_group` while a plan is made, in which options and counts stay live."""
        tape: Any = TAPE.get()
        if self.eager:
            tape.fail(f"{self._name} {self.eager}")
        ahead = Ahead(tape)
        live = live_options(group, ahead)
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is not None:
                state = self.state.setdefault(parameter, {})
                counted = ("step", *self.numbers) if self.counts else ()
                begin = partial(self.begin, state, group)
                counts = ahead.run(begin, state, counted) if counted else {}
                seen = dict(state)
                for name in counted:
                    key = (name, id(group), state[name])
                    seen[name] = Live(partial(counts.get, name), key, ahead.condition)
                tape.own(parameter, *(v for v in state.values() if isinstance(v, Tensor)))
                tape.region = (id(self), id(group), id(parameter))
                if group.get("maximize"):
                    gradient = -gradient
                self.update(parameter, gradient, seen, live)
                tape.region = None
                state.update({k: v for k, v in seen.items() if k not in counted})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient of every parameter, or with False set it to zero in place.

        >>> w = mi.nn.Parameter([1.0])
        >>> w.sum().backward()
        >>> mi.optim.SGD([w]).zero_grad()
        >>> w.grad is None
        True
        """
        for group in self.param_groups:
            clear_gradients(group["params"], set_to_none)

    # ---- state -----------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Return the state of each parameter, by its number, and the options of each group.

        The Tensors share the optimiser's memory: ``clone()`` what must not change with it.

        >>> w = mi.nn.Parameter([1.0])
        >>> mi.optim.SGD([w], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
        """
        number = {id(p): i for i, p in enumerate(self._parameters())}
        return {
            "state": {number[id(p)]: dict(state) for p, state in self.state.items()},
            "param_groups": [
                {**group, "params": [number[id(p)] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state: afterwards steps go on exactly as where it was taken.

        The Tensors are copied, floating ones brought to their parameter's dtype and device.

        Raises: StateDictError when groups or shapes differ from this optimiser's; then nothing
        has changed.

        >>> w = mi.nn.Parameter([1.0])
        >>> a, b = mi.optim.Adam([w]), mi.optim.Adam([w], lr=0.5)
        >>> b.load_state_dict(a.state_dict())
        >>> b.param_groups[0]["lr"]
        0.001
        """
        groups, states = self._parts(state_dict)
        new_groups = [self._loaded_group(i, group) for i, group in enumerate(groups)]
        parameters = self._parameters()
        new_states = {}
        for number, state in states.items():
            at = int(number) if str(number).isdecimal() else -1
            if not 0 <= at < len(parameters):
                raise StateDictError(
                    f"{self._name}: the state has a parameter {number!r}; there are "
                    f"{len(parameters)}, numbered from 0"
                )
            new_states[parameters[at]] = self._loaded_state(at, parameters[at], state)
        self.param_groups[:] = new_groups
        self.state = new_states

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _parts(self, state_dict: Mapping[str, Any]) -> tuple[list[Group], Mapping[Any, Any]]:
        try:
            groups, states = list(state_dict["param_groups"]), dict(state_dict["state"])
            theirs = [len(group["params"]) for group in groups]
        except (TypeError, KeyError, ValueError) as error:
            raise StateDictError(
                f"{self._name}: the state is no optimiser's ({error!r}); expected a dict with "
                "'state' and 'param_groups', as state_dict() returns it"
            ) from None
        ours = [len(group["params"]) for group in self.param_groups]
        if theirs != ours:
            raise StateDictError(
                f"{self._name}: the state has groups of {theirs} parameters; expected {ours}"
            )
        return groups, states

    def _loaded_group(self, i: int, group: Mapping[str, Any]) -> Group:
        group = {**{name: False for name in _NEWER if name in self.defaults}, **group}
        missing = sorted(self.defaults.keys() - group.keys())
        known = self.defaults.keys() | How.__annotations__.keys() | {"params", "initial_lr"}
        unknown = sorted(group.keys() - known)
        if missing or unknown:
            problem = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}"
            raise StateDictError(
                f"{self._name}: group {i} of the state {problem}; expected the options "
                f"{', '.join(self.defaults)}"
            )
        # a JSON file has made lists of tuples
        options = {
            name: tuple(group[name]) if isinstance(default, tuple) else group[name]
            for name, default in self.defaults.items()
        }
        full: Group = {**options, "params": self.param_groups[i]["params"]}
        if "initial_lr" in group:  # of a schedule
            full["initial_lr"] = group["initial_lr"]
        self.check(full)
        return full

    def _loaded_state(self, at: int, parameter: Tensor, state: Any) -> dict[str, Any]:
        where = f"{self._name}: the state of parameter {at}"
        if not isinstance(state, Mapping):
            raise StateDictError(f"{where} is a {type(state).__name__}; expected a dict")
        loaded: dict[str, Any] = {}
        for name, value in state.items():
            if name == "step":
                loaded[name] = _count(where, value)
                continue
            if name in self.numbers:
                loaded[name] = float(value)
                continue
            if name not in self.slots:
                raise StateDictError(
                    f"{where} has {name!r}; expected {', '.join(('step', *self.slots))}"
                )
            tensor = asarray(value)
            shape = self.slot_shape(name, parameter)
            if tensor.shape != shape:
                raise StateDictError(
                    f"{where} has {name!r} of shape {tensor.shape}; expected {shape}"
                )
            tensor = tensor.detach().to(parameter.device).astype(parameter.dtype)
            loaded[name] = tensor.clone()
        return loaded

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={group[k]!r}" for k in self.defaults)
            lines.append(f"  ({i}): {len(group['params'])} parameters, {options}")
        return f"{self._name}(\n" + "\n".join(lines) + "\n)"


def _count(where: str, value: Any) -> int:
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = -1
    if count < 0:
        raise StateDictError(f"{where} has step {value!r}; expected a whole number of at least 0")
    return count


def advance(state: dict[str, Any]) -> None:
    """Count one more step."""
    state["step"] = state.get("step", 0) + 1


def check_positive(optimizer: Optimizer, group: Group, *names: str) -> None:
    """Raise unless the options *names* of *group* are numbers of at least 0."""
    for name in names:
        real(type(optimizer).__name__, name, group[name], low=0.0)


def check_betas(optimizer: Optimizer, group: Group) -> None:
    """Raise unless ``betas`` are two numbers of at least 0 and below 1."""
    name, betas = type(optimizer).__name__, group["betas"]
    if not isinstance(betas, tuple | list):
        raise DTypeError(f"{name}: betas is {betas!r}; expected two numbers")
    if len(betas) != 2:
        raise ArgumentError(f"{name}: betas is {betas!r}; expected two numbers")
    for i, beta in enumerate(betas):
        real(name, f"betas[{i}]", beta, low=0.0, below=1.0)


def decayed(gradient: Tensor, parameter: Tensor, weight_decay: float) -> Tensor:
    """Return gradient + weight_decay * parameter, the gradient of an L2 penalty added."""
    return (parameter * weight_decay).add_(gradient)


def slot(
    state: dict[str, Any],
    name: str,
    parameter: Tensor,
    start: float = 0.0,
    shape: tuple[int, ...] | None = None,
) -> Tensor:
    """Return the Tensor *name* of *state*; the first time one like *parameter*, full of *start*.

    It has another *shape* if given.
    """
    tensor: Tensor | None = state.get(name)
    if tensor is None:
        device, dtype = parameter.device, parameter.dtype
        sizes = parameter.shape if shape is None else shape
        tensor = constant(*sizes, c=start, device=device, dtype=dtype)
        state[name] = tensor
    return tensor

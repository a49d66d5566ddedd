"""The state of a module: saving it, and loading one, where all is checked before any changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from minima import Tensor, asarray, no_grad
from minima.errors import MinimaError

from .errors import StateDictError, uninitialised
from .hooks import StateHooks
from .parameter import Uninitialized, adopt
from .placement import Placed

if TYPE_CHECKING:
    from .module import Module

__all__ = ["LoadResult", "Stateful"]

EXTRA = "_extra_state"


class LoadResult(NamedTuple):
    """The keys that a state lacked, and those that nothing asked for.

    >>> mi.nn.Linear(2, 1).load_state_dict({}, strict=False)
    LoadResult(missing_keys=['weight', 'bias'], unexpected_keys=[])
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


class Stateful(Placed):
    """The part of `Module` that saves and loads."""

    __slots__ = ()

    _state_hooks: StateHooks | None

    def state_dict(
        self,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """Return every parameter and persistent buffer under its dotted name, detached.

        The Tensors share the module's memory: ``clone()`` what must not change with it. What has
        two names is there under both. The names begin with *prefix*; with *keep_vars* the
        parameters themselves are there; *destination* is a dict to put all into.

        >>> list(mi.nn.Linear(2, 1).state_dict(prefix="head."))
        ['head.weight', 'head.bias']
        """
        into: dict[str, Any] = {} if destination is None else destination
        _save(self._whole(), into, prefix, keep_vars, ())
        return into

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> LoadResult:
        """Copy a state into the parameters and buffers; all of it or, when it does not fit, none.

        Values are Tensors or arrays; floating ones are brought to the module's dtype. With
        *strict* False, keys that are missing or unexpected are returned, not raised. With
        *assign* nothing is copied: parameters and buffers take over memory and dtype of the
        values, which are shared from then on.

        Raises: StateDictError that lists every key that is missing, unexpected or does not fit.

        >>> layer = mi.nn.Linear(2, 1)
        >>> layer.load_state_dict({"weight": np.ones((1, 2)), "scale": np.ones(1)})
        Traceback (most recent call last):
        minima.nn.errors.StateDictError: Linear: the state does not fit: missing: bias; \
unexpected: scale; weight: got shape (1, 2), expected (2, 1)
        """
        return _Loading(self._whole(), state_dict, strict, assign).run()

    def get_extra_state(self) -> Any:
        """Return what the state holds besides tensors; redefine it with `set_extra_state`.

        It is under the name ``_extra_state``, where a class redefines this.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: get_extra_state is not defined; define it in the class, with "
            "set_extra_state"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned."""
        raise NotImplementedError(
            f"{type(self).__name__}: set_extra_state is not defined; define it in the class, with "
            "get_extra_state"
        )

    def _has_extra_state(self) -> bool:
        return type(self).get_extra_state is not Stateful.get_extra_state


def _hooks_of(module: Module, kind: str) -> Iterable[Any]:
    hooks = module._state_hooks
    return () if hooks is None else tuple(getattr(hooks, kind).values())


def _save(
    module: Module, into: dict[str, Any], prefix: str, keep_vars: bool, above: tuple[int, ...]
) -> None:
    if not hasattr(module, "_hooks"):
        raise uninitialised(module, "cannot be searched for parameters and modules")
    for hook in _hooks_of(module, "save_pre"):
        hook(module, prefix, keep_vars)
    for name, tensor in [*module._own_parameters(), *module._own_buffers(persistent=True)]:
        kept = keep_vars or isinstance(tensor, Uninitialized)
        into[prefix + name] = tensor if kept else tensor.detach()
    if module._has_extra_state():
        into[prefix + EXTRA] = module.get_extra_state()
    inside = (*above, id(module))
    for name, child in module._own_modules():
        if id(child) not in inside:
            _save(child, into, f"{prefix}{name}.", keep_vars, inside)
    for hook in _hooks_of(module, "save_post"):
        hook(module, into, prefix, {})


class _Loading:
    """One call of `load_state_dict`."""

    def __init__(self, module: Module, state: Any, strict: bool, assign: bool) -> None:
        self.owner = type(module).__name__
        if not isinstance(state, Mapping):
            raise StateDictError(
                f"{self.owner}: the state is a {type(state).__name__}; expected a dict from names "
                "to tensors"
            )
        self.state, self.strict, self.assign = dict(state), strict, assign
        self.parts = module.named_modules(remove_duplicate=False)
        self.result = LoadResult([], [])
        self.errors: list[str] = []

    def run(self) -> LoadResult:
        for path, part in self.parts:
            for hook in _hooks_of(part, "load_pre"):
                prefix, (missing, unexpected) = f"{path}." if path else "", self.result
                hook(part, self.state, prefix, {}, self.strict, missing, unexpected, self.errors)
        wanted = dict(self._wanted())
        targets = {key: t for key, t in wanted.items() if isinstance(t, Tensor)}
        self.result.missing_keys.extend(k for k in wanted if k not in self.state)
        self.result.unexpected_keys.extend(str(k) for k in self.state if k not in wanted)
        values = self._fitted(targets)
        watched = any(_hooks_of(part, "load_post") for _, part in self.parts)
        if self.errors or not watched:
            self._check()
        before = {k: targets[k].detach().clone() for k in values} if self._wrong() else {}
        self._put(targets, values)
        for key, owner in wanted.items():
            if key in self.state and not isinstance(owner, Tensor):
                owner.set_extra_state(self.state[key])
        for _, part in reversed(self.parts):
            for hook in _hooks_of(part, "load_post"):
                hook(part, self.result)
        if before and self._wrong():
            with no_grad():
                for key, value in before.items():
                    targets[key].copy_(value)
        self._check()
        return self.result

    def _wanted(self) -> Iterator[tuple[str, Tensor | Module]]:
        """Yield (key, tensor to load into), or the module whose extra state the key is of."""
        for path, part in self.parts:
            prefix = f"{path}." if path else ""
            for name, tensor in [*part._own_parameters(), *part._own_buffers(persistent=True)]:
                yield prefix + name, tensor
            if part._has_extra_state():
                yield prefix + EXTRA, part

    def _fitted(self, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        values: dict[str, Tensor] = {}
        for key, target in targets.items():
            if key in self.state:
                value, problem = _fitted(self.state[key], target, self.assign)
                if problem:
                    self.errors.append(f"{key}: {problem}")
                elif value is not target:
                    values[key] = value
        return values

    def _put(self, targets: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
        with no_grad():
            for key, value in values.items():
                target = targets[key]
                if isinstance(target, Uninitialized):
                    target.materialize(value.shape)
                if self.assign:
                    adopt(target, value)
                else:
                    target.copy_(value)

    def _wrong(self) -> bool:
        return self.strict and any(self.result)

    def _check(self) -> None:
        """Raise one error with all that is wrong, if anything is."""
        missing, unexpected = self.result
        if not self.errors and not self._wrong():
            return
        problems = [
            f"{what}: {', '.join(keys)}"
            for what, keys in (("missing", missing), ("unexpected", unexpected))
            if keys and self.strict
        ]
        problems.extend(self.errors)
        remedy = f"; {_FROM_TORCH}" if self._is_torchs() else ""
        raise StateDictError(f"{self.owner}: the state does not fit: {'; '.join(problems)}{remedy}")

    def _is_torchs(self) -> bool:
        """Say whether the names or the values are those of the same model in PyTorch."""
        theirs = {
            key.replace("module_", "") for key in self.result.missing_keys if "module_" in key
        }
        return any(map(_of_torch, self.state.values())) or bool(theirs & set(self.state))


#: what to write for a state of PyTorch's
_FROM_TORCH = (
    "for a state of PyTorch's write minima.nn.load_torch_state(model, state), which gives modules "
    "of a Sequential their names here and transposes the weights of Linear"
)


def _of_torch(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "torch"


def _fitted(value: Any, target: Tensor, assign: bool) -> tuple[Tensor, str]:
    """Return *value* as a Tensor, and what is wrong with it, if anything.

    It is *target* itself when there is nothing to load: neither has values yet.
    """
    empty = isinstance(target, Uninitialized)
    if isinstance(value, Uninitialized):
        return target, "" if empty else "has no values: it is a parameter of a lazy module"
    if not isinstance(value, Tensor):
        if _of_torch(value):  # a weight that is square would fit, and be wrong
            return target, "is a Tensor of PyTorch"
        try:
            value = asarray(value)
        except (MinimaError, TypeError, ValueError) as error:
            return target, f"is no tensor ({error})"
    if not empty and value.shape != target.shape:
        return target, f"got shape {value.shape}, expected {target.shape}"
    if not np.can_cast(value.dtype, target.dtype, "same_kind"):
        return target, f"got dtype {value.dtype}, expected {target.dtype}"
    value = value.detach()
    return cast("Tensor", value if assign else value.to(target.device)), ""

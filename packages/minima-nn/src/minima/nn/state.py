"""Loading a state into tensors: everything is checked before anything changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minima import Tensor, asarray, no_grad
from minima.errors import MinimaError

from .errors import StateDictError

__all__ = ["LoadResult", "load_state"]


class LoadResult(NamedTuple):
    """The keys that a state lacked, and those that nothing asked for.

    >>> mi.nn.Linear(2, 1).load_state_dict({}, strict=False)
    LoadResult(missing_keys=['weight', 'bias'], unexpected_keys=[])
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_state(
    owner: str, targets: Mapping[str, Tensor], state: Mapping[str, Any], strict: bool
) -> LoadResult:
    """Copy the values of *state* into the *targets* of the same names.

    Raises: StateDictError, with every key that is missing or unexpected (if *strict*) or does not
    fit; then no target has changed.
    """
    if not isinstance(state, Mapping):
        raise StateDictError(
            f"{owner}: the state is a {type(state).__name__}; expected a dict from names to tensors"
        )
    missing = [key for key in targets if key not in state]
    unexpected = [str(key) for key in state if key not in targets]
    problems = [
        f"{what}: {', '.join(keys)}"
        for what, keys in (("missing", missing), ("unexpected", unexpected))
        if keys and strict
    ]
    values: dict[str, Tensor] = {}
    for key in targets.keys() & state.keys():
        value, problem = _fitted(state[key], targets[key])
        values[key] = value
        if problem:
            problems.append(f"{key}: {problem}")
    if problems:
        raise StateDictError(f"{owner}: the state does not fit: {'; '.join(problems)}")
    with no_grad():
        for key, value in values.items():
            targets[key].copy_(value)
    return LoadResult(missing, unexpected)


def _fitted(value: Any, target: Tensor) -> tuple[Tensor, str]:
    """Return *value* as a Tensor, and what is wrong with it, if anything."""
    if not isinstance(value, Tensor):
        try:
            value = asarray(value)
        except (MinimaError, TypeError, ValueError) as error:
            return target, f"is no tensor ({error})"
    if value.shape != target.shape:
        return target, f"got shape {value.shape}, expected {target.shape}"
    if not np.can_cast(value.dtype, target.dtype, "same_kind"):
        return target, f"got dtype {value.dtype}, expected {target.dtype}"
    return value.detach().to(target.device), ""

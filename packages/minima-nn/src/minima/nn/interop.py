"""States that come from PyTorch, and go there: by the same keys but for two differences.

`Linear.weight` is (in_features, out_features) here and the transpose there; the modules of a
`Sequential` are called ``module_0``, ``module_1``, ... here and 0, 1, ... there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from minima import Tensor
from minima.nn.containers import Sequential
from minima.nn.linear import Linear
from minima.nn.module import Module
from minima.nn.state import LoadResult

__all__ = ["from_torch_state", "load_torch_state", "to_torch_state"]

Array = npt.NDArray[Any]


def _names(
    module: Module, ours: str = "", theirs: str = "", above: tuple[Module, ...] = ()
) -> Iterator[tuple[str, str, Module, bool]]:
    """Yield (our prefix, PyTorch's prefix, module, turned) of *module* and all below it.

    *turned*: the module holds what the weight of a Linear is computed from.
    """
    weight = ours.endswith(".parametrizations.weight.") or ours == "parametrizations.weight."
    yield ours, theirs, module, weight and isinstance(above[-2], Linear)
    for name, child in module._own_modules():
        their_name = name
        if isinstance(module, Sequential) and name in module._names:
            at = module._names.index(name)
            their_name = str(at) if name == f"module_{at}" else name
        yield from _names(child, f"{ours}{name}.", f"{theirs}{their_name}.", (*above, module))


#: a Linear's weight, and what it is computed from
_TURNED = ("weight", "weight_g", "weight_v", "weight_orig")


def _keys(module: Module) -> dict[str, tuple[str, bool]]:
    """Return PyTorch's key -> (our key, whether the value is transposed)."""
    found: dict[str, tuple[str, bool]] = {}
    for ours, theirs, part, computed in _names(module):
        for name, _ in [*part._own_parameters(), *part._own_buffers(persistent=True)]:
            turned = computed or (isinstance(part, Linear) and name in _TURNED)
            found[theirs + name] = ours + name, turned
    return found


def from_torch_state(module: Module, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return *state*, PyTorch's for such a module, with the names and layout of *module*.

    *state* holds torch Tensors or arrays, as ``torch_module.state_dict()`` or a safetensors file
    does; a key that the module does not have is kept as it is.

    >>> layer = mi.nn.Linear(3, 2)
    >>> mi.nn.from_torch_state(layer, {"weight": np.ones((2, 3))})["weight"].shape
    (3, 2)
    """
    known = _keys(module)
    found: dict[str, Any] = {}
    for key, value in state.items():
        ours, turned = known.get(key, (key, False))
        found[ours] = _array(value).T if turned else _array(value)
    return found


def load_torch_state(module: Module, state: Mapping[str, Any], strict: bool = True) -> LoadResult:
    """Copy the *state* of the same model in PyTorch into *module*; all of it or nothing.

    Raises: StateDictError that lists every key that is missing, unexpected or does not fit.

    >>> layer = mi.nn.Linear(3, 2)
    >>> mi.nn.load_torch_state(layer, {"weight": np.ones((2, 3)), "bias": np.zeros(2)})
    LoadResult(missing_keys=[], unexpected_keys=[])
    """
    return module.load_state_dict(from_torch_state(module, state), strict)


def to_torch_state(module: Module) -> dict[str, Array]:
    """Return the state of *module* with the names and layout that PyTorch's has, as arrays.

    ``{k: torch.from_numpy(v) for k, v in to_torch_state(module).items()}`` is what the
    ``load_state_dict`` of PyTorch takes.

    >>> state = mi.nn.to_torch_state(mi.nn.Sequential(mi.nn.Linear(3, 2)))
    >>> {name: a.shape for name, a in state.items()}
    {'0.weight': (2, 3), '0.bias': (2,)}
    """
    state = module.state_dict()
    return {
        theirs: np.array(state[ours].numpy().T if turned else state[ours].numpy())
        for theirs, (ours, turned) in _keys(module).items()
    }


def _array(value: Any) -> Array:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if hasattr(value, "detach"):  # a Tensor of PyTorch
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":  # NumPy has no such type
            value = value.float()
        return np.asarray(value.numpy())
    return np.asarray(value)

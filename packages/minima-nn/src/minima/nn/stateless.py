"""A module as a function of its parameters: what gradients of functions and batches work on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from minima import Tensor
from minima.errors import ArgumentError, ShapeError

from .module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Any:
    """Return ``module(*args, **kwargs)`` with *parameters* in place of its own.

    *parameters* holds tensors by the names of `Module.named_parameters` and `Module.named_buffers`;
    what is not named stays, unless *strict*. Several such dicts count as one. A parameter with
    several names is replaced wherever it is. *args* that is no tuple is the only argument. The
    module is as it was afterwards; while it is called no other thread may use it.

    Gradient: to the tensors given.
    Raises: ArgumentError for a name that the module has not, that is in two dicts, or that *strict*
    lacks; ShapeError for another shape.

    >>> layer = mi.nn.Linear(3, 1)
    >>> params = {name: p.detach() for name, p in layer.named_parameters()}
    >>> loss = lambda params, x: (mi.nn.functional_call(layer, params, x) ** 2).sum()
    >>> each = mi.func.vmap(mi.func.grad(loss), in_axes=(None, 0))(params, mi.ones((5, 3)))
    >>> each["weight"].shape  # a gradient for each of five rows
    (5, 3, 1)
    """
    own = dict([*module.named_parameters(remove_duplicate=False), *module.named_buffers()])
    new: dict[int, Tensor] = {}
    values = _merged(parameters)
    missing = [name for name in own if name not in values]
    if strict and missing:
        raise ArgumentError(
            f"functional_call: {', '.join(missing)} of {type(module).__name__} are not given; "
            "expected all, as strict is True"
        )
    for name, given in values.items():
        if name not in own:
            raise ArgumentError(
                f"functional_call: {type(module).__name__} has no parameter or buffer {name!r}; "
                f"expected some of {', '.join(own) or 'none'}"
            )
        if given.shape != own[name].shape:
            raise ShapeError(
                f"functional_call: {name!r} has shape {given.shape}; expected {own[name].shape}"
            )
        new[id(own[name])] = given
    with _replaced(module, new):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


def _merged(parameters: Any) -> Mapping[str, Tensor]:
    if isinstance(parameters, Mapping):
        return parameters
    found: dict[str, Tensor] = {}
    for part in parameters:
        twice = found.keys() & part.keys()
        if twice:
            raise ArgumentError(
                f"functional_call: {', '.join(sorted(twice))} is in two dicts; expected each name "
                "once"
            )
        found.update(part)
    return found


@contextmanager
def _replaced(module: Module, new: Mapping[int, Tensor]) -> Iterator[None]:
    """Put the tensors of *new*, by the ids of those they replace, into *module*, within."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for part in module.modules():
            attributes = part.__dict__
            for name, value in list(attributes.items()):
                other = _exchanged(value, new)
                if other is not value:
                    before.append((attributes, name, value))
                    attributes[name] = other
        yield
    finally:
        for attributes, name, value in before:
            attributes[name] = value


def _exchanged(value: Any, new: Mapping[int, Tensor], above: tuple[int, ...] = ()) -> Any:
    """Return *value*, or a copy of a list, tuple or dict, with its tensors replaced."""
    if id(value) in above:  # a container that contains itself
        return value
    inside = (*above, id(value))
    if isinstance(value, Tensor):
        return new.get(id(value), value)
    if type(value) in (list, tuple):
        parts = [_exchanged(v, new, inside) for v in value]
        return type(value)(parts) if any(p is not v for p, v in zip(parts, value)) else value
    if type(value) is dict:
        found = {k: _exchanged(v, new, inside) for k, v in value.items()}
        return found if any(found[k] is not v for k, v in value.items()) else value
    return value

"""Parameters that are computed: from others, each time they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, cast

from minima import Tensor, no_grad
from minima.errors import ArgumentError, DTypeError, ShapeError

from ..containers import ModuleDict, ModuleList
from ..errors import InverseMissingError, MissingNameError
from ..module import Module
from ..parameter import Parameter, adopt

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]

_CACHE: ContextVar[dict[tuple[int, str], Tensor] | None] = ContextVar("cached", default=None)


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrised tensor once, when it is first read within.

    For models that read a tensor often, as recurrent ones do.

    >>> layer = mi.nn.utils.parametrizations.weight_norm(mi.nn.Linear(2, 1))
    >>> with mi.nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    token = _CACHE.set(_CACHE.get() or {})
    try:
        yield
    finally:
        _CACHE.reset(token)


class ParametrizationList(ModuleList):
    """The modules that compute one tensor, each from what the one before returned.

    The first gets ``original``, or ``original0``, ``original1``, ... where ``right_inverse``
    returns several tensors.

    >>> layer = mi.nn.utils.parametrizations.weight_norm(mi.nn.Linear(2, 1))
    >>> sorted(dict(layer.parametrizations["weight"].named_parameters()))
    ['original0', 'original1']
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            found: Any = original
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    with suppress(NotImplementedError):
                        found = module.right_inverse(found)
        self.is_tensor = isinstance(found, Tensor)
        if self.is_tensor:
            if found is not original:
                self._check_inverse(found, original)
                adopt(original, found.detach().clone())
            self._hold("original", original, original)
            return
        if not isinstance(found, tuple | list) or not all(isinstance(t, Tensor) for t in found):
            raise DTypeError(
                f"ParametrizationList: right_inverse returned {type(found).__name__}; expected a "
                "Tensor or several"
            )
        for number, tensor in enumerate(found):
            self._hold(f"original{number}", tensor.detach().clone(), original)
        self.ntensors = len(found)

    def _check_inverse(self, found: Tensor, original: Tensor) -> None:
        if not self.unsafe and found.dtype != original.dtype:
            raise DTypeError(
                f"ParametrizationList: right_inverse made {found.dtype} of {original.dtype}; "
                "expected the same dtype, or unsafe=True"
            )

    def _hold(self, name: str, tensor: Tensor, original: Tensor) -> None:
        if isinstance(original, Parameter):
            held = tensor
            if not isinstance(tensor, Parameter):
                held = Parameter(tensor, original.requires_grad)
            self.register_parameter(name, cast("Parameter", held))
        else:
            self.register_buffer(name, tensor)

    def originals(self) -> list[Tensor]:
        """Return the tensors that are trained.

        >>> layer = mi.nn.utils.parametrizations.weight_norm(mi.nn.Linear(2, 1))
        >>> len(layer.parametrizations["weight"].originals())
        2
        """
        if self.is_tensor:
            return [self.__dict__["original"]]
        return [self.__dict__[f"original{i}"] for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that *value* is computed from them, as far as the modules can.

        Raises: InverseMissingError where a module has no ``right_inverse``.
        """
        with no_grad():
            found: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise InverseMissingError(
                        f"{type(module).__name__}: it has no right_inverse, so that what it "
                        "computes cannot be assigned; expected a method right_inverse"
                    )
                found = module.right_inverse(found)
            for original, new in zip(
                self.originals(), [found] if self.is_tensor else found, strict=True
            ):
                adopt(original, new.detach().clone())

    def forward(self) -> Tensor:
        """Return the tensor."""
        modules = list(self)
        y = modules[0](*self.originals())
        for module in modules[1:]:
            y = module(y)
        return cast("Tensor", y)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let *parametrization* compute the tensor *tensor_name* of *module* from now on.

    The tensor moves to ``module.parametrizations[tensor_name].original``; reading it calls
    ``parametrization(original)``, assigning it calls ``parametrization.right_inverse(value)``.
    Where right_inverse returns several tensors, they are the arguments, ``original0`` and so on. A
    second one works on what the first returns. *module* gets a class of its own, Parametrized and
    the name of its own; it is returned.

    Raises: MissingNameError when the module has no such tensor; unless *unsafe*, ShapeError or
    DTypeError when shape or dtype changes.

    >>> class Symmetric(mi.nn.Module):
    ...     def forward(self, x):
    ...         return mi.triu(x) + mi.triu(x, k=1).mT
    >>> layer = mi.nn.Linear(3, 3)
    >>> _ = mi.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.mT).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    if not isinstance(parametrization, Module):
        raise DTypeError(
            f"register_parametrization: parametrization is a {type(parametrization).__name__}; "
            "expected a Module"
        )
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            with no_grad():
                before = getattr(module, tensor_name)
                _check(parametrization, before, parametrization(before))
        known: Any = _parts(module)[tensor_name]
        known.append(parametrization)
        return module
    original = module.__dict__.get(tensor_name)
    if not isinstance(original, Tensor):
        raise MissingNameError(
            f"register_parametrization: {type(module).__name__} has no tensor {tensor_name!r}; "
            f"expected one of {', '.join(dict(module.named_parameters(recurse=False))) or 'none'}"
        )
    before = original.detach().clone()
    try:
        computed = ParametrizationList([parametrization], original, unsafe)
        if not unsafe:
            with no_grad():
                _check(parametrization, before, computed())
    except Exception:
        adopt(original, before)
        raise
    delattr(module, tensor_name)
    if not is_parametrized(module):
        kind = type(module)
        module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), {"__slots__": ()})
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _computed(tensor_name))
    _parts(module)[tensor_name] = computed
    return module


def _check(parametrization: Module, before: Tensor, after: Any) -> None:
    owner = type(parametrization).__name__
    if not isinstance(after, Tensor):
        raise DTypeError(f"{owner}: returned a {type(after).__name__}; expected a Tensor")
    if after.dtype != before.dtype:
        raise DTypeError(
            f"{owner}: made {after.dtype} of {before.dtype}; expected the same dtype, or "
            "unsafe=True"
        )
    if after.shape != before.shape:
        raise ShapeError(
            f"{owner}: made shape {after.shape} of {before.shape}; expected the same shape, or "
            "unsafe=True"
        )


def _parts(module: Module) -> ModuleDict:
    return cast("ModuleDict", module.__dict__["parametrizations"])


def _computed(name: str) -> property:
    """Return the property that computes the tensor *name*."""

    def read(module: Module) -> Tensor:
        cache = _CACHE.get()
        if cache is None:
            return cast("Tensor", _parts(module)[name]())
        key = (id(module), name)
        if key not in cache:
            cache[key] = _parts(module)[name]()
        return cache[key]

    def assign(module: Module, value: Tensor) -> None:
        cast("ParametrizationList", _parts(module)[name]).right_inverse(value)

    return property(read, assign)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Say whether a tensor of *module*, or that of a name, is computed.

    >>> mi.nn.utils.parametrize.is_parametrized(mi.nn.Linear(2, 1))
    False
    """
    parts = module.__dict__.get("parametrizations")
    if not isinstance(parts, ModuleDict):
        return False
    return len(parts) > 0 if tensor_name is None else tensor_name in parts


def type_before_parametrizations(module: Module) -> type:
    """Return the class that *module* had before its tensors were parametrised.

    >>> layer = mi.nn.utils.parametrizations.weight_norm(mi.nn.Linear(2, 1))
    >>> mi.nn.utils.parametrize.type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make the tensor an ordinary one again: as it is computed now, or the original.

    Raises: MissingNameError when it is not parametrised, ArgumentError for *leave_parametrized*
    False where there are several originals.

    >>> layer = mi.nn.utils.parametrizations.weight_norm(mi.nn.Linear(2, 1))
    >>> _ = mi.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    >>> type(layer).__name__, list(layer.state_dict())
    ('Linear', ['bias', 'weight'])
    """
    if not is_parametrized(module, tensor_name):
        raise MissingNameError(
            f"remove_parametrizations: {type(module).__name__} has no parametrised tensor "
            f"{tensor_name!r}; expected one that register_parametrization was called for"
        )
    parts = _parts(module)
    computed = cast("ParametrizationList", parts[tensor_name])
    tensor = computed.originals()[0]
    if leave_parametrized:
        with no_grad():
            value = computed().detach().clone()
        if computed.is_tensor:
            adopt(tensor, value)
        else:
            tensor = Parameter(value, tensor.requires_grad)
    elif not computed.is_tensor:
        raise ArgumentError(
            "remove_parametrizations: leave_parametrized is False and there are several "
            "originals; expected True"
        )
    delattr(type(module), tensor_name)
    del parts[tensor_name]
    if not len(parts):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    if isinstance(tensor, Parameter):
        module.register_parameter(tensor_name, tensor)
    else:
        module.register_buffer(tensor_name, tensor)
    return module

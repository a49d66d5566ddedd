"""`compile`: run a function once, write its kernel launches down, and replay them from then on."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import update_wrapper
from threading import RLock
from typing import Any

import numpy as np

from ..autograd.mode import GRAD, TAPE
from ..errors import ArgumentError
from ..tensor import Tensor, wrap
from .flatten import flatten_updates
from .guards import PLAIN, Guards
from .numpy_executor import Executable, numpy_executor
from .passes import PASSES, constants
from .plan import Plan
from .tape import Tape

__all__ = ["CompileWarning", "Compiled", "compile"]

MAX_PLANS = 16  # of one function; the one that was not used for longest goes
MAX_MISSES = 8  # plans of one signature; one more and it runs eagerly


class CompileWarning(UserWarning):
    """A compiled function runs eagerly; the message says where and why."""


class Compiled:
    """A function that replays plans; see `compile`. `plans` are those that it holds now."""

    def __init__(self, function: Callable[..., Any], executor: str | None = None) -> None:
        self.function = function
        self.executor = executor
        self._plans: OrderedDict[Hashable, list[Replay]] = OrderedDict()
        self._warmed: set[Hashable] = set()
        self._eager: set[Hashable] = set()
        self._lock = RLock()
        if hasattr(function, "__name__"):
            update_wrapper(self, function)

    @property
    def plans(self) -> list[Plan]:
        """The plans that are held, the last used one last."""
        return [r.plan for many in self._plans.values() for r in many]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function, by a plan where there is one."""
        if TAPE.get() is not None:  # inside of another compiled function: part of its plan
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        try:
            key = (_signature((args, kwargs), tensors), GRAD.get())
            known = key in self._eager
        except TypeError as error:
            return self._fall_back(None, f"an argument cannot be compared ({error})", args, kwargs)
        if known:
            return self.function(*args, **kwargs)
        with self._lock:
            for replay in self._plans.get(key, ()):
                if replay.fits():
                    return replay(tensors)
            if key not in self._warmed:  # state that is made on first use is made eagerly
                self._warmed.add(key)
                return self.function(*args, **kwargs)
            return self._capture(key, args, kwargs, tensors)

    def _capture(self, key: Hashable, args: Any, kwargs: Any, tensors: list[Tensor]) -> Any:
        """Run once with a tape; keep the plan if there can be one."""
        guards = Guards(self.function, args, kwargs)
        grads = {id(t): (t, t.grad) for t in guards.leaves}
        tape = Tape()
        token = TAPE.set(tape)
        try:
            result = self.function(*args, **kwargs)
        finally:
            TAPE.reset(token)
        if not tape.broken and not guards.hold():
            tape.fail("a plain value outside of the function changed while it ran")
        found: list[Tensor] = []
        shape = _structure(result, found)
        if not tape.broken:
            _check_escapes(tape, found)
        if not tape.broken and any(t.grad_fn is not None and t.grad_fn.saved for t in found):
            tape.fail("a result still needs its graph; call backward inside of the function")
        if tape.broken:
            return self._note(key, tape.broken, result)
        plan = Plan.of(tape, [t._array for t in tensors], [t._array for t in found])

        def again() -> Guards:
            return Guards(self.function, args, kwargs)

        replay = Replay(plan, guards, tape, grads, shape, self.executor, again)
        many = self._plans.setdefault(key, [])
        many.insert(0, replay)
        if len(many) > MAX_MISSES:
            del self._plans[key]
            return self._note(key, "its surroundings change from call to call", result)
        self._plans.move_to_end(key)
        while len(self._plans) > MAX_PLANS:
            self._plans.popitem(last=False)
        return _detached(result)

    def _note(self, key: Hashable, reason: str, result: Any) -> Any:
        self._eager.add(key)
        name = getattr(self.function, "__name__", type(self.function).__name__)
        warnings.warn(f"compile: {name} runs eagerly: {reason}", CompileWarning, stacklevel=4)
        return result

    def _fall_back(self, key: Hashable, reason: str, args: Any, kwargs: Any) -> Any:
        return self._note(key, reason, self.function(*args, **kwargs))


class Replay:
    """A plan made ready to run, and the conditions under which it may."""

    def __init__(
        self,
        plan: Plan,
        guards: Guards,
        tape: Tape,
        grads: dict[int, tuple[Tensor, Tensor | None]],
        shape: Any,
        executor: str | None,
        again: Callable[[], Guards],
    ) -> None:
        self.plan, self.guards, self.shape = plan, guards, shape
        self.conditions = [(probe, value) for probe, value, _ in tape.conditions]
        constants(plan)
        if flatten_updates(plan, tape.owners):
            self.guards = again()
        for rewrite in PASSES:
            rewrite(plan)
        self.distinct = [plan.inputs.index(v) for v in dict.fromkeys(plan.inputs)]
        self.run = find_executor(executor)(plan)
        self.results = [None if v.dynamic else _place(v) for v in plan.outputs]
        self.gradients = []
        for leaf, _, value in plan.gradients:
            self.gradients.append((leaf, wrap(_place(value), leaf._device)))
        #: leaves whose gradient must be there, or not, when a call begins, for the plan to fit
        self.entry: list[tuple[Tensor, Any]] = []
        for leaf, had in tape.gradients:
            before = grads.get(id(leaf), (leaf, None))[1]
            if had and before is not None:
                self.entry.append((leaf, before._array))
            elif not had and before is None:
                self.entry.append((leaf, None))

    def fits(self) -> bool:
        """Say whether everything that the plan depends on is as it was."""
        if not self.guards.hold():
            return False
        for leaf, array in self.entry:
            now = leaf.grad
            if (now is None) is not (array is None) or (
                now is not None and now._array is not array
            ):
                return False
        return all(probe() == value for probe, value in self.conditions)

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Replay on the arguments *tensors*; return the results in fresh buffers."""
        given = iter(self.run([tensors[i]._array for i in self.distinct]))
        for leaf, gradient in self.gradients:
            leaf.grad = gradient
        device = self.plan.device
        arrays = [next(given) if a is None else a for a in self.results]
        return _filled(self.shape, [wrap(a.copy(), device) for a in arrays])


def _place(value: Any) -> Any:
    return value.array if value.slot is None else value.slot


def find_executor(name: str | None) -> Callable[[Plan], Executable]:
    """Return the executor called *name*; None takes the best there is."""
    if name in (None, "numpy"):
        return numpy_executor
    from .. import registry

    found: Callable[[Plan], Executable] = registry.lookup("executor", name)
    return found


# ---- arguments and results -----------------------------------------------------------------------
def _signature(value: Any, tensors: list[Tensor]) -> Hashable:
    """Return what a call is known by; its Tensors and arrays go to *tensors*."""
    if isinstance(value, Tensor):
        tensors.append(value)
        array = value._array
        return (
            "tensor", array.shape, array.dtype, str(value._device), value._node is not None,
            next(i for i, t in enumerate(tensors) if t._array is array),
        )  # fmt: skip
    if isinstance(value, tuple | list):
        return (type(value), *[_signature(v, tensors) for v in value])
    if isinstance(value, dict):
        return (dict, *[(k, _signature(v, tensors)) for k, v in value.items()])
    if isinstance(value, PLAIN):
        return (type(value), value)
    if isinstance(value, np.ndarray):
        raise TypeError("a NumPy array: pass a Tensor, as from mi.asarray(array)")
    return ("object", id(value))


def _structure(value: Any, tensors: list[Tensor]) -> Any:
    """Return *value* with Tensors replaced by their number in *tensors*."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return _Number(len(tensors) - 1)
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return type(value)(_structure(v, tensors) for v in value)
    if isinstance(value, dict):
        return {k: _structure(v, tensors) for k, v in value.items()}
    return value


class _Number(int):
    """The place of a Tensor in a result."""


def _filled(shape: Any, tensors: list[Tensor]) -> Any:
    if type(shape) is _Number:
        return tensors[shape]
    if isinstance(shape, tuple | list) and not hasattr(shape, "_fields"):
        return type(shape)(_filled(v, tensors) for v in shape)
    if isinstance(shape, dict):
        return {k: _filled(v, tensors) for k, v in shape.items()}
    return shape


def _detached(value: Any) -> Any:
    """Return a result as a replay gives it: without history, in buffers of its own."""
    tensors: list[Tensor] = []
    shape = _structure(value, tensors)
    return _filled(shape, [t.detach().clone() for t in tensors])


def _check_escapes(tape: Tape, results: list[Tensor]) -> None:
    """Fail when a Tensor made by the run is kept somewhere outside."""
    allowed = {id(t) for t in results} | {id(leaf.grad) for leaf, _ in tape.gradients}
    for reference in tape.made:
        tensor = reference()
        if tensor is not None and id(tensor) not in allowed:
            tape.fail(
                f"a tensor of shape {tensor.shape}, computed by the function, is kept outside of it"
            )
            return


def compile(function: Callable[..., Any] | None = None, executor: str | None = None) -> Any:
    """Return *function*, a training step or a model, as one that replays its kernel launches.

    The first call with arguments of some shapes runs as always, the second is written down, and
    from then on only the kernels run: forward, backward and the optimiser's step alike. Other
    shapes, dtypes, plain arguments, training modes or plain values around the function make
    another plan. Learning rates and the like may change without one. What cannot be replayed, such
    as an ``if`` on a tensor's value, runs eagerly, with one `CompileWarning` that names the line.

    Results are detached and lie in buffers of their own. *executor*: "numpy", or the name of one
    that a plugin brings ("numba"); None takes the best installed.

    Raises: ArgumentError when *function* cannot be called, PluginError for an unknown executor.

    >>> import minima as mi
    >>> @mi.compile
    ... def norm(x):
    ...     return mi.sqrt((x * x).sum())
    >>> [norm(mi.Tensor([3.0, 4.0])).item() for _ in range(3)]
    [5.0, 5.0, 5.0]
    >>> len(norm.plans)
    1
    """
    if function is None:
        return lambda f: compile(f, executor)
    if not callable(function):
        raise ArgumentError(f"compile: got {function!r}; expected a function or a module")
    find_executor(executor)
    return Compiled(function, executor)

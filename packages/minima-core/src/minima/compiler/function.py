"""`compile`: run a function once, write its kernel launches down, and replay them from then on."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import update_wrapper
from threading import RLock
from typing import Any

from ..amp.casting import ACTIVE
from ..amp.casting import state as cast_state
from ..autograd.mode import ANOMALY, GRAD, TAPE
from ..errors import ArgumentError
from ..tensor import Tensor, wrap
from .differentiable import Pullback, capture_pullback
from .guards import Guards
from .plan import Plan
from .replay import Replay, copied, find_executor
from .structure import filled, objects, signature, structure
from .tape import Tape

__all__ = ["CompileWarning", "Compiled", "compile"]

MAX_PLANS = 16  # of one function; the one that was not used for longest goes
MAX_MISSES = 8  # plans of one signature; one more and it runs eagerly


class CompileWarning(UserWarning):
    """A compiled function runs eagerly; the message says where and why."""


class Compiled:
    """A function that replays plans; see `compile`. `plans` are those that it holds now."""

    __minima_wraps__ = "function"  # what guards look into

    def __init__(self, function: Callable[..., Any], executor: str | None = None) -> None:
        self.function = function
        self.executor = executor
        self._plans: OrderedDict[Hashable, list[Entry]] = OrderedDict()
        self._warmed: set[Hashable] = set()
        self._eager: set[Hashable] = set()
        self._lock = RLock()
        if hasattr(function, "__name__"):
            update_wrapper(self, function)

    @property
    def plans(self) -> list[Plan]:
        """The plans that are held, the last used one last."""
        return [e.replay.plan for many in self._plans.values() for e in many]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function, by a plan where there is one."""
        # inside of another compiled function: part of its plan
        if TAPE.get() is not None or ANOMALY.get():
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        try:
            key = (signature(args, kwargs, tensors), GRAD.get(), cast_state() if ACTIVE else ())
            plans = self._plans.get(key, ())
        except TypeError as error:
            return self._fall_back(None, f"an argument cannot be compared ({error})", args, kwargs)
        with self._lock:
            for entry in plans:
                if entry.fits(tensors):
                    return entry(tensors)
            if key in self._warmed and key not in self._eager:
                return self._capture(key, args, kwargs, tensors)
            self._warmed.add(key)  # state that is made on first use is made eagerly
        return self.function(*args, **kwargs)

    def _capture(self, key: Hashable, args: Any, kwargs: Any, tensors: list[Tensor]) -> Any:
        """Run once with a tape; keep the plan if there can be one."""
        surroundings = (self.function, *objects((args, kwargs)))
        guards = Guards(*surroundings)
        grads = {id(t): t.grad for t in (*guards.leaves, *tensors)}
        tape = Tape(tensors)
        token = TAPE.set(tape)
        try:
            result = self.function(*args, **kwargs)
        finally:
            TAPE.reset(token)
        if not tape.broken and not guards.hold():
            tape.fail("a plain value outside of the function changed while it ran")
        if any(had and any(leaf is t for t in tensors) for leaf, had in tape.gradients):
            tape.fail("the gradient of an argument is added to what it has")
        found: list[Tensor] = []
        shape = structure(result, found)
        tape.drop_own_leaves()
        if not tape.broken:
            _check_escapes(tape, found)
        pullback: Pullback | None = None
        extra: list[Any] = []
        if not tape.broken and any(t.grad_fn is not None and t.grad_fn.saved for t in found):
            pullback, extra = capture_pullback(tape, found, tensors)
        if tape.broken:
            return self._note(key, tape.broken, result)
        plan = Plan.of(tape, [t._array for t in tensors], [*(t._array for t in found), *extra])
        tape.forget()
        owners = tape.owners if pullback is None else {}
        replay = Replay(
            plan, tape, lambda: Guards(*surroundings), grads, tensors, owners, self.executor
        )
        if pullback is not None:
            pullback.ready(self.executor)
        many = self._plans.setdefault(key, [])
        many.insert(0, Entry(replay, shape, len(found), pullback))
        if len(many) > MAX_MISSES:
            del self._plans[key]
            return self._note(key, "its surroundings change from call to call", result)
        self._plans.move_to_end(key)
        while len(self._plans) > MAX_PLANS:
            self._plans.popitem(last=False)
        if pullback is not None:
            return result
        return filled(shape, [t.detach().clone() for t in found])

    def _note(self, key: Hashable, reason: str, result: Any) -> Any:
        self._eager.add(key)
        name = getattr(self.function, "__name__", type(self.function).__name__)
        warnings.warn(f"compile: {name} runs eagerly: {reason}", CompileWarning, stacklevel=4)
        return result

    def _fall_back(self, key: Hashable, reason: str, args: Any, kwargs: Any) -> Any:
        return self._note(key, reason, self.function(*args, **kwargs))


class Entry:
    """A replay, the shape of its results and, where these have gradients, the way back."""

    def __init__(self, replay: Replay, shape: Any, count: int, pullback: Pullback | None) -> None:
        self.replay, self.shape, self.count, self.pullback = replay, shape, count, pullback

    def fits(self, tensors: list[Tensor]) -> bool:
        """Say whether the entry can serve a call on *tensors*."""
        if self.pullback is not None and self.pullback.busy():
            return False
        return self.replay.fits(tensors)

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Return the results of a replay, in buffers of their own."""
        arrays = self.replay(tensors)
        device = self.replay.plan.device
        outputs = [wrap(copied(a, device), device) for a in arrays[: self.count]]
        if self.pullback is not None:
            given = {id(t._array): t._array for t in tensors}
            self.pullback.attach(outputs, [*given.values(), *arrays[self.count :]], tensors)
        return filled(self.shape, outputs)


def _check_escapes(tape: Tape, results: list[Tensor]) -> None:
    """Fail when a Tensor made by the run is kept somewhere outside."""
    allowed = {id(t) for t in results} | {id(leaf.grad) for leaf, _ in tape.gradients}
    views = [t._view for t in results]
    allowed |= {id(view.base) for view in views if view is not None}  # the result holds it
    for reference in tape.made:
        tensor = reference()
        if tensor is None or tensor._array not in tape.buffers:
            continue
        if id(tensor) not in allowed:
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
    that a plugin brings ("numba"); None takes the one named by the environment variable
    MINIMA_EXECUTOR, else the best installed.

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

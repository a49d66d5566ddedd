"""L-BFGS: a quasi-Newton method for problems whose whole loss can be computed again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from minima import Tensor, abs, asarray, concat, enable_grad, no_grad
from minima.errors import ArgumentError
from minima.nn.arguments import check_choice, integer, real
from minima.nn.errors import StateDictError

from .line_search import Point, strong_wolfe
from .optimizer import Group, Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Take Newton steps with a Hessian guessed from the last *history_size* steps.

    ``step(closure)`` needs a function that clears the gradients, computes the loss, calls
    ``backward()`` and returns the loss; it is called up to *max_eval* times (1.25 times
    *max_iter* unless given) for up to *max_iter* steps of *lr* or, with *line_search_fn*
    "strong_wolfe", of the length that a search finds. It ends when no gradient is larger than
    *tolerance_grad*, or a step or the loss changes by less than *tolerance_change*.

    Raises: ArgumentError for more than one group, a step without closure, or an option out of
    range.
    Source: Nocedal & Wright 2006, algorithms 7.4, 3.5 and 3.6.

    >>> w = mi.nn.Parameter([1.0, -2.0])
    >>> optimizer = mi.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    29.0
    >>> w.numpy().round(3)
    array([3., 3.], dtype=float32)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        self._memory: dict[str, Any] = {}

    def check(self, group: Group) -> None:
        """Raise for options out of range, or a second group."""
        super().check(group)
        for name in ("max_iter", "max_eval", "history_size"):
            integer("LBFGS", name, group[name])
        for name in ("tolerance_grad", "tolerance_change"):
            real("LBFGS", name, group[name], low=0.0)
        if group["line_search_fn"] is not None:
            check_choice("LBFGS", "line_search_fn", group["line_search_fn"], ("strong_wolfe",))
        known = self.param_groups
        if known and group["params"] is not known[0]["params"]:
            raise ArgumentError("LBFGS: got a second group; expected all parameters in one")

    # ---- one vector of all parameters ------------------------------------------------------------
    def _flat_gradient(self) -> Tensor:
        parts = [
            (p * 0.0 if p.grad is None else p.grad).detach().reshape((-1,))
            for p in self._parameters()
        ]
        return concat(parts, axis=0)

    def _move(self, direction: Tensor, step: float) -> None:
        at = 0
        for p in self._parameters():
            p.add_(direction[at : at + p.size].reshape(p.shape), alpha=step)
            at += p.size

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[float, Tensor]:
        return float(_loss(closure)), self._flat_gradient()

    # ---- steps -----------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to ``max_iter`` steps; return the first loss that *closure* computed.

        Raises: ArgumentError without a closure, or for one that returns no loss.
        """
        if closure is None:
            raise ArgumentError(
                "LBFGS: step() got no closure; expected a function that clears the gradients, "
                "computes the loss, calls backward() and returns the loss"
            )
        group, memory = self.param_groups[0], self._memory
        with no_grad():
            first = _loss(closure)
            loss, gradient, calls = float(first), self._flat_gradient(), 1
            if _largest(gradient) <= group["tolerance_grad"]:
                return first
            for n in range(1, group["max_iter"] + 1):
                direction = self._direction(gradient, group["history_size"])
                slope = _dot(gradient, direction)
                step = group["lr"]
                if memory["n_iter"] == 1:
                    step *= min(1.0, 1.0 / float(abs(gradient).sum()))
                memory.update(direction=direction, gradient=gradient, step=step)
                if slope > -group["tolerance_change"]:
                    break
                before, last = loss, n == group["max_iter"]
                if group["line_search_fn"] is not None:
                    start = Point(0.0, loss, gradient, slope)
                    found, more = self._search(closure, start, direction, step, calls)
                    loss, gradient, step = found.loss, found.gradient, found.step
                    memory["step"], calls = step, calls + more
                    self._move(direction, step)
                else:
                    self._move(direction, step)
                    if not last:
                        (loss, gradient), calls = self._evaluate(closure), calls + 1
                small = _largest(direction) * step <= group["tolerance_change"]
                if last or calls >= group["max_eval"] or small:
                    break
                done = _largest(gradient) <= group["tolerance_grad"]
                if done or -group["tolerance_change"] < loss - before < group["tolerance_change"]:
                    break
        return first

    def _search(
        self,
        closure: Callable[[], Any],
        start: Point,
        direction: Tensor,
        step: float,
        calls: int,
    ) -> tuple[Point, int]:
        """Return the point along *direction* that the line search finds; parameters stay."""
        group = self.param_groups[0]
        kept = [p.detach().clone() for p in self._parameters()]

        def evaluate(length: float) -> Point:
            self._move(direction, length)
            loss, gradient = self._evaluate(closure)
            for p, value in zip(self._parameters(), kept):
                p.copy_(value)
            return Point(length, loss, gradient, _dot(gradient, direction))

        longest, most = _largest(direction), group["max_eval"] - calls
        return strong_wolfe(evaluate, start, step, longest, group["tolerance_change"], most)

    def _direction(self, gradient: Tensor, history: int) -> Tensor:
        """Return where to go: the gradient times the inverse Hessian as guessed, turned round."""
        memory = self._memory
        memory["n_iter"] = memory.get("n_iter", 0) + 1
        pairs: list[tuple[Tensor, Tensor]] = memory.setdefault("pairs", [])
        if memory["n_iter"] == 1:
            return -gradient
        change = gradient - memory["gradient"]
        moved = memory["direction"] * memory["step"]
        bend = _dot(change, moved)
        if bend > 1e-10:
            del pairs[: max(0, len(pairs) - history + 1)]
            pairs.append((change, moved))
            memory["scale"] = bend / _dot(change, change)
        q: Tensor = -gradient
        shares: list[float] = []
        for change, moved in reversed(pairs):
            share = _dot(moved, q) / _dot(change, moved)
            shares.append(share)
            q = q - change * share
        q = q * memory.get("scale", 1.0)
        for (change, moved), share in zip(pairs, reversed(shares)):
            q = q + moved * (share - _dot(change, q) / _dot(change, moved))
        return q

    # ---- state -----------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Return what the next step depends on, under the first parameter's number, and options."""
        found = super().state_dict()
        memory = dict(self._memory)
        if memory:
            pairs = memory.pop("pairs")
            memory["changes"] = [change for change, _ in pairs]
            memory["moves"] = [moved for _, moved in pairs]
            found["state"] = {0: memory}
        return found

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state: afterwards steps go on exactly as where it was taken.

        Raises: StateDictError when it does not fit; then nothing has changed.
        """
        groups, states = self._parts(state_dict)
        loaded = [self._loaded_group(i, group) for i, group in enumerate(groups)]
        self._memory = self._loaded_memory(next(iter(states.values()))) if states else {}
        self.param_groups[:] = loaded

    def _loaded_memory(self, state: Mapping[str, Any]) -> dict[str, Any]:
        size, like = sum(p.size for p in self._parameters()), self._parameters()[0]

        def vector(value: Any) -> Tensor:
            found = asarray(value)
            if found.shape != (size,):
                raise StateDictError(
                    f"LBFGS: the state has a vector of shape {found.shape}; expected ({size},)"
                )
            moved: Tensor = found.detach().to(like.device).astype(like.dtype).clone()
            return moved

        try:
            numbers = {n: state[n] for n in ("n_iter", "step")}
            if "scale" in state:
                numbers["scale"] = state["scale"]
            vectors = {n: vector(state[n]) for n in ("direction", "gradient")}
            pairs = [
                (vector(c), vector(m))
                for c, m in zip(state["changes"], state["moves"], strict=True)
            ]
        except KeyError as error:
            raise StateDictError(f"LBFGS: the state lacks {error}") from None
        return {**numbers, **vectors, "pairs": pairs}


def _dot(a: Tensor, b: Tensor) -> float:
    return float((a * b).sum())


def _loss(closure: Callable[[], Any]) -> Any:
    with enable_grad():
        loss = closure()
    if loss is None:
        raise ArgumentError(
            "LBFGS: the closure returned None; expected the loss: end it with 'return loss'"
        )
    return loss


def _largest(x: Tensor) -> float:
    return float(abs(x).max()) if x.size else 0.0

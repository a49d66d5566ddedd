"""What a plan of a training step decides on: counts as they are once its steps are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

__all__ = ["Ahead"]


class Begun:
    """What brings the state of a parameter on for one step, and the counts of that step."""

    def __init__(
        self, begin: Callable[[], None], state: dict[str, Any], names: Sequence[str]
    ) -> None:
        self.begin, self.state, self.names = begin, state, names
        self.counts: dict[str, Any] = {}

    def __call__(self) -> None:
        self.begin()
        self.counts.update({name: self.state[name] for name in self.names})


class Ahead:
    """Conditions on numbers of a parameter's state, which hold before a replay brings them on.

    `run` brings the state on, now and at each replay; conditions made after it are asked for the
    state as it will be then.
    """

    def __init__(self, tape: Any) -> None:
        self.tape = tape
        self._begun: list[Begun] = []

    def run(
        self, begin: Callable[[], None], state: dict[str, Any], names: Sequence[str]
    ) -> dict[str, Any]:
        """Call *begin*, which changes *names* in *state*, now and at the start of each replay.

        Return what *names* stand for in this step of a replay, which may do several.
        """
        before = [a for a in self.tape.prologue if type(a) is Begun and a.state is state]
        action = Begun(begin, state, names)
        action()
        self.tape.on_replay(action)
        self._begun = [*before, action]
        return action.counts

    def condition(self, probe: Callable[[], Any], value: Any, what: str) -> None:
        """Replay only while ``probe()`` will give *value*."""
        if self._begun:
            probe = partial(_foreseen, probe, self._begun)
        self.tape.condition(probe, value, what)


def _foreseen(probe: Callable[[], Any], begun: Sequence[Begun]) -> Any:
    """Return what *probe* will give, with the state brought on and put back."""
    state = begun[0].state
    now = {name: state[name] for name in begun[0].names if name in state}
    try:
        for action in begun:
            action()
        return probe()
    finally:
        state.update(now)

"""What a function reads besides its arguments, and whether it is still as it was.

Plain values (numbers, strings, None), lengths of lists and dicts, and which tensors there are, in
closures, defaults, globals that the function names, and the attributes of objects found there.
An object whose class sets ``__minima_live__`` watches over itself and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType, ModuleType
from typing import Any

from ..tensor import Tensor

__all__ = ["Guards"]

PLAIN = (bool, int, float, complex, str, bytes, type(None))
LIMIT = 20_000


class Guards:
    """The surroundings of a function at one moment; call `hold` to compare with now.

    >>> from minima.compiler.guards import Guards
    >>> options = {"scale": 2.0}
    >>> guards = Guards(lambda x: x * options["scale"], options)
    >>> guards.hold()
    True
    >>> options["scale"] = 3.0
    >>> guards.hold()
    False
    """

    def __init__(self, *roots: Any) -> None:
        self._tests: list[str] = []
        self._names: dict[str, Any] = {}
        self._seen: set[int] = set()
        self.leaves: list[Tensor] = []
        self.objects: list[Any] = []
        self._roots = roots
        for root in roots:
            self._visit(root, self._bind(root))
        self.hold: Callable[[], bool] = self._compiled()

    def _bind(self, thing: Any) -> str:
        name = f"o{len(self._names)}"
        self._names[name] = thing
        return name

    def _compiled(self) -> Callable[[], bool]:
        """Return one function that makes all comparisons."""
        parts = [self._tests[i : i + 200] for i in range(0, len(self._tests), 200)]
        checks = "".join(f"        if not ({' and '.join(p)}): return False\n" for p in parts)
        source = (
            f"def build({', '.join(self._names)}):\n    def hold():\n"
            f"        try:\n    {checks.replace(chr(10), chr(10) + '    ').rstrip(' ')}"
            "            return True\n"
            "        except (AttributeError, IndexError, KeyError, TypeError, ValueError):\n"
            "            return False\n    return hold\n"
        )
        scope: dict[str, Any] = {}
        exec(compile(source, "<minima guards>", "exec"), scope)
        return scope["build"](**self._names)  # type: ignore[no-any-return]

    # ---- finding what to compare -----------------------------------------------------------------
    def _visit(self, thing: Any, path: str) -> None:
        """Write tests for *thing*, which the expression *path* reads."""
        if isinstance(thing, PLAIN):
            expected = self._bind(thing)
            same = "is" if thing is None or isinstance(thing, bool) else "=="
            # NaN is equal to nothing, but it is itself
            self._tests.append(
                f"{path} {same} {expected}" if thing == thing else f"{path} is {expected}"
            )
            return
        if len(self._seen) > LIMIT or id(thing) in self._seen:
            return
        self._seen.add(id(thing))
        if isinstance(thing, Tensor):
            self._tests += [f"{path} is {self._bind(thing)}"]
            self._tests += [f"{self._bind(thing)}._array is {self._bind(thing._array)}"]
            self.leaves.append(thing)
        elif isinstance(thing, list | tuple):
            self._tests.append(f"len({path}) == {len(thing)}")
            name = self._bind(thing)
            for i, item in enumerate(thing):
                self._visit(item, f"{name}[{i}]")
        elif isinstance(thing, dict):
            self._visit_dict(thing, path)
        elif isinstance(thing, FunctionType):
            self._visit_function(thing)
        elif isinstance(thing, MethodType):
            self._visit(thing.__func__, path)
            self._visit(thing.__self__, path)
        elif not isinstance(thing, type | ModuleType) and hasattr(thing, "__dict__"):
            self.objects.append(thing)
            for name in getattr(type(thing), "__minima_guard__", ()):
                value = self._bind(getattr(thing, name))
                self._tests.append(f"{self._bind(thing)}.{name} is {value}")
            if hasattr(type(thing), "__minima_wraps__"):  # its own plans are no surroundings
                inner = getattr(thing, type(thing).__minima_wraps__)
                self._visit(inner, self._bind(inner))
            elif not getattr(type(thing), "__minima_live__", False):
                self._visit_dict(vars(thing), f"{self._bind(thing)}.__dict__")

    def _visit_dict(self, thing: dict[Any, Any], path: str) -> None:
        self._tests.append(f"len({path}) == {len(thing)}")
        name = self._bind(thing)
        for key, value in thing.items():
            if isinstance(key, str | int) and not str(key).startswith("_seen"):
                self._visit(value, f"{name}[{key!r}]")

    def _visit_function(self, function: FunctionType) -> None:
        """Look into what a function of the user's reads; those of installed modules are fixed."""
        package = (function.__module__ or "").partition(".")[0]
        fixed = package in ("minima", "numpy", "builtins")
        if fixed and all(function is not root for root in self._roots):
            return
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self._visit(value, f"{self._bind(cell)}.cell_contents")
        for value in (function.__defaults__ or (), function.__kwdefaults__ or {}):
            self._visit(value, self._bind(value))
        scope = self._bind(function.__globals__)
        for name in _names(function.__code__):
            if name in function.__globals__:
                value = function.__globals__[name]
                if not isinstance(value, ModuleType | type):
                    self._visit(value, f"{scope}[{name!r}]")


def _names(code: Any) -> set[str]:
    """Return the global names that *code* and the functions inside of it mention."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            found |= _names(constant)
    return found

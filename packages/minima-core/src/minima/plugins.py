"""How installed plugins are found, and how one is loaded or refused. State is in `registry`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

    from pluggy import PluginManager

__all__ = ["GROUPS", "HOOKS", "Entry", "Refused", "Registrar", "Status", "discover", "load"]

#: kind of thing -> group of entry points that offers it
GROUPS = {
    "device": "minima.devices",
    "layer": "minima.layers",
    "kernels": "minima.kernels",
    "executor": "minima.executors",
    "command": "minima.commands",
}

#: kind of thing -> hook through which a plugin registers it
HOOKS = {kind: group.replace("minima.", "minima_register_") for kind, group in GROUPS.items()}

#: kind of thing -> what it has to be, in words and as a test
_EXPECTED: dict[str, tuple[str, Callable[[object], bool]]] = {
    "device": ("a function open(index) that returns a Device", callable),
    "layer": ("a class", lambda obj: isinstance(obj, type)),
    "kernels": ("a KernelSet", lambda obj: hasattr(obj, "kernels")),
    "executor": ("a callable", callable),
    "command": ("a function add(subparsers)", callable),
}


@dataclass
class Status:
    """One entry point, and what became of it.

    *state* is ``"not loaded"``, ``"loaded"``, ``"broken"`` or ``"conflict"``; *reason* says why
    in the last two. *group* and *name* are empty when a distribution's list of entry points
    cannot be read at all.
    """

    group: str
    name: str
    distribution: str
    value: str
    state: str = "not loaded"
    reason: str = ""


@dataclass
class Entry(Status):
    """A status with what it takes to load the entry point and to explain its failure."""

    point: EntryPoint | None = None
    cause: BaseException | None = None

    @property
    def plugin(self) -> tuple[str, str, str]:
        """The entries with equal ``plugin`` are loaded together, by one call of one hook."""
        return self.group, self.distribution, self.value

    def settle(self, state: str, reason: str = "", cause: BaseException | None = None) -> None:
        """Set what became of the entry point."""
        self.state, self.reason, self.cause = state, reason, cause

    def status(self) -> Status:
        """Return a copy that the caller may keep."""
        return Status(self.group, self.name, self.distribution, self.value, self.state, self.reason)


class Refused(Exception):
    """A plugin that cannot be used; the message is the reason."""


class Registrar:
    """What a plugin's hook receives: it collects what the plugin offers of one *kind*.

    >>> from minima.registry import Registrar
    >>> registry = Registrar("layer")
    >>> registry.add("Swish", type("Swish", (), {}))
    >>> sorted(registry.offered)
    ['Swish']
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.offered: dict[str, Any] = {}
        self._open = True

    def add(self, name: str, obj: Any) -> None:
        """Offer *obj* as *name*.

        Raises: PluginError when *name* is no name or added twice, or *obj* cannot be of the kind.
        """
        if not self._open:
            raise PluginError(f"{self.kind} {name!r} is added after its hook has returned")
        if not _is_name(self.kind, name):
            raise PluginError(f"{name!r} cannot name a {self.kind}; expected one like 'swish2'")
        if name in self.offered:
            raise PluginError(f"{self.kind} {name!r} is added twice")
        expected, fits = _EXPECTED[self.kind]
        if not fits(obj):
            raise PluginError(f"{self.kind} {name!r} is {obj!r}; expected {expected}")
        self.offered[name] = obj

    def close(self) -> None:
        """Accept nothing more."""
        self._open = False


def _is_name(kind: str, name: object) -> bool:
    """Tell whether *name* can be an attribute of ``mi.nn``, or a word with dashes elsewhere."""
    if not isinstance(name, str):
        return False
    plain = name if kind == "layer" else name.replace("-", "_")
    return plain.isidentifier() and not plain.startswith("_")


def discover() -> list[Entry]:
    """Return an entry for each entry point of the groups, whatever else is installed.

    A list of entry points that cannot be read, even of a package that has nothing to do with
    minima, makes ``importlib.metadata`` fail for all: then each is read by itself.
    """
    from importlib.metadata import entry_points

    try:
        everything = entry_points()
        points = [point for group in GROUPS.values() for point in everything.select(group=group)]
    except Exception:
        return list(_discover_one_by_one())
    return [_entry(point, point.dist) for point in points]


def _discover_one_by_one() -> Iterator[Entry]:
    from importlib.metadata import distributions

    seen = set()
    for dist in distributions():
        label = _label(dist)
        name = re.sub(r"[-_.]+", "-", label.split()[0]).lower()
        if name in seen:  # a second copy further down the path is not what gets imported
            continue
        seen.add(name)
        try:
            points = [point for point in dist.entry_points if point.group in GROUPS.values()]
        except Exception as error:
            reason = f"its entry_points.txt cannot be read: {_summary(error)}"
            if _may_offer(dist):
                yield Entry("", "", label, "", "broken", reason, cause=error)
        else:
            yield from (_entry(point, dist) for point in points)


def _may_offer(dist: Distribution) -> bool:
    try:
        return "minima." in (dist.read_text("entry_points.txt") or "")
    except Exception:
        return True


def _entry(point: EntryPoint, dist: Distribution | None) -> Entry:
    return Entry(point.group, point.name, _label(dist), point.value, point=point)


def _label(dist: Distribution | None) -> str:
    """Return "name version" of a distribution, or what its folder is called."""
    try:
        if dist is not None and dist.name:
            return f"{dist.name} {dist.version}"
    except Exception:
        pass
    path = getattr(dist, "_path", None)
    return str(path.name) if path is not None else "an unknown distribution"


def load(kind: str, entry: Entry, promised: set[str]) -> dict[str, Any]:
    """Import the plugin of *entry* and return what its hook offers: exactly the names *promised*.

    Leaves nothing behind but what importing the plugin leaves in ``sys.modules``.
    Raises: Refused with the reason.
    """
    plugin = _import(entry)
    _check_version(plugin, entry)
    with _explaining(f"reading the hooks of {entry.value}"):
        manager = _check_hooks(plugin, HOOKS[kind], entry)
    registrar = Registrar(kind)
    with _explaining(f"its hook {HOOKS[kind]}"):
        getattr(manager.hook, HOOKS[kind])(registry=registrar)
    registrar.close()
    if set(registrar.offered) != promised:
        raise Refused(
            f"its hook {HOOKS[kind]} registers {_listed(registrar.offered)}, "
            f"but its entry points in {entry.group} promise {_listed(promised)}"
        )
    return registrar.offered


def _import(entry: Entry) -> Any:
    if entry.point is None or not re.fullmatch(r"[\w.]+\s*(:\s*[\w.]+\s*)?(\[.*\])?", entry.value):
        raise Refused(f"its entry point {entry.value!r} does not read module or module:object")
    with _explaining(f"importing {entry.value}"):
        return entry.point.load()


def _check_version(plugin: object, entry: Entry) -> None:
    from .hookspec import API_VERSION

    version = getattr(plugin, "MINIMA_API", None)
    if version is None:
        raise Refused(f"{entry.value} does not say MINIMA_API = {API_VERSION}")
    if version != API_VERSION:
        newer = isinstance(version, int) and version > API_VERSION
        stale = "minima-core" if newer else entry.distribution.split()[0]
        raise Refused(
            f"it is made for plugin API {version!r} and this minima-core has {API_VERSION}: "
            f"pip install --upgrade {stale}"
        )


def _check_hooks(plugin: Any, hook: str, entry: Entry) -> PluginManager:
    """Return a pluggy manager that has this plugin alone: there is nothing to roll back."""
    import pluggy

    from . import hookspec

    manager = pluggy.PluginManager("minima")
    manager.add_hookspecs(hookspec)
    try:
        manager.register(plugin, name=entry.value)
    except pluggy.PluginValidationError as error:
        raise Refused(_misfit(plugin, error)) from error
    callers = {caller.name: caller for caller in manager.get_hookcallers(plugin) or []}
    for name, caller in callers.items():
        if not caller.has_spec() and not all(i.optionalhook for i in caller.get_hookimpls()):
            raise Refused(
                f"its hook {name} does not exist; expected one of {', '.join(HOOKS.values())}"
            )
    if hook not in callers:
        bare = callable(getattr(plugin, hook, None))
        problem = f"its {hook} lacks the decorator" if bare else f"it has no hook {hook}"
        raise Refused(f"{problem}: from minima.hookspec import hookimpl; @hookimpl def {hook}")
    return manager


def _misfit(plugin: object, error: Exception) -> str:
    """Say which hook pluggy refused, with the signature it has and the one it needs."""
    from inspect import signature

    for hook in HOOKS.values():
        if repr(hook) in str(error):
            found = signature(getattr(plugin, hook))
            return f"its hook is {hook}{found}; expected {hook}(registry)"
    return _summary(error)


@contextmanager
def _explaining(step: str) -> Iterator[None]:
    """Turn whatever a plugin raises, exits included, into a reason; Ctrl-C stays the user's."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, Refused):
        raise
    except SystemExit as error:
        raise Refused(f"{step} calls sys.exit({error.code!r})") from error
    except PluginError as error:
        raise Refused(f"{step} fails: {_one_line(error)}") from error
    except BaseException as error:
        raise Refused(f"{step} raises {_summary(error)}") from error


def _summary(error: BaseException) -> str:
    text = _one_line(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _listed(names: Any) -> str:
    return ", ".join(map(repr, sorted(names))) or "nothing"

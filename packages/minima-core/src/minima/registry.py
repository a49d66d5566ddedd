"""What others add to minima by name: devices, layers, kernels, executors, commands.

Nothing is searched for until a name is asked for that neither minima nor this process has, and
then only the plugin that offers it is loaded. A plugin that cannot be used disturbs nobody: the
reason is remembered, and told to whoever asks for its name and by ``minima plugins``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from importlib import import_module, invalidate_caches
from threading import RLock
from typing import Any

from .errors import ArgumentError, PluginError
from .plugins import GROUPS, HOOKS, Entry, Refused, Registrar, Status, discover, load

__all__ = [
    "GROUPS",
    "HOOKS",
    "Registrar",
    "Registration",
    "Registry",
    "Status",
    "load_all",
    "lookup",
    "names",
    "register",
    "rescan",
    "statuses",
]

#: the plugins that this thread or task is loading, so that one cannot wait for itself
_loading: ContextVar[frozenset[tuple[str, str, str]]] = ContextVar("loading", default=frozenset())


class Registration:
    """A registration of this process, with `remove`; also a context manager."""

    def __init__(self, remove: Callable[[], None]) -> None:
        self.remove = remove

    def __enter__(self) -> Registration:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Registry:
    """The names of one process. The functions of this module are the methods of one Registry.

    Its lock is never held while a plugin's code runs: plugins import modules and start threads,
    and two threads, each with a lock that the other one wants, would wait for ever.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._items: dict[str, dict[str, Any]] = {kind: {} for kind in GROUPS}
        self._entries: list[Entry] | None = None
        self._loaded: dict[tuple[str, str, str, str], None] = {}

    def lookup(self, kind: str, name: str) -> Any:
        """Return the *kind* of thing called *name*, loading the plugin that offers it.

        Raises: PluginError when no plugin offers the name or the one that does is broken.

        >>> from minima import registry
        >>> registry.lookup("device", "cpu")(None)
        device('cpu')
        """
        items = self._of_kind(kind)
        if name not in items:
            built_in = _built_in(kind)
            if name in built_in:
                return built_in[name]
            self._load_name(kind, name)
        return items[name]

    def names(self, kind: str) -> list[str]:
        """Return the names of a *kind*, sorted, without loading a plugin.

        A name is among them even when its plugin will turn out to be broken.

        >>> from minima import registry
        >>> "cpu" in registry.names("device")
        True
        """
        items, built_in = self._of_kind(kind), _built_in(kind)
        return sorted({*items, *built_in, *(entry.name for entry in self._scan(kind))})

    def register(self, kind: str, name: str, obj: Any) -> Registration:
        """Register *obj* as the *kind* of thing called *name*, in this process only.

        For tests and notebooks: a package registers through an entry point. Returns a handle.

        Raises: PluginError when the name is taken, or *obj* cannot be of this kind.

        >>> from minima import registry
        >>> Swish = type("Swish", (), {})
        >>> with registry.register("layer", "MySwish", Swish):
        ...     registry.lookup("layer", "MySwish") is Swish
        True
        """
        items, reserved = self._of_kind(kind), _reserved(kind)
        Registrar(kind).add(name, obj)
        with self._lock:
            owners = [entry.distribution for entry in self._scan(kind) if entry.name == name]
            owners += ["minima itself"] * (name in reserved)
            owners += ["an earlier registration"] * (name in items)
            if owners:
                raise PluginError(
                    f"register: {kind} {name!r} is taken by {owners[0]}; choose another name"
                )
            items[name] = obj
        return Registration(lambda: self._remove(kind, name, obj))

    def statuses(self) -> list[Status]:
        """Return every installed entry point with its state, without loading any."""
        for kind in GROUPS:
            self._refuse_taken(kind)
        return [entry.status() for entry in self._scan()]

    def load_all(self) -> Iterator[Status]:
        """Load every plugin that is not loaded yet; yield the state of each entry point."""
        kinds = {group: kind for kind, group in GROUPS.items()}
        for entry in self._scan():
            if entry.group:
                self._load(kinds[entry.group], entry)
            yield entry.status()

    def rescan(self) -> None:
        """Forget which plugins are installed and which are broken, not those that are loaded.

        For a notebook in which a plugin has just been installed.
        """
        invalidate_caches()
        with self._lock:
            self._entries = None

    def _of_kind(self, kind: str) -> dict[str, Any]:
        if kind not in self._items:
            raise ArgumentError(f"registry: got kind {kind!r}; expected {', '.join(GROUPS)}")
        return self._items[kind]

    def _remove(self, kind: str, name: str, obj: Any) -> None:
        with self._lock:
            if self._items[kind].get(name) is obj:
                del self._items[kind][name]

    def _scan(self, kind: str | None = None) -> list[Entry]:
        """Return the entries, of one *kind* or all; the first call searches what is installed."""
        with self._lock:
            if self._entries is None:
                self._entries = [] if _switched_off() else sorted(discover(), key=_order)
                _refuse_rivals(self._entries)
                for entry in self._entries:
                    if (*entry.plugin, entry.name) in self._loaded:
                        entry.settle("loaded")
            return [e for e in self._entries if kind is None or e.group == GROUPS[kind]]

    def _load_name(self, kind: str, name: str) -> None:
        """Load what offers *name*, or raise the reason why it cannot be had."""
        for entry in self._scan(kind):
            if entry.name == name:
                self._load(kind, entry)
                if name not in self._items[kind]:
                    raise PluginError(
                        f"{kind} {name!r} of {entry.distribution} cannot be used: {entry.reason}"
                    ) from entry.cause
                return
        known = ", ".join(self.names(kind)) or "none"
        off = "; MINIMA_PLUGINS=0 switches plugins off" if _switched_off() else ""
        raise PluginError(f"no {kind} {name!r} here; known: {known}{off}")

    def _load(self, kind: str, entry: Entry) -> None:
        """Load the plugin of *entry*, whichever of its names was asked for."""
        self._refuse_taken(kind)
        if entry.state != "not loaded":
            return
        if entry.plugin in _loading.get():
            raise PluginError(
                f"{kind} {entry.name!r} is asked for while {entry.distribution}, "
                "which offers it, is still loading"
            )
        together = [other for other in self._scan(kind) if other.plugin == entry.plugin]
        token = _loading.set(_loading.get() | {entry.plugin})
        try:
            offered = load(kind, entry, {other.name for other in together})
        except Refused as refusal:
            with self._lock:
                for other in together:
                    if other.state == "not loaded":
                        other.settle("broken", str(refusal), refusal.__cause__)
        else:
            self._commit(kind, together, offered)
        finally:
            _loading.reset(token)

    def _commit(self, kind: str, entries: list[Entry], offered: dict[str, Any]) -> None:
        with self._lock:
            for entry in entries:
                if entry.state == "not loaded":  # else it conflicts, or another thread was faster
                    self._items[kind][entry.name] = offered[entry.name]
                    self._loaded[(*entry.plugin, entry.name)] = None
                    entry.settle("loaded")

    def _refuse_taken(self, kind: str) -> None:
        """Refuse entry points whose name minima itself or this process has already."""
        waiting = [entry for entry in self._scan(kind) if entry.state == "not loaded"]
        reserved = _reserved(kind) if waiting else {}
        with self._lock:
            for entry in waiting:
                owner = "minima itself" if entry.name in reserved else "this process"
                taken = entry.name in reserved or entry.name in self._items[kind]
                if taken and entry.state == "not loaded":
                    entry.settle(
                        "conflict",
                        f"{owner} has a {kind} {entry.name!r} already; the plugin has to rename it",
                    )


def _built_in(kind: str) -> dict[str, Any]:
    """Return what minima itself has of a *kind*."""
    if kind == "device":
        from .devices import CPU

        return {"cpu": lambda index=None: CPU}
    if kind == "command":
        from .command import BUILT_IN

        return dict(BUILT_IN)
    if kind == "layer":
        public, layer = _public_names_of_nn(), getattr(sys.modules.get("minima.nn"), "Module", ())
        return {n: c for n, c in public.items() if isinstance(c, type) and issubclass(c, layer)}
    return {}


def _reserved(kind: str) -> dict[str, Any]:
    """Return the names that no plugin can take, among them all that ``mi.nn`` has itself."""
    return _public_names_of_nn() if kind == "layer" else _built_in(kind)


def _public_names_of_nn() -> dict[str, Any]:
    try:
        # vars() and not getattr(): minima.nn asks this registry for the names that it lacks
        names = vars(import_module("minima.nn"))
    except ImportError:  # minima-nn is not installed
        return {}
    return {name: names[name] for name in names.get("__all__", ()) if name in names}


def _order(entry: Entry) -> tuple[int, str, str]:
    groups = ["", *GROUPS.values()]
    return groups.index(entry.group), entry.name, entry.distribution


def _refuse_rivals(entries: list[Entry]) -> None:
    """Refuse each name that more than one entry point offers: neither can be preferred."""
    offers: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.group:
            offers.setdefault((entry.group, entry.name), []).append(entry)
    for rivals in offers.values():
        if len(rivals) > 1:
            where = " and ".join(f"{rival.distribution} ({rival.value})" for rival in rivals)
            for rival in rivals:
                rival.settle("conflict", f"{where} both offer it; uninstall all but one")


def _switched_off() -> bool:
    return os.environ.get("MINIMA_PLUGINS") == "0"


_registry = Registry()
load_all = _registry.load_all
lookup = _registry.lookup
names = _registry.names
register = _registry.register
rescan = _registry.rescan
statuses = _registry.statuses

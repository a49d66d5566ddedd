"""Installing plugins for a test: what pip would write, in a folder on ``sys.path``."""

import importlib
import sys

import pytest

#: a plugin that works; {hook}, {name} and {obj} say what it offers
WORKING = """
from minima.hookspec import hookimpl

MINIMA_API = 1

@hookimpl
def {hook}(registry):
    registry.add({name!r}, {obj})
"""


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder):
        self.folder = folder
        self.modules = []

    def install(self, dist, entry_points, *, version="1.0", metadata=True, **modules):
        """Write a distribution with the text of its entry_points.txt and its modules' sources."""
        info = self.folder / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        if metadata:
            text = f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n"
            (info / "METADATA").write_text(text)
        content = entry_points if isinstance(entry_points, bytes) else entry_points.encode()
        (info / "entry_points.txt").write_bytes(content)
        for name, source in modules.items():
            (self.folder / f"{name}.py").write_text(source)
            self.modules.append(name)

    def install_layer(self, dist, name, *, module=None, source=None, **more):
        """Install a distribution that offers the layer *name*, by default a working one."""
        module = module or dist.replace("-", "_")
        working = WORKING.format(hook="minima_register_layers", name=name, obj="type(registry)")
        entry_points = f"[minima.layers]\n{name} = {module}\n"
        self.install(dist, entry_points, **{module: working if source is None else source}, **more)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on sys.path, into which a test installs its plugins."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    found = Site(folder)
    yield found
    for module in found.modules:
        sys.modules.pop(module, None)
    importlib.invalidate_caches()


@pytest.fixture
def working():
    """The source of a plugin that works, to be formatted with hook, name and obj."""
    return WORKING

"""One site for all packages. It documents what is installed, so build it after the wheels."""

import inspect
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from importlib import import_module
from importlib.metadata import version as installed_version
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import numpy.typing as npt
from sphinx.ext.intersphinx import resolve_reference_any_inventory

for name in ("ArrayLike", "DTypeLike"):  # by their names: written out, each fills a page
    setattr(npt, name, type(name, (), {"__module__": "numpy.typing"}))

import minima

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
from docstrings import to_rst
from inventories import INVENTORIES, long_name, write_inventory

from benchmarks.pages import rst_page

project = "minima"
author = "the minima authors"
version = release = installed_version("minima-core")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.doctest",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "examples"]
default_role = "code"
nitpicky = True
html_theme = "alabaster"
html_theme_options = {
    "description": "A deep-learning framework to read in an afternoon",
    "fixed_sidebar": True,
    "page_width": "1100px",
}
html_show_sourcelink = False

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
doctest_default_flags = ELLIPSIS | NORMALIZE_WHITESPACE
doctest_global_setup = "import minima as mi\nimport numpy as np"

intersphinx_mapping = {
    name: (address, write_inventory(name, Path(__file__).parent / "_build"))
    for name, (address, _) in INVENTORIES.items()
}

# the numbers that performance.rst shows, from where they are kept
root = Path(__file__).parent
(root / "_build").mkdir(exist_ok=True)
(root / "_build" / "benchmarks.rst").write_text(
    rst_page(root.parent / "benchmarks" / "results" / "results.json"), "utf8"
)


def _aliases():
    """Yield the names of type variables and aliases, which have no page to link to."""
    for found in walk_packages(minima.__path__, "minima."):
        if found.name.endswith("__main__"):
            continue
        module = import_module(found.name)
        for name, value in vars(module).items():
            if name[:1].isupper() and (
                value is Any or not (inspect.isclass(value) or inspect.isroutine(value))
            ):
                yield from (name, f"{found.name}.{name}")


nitpick_ignore = [(kind, name) for name in set(_aliases()) for kind in ("py:class", "py:obj")]
# a private base class and a ParamSpec show in a signature and have no page either
nitpick_ignore_regex = [("py:class", r"(.+\.)?_\w+|~\w"), ("py:class", r"numpy\._typing\..+")]


def _find_by_long_name(app, env, node, contnode):
    """Link a name that a signature shows as it is written in the source, as ``np.ndarray``."""
    target = long_name(node.get("reftarget", ""))
    node["reftarget"], node["reftype"], node["refspecific"] = target, "obj", True
    python = env.domains["py"]
    return resolve_reference_any_inventory(env, False, node, contnode) or python.resolve_xref(
        env, node["refdoc"], app.builder, "obj", target, node, contnode
    )


def _docstring(app, what, name, obj, options, lines):
    lines[:] = to_rst(lines)


def setup(app):
    app.connect("missing-reference", _find_by_long_name)
    app.connect("autodoc-process-docstring", _docstring)

"""One site for all packages. It documents what is installed, so build it after the wheels."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from inventories import INVENTORIES, write_inventory

project = "minima"
author = "the minima authors"
version = release = installed_version("minima-core")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
    "sphinx.ext.doctest",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "examples"]
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
doctest_global_setup = "import minima as mi\nimport numpy as np"
doctest_test_doctest_blocks = "default"

intersphinx_mapping = {
    name: (address, write_inventory(name, Path(__file__).parent / "_build"))
    for name, (address, _) in INVENTORIES.items()
}


def _find_by_long_name(app, env, node, contnode):
    """Link a name that a signature shows as it is written in the source, as ``np.ndarray``."""
    from sphinx.ext.intersphinx import resolve_reference_any_inventory

    short = {"npt.": "numpy.typing.", "np.": "numpy.", "mi.": "minima."}
    target = node.get("reftarget", "")
    for prefix, long in short.items():
        if target.startswith(prefix):
            target = long + target.removeprefix(prefix)
    node["reftarget"], node["reftype"] = target, "obj"
    python = env.domains["py"]
    return resolve_reference_any_inventory(env, False, node, contnode) or python.resolve_xref(
        env, node["refdoc"], app.builder, "obj", target, node, contnode
    )


def setup(app):
    app.connect("missing-reference", _find_by_long_name)

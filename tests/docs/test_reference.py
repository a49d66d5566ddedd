"""The reference that ``tox -e docs`` has built shows what users can call."""

import sys
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

from minima import operators

WORK = Path(sys.prefix).parent


@pytest.fixture(scope="session")
def documented():
    with (WORK / "docs/html/objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, uri: uri)
    return {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}


@pytest.mark.parametrize("name", sorted(operators.TABLE))
def test_operator_is_documented(documented, name):
    """Catch an operator that readers of the documentation would not find."""
    assert f"minima.operators.{name}" in documented

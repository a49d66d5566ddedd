"""Know one package, know all: the same files, versions and bounds everywhere."""

import re
from collections import defaultdict

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from .conftest import PACKAGES, ROOT

FILES = ["pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "src", "tests"]


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_the_same_files(package, name):
    """Catch a package that lacks what a newcomer looks for in each."""
    assert (package.folder / name).exists()


def test_licence_is_that_of_the_repository(package):
    """Catch a copy of the licence that drifted from the one at the root."""
    assert (package.folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert package.project["license"] == "Apache-2.0"


def test_every_package_folder_is_typed(package):
    """Catch a folder whose annotations type checkers would ignore."""
    assert package.top_packages
    assert [p for p in package.top_packages if not (p / "py.typed").exists()] == []


def test_bounds_between_packages_are_one_minor_version(distribution):
    """Catch a bound that a sibling's new version left behind."""
    versions = {p.name: Version(p.version) for p in PACKAGES}
    for requirement in map(Requirement, distribution.requirements):
        if requirement.name in versions:
            major, minor = versions[requirement.name].release[:2]
            assert str(requirement.specifier) in (
                f"<{major}.{minor + 1},>={major}.{minor}",
                f">={major}.{minor},<{major}.{minor + 1}",
            )


def test_packages_agree_on_what_they_need():
    """Catch a requirement whose bound was raised in one package and not in its siblings."""
    bounds = defaultdict(set)
    for package in PACKAGES:
        own = defaultdict(set)  # two extras of one package may differ: they exclude each other
        for requirement in map(Requirement, package.requirements):
            own[requirement.name].add(str(requirement.specifier))
        for name, specifiers in own.items():
            bounds[name].add(frozenset(specifiers))
    assert {name: found for name, found in bounds.items() if len(found) > 1} == {}


def test_changelog_begins_with_the_version(package):
    """Catch a version without an entry in the changelog."""
    text = (package.folder / "CHANGELOG.md").read_text("utf8")
    assert re.search(r"^## (\S+)", text, re.MULTILINE)[1] == package.version


def test_one_build_system(package):
    """Catch a package that is built in another way than its siblings."""
    assert package.settings["build-system"] == PACKAGES[0].settings["build-system"]
    assert package.project["requires-python"] == PACKAGES[0].project["requires-python"]


def test_only_core_owns_minima():
    """Catch a second minima/__init__.py, which would overwrite minima-core's on installation."""
    owners = [p.name for p in PACKAGES if (p.folder / "src/minima/__init__.py").exists()]
    assert owners == ["minima-core"]


def test_git_ignores_no_source():
    """Catch a pattern in .gitignore that hatchling would leave out of the wheels."""
    patterns = (ROOT / ".gitignore").read_text("utf8").split("\n")
    names = {p.name for package in PACKAGES for p in (package.folder / "src").rglob("*")}
    ignored = {pattern.strip("/") for pattern in patterns if not pattern.startswith("/")}
    assert (names - {"__pycache__"}) & ignored == set()

"""The two commands of the README are what tox and continuous integration run."""

import configparser
import re

import pytest

from .conftest import PACKAGES, ROOT

README = (ROOT / "README.md").read_text("utf8")
START = "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox"


@pytest.mark.parametrize("command", [START, f"{START} -e train"])
def test_readme_has_the_command_once(command):
    """Catch a README whose commands .ci/run, which reads them from there, would not find."""
    assert README.split("\n").count(command) == 1


def test_continuous_integration_reads_the_commands_from_the_readme():
    """Catch a command written into .ci/run, which the README could drift from."""
    script = (ROOT / ".ci/run").read_text("utf8")
    patterns = re.findall(r"grep -xE '(.+)' README.md", script)
    found = [re.findall(f"(?m)^{pattern}$", README) for pattern in patterns]
    assert found == [[f"{START} -e train"], [START]]


def test_every_package_is_tested_by_default():
    """Catch a package that was added without an environment of its own."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "tox.ini", "utf8")
    default = set(re.split(r"[,\s]+", settings["tox"]["env_list"]))
    expected = {p.name.removeprefix("minima-") for p in PACKAGES}
    assert expected | {"plugin", "repo", "lint", "type", "docs"} == default


def test_readme_names_every_package():
    """Catch a package that a reader of the README would not hear of."""
    assert [p.name for p in PACKAGES if f"[{p.name}](packages/{p.name})" not in README] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "packages/minima-core/README.md"])
def test_links_lead_somewhere(page):
    """Catch a link to a file that was moved or removed."""
    file = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)\)", file.read_text("utf8"))
    assert [link for link in links if not (file.parent / link).exists()] == []

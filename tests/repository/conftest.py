"""The packages of the repository, their wheels, and clean environments to install those in."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Package:
    """A distribution in the repository."""

    def __init__(self, folder):
        self.folder = folder
        self.settings = tomllib.loads((folder / "pyproject.toml").read_text("utf8"))
        self.project = self.settings["project"]
        self.name, self.version = self.project["name"], self.project["version"]

    def __repr__(self):
        return self.name

    @property
    def top_packages(self):
        """The importable folders that no other importable folder of the package holds."""
        found = (file.parent for file in (self.folder / "src").rglob("__init__.py"))
        return sorted(p for p in found if not (p.parent / "__init__.py").exists())

    @property
    def requirements(self):
        extras = self.project.get("optional-dependencies", {}).values()
        return [*self.project["dependencies"], *(r for extra in extras for r in extra)]


PACKAGES = [Package(file.parent) for file in sorted(ROOT.glob("packages/*/pyproject.toml"))]
PLUGINS = [Package(file.parent) for file in sorted(ROOT.glob("docs/examples/*/pyproject.toml"))]


def pytest_generate_tests(metafunc):
    for name, rows in {"package": PACKAGES, "distribution": PACKAGES + PLUGINS}.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, rows, ids=repr)


def run(*command, cwd=ROOT, status=0):
    """Run a command, free of this environment's variables, and return what it printed."""
    kept = {k: os.environ[k] for k in os.environ if not k.startswith(("MINIMA", "PYTHON"))}
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with a wheel and an sdist of every package and of the example plugins."""
    folder = tmp_path_factory.mktemp("dist")
    for package in PACKAGES + PLUGINS:
        run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=package.folder)
    return folder


def wheel(built, package):
    """Return the wheel of *package*, a Package or its name."""
    (found,) = built.glob(f"{str(package).replace('-', '_')}-*.whl")
    return found


class Environment:
    """A virtual environment that has the third-party packages of this one and nothing else."""

    def __init__(self, folder, built):
        venv.create(folder, with_pip=False)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"
        self.built = built
        (site,) = run(
            self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"
        ).split("\n")[:1]
        Path(site, "third_party.pth").write_text(sysconfig.get_path("purelib"), "utf8")

    def pip(self, command, *names):
        options = ["--no-index", "--no-deps"] if command == "install" else ["--yes"]
        targets = [wheel(self.built, n) for n in names] if command == "install" else names
        run(sys.executable, "-m", "pip", "--python", self.python, command, *options, *targets)

    def execute(self, code):
        return run(self.python, "-W", "error", "-c", code, cwd=self.bin)

    def minima(self, *arguments, status=0):
        return run(self.bin / "minima", *arguments, cwd=self.bin, status=status)


@pytest.fixture
def environment(tmp_path, built):
    return Environment(tmp_path / "environment", built)

"""What is in the wheels and the source archives."""

import tarfile
from collections import Counter
from email.parser import HeaderParser
from pathlib import PurePosixPath
from zipfile import ZipFile

from .conftest import PACKAGES, wheel


def names(built, package):
    with ZipFile(wheel(built, package)) as file:
        return set(file.namelist())


def metadata(built, package, name):
    (path,) = (n for n in names(built, package) if n.endswith(f".dist-info/{name}"))
    with ZipFile(wheel(built, package)) as file:
        return file.read(path).decode()


def test_wheel_holds_every_source_file(built, package):
    """Catch a module, a data file or a py.typed that would be missing once installed."""
    source = package.folder / "src"
    files = {
        p.relative_to(source).as_posix()
        for p in source.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    shipped = {n for n in names(built, package) if ".dist-info/" not in n}
    assert shipped == files


def test_no_wheel_ships_a_file_of_another(built):
    """Catch a file that two packages would overwrite and remove under each other."""
    owners = Counter(n for package in PACKAGES for n in names(built, package))
    assert [n for n, count in owners.items() if count > 1] == []


def test_wheel_says_what_it_is(built, package):
    """Catch metadata that an index would show wrongly, and a licence left behind."""
    fields = HeaderParser().parsestr(metadata(built, package, "METADATA"))
    assert fields["Name"] == package.name
    assert fields["License-Expression"] == "Apache-2.0"
    assert fields["Requires-Python"] == ">=3.11"
    assert fields["Summary"]
    assert fields.get_payload().startswith(f"# {package.name}\n")
    assert metadata(built, package, "licenses/LICENSE")


def test_source_archive_can_be_tested(built, package):
    """Catch an archive from which nobody could build, test or learn the licence."""
    (path,) = built.glob(f"{package.name.replace('-', '_')}-*.tar.gz")
    with tarfile.open(path) as file:
        top = {PurePosixPath(*PurePosixPath(n).parts[1:2]).as_posix() for n in file.getnames()}
    assert top >= {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "src", "tests"}

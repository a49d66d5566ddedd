"""The table of what kernels use, resources.json: complete, as compiled, and without a fault.

`minima cuda kernels --arch all --json > packages/minima-cuda/tests/kernels/resources.json` writes
it anew, after a change to a kernel.
"""

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from toolchain import needs_nvrtc

from minima_cuda.command import compiled_all, dumps
from minima_cuda.compile import ARCHITECTURES, digest
from minima_cuda.modules import families, modules, name_of
from minima_cuda.nvrtc import nvrtc
from minima_cuda.resources import Resources, faults, resources

FILE = Path(__file__).with_name("resources.json")
TABLE = json.loads(FILE.read_text())
SOURCES = {name_of(source): source for source in modules()}
#: kernels that are launched with blocks of 512 threads; others have 256 at most
LARGE_BLOCKS = ("*_long", "sort_runs")


def rows(name):
    """Yield kernel, architecture and what it uses, for the module called *name*."""
    for kernel, of_architectures in TABLE["modules"][name]["kernels"].items():
        for arch, numbers in zip(TABLE["architectures"], of_architectures, strict=True):
            yield kernel, arch, Resources(*numbers)


def test_it_has_every_module_and_architecture():
    """Catches a module that was added, or removed, and not written down."""
    assert list(TABLE["modules"]) == list(SOURCES)
    assert tuple(TABLE["architectures"]) == ARCHITECTURES
    assert tuple(TABLE["fields"]) == Resources._fields
    assert dumps(TABLE) + "\n" == FILE.read_text()


@pytest.mark.parametrize("name", SOURCES)
def test_it_is_of_the_text_as_it_is(name):
    """Catches a kernel that was changed after the table was written."""
    assert TABLE["modules"][name]["text"] == digest(SOURCES[name])


@pytest.mark.parametrize("family", families())
def test_no_kernel_spills_or_takes_too_much(family):
    """Catches registers that do not fit, and a block that no GPU can start."""
    wrong = [
        f"{name} {kernel} {arch}: {'; '.join(what)}"
        for name, source in SOURCES.items()
        if source.family == family
        for kernel, arch, found in rows(name)
        if (what := faults(kernel, found))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("family", families())
def test_blocks_have_the_registers_that_they_need(family):
    """Catches a kernel that takes so many that no GPU can start a block of it."""
    wrong = [
        f"{name} {kernel} {arch}: {found.registers} registers"
        for name, source in SOURCES.items()
        if source.family == family
        for kernel, arch, found in rows(name)
        if found.threads < (512 if any(fnmatchcase(kernel, k) for k in LARGE_BLOCKS) else 256)
    ]
    assert not wrong, "\n".join(wrong)


def check(sources, architectures):
    """Compile, and compare with the table, exactly where the compiler is the same."""
    same = nvrtc().version == TABLE["nvrtc"]
    for source, arch, module in compiled_all(sources, architectures):
        name = name_of(source)
        assert "warning" not in module.log, (name, arch, module.log)
        found = resources(module)
        written = {kernel: uses for kernel, at, uses in rows(name) if at == arch}
        assert found == written if same else found.keys() == written.keys(), (name, arch)
        assert not [what for kernel, uses in found.items() for what in faults(kernel, uses)]


@needs_nvrtc
@pytest.mark.parametrize("number", range(len(families())), ids=families())
def test_one_module_of_a_file_compiles(number):
    """Catches a table that is not what the compiler says; each file for another architecture."""
    first = next(s for s in SOURCES.values() if s.family == families()[number])
    check([first], [ARCHITECTURES[number % len(ARCHITECTURES)]])


@needs_nvrtc
@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_module_compiles(arch):
    """Catches what only one type or one architecture shows."""
    check(list(SOURCES.values()), [arch])

"""The text that a compiler gets, and the list of all of them."""

from importlib.resources import files

import pytest

from minima_cuda.compile import line_of
from minima_cuda.modules import families, modules
from minima_cuda.sources import Source


def test_every_kernel_file_is_in_the_list():
    """Catches kernels that no test compiles."""
    folder = files("minima_cuda") / "kernels"
    found = [file.name for file in folder.iterdir() if file.name.endswith(".cu")]
    assert sorted(f"{family}.cu" for family in families()) == sorted(found)


@pytest.mark.parametrize("family", families())
def test_lines_are_those_of_the_files(family):
    """Catches a #line that counts on from the wrong place, after a header above all."""
    text = Source(family, "float32").text
    for file in (f"{family}.cu", "common.cuh"):
        lines = (files("minima_cuda") / "kernels" / file).read_text().splitlines()
        for number, line in enumerate(lines, 1):
            if not line.startswith("#include"):
                assert line_of(text, file, number) == line.strip(), (file, number)


def test_headers_stand_for_their_includes_once():
    """Catches a header that a compiler would look for, and a struct that is defined twice."""
    for source in modules():
        assert "#include" not in source.text
        assert source.text.count('#line 1 "common.cuh"') == 1


def test_macros_come_first():
    text = Source("embedding", "float16", (("I", "Int64"),)).text
    assert text.startswith("#define T Half\n#define A float\n#define I Int64\n#line 1")

"""The examples in README files and documentation pages do what the text says.

A block of Python runs in a fresh interpreter; a block of text after it is what it prints.
"""

import re
import subprocess
import sys
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from textwrap import dedent

import pytest

import minima as mi

ROOT = Path(__file__).parents[2]
MARKDOWN = re.compile(
    r"^```python\n(.*?)^```\n(?:\n*(?:prints\n+)?^```text\n(.*?)^```\n)?", re.M | re.S
)
RST = re.compile(
    r"^\.\. code-block:: python\n((?!   :class: gpu\n)(?:\n|   .*\n)+)"
    r"(?:^\.\. code-block:: text\n((?:\n|   .*\n)+))?",
    re.M,
)

#: those that need a GPU: of a page one goes on where the other ended
GPU = re.compile(r"^\.\. code-block:: python\n   :class: gpu\n((?:\n|   .*\n)+)", re.M)


def on_a_gpu():
    """Yield what the pages show of GPUs, a page in one piece."""
    try:
        mi.device("cuda")
        marks = []
    except mi.MinimaError as error:
        marks = [pytest.mark.skip(reason=str(error))]
    for page in sorted(ROOT.glob("docs/**/*.rst")):
        found = [dedent(block) for block in GPU.findall(page.read_text("utf8"))]
        if found:
            yield pytest.param("".join(found), None, id=f"{page.name}:gpu", marks=marks)


def blocks():
    """Yield each block of Python with the output that the page shows for it, None where none."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md")]
    pages += [p for p in ROOT.glob("docs/**/*") if p.suffix in (".md", ".rst")]
    for page in sorted(pages):
        pattern = RST if page.suffix == ".rst" else MARKDOWN
        for found in pattern.finditer(text := page.read_text("utf8")):
            line = text[: found.start()].count("\n") + 1
            code, output = (dedent(part) if part else None for part in found.groups())
            yield pytest.param(code, output, id=f"{page.relative_to(ROOT)}:{line}")


BLOCKS = [*blocks(), *on_a_gpu()]


@pytest.mark.parametrize(("code", "output"), BLOCKS)
def test_block_runs(code, output, tmp_path):
    """Catch an example that a reader who types it in would not get to work."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    if output is not None:
        checker = OutputChecker()
        assert checker.check_output(output.strip() + "\n", done.stdout, ELLIPSIS), done.stdout


def test_the_pages_have_blocks():
    """Catch a pattern that no longer finds the examples."""
    pages = {str(block.id).split(":")[0] for block in BLOCKS}
    assert {"README.md", "docs/getting-started.rst", "docs/plugins.rst"} <= pages


def test_the_first_example_is_short():
    """Catch a first example that grew too long to be read as one."""
    first = next(str(block.values[0]) for block in BLOCKS if str(block.id).startswith("README.md"))
    assert len([line for line in first.split("\n") if line.strip()]) <= 20

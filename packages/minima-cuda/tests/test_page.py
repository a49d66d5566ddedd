"""The page of the documentation on what kernels take."""

import json
from pathlib import Path

import pytest

from minima_cuda.page import page

RESOURCES = Path(__file__).parent / "kernels/resources.json"
#: a source distribution of the package has no docs/
PAGE = Path(__file__).parents[3] / "docs/cuda-kernels.rst"


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation lies in the repository")
def test_it_is_what_the_tables_say():
    """Catches a kernel or a formula that was changed, and the page not written anew."""
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(RESOURCES.read_text()))


def test_ranges_are_over_types_and_architectures():
    table = {
        "nvrtc": "13.0",
        "architectures": ["sm_75", "sm_90"],
        "fields": ["registers", "shared", "stack", "spills", "threads"],
        "modules": {
            "softmax float16": {"kernels": {"one": [[10, 0, 0, 0, 128], [12, 0, 0, 0, 128]]}},
            "softmax float64": {"kernels": {"one": [[20, 8, 0, 0, 128], [16, 8, 0, 0, 128]]}},
        },
    }
    text = page(table)
    assert "What NVRTC 13.0 reports for sm_75, sm_90, from" in text
    assert "Registers are spilled by no kernel." in text
    cells = ["* - ``one``", "  - 10 to 20", "  - 0 to 8", "  - 0", "  - 128"]
    assert "\n".join(f"   {cell}" for cell in cells) in text

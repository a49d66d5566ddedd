"""`minima cuda` from a shell, on a machine without a GPU."""

import json
import os
import re
import subprocess
import sys

import pytest
from toolchain import needs_nvrtc

from minima_cuda.command import dumps


def minima(*words, cache="0", **environment):
    command = [sys.executable, "-W", "error", "-m", "minima", "cuda", *words]
    environment = {**os.environ, "MINIMA_CACHE": str(cache), **environment}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=60
    )


@needs_nvrtc
def test_compile_fills_the_cache(tmp_path):
    """Catches code that the next process compiles again, and a module that is left out."""
    done = minima("compile", "--arch", "sm_80,sm_90", "bits", cache=tmp_path)
    assert done.returncode == 0, done.stderr
    *lines, last = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines[:2]] == [
        ["sm_80", "bits", "int32"],
        ["sm_90", "bits", "int32"],
    ]
    assert len(lines) == len(list((tmp_path / "cubin").iterdir())) == 8
    assert re.fullmatch(r"8 modules, \d\.\d MB of code, in \d+\.\d s", last)


@needs_nvrtc
def test_kernels_lists_what_each_uses():
    done = minima("kernels", "--arch", "sm_75", "bits")
    assert done.returncode == 0, done.stderr
    head, first, *_ = done.stdout.splitlines()
    assert head.split() == ["registers", "shared", "stack", "spills", "threads"]
    assert re.fullmatch(r"bits int32 bitwise_and_each +sm_75 +\d+ +0 +0 +0 +1024", first)


@needs_nvrtc
def test_kernels_as_json():
    """Catches a table that its own test could not read."""
    done = minima("kernels", "--arch", "sm_75,sm_90", "--json", "bits")
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout)
    assert table["architectures"] == ["sm_75", "sm_90"]
    assert list(table["modules"]) == [f"bits {t}" for t in ("int32", "int64", "uint8", "bool")]
    assert [len(uses) for uses in table["modules"]["bits bool"]["kernels"].values()] == [2] * 4
    assert dumps(table) + "\n" == done.stdout


@needs_nvrtc
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compile", "nope"], "there is no kernel file 'nope'; choose from attention, bits, "),
        (["kernels", "--arch", "sm_12"], "has no architecture 'sm_12'; choose from sm_75, "),
        (["compile", "--arch", "hopper"], "has no architecture 'hopper'; choose from "),
        ([], "says too little; see minima cuda --help"),
        (["roofline"], "required: --resources"),
        (["roofline", "--resources", "nope.json"], "--resources nope.json cannot be read: "),
    ],
)
def test_mistakes_are_one_line(words, message):
    done = minima(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("minima cuda")
    assert done.stderr.count("\n") == 1


def test_it_says_what_to_install(tmp_path):
    """Catches a traceback on a machine that has no compiler."""
    (tmp_path / "cuda").mkdir()
    (tmp_path / "cuda" / "__init__.py").write_text("")  # stands before NVIDIA's
    done = minima("compile", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("minima cuda: there is no CUDA compiler, NVRTC (pip install")
    assert done.stderr.count("\n") == 1

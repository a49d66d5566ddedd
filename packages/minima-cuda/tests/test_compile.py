"""Machine code from NVRTC without a driver: errors that show the line, and what is kept."""

import sys
from dataclasses import replace

import pytest
from toolchain import GOOD, Written, needs_nvrtc

import minima as mi
from minima_cuda import compile, nvrtc
from minima_cuda.compile import Module, compiled, cubin, line_of
from minima_cuda.errors import CompileError
from minima_cuda.nvrtc import Output


class Counting:
    """A compiler that only counts."""

    version, architectures, identity = "13.0", ("sm_75", "sm_80", "sm_90", "sm_120"), "one build"

    def __init__(self):
        self.made = []

    def compile(self, text, file, options):
        self.made.append((file, *options))
        return Output(b"code of " + text.encode(), "said")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIMA_CACHE", str(tmp_path))
    return tmp_path / "cubin"


@pytest.fixture
def counting(folder, monkeypatch):
    compiler = Counting()
    monkeypatch.setattr(compile, "nvrtc", lambda: compiler)
    return compiler


# ---- the disk ------------------------------------------------------------------------------------
def test_it_is_compiled_once(counting, folder):
    """Catches a second process that compiles what the first one has."""
    first = compiled(Written(), "sm_90")
    assert first == Module(b"code of " + GOOD.encode(), "said")
    assert compiled(Written(), "sm_90") == first
    assert [made[-1] for made in counting.made] == ["--gpu-architecture=sm_90"]
    [file] = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-1])  # damaged: compiled again
    assert compiled(Written(), "sm_90") == first
    assert len(counting.made) == 2


@pytest.mark.parametrize("what", ["text", "file", "arch", "toolkit", "options"])
def test_what_tells_code_apart(counting, monkeypatch, what):
    """Catches code that is run although it was made from something else."""
    source, arch = Written(), "sm_90"
    compiled(source, arch)
    if what == "arch":
        arch = "sm_80"
    elif what == "toolkit":
        counting.identity = "another build"
    elif what == "options":
        monkeypatch.setattr(compile, "OPTIONS", (*compile.OPTIONS, "--another"))
    else:
        source = replace(source, **{what: "another"})
    compiled(source, arch)
    assert len(counting.made) == 2


def test_it_works_without_a_disk(counting, monkeypatch):
    monkeypatch.setenv("MINIMA_CACHE", "0")
    for _ in range(2):
        assert cubin(Written(), "sm_90").startswith(b"code")
    assert len(counting.made) == 2


# ---- architectures -------------------------------------------------------------------------------
@pytest.mark.parametrize(("arch", "target"), [("sm_89", "sm_80"), ("sm_121", "sm_120")])
def test_a_gpu_that_is_newer_than_the_compiler(counting, arch, target):
    """Catches a GPU that could run the code of an older one of its family, and is refused."""
    compiled(Written(), arch)
    assert counting.made[0][-1] == f"--gpu-architecture={target}"


@pytest.mark.parametrize(
    ("arch", "remedy"),
    [("sm_70", 'pip install "minima-cuda[cu12]"'), ("sm_100", "-U nvidia-cuda-nvrtc")],
)
def test_a_gpu_that_the_compiler_does_not_know(counting, arch, remedy):
    """Catches code for another family, which a GPU refuses much later."""
    with pytest.raises(mi.DeviceUnavailableError) as caught:
        compiled(Written(), arch)
    assert f"no code for GPUs of {arch}, only for sm_75, " in str(caught.value)
    assert remedy in str(caught.value)


# ---- the compiler --------------------------------------------------------------------------------
@needs_nvrtc
def test_it_compiles_without_a_driver(folder):
    """Catches PTX in the place of a cubin, which is an ELF file."""
    module = compiled(Written(), "sm_90")
    assert module.code.startswith(b"\x7fELF")
    assert "Compiling entry function 'twice' for 'sm_90'" in module.log


@needs_nvrtc
def test_errors_show_the_line(folder):
    """Catches an error that names a line of the text which nobody has seen."""
    with pytest.raises(CompileError) as caught:
        compiled(Written(GOOD.replace("*= 2", "*= two")), "sm_80")
    error = caught.value
    assert (error.file, error.line, error.text) == ("double.cu", 2, "x[threadIdx.x] *= two;")
    message = 'double.cu:2: identifier "two" is undefined (sm_80, NVRTC '
    assert str(error).startswith(message)
    assert str(error).endswith(")\n    x[threadIdx.x] *= two;")
    assert 'identifier "two" is undefined' in error.log
    assert not list(folder.iterdir())


@needs_nvrtc
def test_errors_without_a_line(folder):
    """Catches an option that the compiler refuses, with nothing said about it."""
    output = nvrtc.nvrtc().compile(GOOD, "double.cu", ["--nonsense"])
    assert output.code is None
    assert "--nonsense" in output.log
    error = compile._failure(Written(), "sm_90", output.log)
    assert "double.cu does not compile (sm_90, NVRTC" in str(error)
    assert error.line == 0


def test_a_line_that_there_is_not():
    assert line_of(GOOD, "double.cu", 3) == "}"
    assert line_of(GOOD, "double.cu", 9) == line_of(GOOD, "other.cu", 1) == ""


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    """Catches a traceback where a wheel is missing."""
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", None)
    nvrtc.nvrtc.cache_clear()
    with pytest.raises(mi.DeviceUnavailableError, match=r"no CUDA compiler, NVRTC \(pip install"):
        nvrtc.nvrtc()
    nvrtc.nvrtc.cache_clear()

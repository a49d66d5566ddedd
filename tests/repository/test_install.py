"""Installing and removing the packages, in environments that hold nothing else of minima."""

import pytest

RUN = """
import minima as mi
mi.manual_seed(0)
model = mi.nn.Sequential(mi.nn.Linear(3, 4), mi.nn.ReLU(), mi.nn.Linear(4, 2))
model(mi.init.randn(5, 3)).sum().backward()
print([p.grad.tolist() for p in model.parameters()])
"""

CORE_ONLY = """
import minima as mi
x = mi.Tensor([3.0], requires_grad=True)
(x * x).backward()
assert x.grad.tolist() == [6.0]
try:
    mi.nn
except AttributeError as error:
    print(error)
"""

HINT = "minima.nn is in minima-nn, which is not installed here: pip install minima-nn\n"


def test_core_alone(environment):
    """Catch a core that needs another package, or hides which one is missing."""
    environment.pip("install", "minima-core")
    assert environment.execute(CORE_ONLY) == HINT
    assert "cpu" in environment.minima("devices")


def test_nn_goes_and_core_stays(environment):
    """Catch files of minima-core that removing minima-nn takes away, or that it leaves behind."""
    environment.pip("install", "minima-core", "minima-nn")
    assert environment.execute(RUN)
    environment.pip("uninstall", "minima-nn")
    assert environment.execute(CORE_ONLY) == HINT
    assert "train" not in environment.minima("plugins")


def test_cuda_changes_no_result(environment):
    """Catch a GPU plugin that disturbs a machine without one, or does not say what is missing."""
    environment.pip("install", "minima-core", "minima-nn")
    before = environment.execute(RUN)
    environment.pip("install", "minima-cuda")
    assert environment.execute(RUN) == before
    assert "cuda" in environment.minima("devices")
    assert environment.execute(
        "import minima as mi\n"
        "try: mi.device('cuda')\n"
        "except mi.errors.DeviceUnavailableError as error: print(error)"
    ).startswith("no CUDA device: ")


#: what stands where CuPy would be -> its text; without a driver nobody needs to import it
CUPYS = {
    "absent": "raise ModuleNotFoundError('not here', name='cupy')",
    "present": "raise SystemExit('imported, though there is no driver')",
}

NO_DEVICE = """
import sys, time
start = time.perf_counter()
import minima as mi
assert not {"cupy", "minima_cuda"} & set(sys.modules)
for name in ("cuda", "cuda:0", "cuda:1"):
    try:
        mi.device(name)
    except mi.DeviceUnavailableError as error:
        print(error)
    else:
        print("there is a GPU")
assert time.perf_counter() - start < 20
"""


@pytest.mark.parametrize("cupy", CUPYS)
def test_cuda_without_a_driver_gives_one_reason(environment, cupy):
    """Catch a traceback, a warning or a hang on a machine without a GPU, with CuPy or without."""
    environment.pip("install", "minima-core", "minima-cuda")
    (environment.bin / "cupy.py").write_text(CUPYS[cupy], "utf8")  # the folder that code runs in
    lines = environment.execute(NO_DEVICE).splitlines()
    if "there is a GPU" in lines or "CuPy" in lines[0]:
        pytest.skip("there is an NVIDIA driver")
    assert len(set(lines)) == 1
    assert lines[0].startswith("no CUDA device: no NVIDIA driver on this machine")


def test_plugin_comes_and_goes(environment):
    """Catch a plugin that changes what it does not own, or that leaves something behind."""
    environment.pip("install", "minima-core", "minima-nn")
    before = environment.execute(RUN), environment.minima("plugins")
    environment.pip("install", "minima-swish")
    assert environment.execute(RUN) == before[0]
    assert "minima-swish" in environment.minima("plugins", "--check")
    environment.pip("uninstall", "minima-swish")
    assert (environment.execute(RUN), environment.minima("plugins")) == before


def test_no_plot_extra(environment):
    """Catch a training command that cannot even be asked for help without matplotlib."""
    environment.pip("install", "minima-core", "minima-nn")
    assert "digits" in environment.minima("train", "--help")

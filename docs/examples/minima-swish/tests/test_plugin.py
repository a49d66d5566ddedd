"""The package beside the rest: having it, or removing it, changes nothing else."""

import os
import subprocess
import sys

#: hides this package as uninstalling it would
WITHOUT = """
import importlib.metadata, sys
finder = importlib.metadata.MetadataPathFinder
find = finder.find_distributions
finder.find_distributions = lambda *a, **k: (d for d in find(*a, **k) if d.name != "minima-swish")
sys.modules["minima_swish"] = None
"""

#: prints the exact bits of some training, and whether the names of this package are known
USE = """
import minima as mi
mi.manual_seed(1)
model = mi.nn.Sequential(mi.nn.Linear(4, 3), mi.nn.Tanh(), mi.nn.Linear(3, 2))
optimizer = mi.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    loss = (model(mi.init.randn(8, 4)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.numpy().tobytes().hex())
print(*(hasattr(mi.nn, name) for name in ["Linear", "Swish"]))
try:
    print(mi.device("toy"))
except mi.errors.DeviceError as error:
    print(error)
"""


def run(*words):
    line = [sys.executable, *words]
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        line, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_plugin_is_in_order():
    """Catches what `minima plugins --check` would tell those who install it."""
    lines = [line.split() for line in run("-m", "minima", "plugins", "--check")]
    ours = [line for line in lines if "minima-swish" in line]
    assert ours == [
        ["minima.devices", "toy", "minima-swish", "0.1.0", "loaded"],
        ["minima.layers", "Swish", "minima-swish", "0.1.0", "loaded"],
    ]


def test_the_device_is_listed():
    """Catches a device that `minima devices` cannot open."""
    assert ["toy", "available"] in [line.split() for line in run("-m", "minima", "devices")]


def test_without_it_all_else_is_the_same():
    """Catches a plugin that changes what it does not own, or that the rest relies on."""
    *with_it, names, device = run("-c", USE)
    *without, names_then, device_then = run("-c", WITHOUT + USE)
    assert with_it == without
    assert (names, device) == ("True True", "toy")
    assert names_then == "True False"
    assert "there is no device 'toy' here" in device_then

"""The models of docs/examples/models learn what they are there for, at a small size."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "docs" / "examples" / "models"


@pytest.fixture(autouse=True)
def path(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(MODELS))
    monkeypatch.chdir(tmp_path)


def run(name, *argv):
    """Return what the script's ``main`` returns."""
    sys.modules.pop(name, None)
    return import_module(name).main([str(a) for a in argv])


#: script -> options of a short run, and what its result has to be
ROWS = {
    "lenet": (["--epochs", 5], lambda accuracy: accuracy > 0.95),
    "resnet20": (["--epochs", 4], lambda accuracy: accuracy > 0.95),
    # of these characters, all alike, 4.5 nats; by how often each comes, about 3.1
    "char_transformer": (["--steps", 200, "--size", 200_000], lambda nats: nats < 2.5),
    "char_lstm": (["--steps", 200, "--size", 200_000], lambda nats: nats < 2.5),
    "autoencoder": (["--epochs", 12], lambda share: share > 0.75),
    "vae": (["--epochs", 15], lambda bound: bound > -28.0),
    "gan": (["--steps", 2000], lambda result: result[0] >= 6 and result[1] > 0.4),
    "mlp_graph": (["graph"], lambda text: text.count("->") > 20 and "digraph" in text),
}


@pytest.mark.parametrize("name", ROWS)
def test_model(name):
    """Catch a model that no longer learns, or that a change of names has broken."""
    argv, good = ROWS[name]
    result = run(name, *argv)
    assert good(result), result


def test_every_script_has_a_row():
    assert {path.stem for path in MODELS.glob("*.py")} == set(ROWS)

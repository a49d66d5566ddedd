"""``minima summary``."""

import argparse

import pytest

from minima.train import summary_command


def call(*arguments):
    parser = argparse.ArgumentParser()
    summary_command.add(parser.add_subparsers())
    options = parser.parse_args(["summary", *arguments])
    return options.run(options)


def test_a_model_of_a_module_is_shown(tmp_path, monkeypatch, capsys):
    """Fault: a table of another model, or inputs in another order."""
    (tmp_path / "summarised_model.py").write_text(
        "from minima import nn\n"
        "def make():\n    return nn.Bilinear(2, 3, 4)\n"
        "net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert call("summarised_model:net", "1,4", "--depth", "0") == 0
    text = capsys.readouterr().out
    assert "Sequential  (1, 4)  (1, 3)" in text
    assert "ReLU" not in text
    assert call("summarised_model:make", "5x2", "5x3") == 0
    assert "multiply-adds: 120" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("net", "1"), "the model is 'net'; expected MODULE:NAME"),
        (("no_such_module:net", "1"), "expected one that is there"),
        (("math:pi", "1"), "math:pi gave a float; expected a Module"),
        (
            ("minima.nn:Linear", "1,2"),
            "minima.nn:Linear cannot be called without arguments",
        ),
        (("minima.nn:ReLU", "1,a"), "the shape is '1,a'; expected sizes such as"),
        (("minima.nn:ReLU", "1", "--depth=-1"), "summary: depth is -1; expected an integer"),
        (("minima.nn:Tanh", "-1"), "the shape is '-1'; expected sizes such as"),
    ],
)
def test_what_is_wrong_is_said(arguments, message, capsys):
    """Fault: a traceback for a slip of the keyboard."""
    options = [word for word in arguments if word.startswith("--")]
    assert call(*options, "--", *(word for word in arguments if word not in options)) == 2
    assert message in capsys.readouterr().err

"""The package: its names, and the layers that plugins offer."""

import pytest

import minima as mi
from minima import nn, registry


def test_every_public_name_is_there_and_documented():
    """Fault: a name in __all__ that is not imported, or without a docstring."""
    for name in nn.__all__:
        assert getattr(nn, name).__doc__, name


def test_a_layer_of_a_plugin_is_found_by_name():
    """Fault: plugins that have to be imported by hand."""

    class Swirl(nn.Module):
        def forward(self, x):
            return x * 2.0

    with registry.register("layer", "Swirl", Swirl):
        assert nn.Swirl is Swirl
        assert mi.nn.Swirl()(mi.Tensor([1.0])).tolist() == [2.0]
    assert not hasattr(nn, "Swirl")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Liner", "no layer 'Liner', nor has a plugin; did you mean Linear"),
        ("Qqqq", "known: AdaptiveAvgPool1d"),
        ("linear_layer", "minima.nn has no 'linear_layer'"),
        ("_Private", "minima.nn has no '_Private'"),
    ],
)
def test_an_unknown_name_says_what_is_near(name, message):
    """Fault: a search through all plugins for a private name, or a bare AttributeError."""
    with pytest.raises(AttributeError, match=message):
        getattr(nn, name)

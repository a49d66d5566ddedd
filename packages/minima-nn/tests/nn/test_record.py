"""What `input` and `output` of a module give back."""

from collections import namedtuple

import pytest

import minima as mi
from minima import nn
from minima.nn.record import pack, unpack

Pair = namedtuple("Pair", "a b")


class Echo(nn.Module):
    def forward(self, *args, **kwargs):
        return args if len(args) != 1 else args[0]


def test_before_the_first_call_there_is_nothing():
    """Fault: None, which a caller takes for a result."""
    with pytest.raises(AttributeError, match="Echo: output is there after the first call"):
        Echo().output  # noqa: B018


@pytest.mark.parametrize(
    "args",
    [
        (mi.ones(2),),
        (mi.ones(2), mi.zeros(1)),
        ([mi.ones(1), {"k": mi.ones(2)}],),
        (Pair(mi.ones(1), 2),),
        (3,),
        (),
    ],
)
def test_structures_come_back_as_they_were(args):
    """Fault: only a single Tensor is kept."""
    layer = Echo()
    layer(*args)
    assert repr(layer.input) == repr(args)
    assert repr(layer.output) == repr(args if len(args) != 1 else args[0])


def test_what_is_read_is_a_copy():
    """Fault: a change of what was read changes a value that backward needs."""
    layer = Echo()
    x = mi.ones(2)
    layer(x)
    layer.output.fill_(5.0)
    assert x.tolist() == [1.0, 1.0]


def test_unknown_objects_are_not_kept():
    """Fault: an object whose tensors keep the graph alive."""

    class Holder:
        x = 1

    assert unpack(pack([Holder(), "text", None])) == [None, "text", None]

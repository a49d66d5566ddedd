"""What is found in attributes, through containers."""

import pytest

from minima import nn
from minima.nn.tree import Found, members


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1, [("x", 1)]),
        ([1, "a", [2]], [("x.0", 1), ("x.2.0", 2)]),
        ({"k": (3,), 4: 5}, [("x.k.0", 3), ("x.4", 5)]),
        ({1, 2}, []),
        (None, []),
    ],
)
def test_members(value, found):
    """Fault: a set, whose order is not stable, or a key that is no string."""
    assert list(members("x", value, (int,))) == found


def test_a_container_in_itself_ends():
    """Fault: endless recursion."""
    loop = [1]
    loop.append({"again": loop})
    assert list(members("x", loop, (int,))) == [("x.0", 1)]


def test_the_same_container_twice_is_not_a_loop():
    """Fault: a second name that is lost."""
    part = [1]
    assert list(members("x", [part, part], (int,))) == [("x.0.0", 1), ("x.1.0", 1)]


def test_what_is_found_is_a_list_and_an_iterator():
    """Fault: ``next(model.parameters())`` fails, which programs for PyTorch ask for the device."""
    layer = nn.Linear(2, 1)
    assert next(layer.parameters()) is layer.weight
    assert next(layer.named_parameters()) == ("weight", layer.weight)
    model = nn.Sequential(layer, nn.ReLU())
    assert next(model.children()) is layer
    assert next(model.named_children()) == ("module_0", layer)
    assert next(model.modules()) is model
    assert next(model.named_modules()) == ("", model)
    assert next(nn.BatchNorm1d(2).buffers()).shape == (2,)


def test_a_loop_after_next_goes_over_the_rest():
    """Fault: a first item that comes again, or a list that a loop uses up."""
    found = Found("abc")
    assert [list(found), list(found), [*found]] == [["a", "b", "c"]] * 3
    assert next(found) == "a"
    assert list(found) == ["b", "c"]
    assert next(found, None) is None
    assert found == ["a", "b", "c"]
    assert len(found) == 3


def test_a_copy_of_what_is_found_begins_anew():
    """Fault: an iterator that is copied, or that keeps a list from being pickled."""
    from copy import copy, deepcopy
    from pickle import dumps, loads

    found = Found([1, 2])
    next(found)
    for same in (copy(found), deepcopy(found), loads(dumps(found))):
        assert same == [1, 2]
        assert list(same) == [1, 2]

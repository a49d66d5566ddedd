"""What is found in attributes, through containers."""

import pytest

from minima.nn.tree import members


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

import json

import numpy as np
import pytest

import minima as mi
from minima.io.tree import join, split


def plain(value):
    """Return `value` with tensors and arrays as comparable tuples."""
    if isinstance(value, (mi.Tensor, np.ndarray)):
        array = value.numpy() if isinstance(value, mi.Tensor) else value
        return (type(value).__name__, array.dtype.name, array.shape, array.tobytes())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return value


TREES = [
    {},
    {"weight": mi.Tensor([1.0, 2.0])},
    {"weight": mi.Tensor([1.0]), "epoch": 3},
    {
        "state": {0: {"step": 5, "exp_avg": mi.Tensor([[1.0]])}, 1: {}},
        "param_groups": [{"lr": 0.1}],
    },
    {"betas": (0.9, 0.999), "nested": [(), [], {}, None, True, "text", 1e-300, 2**127]},
    {"a.b": mi.Tensor([1]), "a": {"b": mi.Tensor([2])}},
    {"$": ["tensor", "x"], "x": {"$": 1}},
    {(1, "two"): np.arange(3), None: np.float32([])},
    [mi.Tensor(1.5), np.array(True), np.zeros((0, 3), np.int8)],
    "text",
    7,
    {"": mi.Tensor([1.0])},
]


@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_round_trip(tree):
    """Catch a key, type, order or number that changes on its way through a file."""
    again = join(*split(tree))
    assert plain(again) == plain(tree)
    if isinstance(tree, dict):
        assert list(again) == list(tree)


def test_flat_dict_needs_no_structure():
    """Catch a state_dict that other programs cannot read by its names."""
    arrays, structure = split({"a.weight": mi.Tensor([1.0]), "a.bias": mi.Tensor([2.0])})
    assert structure is None
    assert list(arrays) == ["a.weight", "a.bias"]


def test_numpy_scalars_become_numbers():
    """Catch a NumPy scalar, such as a learning rate, that JSON does not take."""
    tree = {"lr": np.float64(0.1), "n": np.int64(3), "flag": np.bool_(True), "x": np.float32(0.5)}
    again = join(*split(tree))
    assert again == {"lr": 0.1, "n": 3, "flag": True, "x": 0.5}
    assert {type(value) for value in again.values()} == {int, float, bool}


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3).T, np.arange(6)[::-2]])
def test_layout_does_not_matter(array):
    """Catch bytes stored in another order than C's: the safetensors library takes any pointer."""
    stored = split({"x": array})[0]["x"]
    assert stored.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(stored, array)


def test_byte_order_becomes_native():
    """Catch a swapped array whose numbers change."""
    stored = split({"x": np.array([1, 2], ">i4"), "y": 0})[0]["x"]
    assert stored.dtype.isnative
    assert stored.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"a": {"b": object()}}, "a.b is a object"),
        ({"a": {1, 2}}, "a is a set"),
        (object(), "the state is a object"),
        ({"a": 1j}, "a is a complex"),
        ({"a": np.longdouble(1)}, "a is a longdouble"),
        ({"a": b"x"}, "a is a bytes"),
        ({"a": np.array([None])}, "a has dtype object"),
        ({"a": [np.array(["x"])]}, "a.0 has dtype"),
        ({"a": np.zeros(2, "c8")}, "a has dtype complex64"),
        ({"a": np.zeros(2, np.longdouble)}, "expected bool, integers or floats"),
        ({"a": np.zeros(2, [("x", "f4")])}, "a has dtype"),
    ],
)
def test_what_files_do_not_hold(tree, message):
    """Catch an object that would have to be pickled, or is lost."""
    with pytest.raises(TypeError, match=message) as caught:
        split(tree)
    assert isinstance(caught.value, mi.MinimaError)


@pytest.mark.parametrize(
    "structure",
    [
        "",
        "{",
        "[" * 100_000,
        '{"$":["tensor","absent"]}',
        '{"$":["code","x"]}',
        '{"$":[]}',
        '{"$":5}',
        '{"$":["tuple",5]}',
        '{"$":["dict",[[[],1]]]}',
        '{"$":["dict",[1]]}',
        '{"$":["tensor",[]]}',
        '{"$":["tensor","x"],"y":1}' + "]",
    ],
)
def test_broken_structure(structure):
    """Catch a hostile description that ends in a traceback."""
    with pytest.raises(mi.MinimaError, match="structure is broken"):
        join({"x": np.ones(1)}, structure)


def test_structure_is_plain_json():
    """Catch a structure that another language could not read."""
    structure = split({"a": mi.Tensor([1.0]), "b": (1, None)})[1]
    assert json.loads(structure) == {"a": {"$": ["tensor", "a"]}, "b": {"$": ["tuple", [1, None]]}}

"""ParameterList and ParameterDict."""

import pytest

import minima as mi
from minima import nn


def test_a_parameter_list_behaves_as_a_list():
    """Fault: a tensor that is not trained, or an index that does not match the name."""
    a, b = nn.Parameter([1.0]), mi.Tensor([2.0])
    weights = nn.ParameterList([a, b])
    assert weights[0] is a
    assert isinstance(weights[1], nn.Parameter)
    assert weights[1].requires_grad
    assert [n for n, _ in weights.named_parameters()] == list(weights.state_dict()) == ["0", "1"]
    weights[-1] = a
    weights += [mi.zeros(3)]
    weights.append("text").extend([mi.zeros(1)])
    assert len(weights) == 5
    assert list(weights)[3] == "text"
    assert len(weights.parameters()) == 3
    assert list(weights[:2]) == [a, a]
    assert "(2): Parameter containing: [float32 of size (3,)]" in repr(weights)
    assert "(3): Object of type: str" in repr(weights)


def test_a_parameter_dict_behaves_as_a_dict():
    """Fault: another order than that of insertion, or a copy that trains other parameters."""
    a, b = nn.Parameter([1.0]), nn.Parameter([2.0, 3.0])
    weights = nn.ParameterDict({"a": a, "b-2": mi.ones(1)})
    weights["b-2"] = b
    assert weights.keys() == list(weights) == list(weights.state_dict()) == ["a", "b-2"]
    assert list(reversed(weights)) == ["b-2", "a"]
    assert weights.values() == [a, b]
    assert weights.items() == weights.named_parameters()
    assert weights.get("c") is None
    assert weights.setdefault("c", mi.ones(3)).requires_grad
    assert weights.popitem()[0] == "c"
    assert weights.pop("a") is a
    assert list(weights | {"d": a}) == ["b-2", "d"]
    assert list({"d": a} | weights) == ["d", "b-2"]
    weights |= {"d": a}
    assert weights.copy()["d"] is a
    assert list(weights.fromkeys(["x", "y"], 1.0)) == ["x", "y"]
    del weights["d"]
    weights.clear()
    assert len(weights) == 0
    assert weights.parameters() == []
    with pytest.raises(KeyError, match="no parameter 'x'; expected one of none"):
        weights["x"]

"""Sequential, ModuleList, Residual, Identity, Flatten."""

import numpy as np
import pytest

import minima as mi
from minima import nn


def test_sequential_behaves_as_a_list():
    """Fault: an index, a slice or a length that does not match the order of the call."""
    parts = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)]
    net = nn.Sequential(*parts)
    assert list(net) == parts
    assert len(net) == 3
    assert net[0] is net[-3] is net.module_0 is parts[0]
    assert list(net[1:]) == parts[1:]
    assert net[np.int64(2)] is parts[2]
    assert [name for name, _ in net.named_children()] == ["module_0", "module_1", "module_2"]
    assert list(reversed(list(net[::-1]))) == parts


def test_a_replaced_module_is_called():
    """Fault: a second list of modules beside the attributes, which still holds the old one."""
    net = nn.Sequential(nn.Identity(), nn.Identity())
    net[1] = nn.Flatten()
    net.module_0 = nn.ReLU()
    assert net(mi.Tensor([[[-1.0]]])).tolist() == [[0.0]]
    net.append(nn.Linear(1, 2))
    assert net(mi.Tensor([[[-1.0]]])).shape == (1, 2)


def test_the_same_module_may_come_twice():
    """Fault: a module that is called once because it is found once."""
    linear = nn.Linear(2, 2)
    net = nn.Sequential(linear, linear)
    assert len(net) == 2
    assert len(net.parameters()) == 2
    x = mi.Tensor([[1.0, 2.0]])
    np.testing.assert_array_equal(net(x).numpy(), linear(linear(x)).numpy())


def test_a_dict_gives_names():
    """Fault: names that are lost, so that a PyTorch OrderedDict's keys do not fit."""
    net = nn.Sequential({"hidden": nn.Linear(2, 3), "act": nn.ReLU()})
    assert list(net.state_dict()) == ["hidden.weight", "hidden.bias"]
    assert net(mi.ones((1, 2))).shape == (1, 3)


def test_an_empty_sequential_returns_its_input():
    """Fault: None."""
    x = mi.ones(1)
    assert nn.Sequential()(x) is x


def test_residual_adds_and_takes_functions():
    """Fault: a sum that broadcasts, or a plain function that is refused."""
    x = mi.Tensor([[1.0, -2.0]])
    assert nn.Residual(nn.ReLU())(x).tolist() == [[2.0, -2.0]]
    assert nn.Residual(lambda x: x * 2.0)(x).tolist() == [[3.0, -6.0]]
    assert len(nn.Residual(nn.Linear(2, 2)).parameters()) == 2


def test_identity_ignores_its_arguments():
    """Fault: a placeholder that cannot stand for another layer."""
    x = mi.ones(1)
    assert nn.Identity(5, bias=False)(x) is x


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ((), (2, 60)),
        ((0,), (120,)),
        ((1, 2), (2, 12, 5)),
        ((-2,), (2, 3, 20)),
        ((2, 2), (2, 3, 4, 5)),
    ],
)
def test_flatten_makes_one_axis(options, shape):
    """Fault: end_dim left out, or counted from the wrong side."""
    assert nn.Flatten(*options)(mi.ones((2, 3, 4, 5))).shape == shape


def test_flatten_takes_an_empty_batch():
    """Fault: reshape(0, -1), which has no answer."""
    assert nn.Flatten()(mi.ones((0, 3, 4))).shape == (0, 12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Sequential(nn.ReLU(), 3), "Sequential: module_1 is 3; expected a Module"),
        (lambda: nn.Sequential([nn.ReLU()]), "Sequential: module_0 is .*; expected a Module"),
        (lambda: nn.Sequential(nn.ReLU())[1], "Sequential: no module 1; there are 1"),
        (lambda: nn.Sequential(nn.ReLU())["a"], "Sequential: the index is 'a'"),
        (lambda: nn.Sequential().append(None), "Sequential: module_0 is None"),
        (lambda: nn.Sequential(nn.ReLU()).__setitem__(0, 1), "Sequential: item 0 is 1"),
        (lambda: nn.Residual(3), "Residual: fn is 3"),
        (
            lambda: nn.Residual(nn.Linear(2, 1))(mi.ones((3, 2))),
            r"Residual: fn made \(3, 1\) of an input of shape \(3, 2\)",
        ),
        (lambda: nn.Flatten(1.5), "Flatten: start_dim is 1.5"),
        (lambda: nn.Flatten()(mi.ones(3)), r"Flatten: input has shape \(3,\)"),
        (lambda: nn.Flatten(2, 1)(mi.ones((1, 2, 3))), "end_dim=1 comes before start_dim=2"),
    ],
)
def test_errors(call, message):
    """Fault: an error from deep inside, or a silent broadcast."""
    with pytest.raises(mi.MinimaError, match=message):
        call()


def test_a_module_list_behaves_as_a_list():
    """Fault: an index or name that does not follow an insertion or a deletion."""
    parts = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)]
    layers = nn.ModuleList(parts)
    assert list(layers) == parts
    assert layers[-1] is layers[np.int64(2)] is parts[2]
    assert list(layers[1:]) == parts[1:]
    tanh = nn.Tanh()
    layers.insert(1, tanh)
    assert [name for name, _ in layers.named_children()] == ["0", "1", "2", "3"]
    assert list(layers) == [parts[0], tanh, *parts[1:]]
    del layers[0]
    assert list(layers) == [tanh, *parts[1:]]
    layers[0] = parts[0]
    layers.extend([tanh]).append(tanh)
    assert list(layers) == [*parts, tanh, tanh]
    assert list(layers.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.ModuleList([3]), "got 3; expected a Module"),
        (lambda: nn.ModuleList()[0], "no module 0; there are 0"),
        (lambda: nn.ModuleList([nn.ReLU()]).insert(0, "x"), "got 'x'; expected a Module"),
        (lambda: nn.ModuleList([nn.ReLU()])["0"], "the index is '0'"),
    ],
)
def test_errors_of_module_list(call, message):
    """Fault: an error that does not name the layer."""
    with pytest.raises(mi.MinimaError, match=f"^ModuleList: {message}"):
        call()

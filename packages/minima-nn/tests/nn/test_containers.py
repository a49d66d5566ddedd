"""Sequential, ModuleList, ModuleDict."""

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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Sequential(nn.ReLU(), 3), "Sequential: module_1 is 3; expected a Module"),
        (lambda: nn.Sequential([nn.ReLU()]), "Sequential: module_0 is .*; expected a Module"),
        (lambda: nn.Sequential(nn.ReLU())[1], "Sequential: no module 1; there are 1"),
        (lambda: nn.Sequential(nn.ReLU())["a"], "Sequential: the index is 'a'"),
        (lambda: nn.Sequential().append(None), "Sequential: module_0 is None"),
        (lambda: nn.Sequential(nn.ReLU()).__setitem__(0, 1), "Sequential: item 0 is 1"),
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
        (lambda: nn.ModuleList([3]), "0 is 3; expected a Module"),
        (lambda: nn.ModuleList()[0], "no module 0; there are 0"),
        (lambda: nn.ModuleList([nn.ReLU()]).insert(0, "x"), "item 0 is 'x'; expected a Module"),
        (lambda: nn.ModuleList([nn.ReLU()])["0"], "the index is '0'"),
    ],
)
def test_errors_of_module_list(call, message):
    """Fault: an error that does not name the layer."""
    with pytest.raises(mi.MinimaError, match=f"^ModuleList: {message}"):
        call()


def test_sequential_changes_as_a_list():
    """Fault: a name that does not follow an insertion, a removal or a repetition."""
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Identity()
    net = nn.Sequential(a, b)
    assert net.insert(1, c) is net
    assert list(net) == [a, c, b]
    assert list(dict(net.named_children())) == ["module_0", "module_1", "module_2"]
    assert net.pop(0) is a
    assert list(dict(net.named_children())) == ["module_0", "module_1"]
    del net[-1]
    assert list(net) == [c]
    net.extend([a, b])
    del net[:2]
    assert list(net) == [b]
    assert list(net + nn.Sequential(a)) == [b, a]
    assert list(net * 2) == list(2 * net) == [b, b]
    net *= 3
    net += [a]
    assert list(net) == [b, b, b, a]
    assert a in net
    assert c not in net


def test_names_of_ones_own_stay():
    """Fault: a model whose keys change because a layer was put in."""
    net = nn.Sequential({"first": nn.ReLU(), "second": nn.Tanh()})
    net.insert(1, nn.Identity())
    assert list(dict(net.named_children())) == ["first", "module_1", "second"]
    cut = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Identity())[1:]
    cut.append(nn.ReLU())
    assert list(dict(cut.named_children())) == ["module_1", "module_2", "module_3"]


def test_a_deleted_attribute_is_no_longer_called():
    """Fault: a KeyError in the next call."""
    net = nn.Sequential(nn.ReLU(), nn.Tanh())
    del net.module_1
    assert net(mi.Tensor([2.0])).tolist() == [2.0]
    assert len(net) == 1


def test_module_list_pop_and_sum():
    """Fault: pop() of another element, or a sum that changes the first list."""
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Identity()
    layers = nn.ModuleList([a, b, c])
    assert layers.pop() is c
    assert layers.pop(0) is a
    both = layers + [c]  # noqa: RUF005
    assert list(both) == [b, c]
    layers += [c, c]
    del layers[1:]
    assert list(layers) == [b]


def test_a_module_dict_behaves_as_a_dict():
    """Fault: another order than that of insertion, or names that the state does not have."""
    a, b = nn.Linear(1, 1), nn.ReLU()
    heads = nn.ModuleDict([("a-1", a), ("b", b)])
    assert heads.keys() == list(heads) == ["a-1", "b"]
    assert heads.values() == [a, b]
    assert heads.items() == heads.named_children() == [("a-1", a), ("b", b)]
    assert list(heads.state_dict()) == ["a-1.weight", "a-1.bias"]
    assert "b" in heads
    heads["b"] = c = nn.Tanh()
    assert heads["b"] is heads.b is c
    assert heads.pop("a-1") is a
    del heads["b"]
    assert len(heads) == 0
    heads.update({"a": a})
    heads.update(nn.ModuleDict({"b": b}))
    heads.clear()
    assert heads.children() == []
    with pytest.raises(KeyError, match="no module 'x'; expected one of none"):
        heads["x"]


def test_a_module_added_by_name_is_called():
    """Fault: a module that has parameters and a place in the state, and takes no part."""
    net = nn.Sequential()
    net.add_module("twice", Times(2.0))
    net.register_module("thrice", Times(3.0))
    net.five = Times(5.0)
    assert net(1.0) == 30.0
    assert [name for name, _ in net.named_children()] == ["twice", "thrice", "five"]
    assert net[-1] is net.five
    net.twice = Times(7.0)
    assert net(1.0) == 105.0
    del net.five
    assert net(1.0) == 21.0
    assert len(net.append(Times(0.0))) == 3


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


def test_an_attribute_of_a_module_dict_is_one_of_its_modules():
    """Fault: DenseNet, whose blocks are ModuleDicts filled by add_module, runs none of them."""

    class Block(nn.ModuleDict):
        def __init__(self):
            super().__init__()
            for number in range(2):
                self.add_module(f"layer{number}", nn.Linear(2, 2))
            self.act = nn.ReLU()

        def forward(self, x):
            for _, layer in self.items():
                x = layer(x)
            return x

    block = Block()
    assert block.keys() == ["layer0", "layer1", "act"]
    assert (block(mi.ones((3, 2))).numpy() >= 0).all()
    block.act = nn.Tanh()
    assert len(block) == 3
    del block.act
    assert block.keys() == ["layer0", "layer1"]

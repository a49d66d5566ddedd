"""nn.summary: against counts by hand, and that it disturbs nothing."""

import numpy as np
import pytest

import minima as mi
from minima import nn


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(),
        nn.Linear(84, 10),
    )  # fmt: skip


def test_lenet_is_counted_as_by_hand():
    """Fault: a filter that counts once, a bias left out, a batch that is not counted."""
    found = nn.summary(lenet(), (1, 1, 28, 28))
    by_hand = {
        "module_0": (6 * 25 + 6, 28 * 28 * 6 * 25),
        "module_3": (16 * 6 * 25 + 16, 10 * 10 * 16 * 6 * 25),
        "module_7": (400 * 120 + 120, 400 * 120),
        "module_9": (120 * 84 + 84, 120 * 84),
        "module_11": (84 * 10 + 10, 84 * 10),
    }
    rows = {row.path: row for row in found.rows}
    for path, (parameters, multiply_adds) in by_hand.items():
        assert rows[path].parameters == parameters
        assert rows[path].multiply_adds == multiply_adds
    assert rows["module_3"].inputs == [(1, 6, 14, 14)]
    assert rows["module_3"].outputs == [(1, 16, 10, 10)]
    assert found.parameters == found.trainable == 61706
    assert found.multiply_adds == rows[""].multiply_adds == 416520
    assert found.uncounted == []
    assert found.parameter_bytes == 4 * 61706
    assert nn.summary(lenet(), (7, 1, 28, 28)).multiply_adds == 7 * 416520


class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outside), nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.act, self.stride, self.grow = nn.ReLU(), stride, outside - inside

    def forward(self, x):
        y = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        if self.grow:
            x = mi.pad(
                x[:, :, :: self.stride, :: self.stride], ((0, 0), (0, self.grow), (0, 0), (0, 0))
            )
        return self.act(x + y)


def resnet20():
    blocks = [
        Block(a, b, s)
        for b, first in ((16, 16), (32, 16), (64, 32))
        for a, s in ((first, 1 + (first < b)), (b, 1), (b, 1))
    ]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def test_resnet_20_is_counted_as_by_hand():
    """Fault: a layer of a layer left out; He et al. 2015 count 0.27 million parameters."""
    found = nn.summary(resnet20(), (1, 3, 32, 32))
    first = 1024 * 16 * 27
    stages = [
        1024 * 16 * 144 * 6,
        256 * 32 * (144 + 288 * 5),
        64 * 64 * (288 + 576 * 5),
    ]
    assert found.multiply_adds == first + sum(stages) + 640 == 40_551_040
    assert found.parameters == 269_722
    assert found.uncounted == []


def test_other_layers_that_multiply():
    """Fault: an option of a layer that the count ignores."""
    assert nn.summary(nn.Conv1d(4, 6, 3, groups=2), (2, 4, 7)).multiply_adds == 2 * 6 * 5 * 2 * 3
    assert nn.summary(nn.ConvTranspose1d(4, 6, 3), (2, 4, 7)).multiply_adds == 2 * 7 * 4 * 6 * 3
    lstm = nn.summary(nn.LSTM(3, 5, 2, bidirectional=True), (4, 2, 3))
    assert lstm.multiply_adds == 4 * 2 * 2 * (20 * (3 + 5) + 20 * (10 + 5))
    assert lstm.rows[0].outputs[0] == (4, 2, 10)
    attention = nn.MultiheadAttention(4, 2)
    found = nn.summary(attention, [(3, 2, 4), (5, 2, 4), (5, 2, 4)])
    products = 2 * (3 * 4 * 4 + 5 * 4 * 4 * 2) + 2 * (2 * 3 * 5 * 4) + 2 * 3 * 4 * 4
    assert found.multiply_adds == products


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.layer = nn.Parameter([1.0]), nn.Linear(2, 1)

    def forward(self, x, *, twice=False):
        return self.layer(x) * self.scale * (2.0 if twice else 1.0)


def test_what_is_not_counted_says_so():
    """Fault: products in a layer of one's own that count as none."""
    found = nn.summary(nn.Sequential(Own()), (3, 2), kwargs=None)
    assert found.uncounted == ["Own"]
    assert "not counted" in str(found)
    assert found.multiply_adds == 6


def test_frozen_parameters_depth_and_shared_layers():
    """Fault: a shared layer counted twice, or a row too many."""
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.Sequential(shared, nn.ReLU()))
    shared.bias.requires_grad_(False)
    found = nn.summary(net, (1, 2), depth=1)
    assert (found.parameters, found.trainable) == (6, 4)
    assert [row.path for row in found.rows] == ["", "module_0", "module_1"]
    assert found.rows[1].calls == 2
    assert found.multiply_adds == 8


def test_inputs_of_several_kinds():
    """Fault: integers that become floats, or keywords that get lost."""
    table = nn.summary(nn.Embedding(5, 3), (2, 4), dtypes="int64")
    assert table.rows[0].outputs == [(2, 4, 3)]
    assert nn.summary(Own(), input_data=mi.ones((3, 2)), kwargs={"twice": True}).rows[0].calls == 1
    assert nn.summary(nn.Bilinear(2, 3, 4), [(5, 2), (5, 3)]).multiply_adds == 5 * 4 * 2 * 3


def test_nothing_is_disturbed():
    """Fault: a summary that changes running figures, modes, hooks or the next random numbers."""
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    net[2].eval()
    state = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    mi.manual_seed(0)
    nn.summary(net, (4, 2))
    after = mi.init.rand(3).tolist()
    mi.manual_seed(0)
    assert mi.init.rand(3).tolist() == after
    assert [m.training for m in net.modules()] == [True, True, True, False]
    assert all(m._hooks is None for m in net.modules())
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[key])
    with pytest.raises(mi.ShapeError):
        nn.summary(net, (4, 3))
    assert all(m._hooks is None for m in net.modules())
    assert net.training


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.summary(nn.ReLU()), "expected either input_shape or input_data"),
        (lambda: nn.summary(3, (1,)), "model is a int; expected a Module"),
        (lambda: nn.summary(nn.ReLU(), 5), "input_shape is 5; expected a shape"),
        (lambda: nn.summary(nn.ReLU(), [(1,)], dtypes=["float32"] * 2), "2 dtypes and 1 shapes"),
    ],
)
def test_errors(call, message):
    """Fault: an error from deep inside."""
    with pytest.raises(mi.MinimaError, match=f"^summary: {message}"):
        call()

"""The faults of the notebook that minima.nn was written after, one test each.

Layers are reached through ``mi.nn`` only, so that the notebook's classes can be put in their place:
each fault then shows. The figure of the worked example is what the notebook had right.
"""

import gc
import weakref

import numpy as np
import pytest

import minima as mi

LOGITS = [
    [0.6734, 0.2576],
    [0.4689, 0.4607],
    [-2.2457, -0.3727],
    [4.4164, -1.2760],
    [0.9233, 0.5347],
    [1.0698, 1.6187],
]
TARGETS = [0, 1, 0, 1, 1, 0]


def my_module():
    """The notebook's example, whose repr and parameters() came out empty."""

    class MyModule(mi.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer1 = mi.nn.Linear(10, 20)
            self.layer2 = mi.nn.Linear(20, 10)

        def forward(self, x):
            return self.layer2(self.layer1(x))

    return MyModule()


def test_the_bias_of_linear_is_a_parameter_and_trains():
    """Fault: the bias, reshaped, was a plain Tensor that parameters() did not find."""
    layer = mi.nn.Linear(3, 2)
    assert isinstance(layer.bias, mi.nn.Parameter)
    assert any(p is layer.bias for p in layer.parameters())
    layer(mi.Tensor(np.ones((4, 3), "float32"))).sum().backward()
    assert layer.bias.grad is not None
    assert layer.bias.grad.numpy().ravel().tolist() == [4.0, 4.0]


@pytest.mark.parametrize("bias", [True, False])
def test_linear_does_not_ask_its_bias_for_its_truth(bias):
    """Fault: ``if self.bias`` is ambiguous for two features, and drops a bias that is 0 for one."""
    for outputs in (1, 2):
        layer = mi.nn.Linear(3, outputs, bias=bias)
        assert layer(mi.Tensor(np.ones((4, 3), "float32"))).shape == (4, outputs)


def test_a_subclass_that_assigns_layers_has_their_parameters_and_shows_them():
    """Fault: MyModule() printed nothing and had no parameters."""
    module = my_module()
    assert [p.size for p in module.parameters()] == [200, 20, 200, 10]
    assert "(layer1): Linear(in_features=10, out_features=20, bias=True)" in repr(module)
    assert "(layer2): Linear(in_features=20, out_features=10, bias=True)" in repr(module)


def test_a_parameter_in_lists_and_dicts_and_two_layers_is_found_once():
    """Fault: a shared parameter came twice, so that an optimiser moved it twice."""
    module = mi.nn.Module()
    shared = mi.nn.Parameter(np.ones(2, "float32"))
    first, second = mi.nn.Module(), mi.nn.Module()
    first.weight = second.weight = shared
    own = mi.nn.Parameter(np.ones(3, "float32"))
    module.layers = [first, {"second": second}, (own, [own])]
    found = module.parameters()
    assert [id(p) for p in found].count(id(shared)) == 1
    assert [id(p) for p in found].count(id(own)) == 1
    assert len(found) == 2
    assert [id(p) for p in module.parameters()] == [id(p) for p in found]


def test_a_module_in_a_list_or_dict_shows_in_repr():
    """Fault: only modules that were attributes themselves showed."""
    module = mi.nn.Module()
    module.layers = [mi.nn.Linear(3, 2), {"act": mi.nn.ReLU()}]
    assert "Linear(in_features=3, out_features=2, bias=True)" in repr(module)
    assert "ReLU()" in repr(module)


def test_forgetting_super_init_says_so():
    """Fault: the call failed on a missing attribute that the user never heard of."""

    class Forgetful(mi.nn.Module):
        def __init__(self):
            self.size = 3

        def forward(self, x):
            return x

    with pytest.raises(mi.MinimaError, match=r"Forgetful.*super\(\).__init__\(\)"):
        Forgetful()(mi.Tensor([1.0]))

    class Assigning(mi.nn.Module):
        def __init__(self):
            self.layer = mi.nn.Linear(3, 2)

    with pytest.raises(mi.MinimaError, match=r"'layer'.*super\(\).__init__\(\)"):
        Assigning()


def test_softmax_obeys_dim():
    """Fault: whatever dim said, the sum was over axis 1."""
    x = mi.Tensor(np.arange(24.0).reshape(2, 3, 4))
    for dim in (0, 1, 2, -1):
        y = mi.nn.Softmax()(x, dim=dim)
        np.testing.assert_allclose(y.numpy().sum(axis=dim), 1.0, rtol=1e-12)


def test_softmax_of_large_logits_is_finite_and_has_finite_gradients():
    """Fault: e**1e4 overflowed into NaN."""
    x = mi.Tensor([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4]], requires_grad=True)
    y = mi.nn.Softmax()(x)
    np.testing.assert_allclose(y.numpy(), [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-6)
    (y * mi.Tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_dropout_drops_with_probability_p():
    """Fault: p was the probability to keep, so that p=0.1 lost nine in ten."""
    mi.manual_seed(0)
    y = mi.nn.Dropout(0.1)(mi.Tensor(np.ones((200, 200), "float32"))).numpy()
    assert abs((y == 0).mean() - 0.1) < 0.01
    np.testing.assert_allclose(y[y != 0], 1 / 0.9, rtol=1e-6)


def test_dropout_draws_no_mask_in_evaluation():
    """Fault: a mask was drawn and thrown away, which shifted every later random number."""
    x = mi.Tensor(np.ones((4, 4), "float32"))
    mi.manual_seed(0)
    expected = mi.init.rand(3).numpy()
    mi.manual_seed(0)
    layer = mi.nn.Dropout(0.5)
    layer.eval()
    layer(x)
    np.testing.assert_array_equal(mi.init.rand(3).numpy(), expected)


def test_batch_norm_keeps_mean_and_unbiased_variance_as_pytorch_does():
    """Fault: running_std held a variance, and the biased one."""
    x = np.arange(12.0).reshape(4, 3) ** 2
    layer = mi.nn.BatchNorm1d(3, dtype="float64")
    layer(mi.Tensor(x))
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * x.mean(axis=0))
    np.testing.assert_allclose(layer.running_var.numpy(), 0.9 + 0.1 * x.var(axis=0, ddof=1))
    assert layer.num_batches_tracked.item() == 1


def test_batch_norm_statistics_stay_out_of_the_graph():
    """Fault: the running figures required grad, and each held the graph of all steps so far."""
    layer = mi.nn.BatchNorm1d(3)
    mean = layer.running_mean
    for _ in range(2):
        layer(mi.Tensor(np.random.default_rng(0).normal(size=(4, 3)).astype("float32")))
    assert not layer.running_mean.requires_grad
    assert not layer.running_var.requires_grad
    assert layer.running_mean is mean
    assert not mean.requires_grad


@pytest.mark.parametrize(
    ("name", "shape"),
    [("BatchNorm1d", (4, 3)), ("BatchNorm1d", (4, 3, 5)), ("BatchNorm2d", (4, 3, 2, 5))],
)
def test_batch_norm_takes_every_shape_of_the_prose(name, shape):
    """Fault: only (B, C) worked."""
    x = np.random.default_rng(0).normal(3.0, 2.0, size=shape)
    y = getattr(mi.nn, name)(3, dtype="float64")(mi.Tensor(x)).numpy()
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(y.mean(axis=axes), 0.0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=axes), 1.0, rtol=1e-4)


@pytest.mark.parametrize(
    ("dim", "shape", "axes"),
    [
        (3, (4, 3), (1,)),
        (3, (5, 4, 3), (2,)),
        ((3, 2, 5), (4, 3, 2, 5), (1, 2, 3)),
    ],
)
def test_layer_norm_takes_every_shape_of_the_prose(dim, shape, axes):
    """Fault: only (B, C) worked."""
    x = np.random.default_rng(0).normal(3.0, 2.0, size=shape)
    y = mi.nn.LayerNorm1d(dim, dtype="float64")(mi.Tensor(x)).numpy()
    np.testing.assert_allclose(y.mean(axis=axes), 0.0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=axes), 1.0, rtol=1e-3)


def test_two_loops_over_a_sequential_do_not_disturb_each_other():
    """Fault: the position was kept in the module, so that an inner loop ended the outer one."""
    net = mi.nn.Sequential(mi.nn.ReLU(), mi.nn.Sigmoid(), mi.nn.Flatten())
    pairs = [(type(a).__name__, type(b).__name__) for a in net for b in net]
    assert len(pairs) == 9
    assert len(set(pairs)) == 9


def test_backward_hooks_are_called_with_both_gradients():
    """Fault: backward hooks were registered and never called."""
    layer = mi.nn.ReLU()
    calls = []
    layer.register_backward_hook(lambda module, gi, go: calls.append((module, gi, go)))
    x = mi.Tensor([-1.0, 2.0], requires_grad=True)
    (layer(x) * 3.0).sum().backward()
    assert len(calls) == 1
    module, grad_input, grad_output = calls[0]
    assert module is layer
    assert [g.tolist() for g in grad_output] == [[3.0, 3.0]]
    assert [g.tolist() for g in grad_input] == [[0.0, 3.0]]


def test_input_and_output_are_readable_and_hold_no_graph():
    """Fault: module.output kept the graph of the whole step until the next call."""
    layer = mi.nn.ReLU()
    x = mi.Tensor([-1.0, 2.0], requires_grad=True)
    y = layer(x * 2.0)
    node = weakref.ref(y)
    del y
    gc.collect()
    assert node() is None
    assert layer.output.tolist() == [0.0, 4.0]
    assert [a.tolist() for a in layer.input] == [[-2.0, 4.0]]
    assert not layer.output.requires_grad


def test_cross_entropy_gives_the_worked_example_in_float64():
    """Fault: another figure than the notebook shows, or a float32 one."""
    loss = mi.nn.CrossEntropyLoss()(mi.Tensor(np.array(LOGITS)), mi.Tensor(TARGETS))
    assert loss.item() == pytest.approx(1.8044446680186768, rel=1e-15)
    assert loss.dtype == mi.float64


def test_cross_entropy_stays_float32_by_default():
    """Fault: a float64 one-hot or class count widened the loss."""
    loss = mi.nn.CrossEntropyLoss()(mi.Tensor(LOGITS), mi.Tensor(TARGETS))
    assert loss.dtype == mi.float32
    assert abs(loss.item() - 1.8044446680186768) < 1e-6


def test_cross_entropy_takes_whole_floats_and_refuses_others():
    """Fault: 0.5 was cut to class 0 without a word."""
    loss = mi.nn.CrossEntropyLoss()
    whole = mi.Tensor([float(t) for t in TARGETS])
    np.testing.assert_allclose(loss(mi.Tensor(LOGITS), whole).item(), 1.8044447, rtol=1e-6)
    with pytest.raises(mi.MinimaError, match=r"CrossEntropyLoss: target 0\.5 .* whole"):
        loss(mi.Tensor(LOGITS), mi.Tensor([0.0, 1.0, 0.5, 1.0, 1.0, 0.0]))

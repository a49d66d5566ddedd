"""nn.utils: gradients clipped, parameters as a vector, computed weights, folded normalisations."""

import warnings
from copy import deepcopy

import numpy as np
import pytest

import minima as mi
from minima import nn
from minima.nn import utils
from minima.nn.utils import parametrizations, parametrize


def with_gradients(*values):
    found = [nn.Parameter(np.zeros_like(v)) for v in map(np.float32, values)]
    for p, v in zip(found, values, strict=True):
        p.grad = mi.asarray(np.float32(v))
    return [*found, nn.Parameter([1.0])]


@pytest.mark.parametrize(("norm_type", "norm"), [(2.0, 13.0), (1.0, 19.0), (float("inf"), 12.0)])
def test_gradients_are_scaled_together(norm_type, norm):
    """Fault: a norm for each parameter, or gradients that grow."""
    parameters = with_gradients([3.0, 4.0], [[12.0]])
    assert utils.get_total_norm([p.grad for p in parameters[:2]], norm_type).item() == norm
    assert utils.clip_grad_norm_(parameters, 100.0, norm_type).item() == norm
    assert parameters[0].grad.tolist() == [3.0, 4.0]
    assert utils.clip_grad_norm_(iter(parameters), norm / 2, norm_type).item() == norm
    np.testing.assert_allclose(parameters[0].grad.numpy(), [1.5, 2.0], rtol=1e-5)
    np.testing.assert_allclose(parameters[1].grad.numpy(), [[6.0]], rtol=1e-5)
    assert parameters[2].grad is None


def test_a_norm_that_is_not_finite():
    """Fault: parameters that turn into NaN although the caller asked for an error."""
    parameters = with_gradients([float("inf")])
    with pytest.raises(mi.ArgumentError, match=r"^clip_grad_norm_: the norm .* inf; expected"):
        utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[0].grad.tolist() == [float("inf")]
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0


def test_numbers_are_clipped_by_themselves():
    """Fault: the negative side left out."""
    (p, *_) = parameters = with_gradients([3.0, -4.0, 0.5])
    utils.clip_grad_value_(parameters, 1)
    assert p.grad.tolist() == [1.0, -1.0, 0.5]


def test_parameters_as_a_vector_and_back():
    """Fault: another order, or a parameter that is replaced."""
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = net.parameters()
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (13,)
    assert vector.requires_grad
    utils.vector_to_parameters(mi.arange(13).astype("float32"), net.parameters())
    assert net[0].weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert net[1].bias.tolist() == [12.0]
    assert all(a is b for a, b in zip(before, net.parameters(), strict=True))
    for size in (12, 14):
        with pytest.raises(mi.ShapeError, match=rf"\({size},\); expected \(13,\)"):
            utils.vector_to_parameters(mi.ones(size), net.parameters())


class Double(nn.Module):
    def forward(self, x):
        return 2.0 * x

    def right_inverse(self, x):
        return x / 2.0


class Shift(nn.Module):
    def __init__(self):
        super().__init__()
        self.by = nn.Parameter([1.0])

    def forward(self, x):
        return x + self.by


def test_a_computed_tensor_is_read_trained_and_assigned():
    """Fault: a weight that is computed once, a gradient that is lost, an assignment ignored."""
    layer = nn.Linear(2, 1)
    weight, start = layer.weight, layer.weight.tolist()
    assert parametrize.register_parametrization(layer, "weight", Double()) is layer
    assert layer.weight.tolist() == start
    assert layer.parametrizations.weight.original is weight
    assert [n for n, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    with mi.no_grad():
        weight.fill_(3.0)
    assert layer.weight.tolist() == [[6.0], [6.0]]
    layer(mi.ones((1, 2))).sum().backward()
    assert weight.grad.tolist() == [[2.0], [2.0]]
    layer.weight = mi.ones((2, 1))
    assert weight.tolist() == [[0.5], [0.5]]
    parametrize.register_parametrization(layer, "weight", Shift())
    assert layer.weight.tolist() == [[2.0], [2.0]]
    with pytest.raises(nn.InverseMissingError, match="Shift: it has no right_inverse"):
        layer.weight = mi.ones((2, 1))
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert isinstance(layer, nn.Linear)
    copy = deepcopy(layer)
    assert copy(mi.ones((1, 2))).tolist() == layer(mi.ones((1, 2))).tolist()
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    assert layer.weight.tolist() == [[2.0], [2.0]]
    assert not hasattr(layer, "parametrizations")


def test_removal_may_leave_the_original():
    """Fault: the option ignored."""
    layer = nn.Linear(2, 1)
    parametrize.register_parametrization(layer, "weight", Shift())
    start = layer.parametrizations.weight.original.tolist()
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight.tolist() == start
    parametrizations.weight_norm(layer)
    with pytest.raises(mi.ArgumentError, match="several originals; expected True"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)


def test_a_buffer_may_be_computed_too():
    """Fault: a buffer that becomes a parameter."""
    layer = nn.BatchNorm1d(2).eval()
    parametrize.register_parametrization(layer, "running_mean", Double())
    assert [n for n, _ in layer.named_buffers()][-1] == "parametrizations.running_mean.original"
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer(mi.ones((1, 2))).shape == (1, 2)
    parametrize.remove_parametrizations(layer, "running_mean")
    assert "running_mean" in layer.state_dict()


def test_within_cached_a_tensor_is_computed_once():
    """Fault: a cache that outlives its block."""
    layer = nn.Linear(2, 1)
    parametrize.register_parametrization(layer, "weight", Double())
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
    assert layer.weight is not first


def test_a_model_with_computed_weights_is_a_function_of_its_parameters():
    """Fault: functional_call that reads the module's own originals."""
    layer = parametrizations.weight_norm(nn.Linear(2, 1))
    params = {n: p.detach() for n, p in layer.named_parameters()}
    x = mi.ones((3, 2))
    params["parametrizations.weight.original0"] = 2 * params["parametrizations.weight.original0"]
    y = nn.functional_call(layer, params, x) - layer.bias
    np.testing.assert_allclose(y.detach().numpy(), 2 * (layer(x) - layer.bias).detach().numpy())
    loss = lambda p, x: (nn.functional_call(layer, p, x) ** 2).sum()  # noqa: E731
    each = mi.func.vmap(mi.func.grad(loss), (None, 0))(params, x)
    assert each["parametrizations.weight.original1"].shape == (3, 2, 1)


@pytest.mark.parametrize("how", [utils.weight_norm, parametrizations.weight_norm])
def test_weight_norm_changes_nothing_at_first(how):
    """Fault: lengths that do not fit the directions."""
    layer = nn.Linear(3, 2)
    x = mi.ones((1, 3))
    before = layer(x).detach().numpy()
    how(layer)
    np.testing.assert_allclose(layer(x).detach().numpy(), before, rtol=1e-5)


def test_the_older_state_of_weight_norm_is_taken():
    """Fault: a checkpoint of the first form that cannot be loaded into the second."""
    old, new = utils.weight_norm(nn.Linear(3, 2)), parametrizations.weight_norm(nn.Linear(3, 2))
    new.load_state_dict(old.state_dict())
    x = mi.ones((1, 3))
    np.testing.assert_array_equal(new(x).detach().numpy(), old(x).detach().numpy())


@pytest.mark.parametrize("how", [utils.spectral_norm, parametrizations.spectral_norm])
def test_spectral_norm_comes_to_one(how):
    """Fault: vectors that do not move, or that move in evaluation."""
    mi.manual_seed(0)
    layer = how(nn.Linear(4, 3), n_power_iterations=5)
    for _ in range(20):
        layer(mi.ones((1, 4)))
    assert abs(mi.linalg.matrix_norm(layer.weight, ord=2).item() - 1.0) < 1e-4
    layer.eval()
    before = [b.tolist() for b in layer.buffers()]
    layer(mi.ones((1, 4)))
    assert [b.tolist() for b in layer.buffers()] == before


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_the_first_form_can_be_removed_and_copied(kind):
    """Fault: a hook that stays, or a copy whose removal changes the original."""
    layer = getattr(utils, kind)(nn.Linear(3, 2).eval()).eval()
    x = mi.ones((1, 3))
    y = layer(x)
    copy = deepcopy(layer)
    remove = getattr(utils, f"remove_{kind}")
    assert remove(copy) is copy
    np.testing.assert_allclose(copy(x).detach().numpy(), y.detach().numpy(), rtol=1e-6)
    assert list(copy.state_dict()) == ["bias", "weight"]
    assert copy._hooks is None
    assert len(layer._hooks.forward_pre) == 1
    with pytest.raises(mi.ArgumentError, match=f"remove_{kind}: Linear has no {kind} of 'weight'"):
        remove(copy)
    with pytest.raises(mi.ArgumentError, match=f"{kind}: 'weight' of Linear has it already"):
        getattr(utils, kind)(layer)


@pytest.mark.parametrize("trivial", [True, False])
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5)])
@pytest.mark.parametrize("how", ["matrix_exp", "cayley", "householder", None])
def test_orthogonal_weights_stay_orthogonal(how, shape, trivial):
    """Fault: an update that leaves the orthogonal matrices, or an initial value that is none."""
    mi.manual_seed(0)
    layer = parametrizations.orthogonal(
        nn.Linear(*shape), orthogonal_map=how, use_trivialization=trivial
    )
    step = mi.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(3):
        w = layer.weight.detach()
        product = w.mT @ w if shape[0] >= shape[1] else w @ w.mT
        np.testing.assert_allclose(product.numpy(), np.eye(min(shape)), atol=1e-5)
        layer(mi.ones((2, shape[0]))).sum().backward()
        step.step()


def test_assigning_an_orthogonal_matrix_keeps_it():
    """Fault: a base that is not set."""
    layer = parametrizations.orthogonal(nn.Linear(3, 3))
    turn = mi.Tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    layer.weight = turn
    np.testing.assert_allclose(layer.weight.detach().numpy(), turn.numpy(), atol=1e-6)
    loose = parametrizations.orthogonal(nn.Linear(3, 3), use_trivialization=False)
    with pytest.raises(nn.InverseMissingError, match="orthogonal: a matrix cannot be assigned"):
        loose.weight = turn


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_a_folded_normalisation_gives_the_same(bias, affine):
    """Fault: a missing eps or bias, or the layers that change."""
    mi.manual_seed(0)
    x = mi.asarray(np.random.default_rng(0).normal(size=(4, 2, 5, 5)).astype("float32"))
    for conv, transpose in (
        (nn.Conv2d(2, 3, 3, bias=bias), False),
        (nn.ConvTranspose2d(2, 3, 3, bias=bias), True),
    ):
        bn = nn.BatchNorm2d(3, affine=affine)
        bn(conv(x))
        conv.eval(), bn.eval()
        fused = utils.fuse_conv_bn_eval(conv, bn, transpose)
        np.testing.assert_allclose(
            fused(x).detach().numpy(), bn(conv(x)).detach().numpy(), atol=1e-5
        )
        assert fused is not conv
    linear, bn = nn.Linear(2, 3, bias=bias).eval(), nn.BatchNorm1d(3, affine=affine)
    bn(linear(x[:, :, 0, 0]))
    fused = utils.fuse_linear_bn_eval(linear, bn.eval())
    np.testing.assert_allclose(
        fused(x[:, :, 0, 0]).detach().numpy(), bn(linear(x[:, :, 0, 0])).detach().numpy(), atol=1e-5
    )


@pytest.mark.parametrize("how", ["weight_norm", "spectral_norm", "orthogonal"])
def test_gradients_of_computed_weights(how):
    """Fault: a norm that is taken for a constant, in the first or second gradient."""
    from minima.testing import gradcheck, gradgradcheck

    mi.manual_seed(0)
    layer = getattr(parametrizations, how)(nn.Conv2d(1, 2, 2, dtype="float64").eval())
    names = [n for n, _ in layer.named_parameters()]

    def weight(*values):
        with_values = dict(zip(names, values, strict=True))
        return nn.functional_call(layer, with_values, mi.ones((1, 1, 2, 2), dtype="float64"))

    leaves = [p.detach().requires_grad_() for _, p in layer.named_parameters()]
    gradcheck(weight, leaves)
    gradgradcheck(weight, leaves)


BAD = [
    (lambda: utils.clip_grad_norm_(3, 1.0), mi.DTypeError, "clip_grad_norm_: got a int; expected"),
    (lambda: utils.clip_grad_norm_([3], 1.0), mi.DTypeError, "clip_grad_norm_: got a int; expec"),
    (
        lambda: utils.clip_grad_norm_([], "x"),
        mi.DTypeError,
        "clip_grad_norm_: max_norm is 'x'; expected a number",
    ),
    (
        lambda: utils.clip_grad_value_([], None),
        mi.DTypeError,
        "clip_grad_value_: clip_value is None; expected a number",
    ),
    (lambda: utils.parameters_to_vector([]), mi.ArgumentError, "no parameters; expected"),
    (
        lambda: utils.vector_to_parameters([1.0], []),
        mi.DTypeError,
        "vector_to_parameters: vec is a list; expected a Tensor",
    ),
    (
        lambda: utils.weight_norm(nn.Linear(2, 1), "kernel"),
        KeyError,
        "weight_norm: Linear has no tensor 'kernel'; expected one of weight, bias",
    ),
    (
        lambda: utils.weight_norm(nn.Linear(2, 1), dim=2),
        mi.ArgumentError,
        "weight_norm: dim is 2; expected an axis",
    ),
    (
        lambda: utils.spectral_norm(nn.Linear(2, 1), n_power_iterations=0),
        mi.ArgumentError,
        "spectral_norm: n_power_iterations is 0; expected an integer of at least 1",
    ),
    (
        lambda: parametrizations.spectral_norm(nn.Linear(2, 1), dim=2),
        mi.ArgumentError,
        "spectral_norm: dim is 2; expected an axis",
    ),
    (
        lambda: parametrizations.orthogonal(nn.Linear(2, 1), "bias"),
        mi.ArgumentError,
        r"orthogonal: bias has shape \(1,\); expected a matrix",
    ),
    (
        lambda: parametrizations.orthogonal(nn.Linear(2, 1), orthogonal_map="qr"),
        mi.ArgumentError,
        "orthogonal: orthogonal_map is 'qr'; expected one of",
    ),
    (
        lambda: parametrize.register_parametrization(nn.Linear(2, 1), "kernel", Double()),
        KeyError,
        "Linear has no tensor 'kernel'; expected one of weight, bias",
    ),
    (
        lambda: parametrize.register_parametrization(nn.Linear(2, 1), "weight", abs),
        mi.DTypeError,
        "parametrization is a builtin_function_or_method; expected a Module",
    ),
    (
        lambda: parametrize.register_parametrization(nn.Linear(2, 1), "weight", nn.Flatten(0)),
        mi.ShapeError,
        r"Flatten: made shape \(2,\) of \(2, 1\); expected the same shape",
    ),
    (
        lambda: parametrize.remove_parametrizations(nn.Linear(2, 1), "weight"),
        KeyError,
        "Linear has no parametrised tensor 'weight'; expected",
    ),
    (
        lambda: utils.fuse_conv_bn_eval(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)),
        mi.ArgumentError,
        "fuse_conv_bn_eval: a layer is in training; expected",
    ),
    (
        lambda: utils.fuse_conv_bn_eval(nn.Conv2d(1, 1, 1), nn.ReLU()),
        mi.DTypeError,
        "fuse_conv_bn_eval: bn is a ReLU; expected",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[row[2][:40] for row in BAD])
def test_errors_say_what_was_expected(call, error, message):
    """Fault: an error from deep inside, or a module half changed."""
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, mi.MinimaError)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_the_first_form_says_which_one_can_be_compiled(name):
    """Fault: a model that runs eagerly for a hook that its author never wrote."""

    def run(layer):
        @mi.compile
        def call(x):
            return layer(x)

        for _ in range(3):
            call(mi.ones((1, 3)))

    with pytest.warns(mi.CompileWarning, match=rf"parametrizations\.{name} can be compiled"):
        run(getattr(utils, name)(nn.Linear(3, 2)))
    run(getattr(parametrizations, name)(nn.Linear(3, 2)))


def test_clipping_an_infinite_gradient_is_quiet():
    """Fault: a warning in each step that a scaler leaves out, between unscale_ and step."""
    weight = nn.Parameter(np.zeros((6, 8), np.float32))
    weight.grad = mi.full((6, 8), float("inf"))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")  # as an error it would be caught on the way
        assert nn.utils.clip_grad_norm_(weight, 1.0).item() == float("inf")
    assert not seen
    assert np.isnan(weight.grad.numpy()).all()

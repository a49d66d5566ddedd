"""What all optimisers share: groups, steps, state, errors."""

import json

import numpy as np
import pytest

import minima as mi
from minima import nn, optim
from minima.devices import Device
from minima.optim import optimizer as optimizer_module
from minima.optim import pieces

ALL = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "AdaGrad": lambda p: optim.AdaGrad(p, lr=0.1, lr_decay=0.1),
    "RMSProp": lambda p: optim.RMSProp(p, lr=0.01, momentum=0.9, centered=True),
    "Adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
    "AMSGrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "NAdam": lambda p: optim.NAdam(p, lr=0.1),
    "RAdam": lambda p: optim.RAdam(p, lr=0.1),
    "Adamax": lambda p: optim.Adamax(p, lr=0.1),
    "Adadelta": lambda p: optim.Adadelta(p, lr=50.0),
    "Rprop": lambda p: optim.Rprop(p),
    "ASGD": lambda p: optim.ASGD(p, lr=0.01, t0=3),
    "Lion": lambda p: optim.Lion(p, lr=0.1),
    "LAMB": lambda p: optim.LAMB(p, lr=0.1),
    "Adafactor": lambda p: optim.Adafactor(p, lr=0.1),
}


def parameter(value, dtype="float32"):
    return nn.Parameter(np.array(value, dtype))


def descend(optimizer, p, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        (p * p * mi.Tensor(np.array([1.0, 3.0], "float32"))).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_resumed_run_goes_on_exactly(make):
    """Fault: a step count or a moment that is left out of the state; a state that shares memory."""
    p, q = parameter([1.0, -2.0]), parameter([0.0, 0.0])
    first, second = make([p]), make([q])
    descend(first, p, 5)
    state = first.state_dict()
    as_json = json.loads(json.dumps(state, default=lambda t: t.tolist()))
    second.load_state_dict(state)
    with mi.no_grad():
        q.copy_(p)
    frozen = p.numpy().copy()
    descend(first, p, 5)
    descend(second, q, 5)
    np.testing.assert_array_equal(q.numpy(), p.numpy())
    third = make([r := parameter(frozen)])
    as_json["state"] = {
        number: {k: np.array(v, "float32") if isinstance(v, list) else v for k, v in s.items()}
        for number, s in as_json["state"].items()
    }
    third.load_state_dict(as_json)
    descend(third, r, 5)
    np.testing.assert_array_equal(r.numpy(), p.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_parameter_stays_itself(make, dtype):
    """Fault: an update that makes a new Tensor, widens it, or records itself."""
    p = parameter([1.0, -2.0], dtype)
    memory = p.numpy()
    optimizer = make([p])
    for _ in range(3):
        (p * p).sum().backward()
        optimizer.step()
    assert p.numpy() is memory or np.shares_memory(p.numpy(), memory)
    assert p.is_leaf
    assert p.requires_grad
    assert p.dtype == np.dtype(dtype)
    states = [t for s in optimizer.state.values() for t in s.values()]
    assert {str(t.dtype) for t in states if isinstance(t, mi.Tensor)} <= {dtype}


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_it_runs_on_any_device(make):
    """Fault: NumPy called from the optimiser, or a state on the cpu."""
    found = []
    for device in (mi.device("cpu"), Device("another", xp=np)):
        p = nn.Parameter([1.0, -2.0], device=device)
        optimizer = make([p])
        for _ in range(3):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
        states = [t for s in optimizer.state.values() for t in s.values()]
        assert all(t.device is device for t in states if isinstance(t, mi.Tensor))
        found.append(p.numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_step_leaves_the_gradient_alone(make):
    """Fault: weight decay or a moment that is written into the gradient."""
    p = parameter([1.0, -2.0])
    optimizer = make([p])
    for _ in range(3):
        p.grad = g = mi.Tensor([0.5, -0.25])
        optimizer.step()
        assert g.tolist() == [0.5, -0.25]


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_it_descends(make):
    """Fault: a sign."""
    p = parameter([1.0, -2.0])
    descend(make([p]), p, 100)
    assert (abs(p.numpy()) < [0.5, 1.5]).all()


def test_parameters_without_a_gradient_are_left_out():
    """Fault: weight decay on a frozen layer."""
    p, q = parameter([1.0]), parameter([1.0])
    optimizer = optim.AdamW([p, q], lr=0.1)
    p.grad = mi.Tensor([1.0])
    optimizer.step()
    assert q.tolist() == [1.0]
    assert set(optimizer.state) == {p}


def test_groups_have_options_of_their_own():
    """Fault: options of the first group for all."""
    p, q = parameter([1.0]), parameter([1.0])
    optimizer = optim.SGD([{"params": p, "lr": 1.0}, {"params": [q]}], lr=0.1)
    for t in (p, q):
        t.grad = mi.Tensor([1.0])
    optimizer.step()
    assert (p.item(), round(q.item(), 6)) == (0.0, 0.9)
    optimizer.param_groups[1]["lr"] = 0.5
    optimizer.step()
    assert round(q.item(), 6) == 0.4


def test_a_generator_of_parameters_is_used_up_once():
    """Fault: an iterator that is empty when it is read a second time."""
    ps = [parameter([1.0]), parameter([2.0])]
    assert len(optim.SGD(p for p in ps).param_groups[0]["params"]) == 2


def test_the_closure_records_and_its_loss_comes_back():
    """Fault: a closure under no_grad."""
    p = parameter([3.0])
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9.0
    assert round(p.item(), 5) == 2.4


def test_zero_grad():
    """Fault: zeros where None is asked for, or the other way round."""
    p = parameter([1.0])
    optimizer = optim.SGD([p])
    p.grad = g = mi.Tensor([2.0])
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0]
    assert g.tolist() == [0.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_a_scalar_parameter_trains():
    """Fault: a state of shape (1,) for a parameter of shape ()."""
    for make in ALL.values():
        p = parameter(1.0)
        optimizer = make([p])
        (p * p).backward()
        optimizer.step()
        assert p.shape == ()
        assert p.item() != 1.0


def test_the_names_of_the_notebook_and_of_pytorch():
    """Fault: a name that one of the two does not know."""
    assert optim.Adagrad is optim.AdaGrad
    assert optim.RMSprop is optim.RMSProp
    for name in optim.__all__:
        assert getattr(optim, name).__doc__


def test_repr_shows_groups_and_options():
    """Fault: an object at an address."""
    assert repr(optim.SGD([parameter([1.0])], lr=0.1)) == (
        "SGD(\n  (0): 1 parameters, lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, "
        "nesterov=False, maximize=False\n)"
    )


P = parameter([1.0, 2.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optim.SGD([]), "SGD: params is empty; expected at least one Tensor"),
        (lambda: optim.Adam(P), "Adam: params is a Parameter; expected a list"),
        (lambda: optim.Adam(3), "Adam: params is a int"),
        (lambda: optim.Adam([P, P]), r"Adam: params\[1\] of shape \(2,\) is given twice"),
        (lambda: optim.Adam([{"params": P}, {"params": [P]}]), r"params\[0\] .* given twice"),
        (lambda: optim.Adam([P.numpy()]), r"Adam: params\[0\] is a ndarray; expected a Tensor"),
        (lambda: optim.Adam([P * 2.0]), r"params\[0\] is the result of an operation"),
        (lambda: optim.Adam([mi.Tensor([1])]), r"params\[0\] is of dtype int64"),
        (lambda: optim.Adam([{"params": []}]), "a group has no params"),
        (lambda: optim.Adam([{"lr": 1.0}]), "expected a dict with 'params'"),
        (lambda: optim.Adam([{"params": P, "momentum": 1}]), "Adam: .* option 'momentum'"),
        (lambda: optim.Adam([{"params": P, "lr": -1}]), "Adam: lr is -1; expected a number of at"),
        (lambda: optim.SGD([P], lr=-0.1), "SGD: lr is -0.1"),
        (lambda: optim.SGD([P], lr="fast"), "SGD: lr is 'fast'"),
        (lambda: optim.SGD([P], momentum=-1), "SGD: momentum is -1"),
        (lambda: optim.SGD([P], nesterov=True), "SGD: nesterov with momentum 0"),
        (lambda: optim.AdaGrad([P], eps=-1), "AdaGrad: eps is -1"),
        (lambda: optim.RMSProp([P], alpha=-1), "RMSProp: alpha is -1"),
        (lambda: optim.Adam([P], betas=(0.9, 1.0)), r"Adam: betas\[1\] is 1.0; .* below 1"),
        (lambda: optim.Adam([P], betas=(0.9,)), "Adam: betas is .*; expected two numbers"),
        (lambda: optim.AdamW([P], betas=0.9), "AdamW: betas is 0.9; expected two numbers"),
        (lambda: optim.AdamW([P], weight_decay=float("nan")), "AdamW: weight_decay is nan"),
    ],
)
def test_errors_name_the_optimiser_the_argument_and_the_remedy(call, message):
    """Fault: a negative rate that climbs, a parameter that moves twice, an empty optimiser."""
    with pytest.raises(mi.MinimaError, match=message):
        call()


def changed(**change):
    state = optim.Adam([parameter([1.0, 2.0])]).state_dict()
    return {**state, **change}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([], "the state is no optimiser's"),
        ({"state": {}}, "the state is no optimiser's"),
        (changed(param_groups=[]), r"groups of \[\] parameters; expected \[1\]"),
        (changed(param_groups=[{"params": [0]}]), "group 0 of the state lacks 'betas'"),
        (
            changed(param_groups=[{**changed()["param_groups"][0], "nesterov": True}]),
            "group 0 of the state has 'nesterov'",
        ),
        (changed(param_groups=[{**changed()["param_groups"][0], "lr": -1}]), "lr is -1"),
        (changed(state={1: {}}), "has a parameter 1; there are 1"),
        (changed(state={0: {"step": "x"}}), "has step 'x'; expected a whole number"),
        (changed(state={0: {"step": -1}}), "has step -1"),
        (changed(state={0: 3}), "state of parameter 0 is a int"),
        (
            changed(state={0: {"exp_avg": np.ones(3)}}),
            r"'exp_avg' of shape \(3,\); expected \(2,\)",
        ),
        (
            changed(state={0: {"momentum_buffer": np.ones(2)}}),
            "has 'momentum_buffer'; expected step",
        ),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state, message):
    """Fault: half of a state loaded."""
    p = parameter([1.0, 2.0])
    optimizer = optim.Adam([p], lr=0.5)
    p.grad = mi.ones(2)
    optimizer.step()
    before = repr(optimizer.state_dict())
    with pytest.raises(mi.MinimaError, match=f"Adam: .*{message}"):
        optimizer.load_state_dict(state)
    assert repr(optimizer.state_dict()) == before


#: those that look at a parameter as a whole, or keep a number for it
WHOLE = ("LAMB", "Adafactor", "NAdam")


@pytest.mark.parametrize("make", [pytest.param(ALL[n], id=n) for n in ALL if n not in WHOLE])
def test_large_parameters_are_updated_in_pieces(make, monkeypatch):
    """Fault: an element left out or moved twice; a state that a step made and lost."""
    rng = np.random.default_rng(0)
    shape, used = (5, 7), []
    first, second = (nn.Parameter(np.ones(shape, "float32")) for _ in "ab")
    whole, cut = make([first]), make([second])
    for step in range(4):
        g = rng.normal(size=shape).astype("float32")
        for p, optimizer, large in ((first, whole, 1000), (second, cut, 4)):
            monkeypatch.setattr(pieces, "LARGE", large)
            monkeypatch.setattr(optimizer_module, "LARGE", large)
            p.grad = mi.Tensor(np.asfortranarray(g) if step == 2 else g)
            optimizer.step()
    np.testing.assert_array_equal(first.numpy(), second.numpy())
    for name, value in whole.state[first].items():
        used.append(name)
        if name != "step":
            np.testing.assert_array_equal(value.numpy(), cut.state[second][name].numpy())
    assert cut.elementwise
    assert used == list(cut.state[second])


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSProp"])
def test_a_state_from_before_an_option_loads(name):
    """Fault: a checkpoint that an update of minima makes useless."""
    p = parameter([1.0, -2.0])
    state = ALL[name]([p]).state_dict()
    for option in ("maximize", "amsgrad"):
        state["param_groups"][0].pop(option, None)
    other = ALL[name]([p])
    other.load_state_dict(state)
    assert other.param_groups[0]["maximize"] is False


def test_what_is_not_elementwise_is_not_inherited():
    """Fault: a norm over a piece, where a subclass means the parameter."""
    seen = []

    class Normed(optim.SGD):
        def update(self, parameter, gradient, state, group):
            seen.append(parameter.size)

    p = nn.Parameter(np.ones(pieces.LARGE, "float32"))
    p.grad = mi.ones(pieces.LARGE)
    Normed([p]).step()
    assert seen == [pieces.LARGE]

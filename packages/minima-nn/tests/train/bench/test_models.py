"""Models: written for any framework with PyTorch's layers; minima's agree with the weights."""

from types import SimpleNamespace

import pytest

import minima as mi
from minima import nn
from minima.train.bench.contenders import load
from minima.train.bench.models import LayerMissingError, build
from minima.train.bench.workloads import WORKLOADS


@pytest.mark.parametrize("name", WORKLOADS)
def test_model_takes_weights_and_data(name):
    """Catch a model and its weights that drifted apart."""
    workload = WORKLOADS[name]
    try:
        model = build(nn, mi.asarray, workload)
    except LayerMissingError as error:
        pytest.skip(str(error))
    load(model, workload.weights())
    model.eval()
    x, y = workload.batches(1, batch=1)[0]
    with mi.no_grad():
        assert len(model(mi.asarray(x))) == len(y)


def test_a_missing_layer_is_named():
    """Catch a row without a reason."""
    with pytest.raises(LayerMissingError, match="layer missing: Linear"):
        build(SimpleNamespace(ReLU=nn.ReLU), mi.asarray, WORKLOADS["mlp-small"])


def test_weights_that_do_not_fit_are_named():
    with pytest.raises(mi.ArgumentError, match=r"differ in bias"):
        load(nn.Linear(3, 2), {"weight": mi.ones((2, 3)).numpy()})
    with pytest.raises(mi.ArgumentError, match=r"weight has shape \(3, 2\); .* \(3, 4\)"):
        load(nn.Linear(3, 2, bias=False), {"weight": mi.ones((4, 3)).numpy()})

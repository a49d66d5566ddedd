"""What PyTorch's names that are not here lead to."""

import copy

import pytest

from minima import nn


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (lambda: nn.DataParallel, r"no layer 'DataParallel'; write nothing: a model runs on one"),
        (lambda: nn.SyncBatchNorm, r"no layer 'SyncBatchNorm'; write BatchNorm1d"),
        (
            lambda: nn.Linear(1, 1)._modules,
            r"here it is dict\(model.named_children\(\)",
        ),
        (lambda: nn.Linear(1, 1).is_cuda, r"here it is next\(model.parameters\(\)\).device"),
        (lambda: nn.functional.upsample, r"functional has no 'upsample'; write interpolate"),
        (lambda: nn.functional.sofmax, r"did you mean .*softmax"),
        (lambda: nn.functional.nothing_like_it, r"has no 'nothing_like_it'$"),
        (lambda: nn.Linear(1, 1).weigth, r"'Linear' object has no attribute 'weigth'$"),
    ],
)
def test_the_error_says_what_to_write(look, said):
    """Fault: a bare AttributeError where there is something to write instead."""
    with pytest.raises(AttributeError, match=said):
        look()


def test_what_is_missing_stays_missing():
    """Fault: hasattr that says yes, or a copy that looks for what is not there without end."""
    layer = nn.Linear(1, 1)
    assert not hasattr(layer, "anything")
    assert getattr(layer, "anything", 3) == 3
    assert copy.deepcopy(layer).weight.shape == (1, 1)
    assert isinstance(copy.copy(layer), nn.Linear)


def test_a_property_that_raises_says_why():
    """Fault: the error inside of a property is replaced by one that the property is not there."""

    class Net(nn.Module):
        @property
        def width(self):
            return self.hidden.out_features

    with pytest.raises(AttributeError, match="no attribute 'hidden'"):
        _ = Net().width

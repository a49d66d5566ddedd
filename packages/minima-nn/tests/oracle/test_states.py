"""The state of every layer of PyTorch loads by its keys, and ours goes through a file and back."""

import numpy as np
import pytest
from parity.rows import ROWS
from parity.sides import Minima, torch_side

import minima as mi
from minima import nn

LAYERS = [row for row in ROWS if row.build is not None]


@pytest.mark.parametrize("row", LAYERS, ids=lambda row: row.id)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_a_state_of_pytorch_loads(row, tmp_path):
    """Fault: a key, a shape or a layout of its own; a file that loses something."""
    here, there = Minima("float64"), torch_side()("float64")
    theirs = there.fill(row.build(there), "state").eval()
    ours = here.fill(row.build(here), "other").eval()
    result = nn.load_torch_state(ours, theirs.state_dict())
    assert result == nn.LoadResult([], [])
    assert list(nn.to_torch_state(ours)) == list(theirs.state_dict())
    expected = [there.numpy(y) for y in row.outputs(there, theirs)]
    _same([here.numpy(y) for y in row.outputs(here, ours)], expected, row.tolerance("float64"))
    if not ours.state_dict():
        return
    mi.io.save(ours.state_dict(), tmp_path / "state.safetensors")
    again = here.fill(row.build(here), "third").eval()
    again.load_state_dict(mi.io.load(tmp_path / "state.safetensors"))
    for key, value in ours.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[key].numpy(), value.numpy())


def _same(got, expected, rel):
    assert len(got) == len(expected)
    for mine, wanted in zip(got, expected, strict=True):
        scale = max(float(np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)), 1e-3)
        np.testing.assert_allclose(mine, wanted, rtol=0, atol=rel * scale)

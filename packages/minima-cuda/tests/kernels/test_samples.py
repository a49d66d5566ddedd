"""Each kernel on the rows of minima's own table of samples, called as a user calls the operator."""

from itertools import groupby

import numpy as np
import pytest
from emulator import needs_emulator

from minima.devices import Device
from minima.testing.launch import arguments, call, spread
from minima.testing.samples import SAMPLES

from .compare import assert_close, kernels

pytestmark = needs_emulator

SERVED = frozenset(kernels("forward"))
ROWS = {
    name: list(rows)
    for name, rows in groupby(sorted(SAMPLES, key=lambda s: s.operator), lambda s: s.operator)
    if name in SERVED
}
#: what the kernels run on, and how the arrays lie in memory
LAYOUTS = {"dense": None, "spread": spread}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_samples(name, dtype, layout):
    """Catches a kernel that differs from the operator: at NaN, infinities, kinks, odd shapes."""
    device = Device("emulated", xp=np, kernels=kernels("forward"), writes=())
    for sample in ROWS[name]:
        given = arguments(sample, device, dtype, layout=LAYOUTS[layout])
        got = call(sample, given).numpy()
        try:
            assert_close(got, sample.expected(dtype), got.dtype.name)
        except AssertionError as error:
            error.add_note(sample.id)
            raise

"""Plans of the workloads: exact counts, so that a gain that was made is not lost unseen.

When a change to the compiler is meant to change them, write them anew:

    minima bench --plans > packages/minima-nn/tests/train/bench/plans.json
"""

import json
from pathlib import Path

import pytest

from minima.train.bench.plans import counts
from minima.train.bench.workloads import WORKLOADS

KEPT = json.loads(Path(__file__).with_name("plans.json").read_text("utf8"))


def test_every_workload_is_kept():
    assert KEPT.keys() == WORKLOADS.keys()


@pytest.mark.parametrize("name", WORKLOADS)
def test_plan_is_as_kept(name):
    """Catch a pass that no longer does its work, and a buffer that is no longer shared."""
    assert counts(WORKLOADS[name]) == KEPT[name]

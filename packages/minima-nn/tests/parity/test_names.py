"""Every name that is expected is there, and is compared with PyTorch or held by another test."""

from functools import reduce

import pytest

import minima as mi

from . import names
from .rows import ROWS


def home(place):
    """Return the module that *place* names."""
    return reduce(getattr, place.split("."), mi) if place else mi


@pytest.mark.parametrize("place", names.PLACES)
def test_names_are_there(place):
    """Fault: a name that a model written for PyTorch needs, and minima lacks."""
    missing = [n for n in names.PLACES[place] if not hasattr(home(place), n)]
    assert not missing


def test_names_have_rows():
    """Fault: something that is there, but that nothing holds to PyTorch."""
    compared = {row.name for row in ROWS} | set(names.ROWLESS)
    expected = [
        *names.LAYERS, *names.ACTIVATIONS, *names.LOSSES, *names.OPTIMISERS, *names.SCHEDULES,
        *(f"{n}_" for n in names.INITIALISERS),
    ]  # fmt: skip
    assert not sorted(set(expected) - compared)


def test_reasons_are_of_names_without_rows():
    assert not set(names.ROWLESS) & {row.name for row in ROWS}

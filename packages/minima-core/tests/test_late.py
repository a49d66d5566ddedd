"""Families that are imported late: their index is true, and nobody sees that they came late."""

from __future__ import annotations

import subprocess
import sys
from pkgutil import iter_modules

import pytest

import minima as mi
from minima import operators
from minima.devices.base import REFERENCES
from minima.errors import ArgumentError, KernelMissingError
from minima.late import ENTERED, EXPORTS, Late, family
from minima.operators import COMPOSITES, TABLE, operator


def fresh(code: str) -> str:
    """Run *code* in a new interpreter, where no late family is there yet."""
    code = "import sys, minima as mi\nfrom minima import operators\n" + code
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", EXPORTS)
def test_the_index_of_a_family_is_what_it_exports_and_enters(name):
    """Catches a name that nobody finds until something else has imported its family."""
    module = family(name)
    assert EXPORTS[name].split() == list(module.__all__)
    entered = [n for n, e in TABLE.items() if e.reference.__module__ == module.__name__]
    entered += [n for n, f in COMPOSITES.items() if f.__module__ == module.__name__]
    assert set(ENTERED.get(name, "").split()) == set(entered) - set(module.__all__)


def test_no_name_is_in_two_families_and_no_family_has_the_name_of_what_is_exported():
    """Catches a module that, once imported, hides the function of its name."""
    names = [n for names in EXPORTS.values() for n in names.split()]
    assert len(names) == len(set(names))
    assert len(operators.__all__) == len(set(operators.__all__))
    assert not {*EXPORTS} & {*operators.__all__}


def test_every_module_of_operators_is_either_there_at_once_or_in_the_index():
    """Catches a family that is in no list: its operators would not exist for anyone."""
    found = {module.name for module in iter_modules(operators.__path__)}
    there = fresh("print(*[m[17:] for m in sys.modules if m.startswith('minima.operators.')])")
    helpers = {"composition", "lapack"}  # enter nothing
    assert found == {*there.split(), *EXPORTS, *helpers}
    assert not {*there.split()} & {*EXPORTS}


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("print(mi.softmax(mi.zeros(2)))", "Tensor([0.5, 0.5])"),
        ("print(mi.Tensor([3.0, 1.0]).sort())", "Tensor([1., 3.])"),
        ("print('erfc' in operators.TABLE, 'erfc' in mi.__all__)", "True True"),
        ("print('nothing' in operators.TABLE, operators.TABLE.get('nothing', 3))", "False 3"),
        ("print(operators.COMPOSITES['silu'] is mi.silu)", "True"),
        ("print(mi.device('cpu').kernels['softplus'](mi.ones(1).numpy()))", "[1.3132616]"),
        ("from minima.operators import glu; print(glu is mi.glu)", "True"),
        ("from minima.operators.gates import glu; print(glu is mi.glu)", "True"),
        ("from minima import *; print(glu is mi.glu)", "True"),
        ("print(operators.gathering.take is mi.take)", "True"),
        ("print(mi.zeros(2).index_add_(0, mi.Tensor([1]), mi.ones(1)))", "Tensor([0., 1.])"),
        ("print(len(operators.TABLE) == len(list(operators.TABLE)) > 150)", "True"),
        ("print({**operators.TABLE}.keys() == dict(operators.TABLE).keys())", "True"),
        ("print('erfinv' in {**operators.TABLE}, 'erfinv' in set(operators.TABLE))", "True True"),
        ("print('erfinv' in dir(mi.operators), 'erfinv' in dir(mi))", "True True"),
        ("print(mi.init.zeros((1,)))", "Tensor([0.])"),
        ("print(mi.autograd.Function.__name__)", "Function"),
    ],
)
def test_a_late_name_is_found_however_it_is_asked_for(code, printed):
    assert fresh(code) == printed


def test_a_name_of_a_late_family_is_taken_before_the_family_is_imported():
    """Catches an operator of a plugin that takes the name of one that has not come yet."""
    message = fresh(
        """
from minima.operators import operator
try:
    @operator
    def softmax(xp, x):
        'Return x.'
        return x
except mi.errors.ArgumentError as error:
    print(error)
"""
    )
    assert message.startswith("operator: the name 'softmax' is taken")


def test_what_no_family_has_is_missing():
    with pytest.raises(KeyError):
        TABLE["softmay"]
    with pytest.raises(KernelMissingError):
        mi.device("cpu").kernels["softmay"]
    with pytest.raises(AttributeError, match="softmay"):
        operators.softmay  # noqa: B018
    assert "softmay" not in REFERENCES
    assert 3 not in TABLE


def test_a_family_enters_its_names_only_once():
    with pytest.raises(ArgumentError, match="taken"):

        @operator
        def erfinv(xp, x):
            """Return x."""
            return x


def test_the_views_of_a_table_agree():
    table = Late({"one": 1})
    assert list(table) == list(table.keys()) == ["one"]
    assert list(table.values()) == [1]
    assert list(table.items()) == [("one", 1)]
    assert table.get("two") is None

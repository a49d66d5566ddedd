"""The examples in the docstrings of operators, which doctest takes for those of another module."""

import doctest

import numpy as np
import pytest

import minima as mi

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", sorted(mi.operators.TABLE))
def test_example_does_what_it_shows(name):
    """Catch an operator whose example is missing or prints something else."""
    doc = mi.operators.TABLE[name].doc
    test = doctest.DocTestParser().get_doctest(doc, {"mi": mi, "np": np}, name, name, 0)
    report = []
    failed, tried = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert tried, "its docstring has no example"
    assert not failed, "".join(report)

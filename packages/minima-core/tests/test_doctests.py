"""The examples in the docstrings of minima-core: each runs, and no public name is without."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import minima as mi

#: sub-packages that other distributions put into minima
ELSEWHERE = {"nn", "optim", "data", "io", "train"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def modules():
    found = pkgutil.walk_packages(mi.__path__, "minima.", onerror=lambda name: None)
    names = [m.name for m in found if m.name.split(".")[1] not in ELSEWHERE]
    return [mi, *(importlib.import_module(n) for n in names if not n.endswith("__main__"))]


def documented():
    """Return, for each module and public name in it, the docstring."""
    found = {}
    for module in modules():
        if module.__doc__ and ">>>" in module.__doc__:
            found[module.__name__] = (module.__doc__, module)
        for name, thing in vars(module).items():
            if getattr(thing, "__module__", None) != module.__name__ or not callable(thing):
                continue
            owner = f"{module.__name__}.{name}"
            found[owner] = (inspect.getdoc(thing) or "", module)
            if isinstance(thing, type):
                for attribute, value in vars(thing).items():
                    if ">>>" in (getattr(value, "__doc__", None) or ""):
                        found[f"{owner}.{attribute}"] = (inspect.cleandoc(value.__doc__), module)
    return {name: entry for name, entry in found.items() if ">>>" in entry[0]}


EXAMPLES = documented()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    """Catch an example that prints something else than it shows."""
    doc, module = EXAMPLES[name]
    names = {**vars(module), "mi": mi, "np": np}
    test = doctest.DocTestParser().get_doctest(doc, names, name, None, 0)
    report = []
    failed, tried = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert tried
    assert not failed, "".join(report)


def test_public_functions_have_examples():
    """Catch a function that `minima` or `minima.operators` exports without an example."""
    without = [
        f"{module.__name__}.{name}"
        for module in (mi, mi.operators, mi.init, mi.autograd, mi.testing)
        for name in getattr(module, "__all__", vars(module))
        if inspect.isfunction(getattr(module, name))
        and name not in ("operator", "composite")  # the example would stay in the table
        and ">>>" not in (inspect.getdoc(getattr(module, name)) or "")
    ]
    assert not without


def test_public_names_have_docstrings():
    """Catch a public class or function, of any module, that says nothing about itself."""
    silent = []
    for module in modules():
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            written = inspect.isclass(thing) or inspect.isfunction(thing)
            if written and not inspect.getdoc(thing):
                silent.append(f"{module.__name__}.{name}")
    assert not silent

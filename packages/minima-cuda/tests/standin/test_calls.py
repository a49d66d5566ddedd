"""The list of CuPy's calls: complete, nothing to spare, and as CuPy documents them."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import minima.operators
import minima_cuda
from standin import standin
from standin.calls import (
    AT,
    CALLS,
    CONSTANTS,
    FUNCTIONS,
    MAKERS,
    MEMBERS,
    METHODS,
    NAMES,
    OPERATORS,
    UFUNCS,
)

#: names that stand for the module cupy, and for CuPy's objects, wherever they occur
ROOTS = {"xp", "_xp", "cupy", "_cupy"}
OBJECTS = {
    "_event": "cuda.Event",
    "_gpu": "cuda.Device",
    "_graph": "cuda.Graph",
    "_pool": "cuda.MemoryPool",
    "_stream": "cuda.Stream",
    "event": "cuda.Event",
    "pointer": "cuda.MemoryPointer",
    "raw": "cuda.Stream",
}
#: what a call returns, where more is asked of that
RETURNS = {
    "cuda.Device": "cuda.Device",
    "cuda.Event": "cuda.Event",
    "cuda.Stream": "cuda.Stream",
    "cuda.function.Module": "cuda.function.Module",
    "cuda.get_current_stream": "cuda.Stream",
    "get_default_memory_pool": "cuda.MemoryPool",
}
#: members that Python or a name in a text calls, in the module given
IMPLIED = {
    "guard": ["cuda.Device.__enter__", "cuda.Device.__exit__"],
    "embedding": ["maximum.at"],
    "launch": ["cuda.function.Module.get_function"],
    "memory": ["cuda.Memory.size", "cuda.MemoryPointer.mem", "cuda.MemoryPointer.ptr"],
    "precision": [f"_core._routines_linalg.COMPUTE_TYPE_{kind}" for kind in ("DEFAULT", "TF32")],
}
LISTED = {*CALLS, *NAMES, *MEMBERS, *UFUNCS, *FUNCTIONS, *MAKERS, *CONSTANTS}
LISTED |= {f"{name}.at" for name in AT}


class Finder(ast.NodeVisitor):
    """Collects the dotted names of CuPy in a module, and the keywords of their calls."""

    def __init__(self):
        self.found, self.keywords, self.aliases = set(), {}, {}

    def name_of(self, node):
        """Return what *node* is in CuPy, "" for CuPy itself, None for anything else."""
        if isinstance(node, ast.Call):
            return RETURNS.get(self.name_of(node.func))
        if isinstance(node, ast.Name):
            if node.id in self.aliases:
                return self.aliases[node.id]
            return "" if node.id in ROOTS else OBJECTS.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        if node.attr in ROOTS:
            return ""
        owner = self.name_of(node.value)
        if owner is None or (owner == "" and node.attr in OBJECTS):
            return OBJECTS.get(node.attr)
        return f"{owner}.{node.attr}".lstrip(".")

    def visit_FunctionDef(self, node):
        before, self.aliases = self.aliases, dict(self.aliases)
        self.generic_visit(node)
        self.aliases = before

    def visit_Assign(self, node):
        self.generic_visit(node)
        name = self.name_of(node.value)
        if name and isinstance(node.targets[0], ast.Name):
            self.aliases[node.targets[0].id] = name

    def visit_Attribute(self, node):
        name = self.name_of(node)
        if name and node.attr not in OBJECTS:
            self.found.add(name)
        self.visit(node.value)

    def visit_Call(self, node):
        name = self.name_of(node.func)
        if name:
            self.keywords.setdefault(name, set()).update(k.arg for k in node.keywords if k.arg)
        self.generic_visit(node)


def names_in(*modules):
    """Return the names that the source of *modules* uses, and keywords of calls by name."""
    finder = Finder()
    for module in modules:
        for path in sorted(Path(module.__file__).parent.rglob("*.py")):
            finder.visit(ast.parse(path.read_text("utf8")))
            finder.found.update(IMPLIED.get(path.stem, ()))
    whole = {
        name
        for name in finder.found
        if not any(other.startswith(f"{name}.") for other in finder.found) or name in LISTED
    }
    return whole, finder.keywords


def test_finder():
    """Catches a name that would pass the list by: through an alias, a call or an object."""
    finder = Finder()
    finder.visit(
        ast.parse(
            "def f(self, xp):\n"
            "    cuda = self.device.xp.cuda\n"
            "    cuda.one(a=1)\n"
            "    self._cupy.two().three\n"
            "    pool = cupy.get_default_memory_pool()\n"
            "    pool.four()\n"
            "    queue._stream.five\n"
            "    xp.cuda.get_current_stream(0).six(event)\n"
            "    other.seven\n"
        )
    )
    leaves = "cuda.one two cuda.MemoryPool.four cuda.Stream.five cuda.Stream.six".split()
    assert set(leaves) <= finder.found
    assert not any("seven" in name for name in finder.found)
    assert finder.keywords["cuda.one"] == {"a"}


def test_the_list_is_complete():
    """Catches a call of CuPy that the stand-in, and so no test, knows of."""
    used, _ = names_in(minima_cuda, minima.operators)
    assert sorted(used - LISTED) == [], "not in tests/standin/calls.py"


def test_the_list_has_nothing_to_spare():
    """Catches a row that outlived its use."""
    used, _ = names_in(minima_cuda, minima.operators)
    members = {name for name in MEMBERS if name.startswith("ndarray.")}  # of any variable
    assert sorted(LISTED - used - members) == []


def test_the_stand_in_has_what_is_listed_and_no_more():
    """Catches a stand-in that is more able than the list says."""
    cupy = standin()
    array = {n for n in dir(cupy.ndarray) if n not in dir(object) and not n.startswith("_")}
    own = {"empty", "T", "device", "itemsize", "ndim", "strides", "get", "item", "tolist"}
    listed = {n.removeprefix("ndarray.") for n in MEMBERS if n.startswith("ndarray.")}
    assert array <= own | listed | {*METHODS, *OPERATORS}
    for name in {*CALLS, *NAMES, *UFUNCS, *FUNCTIONS, *MAKERS, *CONSTANTS}:
        found = cupy
        for part in name.split("."):
            found = getattr(found, part)


# ---- CuPy's own word -----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def real():
    return pytest.importorskip("cupy", reason="CuPy is not installed", exc_type=ImportError)


def lookup(cupy, name):
    found = cupy
    for part in name.split("."):
        found = getattr(found, part)
    return found


def signature(thing):
    """Return the signature that CuPy documents: Python's, or the first line of the docstring."""
    try:
        found = inspect.signature(thing)
        if "args" not in found.parameters:
            return found
    except (TypeError, ValueError):
        pass
    text = (thing.__doc__ or "").strip().splitlines()[0].replace("\\*", "*")
    inside = re.search(r"\((.*)\)", text)[1]
    plain = [re.sub(r"^(?!\*)\S+ (?=\w+(=|$))", "", part.strip()) for part in inside.split(",")]
    return inspect.signature(eval(f"lambda {', '.join(plain)}: 0"))


def takes(cupy, name, example):
    """Raise TypeError unless the documented signature takes the arguments of *example*."""
    sign = signature(lookup(cupy, name))
    given = eval(f"(lambda *args, **more: (args, more))({example_values(example)})")
    args, more = given
    if next(iter(sign.parameters), "") == "self":
        args = (None, *args)
    sign.bind(*args, **more)


def example_values(example):
    """Turn "a, b=1" into "None, b=1"."""
    parts = [part.strip() for part in example.split(",") if part.strip()]
    return ", ".join(part if "=" in part else "None" for part in parts)


@pytest.mark.parametrize("name", CALLS)
def test_signature(real, name):
    """Catches a call that CuPy would refuse."""
    takes(real, name, CALLS[name])


@pytest.mark.parametrize("name", [*NAMES, *UFUNCS, *FUNCTIONS, *MAKERS, *CONSTANTS])
def test_name(real, name):
    """Catches a function of the Array API that CuPy does not have."""
    assert lookup(real, name) is not None


@pytest.mark.parametrize("name", MEMBERS)
def test_member(real, name):
    """Catches a method or an attribute that CuPy's class does not have."""
    if MEMBERS[name] is None or name.split(".")[-1] in ("__enter__", "__exit__", "__setitem__"):
        assert lookup(real, name) is not None
    else:
        takes(real, name, MEMBERS[name])


@pytest.mark.parametrize("name", AT)
def test_at(real, name):
    """Catches an ``at`` of other arguments."""
    takes(real, f"{name}.at", "a, indices, b")


@pytest.mark.parametrize("name", [*METHODS, *OPERATORS])
def test_method(real, name):
    """Catches a method that a reference kernel calls and CuPy's array does not have."""
    assert hasattr(real.ndarray, name)


def test_keywords(real):
    """Catches a keyword, in a reference kernel or here, that CuPy's function does not take."""
    _, keywords = names_in(minima_cuda, minima.operators)
    for name in {*FUNCTIONS, *MAKERS, *CALLS} & keywords.keys():
        known = signature(lookup(real, name)).parameters
        wrong = {k for k in keywords[name] if k not in known}
        assert wrong == set() or any(p.kind is p.VAR_KEYWORD for p in known.values()), name

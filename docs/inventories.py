"""The names of Python and NumPy that the reference mentions, with the pages that explain them.

Intersphinx would fetch these from a server; a file written from this table lets a build that
takes every unknown name for an error pass without a network, and still links.
"""

import zlib

_FUNCTIONS = "library/functions.html#$"
_TYPES = "library/stdtypes.html#$"
_ABC = "library/collections.abc.html#$"
_ERRORS = "library/exceptions.html#$"
_TYPING = "library/typing.html#$"
_NUMPY = "reference/generated/$.html"

#: project -> its address and rows of: kind of object, page, names
INVENTORIES = {
    "python": (
        "https://docs.python.org/3/",
        [
            ("class", _FUNCTIONS, "bool float int object type complex property"),
            ("class", _TYPES, "str bytes list dict tuple set frozenset slice memoryview"),
            ("data", "library/constants.html#$", "None NotImplemented Ellipsis"),
            (
                "exception",
                _ERRORS,
                "Exception BaseException ValueError TypeError LookupError RuntimeError IndexError"
                " AttributeError NotImplementedError KeyboardInterrupt MemoryError OSError"
                " FileNotFoundError KeyError Warning UserWarning",
            ),
            (
                "class",
                _ABC,
                "collections.abc.Callable collections.abc.Iterable collections.abc.Iterator"
                " collections.abc.Mapping collections.abc.MutableMapping collections.abc.Sequence"
                " collections.abc.Generator collections.abc.Hashable collections.abc.Sized",
            ),
            (
                "data",
                _TYPING,
                "typing.Any typing.TypeAlias typing.Concatenate typing.Literal typing.Self",
            ),
            ("class", _TYPING, "typing.Generic typing.Protocol typing.TypeVar typing.ParamSpec"),
            ("class", "library/pathlib.html#$", "pathlib.Path"),
            ("class", "library/os.html#$", "os.PathLike"),
            ("class", "library/abc.html#$", "abc.ABC"),
            ("class", "library/types.html#$", "types.TracebackType types.ModuleType"),
            (
                "class",
                "library/argparse.html#$",
                "argparse.ArgumentParser argparse.Namespace argparse._SubParsersAction",
            ),
            ("class", "library/collections.html#$", "collections.OrderedDict"),
        ],
    ),
    "numpy": (
        "https://numpy.org/doc/stable/",
        [
            ("class", _NUMPY, "numpy.ndarray numpy.dtype numpy.generic numpy.random.Generator"),
            ("class", _NUMPY, "numpy.ufunc"),
            ("exception", _NUMPY, "numpy.linalg.LinAlgError"),
            (
                "class",
                "reference/arrays.scalars.html#$",
                "numpy.float32 numpy.float64 numpy.int64 numpy.bool numpy.uint8",
            ),
            (
                "data",
                "reference/typing.html#$",
                "numpy.typing.ArrayLike numpy.typing.NDArray numpy.typing.DTypeLike",
            ),
        ],
    ),
}


def write_inventory(project, folder):
    """Write the inventory of *project* into *folder* and return its path."""
    rows = [
        f"{name} py:{kind} 1 {page} -\n"
        for kind, page, names in INVENTORIES[project][1]
        for name in names.split()
    ]
    head = (
        "# Sphinx inventory version 2\n"
        f"# Project: {project}\n"
        "# Version: \n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    folder.mkdir(exist_ok=True)
    path = folder / f"{project}.inv"
    path.write_bytes(head.encode() + zlib.compress("".join(rows).encode()))
    return str(path)


_LONG = {
    name.rpartition(".")[2]: name
    for _, rows in INVENTORIES.values()
    for _, _, names in rows
    for name in names.split()
}


def long_name(name):
    """Return the full name of what a signature shows as ``np.ndarray``, ``Path`` or so."""
    prefix, _, last = name.rpartition(".")
    short = {"": None, "np": "numpy", "npt": "numpy.typing", "mi": "minima"}
    if prefix not in short:
        return name
    return _LONG.get(last, name) if short[prefix] is None else f"{short[prefix]}.{last}"

"""Linear, and what holds layers or reshapes: Sequential, lists and dicts of either kind."""

from __future__ import annotations

import numpy as np

from ..table import layer, values


def _sequential(side):
    nn = side.nn
    return nn.Sequential(
        nn.Linear(4, 3), nn.Tanh(), nn.Sequential(nn.Linear(3, 3, bias=False), nn.Sigmoid()),
        nn.Linear(3, 2),
    )  # fmt: skip


def _list(side):
    return side.nn.ModuleList([side.nn.Linear(4, 3), side.nn.Linear(3, 2)])


def _through_list(side, module, x):
    for part in module:
        x = part(x)
    return x


def _dict(side):
    return side.nn.ModuleDict({"first": side.nn.Linear(4, 3), "second": side.nn.Linear(3, 2)})


def _through_dict(side, module, x):
    return module["second"](module["first"](x))


def _parameter(side, name, shape):
    return side.nn.Parameter(side.tensor(values(name, shape)))


def _parameters(side):
    return side.nn.ParameterList([_parameter(side, "a", (4, 3)), _parameter(side, "b", (3,))])


def _parameter_dict(side):
    made = {"scale": _parameter(side, "a", (4,)), "shift": _parameter(side, "b", (4,))}
    return side.nn.ParameterDict(made)


def _tied(side):
    """Return a table and the layer that shares it, which is how PyTorch ties a Linear's weight."""
    nn = side.nn
    parts = nn.ModuleDict({"table": nn.Embedding(5, 4)})
    if side.name == "minima":
        parts["head"] = nn.TiedLinear(parts["table"].weight, bias=True)
    else:
        parts["head"] = nn.Linear(4, 5)
        parts["head"].weight = parts["table"].weight
    return parts


def _through_tied(side, module, x):
    return module["head"](x + module["table"](side.tensor(np.array([1, 3]))))


def _lazy(side):
    module = side.nn.LazyLinear(3)
    module(side.tensor(values("lazy", (1, 4)).astype("float32")))
    return module


ROWS = [
    layer("Linear", 4, 3, takes=[(5, 4)], kind="container"),
    layer("Linear", 4, 3, takes=[(4,)], kind="container", label="single"),
    layer("Linear", 4, 3, takes=[(2, 5, 4)], kind="container", bias=False),
    layer("LazyLinear", takes=[(5, 4)], make=_lazy, kind="container", label="once called"),
    layer("Sequential", takes=[(5, 4)], make=_sequential, kind="container", label="nested"),
    layer(
        "ModuleList", takes=[(5, 4)], make=_list, call=_through_list, kind="container",
        label="two",
    ),
    layer(
        "ModuleDict", takes=[(5, 4)], make=_dict, call=_through_dict, kind="container",
        label="two",
    ),
    layer(
        "TiedLinear", takes=[(2, 4)], make=_tied, call=_through_tied, kind="container",
        label="table",
    ),
    layer(
        "ParameterList", takes=[(5, 4)], make=_parameters, kind="container", label="two",
        call=lambda side, module, x: x @ module[0] + module[1],
    ),
    layer(
        "ParameterDict", takes=[(5, 4)], make=_parameter_dict, kind="container", label="two",
        call=lambda side, module, x: x * module["scale"] + module["shift"],
    ),
    layer("Flatten", takes=[(2, 3, 4)], kind="container", label="all"),
    layer("Flatten", 0, 1, takes=[(2, 3, 4)], kind="container"),
    layer("Flatten", takes=[(2, 3, 4, 5)], kind="container", start_dim=1, end_dim=-2),
    layer("Unflatten", 1, (2, 3), takes=[(4, 6)], kind="container"),
    layer("Unflatten", -1, (3, 2, 1), takes=[(4, 6)], kind="container"),
    layer("Identity", takes=[(4, 6)], kind="container", label="one"),
]  # fmt: skip

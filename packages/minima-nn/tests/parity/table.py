"""A row of the table, and the kinds of rows: how each is run on either side.

A row is a function of a side (`parity.sides`) that returns named arrays; it is written once. In
the oracle environment both sides run and are compared; elsewhere minima is compared with
``references/KIND.npz``, which ``python -m parity.write`` (PyTorch installed) writes anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np

REFERENCES = Path(__file__).with_name("references")
#: relative to the largest value of an array
TOLERANCES = {"float32": 1e-5, "float64": 1e-10}


@dataclass(frozen=True)
class Row:
    """One comparison: *kind* of thing, its public *name*, what is special, and how it is run.

    *tolerances* replace those of `TOLERANCES`, with the reason in *why*.
    """

    kind: str
    name: str
    label: str
    run: Callable
    tolerances: dict = field(default_factory=dict)
    why: str = ""
    build: Callable | None = None  # of a layer: side -> module
    outputs: Callable | None = None  # side, module -> what it gives

    @property
    def id(self):
        """What tells the row from all others."""
        return "-".join(filter(None, [self.kind, self.name, self.label]))

    def tolerance(self, dtype):
        return self.tolerances.get(dtype, TOLERANCES[dtype])


def values(seed, shape, low=-2.0, high=2.0):
    """Return numbers that follow from *seed*, a text, and shape; no two equal, none near 0."""
    n = int(np.prod(shape))
    order = np.random.default_rng(crc32(seed.encode())).permutation(n)
    return ((order + 0.3) / max(n, 1) * (high - low) + low).reshape(shape)


@dataclass(frozen=True)
class Whole:
    """An input of integers from 0 to below *high*."""

    shape: tuple
    high: int
    low: int = 0

    def array(self, seed):
        rng = np.random.default_rng(crc32(seed.encode()))
        return rng.integers(self.low, self.high, self.shape)


@dataclass(frozen=True)
class Given:
    """An input that is these values; *grad* says whether its gradient is compared."""

    value: object
    grad: bool = False


def _input(side, seed, given):
    """Return the input as a Tensor of the side, and whether its gradient is compared."""
    if isinstance(given, Whole):
        return side.tensor(given.array(seed)), False
    if isinstance(given, Given):
        return side.tensor(np.asarray(given.value), given.grad), given.grad
    if isinstance(given, tuple):
        return side.tensor(values(seed, given), True), True
    return given, False


def flattened(side, found):
    """Return the Tensors within nested tuples, lists and dicts; of None nothing."""
    if side.is_tensor(found):
        return [found]
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, tuple | list):
        return [t for part in found for t in flattened(side, part)]
    return []


def _slopes(side, ys, seed):
    """Return one number that depends on all elements of *ys*, each with another weight."""
    total = None
    for i, y in enumerate(ys):
        weight = side.tensor(values(f"{seed}/slope{i}", tuple(y.shape), 0.5, 1.5))
        part = (y * weight).sum()
        total = part if total is None else total + part
    return total


def differentiated(side, seed, leaves, ys, second, layout=lambda name, g: g):
    """Return name -> gradient of every leaf, and with *second* the gradient of their sum.

    *layout(name, g)* returns a gradient as it lies in PyTorch.
    """
    ys = [y for y in ys if y.requires_grad]
    found = {}
    if not ys or not leaves:
        return found
    grads = side.grad(_slopes(side, ys, seed), list(leaves.values()), second)
    for (name, leaf), g in zip(leaves.items(), grads, strict=True):
        g = np.zeros(tuple(leaf.shape)) if g is None else side.numpy(g)
        found[f"grad {name}"] = layout(name, g)
    if second:
        known = {name: g for name, g in zip(leaves, grads) if g is not None and g.requires_grad}
        known = [layout(name, g) for name, g in known.items()]
        again = [None] * len(leaves)
        if known:  # else all is linear
            again = side.grad(_slopes(side, known, seed + "/2"), list(leaves.values()))
        for (name, leaf), g in zip(leaves.items(), again, strict=True):
            g = np.zeros(tuple(leaf.shape)) if g is None else side.numpy(g)
            found[f"second {name}"] = layout(name, g)
    return found


def function(
    kind, name, *inputs, label="", call=None, second=True, why="", tolerances=None, **options
):
    """Return the row of a function of ``nn.functional`` (or what *call(side)* returns).

    *inputs* are shapes of floating inputs, `Whole`, `Given`, or plain values.
    """
    label = label or ",".join(f"{k}={v}" for k, v in options.items())
    seed = f"{kind}/{name}/{label}"

    def run(side):
        made = [_input(side, f"{seed}/{i}", given) for i, given in enumerate(inputs)]
        named = {
            k: _input(side, f"{seed}/{k}", v)[0] if isinstance(v, Given | Whole) else v
            for k, v in options.items()
        }
        target = call(side) if call else getattr(side.F, name)
        ys = flattened(side, target(*[t for t, _ in made], **named))
        found = {f"output {i}": side.numpy(y) for i, y in enumerate(ys)}
        leaves = {f"input {i}": t for i, (t, grad) in enumerate(made) if grad}
        return {**found, **differentiated(side, seed, leaves, ys, second)}

    return Row(kind, name, label, run, tolerances or {}, why)


def layer(
    name,
    *args,
    takes,
    kind="layer",
    label="",
    make=None,
    call=None,
    second=True,
    modes=(True, True, False),
    why="",
    tolerances=None,
    **options,
):
    """Return the row of a layer, made by ``side.nn.NAME(*args, **options)`` or *make(side)*.

    *takes*: what it is called with, as in `function`, a tuple or list of them. *call(side, module,
    *inputs)* calls it. It is called once for each of *modes* (True: training); of each call the
    outputs, gradients of inputs and parameters, of second order too where *second*, and at the
    end the buffers are compared.
    """
    label = label or ",".join([*map(str, args), *(f"{k}={v}" for k, v in options.items())])
    seed = f"{kind}/{name}/{label}"

    def build(side):
        side.seed(0)
        return make(side) if make else getattr(side.nn, name)(*args, **options)

    def outputs(side, module):
        inputs = [_input(side, f"{seed}/0/{i}", t)[0] for i, t in enumerate(takes)]
        return flattened(side, call(side, module, *inputs) if call else module(*inputs))

    def run(side):
        made = build(side)
        module = side.fill(made, seed)
        found = {}
        for n, mode in enumerate(modes):
            module.train(mode)
            given = [_input(side, f"{seed}/{n}/{i}", t) for i, t in enumerate(takes)]
            inputs = [t for t, _ in given]
            ys = flattened(side, call(side, module, *inputs) if call else module(*inputs))
            found.update({f"{n} output {i}": side.numpy(y) for i, y in enumerate(ys)})
            parameters = side.parameters(module)
            leaves = {f"input {i}": t for i, (t, grad) in enumerate(given) if grad}
            leaves.update({k: p for k, p in parameters.items() if p.requires_grad})

            def layout(of, g, own=parameters):
                return side.in_torch_layout(module, of, g) if of in own else g

            for key, g in differentiated(side, seed, leaves, ys, second, layout).items():
                found[f"{n} {key}"] = g
        found.update({f"buffer {k}": b for k, b in side.buffers(module).items()})
        return found

    return Row(kind, name, label, run, tolerances or {}, why, build, outputs)


def check(row, dtype, got, expected):
    """Compare all arrays of a row, relative to the largest value of each."""
    assert got.keys() == expected.keys(), (sorted(got), sorted(expected))
    assert got, f"{row.id} compares nothing"
    for key, wanted in expected.items():
        mine = np.asarray(got[key])
        assert mine.shape == wanted.shape, f"{row.id}: {key} is {mine.shape}, not {wanted.shape}"
        if wanted.dtype.kind not in "fc":
            assert np.array_equal(mine, wanted), f"{row.id}: {key}"
            continue
        finite = np.isfinite(wanted)
        np.testing.assert_array_equal(mine[~finite], wanted[~finite], f"{row.id}: {key}")
        scale = max(float(np.abs(wanted[finite]).max(initial=0.0)), 1e-3)
        off = float(np.abs(mine[finite] - wanted[finite]).max(initial=0.0)) / scale
        assert off <= row.tolerance(dtype), f"{row.id}: {key} is off by {off:.2e} of {scale:.3g}"


def store(kind, rows):
    """Write what *rows*, row's id -> name -> array, are compared with: one vector, and an index."""
    index = [
        [row, [[name, a.dtype.kind, list(a.shape)] for name, a in arrays.items()]]
        for row, arrays in rows.items()
    ]
    flat = [np.ravel(a).astype("float64") for arrays in rows.values() for a in arrays.values()]
    np.savez_compressed(
        REFERENCES / f"{kind}.npz",
        values=np.concatenate(flat),
        index=np.frombuffer(json.dumps(index).encode(), np.uint8),
    )


def stored(kind):
    """Return row's id -> name -> array, as `store` wrote them."""
    with np.load(REFERENCES / f"{kind}.npz", allow_pickle=False) as file:
        values, index = file["values"], json.loads(file["index"].tobytes())
    found, at = {}, 0
    for row, arrays in index:
        of = found[row] = {}
        for name, letter, shape in arrays:
            size = int(np.prod(shape))
            part, at = values[at : at + size].reshape(shape), at + size
            of[name] = part if letter == "f" else part.astype({"i": "int64", "b": "bool"}[letter])
    return found

"""Recurrent layers and cells, whole and packed, and what makes packed sequences."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from ..table import Given, function, layer

KIND = "recurrent"
#: in training and in evaluation
MODES = (True, False)
STEPS, SAMPLES, SIZE, STATE = 4, 3, 2, 3
#: of each sample, longest first
LENGTHS = (4, 3, 1)
MIXED = (1, 4, 3)
#: a layer's name and what makes another kind of it
KINDS = (
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu"}),
    ("LSTM", {}),
    ("LSTM", {"proj_size": 2}),
    ("GRU", {}),
)
OPTIONS = (
    {"num_layers": 2},
    {"bias": False},
    {"batch_first": True},
    {"bidirectional": True},
    {"num_layers": 2, "bias": False, "batch_first": True, "bidirectional": True},
)


def sequences(side):
    """Return the side's module of packed sequences."""
    return import_module("minima.nn.utils.rnn" if side.name == "minima" else "torch.nn.utils.rnn")


def named(name, options):
    return ",".join([name, *(f"{k}={v}" for k, v in options.items())])


def states(name, options, samples=(SAMPLES,)):
    """Return the shapes of the first states."""
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    narrow = options.get("proj_size") or STATE
    shapes = (count, *samples, narrow), (count, *samples, STATE)
    return shapes if name == "LSTM" else shapes[:1]


def with_states(side, module, x, *given):
    return module(x, given if len(given) > 1 else given[0])


def packing(lengths, enforce_sorted=True):
    """Return the call of a layer with packed input, that pads the output again."""

    def call(side, module, x, *given):
        rnn = sequences(side)
        first = module.batch_first
        packed = rnn.pack_padded_sequence(x, list(lengths), first, enforce_sorted)
        hx = () if not given else (given if len(given) > 1 else given[0],)
        packed, last = module(packed, *hx)
        padded, _ = rnn.pad_packed_sequence(packed, first, 0.5, STEPS + 1)
        return padded, last

    return call


def recurrent(name, options, *, label="", takes=None, call=None, **more):
    shape = (SAMPLES, STEPS, SIZE) if options.get("batch_first") else (STEPS, SAMPLES, SIZE)
    return layer(
        name,
        SIZE,
        STATE,
        takes=takes or (shape,),
        kind=KIND,
        label=named(label, options),
        call=call,
        modes=MODES,
        second=options.get("nonlinearity") != "relu",  # which is made of straight pieces
        **options,
        **more,
    )


def of_layers():
    """Yield the rows of each kind of layer."""
    for name, kind in KINDS:
        yield recurrent(name, kind)
        for options in OPTIONS:
            yield recurrent(name, {**kind, **options})
        every = {**kind, **OPTIONS[-1]}
        x = (STEPS, SAMPLES, SIZE)
        given = states(name, kind)
        yield recurrent(name, kind, label="states", takes=(x, *given), call=with_states)
        given = states(name, {**kind, "num_layers": 2}, ())
        takes = ((STEPS, SIZE), *given)
        two = {**kind, "num_layers": 2}
        yield recurrent(name, two, label="single", takes=takes, call=with_states)
        yield recurrent(name, kind, label="packed", call=packing(LENGTHS))
        yield recurrent(name, kind, label="packed-equal", call=packing((4, 4, 4)))
        takes = ((SAMPLES, STEPS, SIZE), *states(name, every))
        call = packing(MIXED, False)
        yield recurrent(name, every, label="packed-mixed", takes=takes, call=call)


def of_cells():
    """Yield the rows of each cell."""
    kinds = (
        ("RNNCell", {}),
        ("RNNCell", {"nonlinearity": "relu"}),
        ("LSTMCell", {}),
        ("GRUCell", {}),
    )
    for name, kind in kinds:
        yield recurrent(name, kind, takes=((SAMPLES, SIZE),))
        count = 2 if name == "LSTMCell" else 1
        takes = ((SAMPLES, SIZE), *[(SAMPLES, STATE)] * count)
        bare = {**kind, "bias": False}
        yield recurrent(name, bare, label="states", takes=takes, call=with_states)
        takes = ((SIZE,), *[(STATE,)] * count)
        yield recurrent(name, kind, label="single", takes=takes, call=with_states)


def of_sequences(name, label, run, *inputs):
    """Return the row of *run(rnn, side, *inputs)*, which calls a function of sequences."""

    def call(side):
        return lambda *given: run(sequences(side), side, *given)

    return function(KIND, name, *inputs, label=label, call=call, second=False)


def padded(name, label, shape, lengths, *args, **options):
    """Return the row of a function of a padded tensor and lengths, a list and a tensor."""

    def run(rnn, side, x):
        apply = getattr(rnn, name)
        x = x * 1.0  # PyTorch's unpad_sequence transposes it in place, which a leaf may not be
        return apply(x, side.tensor(np.array(lengths)), *args, **options)

    return of_sequences(name, label, run, shape)


def listed(name, label, *args, sizes=LENGTHS, **options):
    """Return the row of a function of a list of sequences."""

    def run(rnn, side, *given):
        return getattr(rnn, name)(list(given), *args, **options)

    return of_sequences(name, label, run, *[(n, 2) for n in sizes])


def again(name, label, *args, sizes=MIXED, **options):
    """Return the row of a function of a packed sequence."""

    def run(rnn, side, *given):
        packed = rnn.pack_sequence(list(given), enforce_sorted=False)
        return getattr(rnn, name)(packed, *args, **options)

    return of_sequences(name, label, run, *[(n, 2) for n in sizes])


ROWS = [
    *of_layers(),
    *of_cells(),
    padded("pack_padded_sequence", "", (4, 3, 2), LENGTHS),
    padded("pack_padded_sequence", "batch_first", (3, 4), LENGTHS, batch_first=True),
    padded("pack_padded_sequence", "mixed", (5, 3), MIXED, enforce_sorted=False),
    padded("pack_padded_sequence", "ties", (3, 5), (2, 3, 2, 3, 2), enforce_sorted=False),
    padded("unpad_sequence", "", (4, 3, 2), MIXED),
    padded("unpad_sequence", "batch_first", (3, 4), MIXED, batch_first=True),
    listed("pack_sequence", ""),
    listed("pack_sequence", "mixed", enforce_sorted=False, sizes=MIXED),
    listed("pad_sequence", ""),
    listed("pad_sequence", "batch_first", True, -1.5, sizes=MIXED),
    listed("pad_sequence", "left", padding_side="left", sizes=MIXED),
    listed("pad_sequence", "equal", sizes=(2, 2)),
    again("pad_packed_sequence", ""),
    again("pad_packed_sequence", "batch_first", True, 0.25, 6),
    again("unpack_sequence", ""),
    of_sequences(
        "invert_permutation",
        "",
        lambda rnn, side, order: rnn.invert_permutation(order),
        Given(np.array([2, 0, 3, 1])),
    ),
]

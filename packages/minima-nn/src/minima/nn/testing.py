"""The table of layers, one row each, and the checks that every row goes through.

A plugin's layer is checked the same way: ``for check in CHECKS: check(LayerCase(...))``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from minima import Tensor, concat, manual_seed
from minima.devices import CPU, Device
from minima.testing import gradcheck, gradgradcheck
from minima.testing.compiled import check_step, weighted

from . import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    FeatureAlphaDropout,
    Linear,
    Module,
)
from .activation_cases import ACTIVATIONS
from .attention_cases import ATTENTIONS
from .container_cases import CONTAINERS
from .layer_case import LayerCase
from .lazy_cases import LAZY
from .lookup_cases import LOOKUPS
from .loss_cases import LOSSES
from .norm_cases import NORMS
from .recurrent_cases import RECURRENT
from .space_cases import SPACES

__all__ = ["CHECKS", "LAYERS", "LayerCase"]

#: a device that is not the cpu and has no kernels of its own: the reference kernels over NumPy
ANOTHER = Device("another", xp=np)


def _flat(*results: Tensor) -> Tensor:
    """Return all elements of *results* along one axis."""
    return concat([t.reshape((t.size,)) for t in results], axis=0)


LAYERS = [
    LayerCase(lambda: Linear(3, 2), (4, 3), (4, 2)),
    LayerCase(lambda: Linear(3, 2, bias=False), (2, 4, 3), (2, 4, 2), note="no-bias"),
    LayerCase(lambda: Dropout(0.3), (4, 5), (4, 5)),
    LayerCase(lambda: Dropout1d(0.3), (4, 5, 2), (4, 5, 2)),
    LayerCase(lambda: Dropout2d(0.3), (2, 5, 2, 2), (2, 5, 2, 2)),
    LayerCase(lambda: Dropout3d(0.3), (5, 2, 1, 2), (5, 2, 1, 2)),
    LayerCase(lambda: AlphaDropout(0.3), (4, 5), (4, 5)),
    LayerCase(lambda: FeatureAlphaDropout(0.3), (4, 5, 2), (4, 5, 2)),
    *ACTIVATIONS,
    *ATTENTIONS,
    *CONTAINERS,
    *NORMS,
    *LAZY,
    *LOOKUPS,
    *LOSSES,
    *RECURRENT,
    *SPACES,
]


def check_forward(case: LayerCase) -> None:
    """The output has the promised shape and finite values, in training and in evaluation."""
    layer, inputs = case.layer(), case.inputs()
    for training in (True, False):
        y = case.run(layer.train(training), *inputs)
        _expect(y.shape == case.gives, f"{case}: gave {y.shape}; expected {case.gives}")
        _expect(bool(np.isfinite(y.numpy()).all()), f"{case}: gave values that are not finite")


def check_dtype(case: LayerCase) -> None:
    """The output and every gradient have the width of the input and the parameters."""
    for dtype in ("float32", "float64"):
        layer, (x, *rest) = case.layer(dtype), case.inputs(dtype)
        y = case.run(layer, case.leaf(x), *rest)
        y.sum().backward()
        found = [y, *_gradients(case, x, layer)]
        got = ["None" if t is None else str(t.dtype) for t in found]
        _expect(got == [dtype] * len(got), f"{case}: {dtype} became {got}")


def check_gradient(case: LayerCase) -> None:
    """The gradients of input and parameters are the slopes of the output, to second order."""
    layer, (x, *rest) = case.layer("float64"), case.inputs("float64")
    parameters = layer.parameters()

    def run(x: Tensor, *values: Tensor) -> Tensor:
        manual_seed(0)
        with _replaced(layer, dict(zip(map(id, parameters), values, strict=True))):
            return case.run(layer, x, *rest)

    leaves = [case.leaf(x), *parameters]
    gradcheck(run, leaves)
    gradgradcheck(run, leaves)


def _gradients(case: LayerCase, x: Tensor, layer: Module) -> list[Any]:
    """Return the gradients of the input, if it can have one, and of every parameter."""
    return [*([] if case.below is not None else [x.grad]), *(p.grad for p in layer.parameters())]


@contextmanager
def _replaced(layer: Module, values: dict[int, Tensor]) -> Iterator[None]:
    """Let the attributes that are parameters be *values*, by the parameter's id, for a while."""
    found = [
        (m.__dict__, name, value)
        for m in layer.modules()
        for name, value in m.__dict__.items()
        if id(value) in values
    ]
    try:
        for attributes, name, value in found:
            attributes[name] = values[id(value)]
        yield
    finally:
        for attributes, name, value in found:
            attributes[name] = value


def check_device(case: LayerCase, device: Device = ANOTHER) -> None:
    """On another device output and gradients are the cpu's, and everything stays on it."""
    found = []
    for place in (CPU, device):
        layer, (x, *rest) = case.layer().to(place), (t.to(place) for t in case.inputs())
        manual_seed(0)
        y = case.run(layer, case.leaf(x), *rest)
        # of a plain sum a normalisation lets no gradient through but what rounding makes
        slopes = np.linspace(1, 2, y.size, dtype="float32").reshape(y.shape)
        y.backward(Tensor(slopes).to(place))
        results = [y, *_gradients(case, x, layer), *layer.buffers()]
        strayed = [str(t.device) for t in results if t.device is not place]
        _expect(not strayed, f"{case}: on {place} a result is on {strayed}")
        found.append([t.numpy() for t in results])
    same = all(np.allclose(a, b, rtol=1e-5, atol=1e-5) for a, b in zip(*found, strict=True))
    _expect(same, f"{case}: another output or gradient on {device} than on the cpu")


def check_compiled(case: LayerCase, executor: str = "numpy", *, exact: bool = True) -> None:
    """Compiled, a step gives the output, gradients and buffers that it gives eagerly.

    In training and in evaluation; bit for bit, unless *exact* is False.
    """
    if case.eager:
        return
    for training in (True, False):
        steps = [_step(case, dtype, training) for dtype in ("float32", "float32", "float64")]
        inputs, wide = case.inputs(), case.inputs("float64")
        manual_seed(0)
        precise = None if exact else [t.clone() for t in steps[2](*wide)]
        check_step(
            steps[0],
            inputs,
            executor,
            eager=steps[1],
            precise=precise,
            before=lambda: manual_seed(0),
        )


def _step(case: LayerCase, dtype: str, training: bool) -> Callable[..., list[Tensor]]:
    layer = case.layer(dtype).train(training)

    def step(x: Tensor, *rest: Tensor) -> list[Tensor]:
        layer.zero_grad()
        x = case.leaf(x.detach())
        y = case.run(layer, x, *rest)
        weighted(y).backward()
        return [y.detach(), *_gradients(case, x, layer), *layer.buffers()]

    return step


def check_state(case: LayerCase) -> None:
    """A layer that loads another's state gives the same output; so does a deep copy."""
    layer, inputs = case.layer(), case.inputs()
    case.run(layer, *inputs)
    manual_seed(1)
    other = case.make()
    other.load_state_dict({name: t.clone() for name, t in layer.state_dict().items()})
    for same in (other, deepcopy(layer)):
        expected = case.run(layer.eval(), *inputs).numpy()
        _expect(
            bool(np.array_equal(case.run(same.eval(), *inputs).numpy(), expected)),
            f"{case}: the output differs after the state was copied",
        )


def check_repr(case: LayerCase) -> None:
    """The printed layer begins with its name and says nothing of addresses."""
    layer = case.layer()
    text = repr(layer)
    _expect(text.startswith(f"{type(layer).__name__}("), f"{case}: repr is {text!r}")
    _expect("object at 0x" not in text, f"{case}: repr shows an address: {text!r}")


def check_no_cycles(case: LayerCase) -> None:
    """A training step leaves nothing for the cycle collector."""
    layer, (x, *rest) = case.layer(), case.inputs()
    case.leaf(x)

    def step() -> None:
        case.run(layer, x, *rest).sum().backward()
        layer.zero_grad()
        x.grad = None

    step()
    gc.collect()
    gc.disable()
    try:
        step()
        left = gc.collect()
    finally:
        gc.enable()
    _expect(left == 0, f"{case}: a step leaves {left} objects to the cycle collector")


def _expect(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


CHECKS = (
    check_forward,
    check_dtype,
    check_gradient,
    check_device,
    check_compiled,
    check_state,
    check_repr,
    check_no_cycles,
)

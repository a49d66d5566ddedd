"""What a Module says of itself, and when it calls its hooks: as PyTorch's, name by name."""

import numpy as np
import pytest
import torch

import minima as mi
from minima import nn

T = torch.nn
SIDES = {"minima": (nn, mi.ones, mi), "torch": (T, torch.ones, torch)}


def build(side):
    """Return the same model of either side, with parts registered in a mixed order."""
    lib, ones, _ = SIDES[side]

    class Net(lib.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("steps", ones(1))
            self.body = lib.ModuleList([lib.Linear(2, 2), lib.Tanh()])
            self.scale = lib.Parameter(ones(2))
            self.heads = lib.ModuleDict({"b": lib.Linear(2, 1, bias=False), "a": lib.LayerNorm(2)})
            self.register_buffer("passing", ones(1), persistent=False)
            self.extra = lib.ParameterDict({"z": ones(1), "y": ones(3)})
            self.rows = lib.ParameterList([ones(1), ones(2)])
            self.again = self.body[0]
            self.norm = lib.BatchNorm1d(2)

        def get_extra_state(self):
            return 1

        def set_extra_state(self, state):
            pass

        def forward(self, x, *, times=1.0):
            for part in self.body:
                x = part(x)
            return self.heads["b"](self.heads["a"](self.norm(x * self.scale))) * times

    return Net()


@pytest.mark.parametrize(
    "listed",
    [
        lambda m: [n for n, _ in m.named_parameters()],
        lambda m: [n for n, _ in m.named_parameters("p", False)],
        lambda m: [n for n, _ in m.named_parameters(remove_duplicate=False)],
        lambda m: [n for n, _ in m.named_buffers()],
        lambda m: [n for n, _ in m.named_buffers("p", recurse=False)],
        lambda m: [n for n, _ in m.named_children()],
        lambda m: [n for n, _ in m.named_modules()],
        lambda m: [n for n, _ in m.named_modules(None, "p", False)],
        lambda m: list(m.state_dict()),
        lambda m: list(m.state_dict(prefix="x.")),
        lambda m: [type(c).__name__ for c in m.children()],
        lambda m: m.load_state_dict({"scale": m.scale.detach(), "odd": m.scale}, strict=False)[1],
        lambda m: [
            k  # without a version PyTorch's normalisations do without the count
            for k in m.load_state_dict({"scale": m.scale.detach()}, strict=False).missing_keys
            if "num_batches" not in k
        ],
    ],
)
def test_names_come_in_pytorchs_order(listed):
    """Fault: an optimiser's state, which counts parameters, that lands at the wrong one."""
    ours, theirs = (listed(build(side)) for side in ("minima", "torch"))
    assert list(ours) == list(theirs)


def calls(side):
    """Return what hooks of all kinds were called, and with what, in order."""
    net, seen = build(side), []

    def sizes(values):
        return [None if v is None else tuple(v.shape) for v in values if hasattr(v, "shape")]

    for name, part in net.named_modules():
        if name in ("extra", "rows", "body", "heads"):
            continue
        for n in (1, 2):
            first = n == 2
            part.register_forward_pre_hook(
                lambda m, a, k, name=name, n=n: seen.append(("pre", name, n, sizes(a), list(k))),
                with_kwargs=True,
                prepend=first,
            )
            part.register_forward_hook(
                lambda m, a, y, name=name, n=n: seen.append(
                    ("post", name, n, sizes(a), sizes([y]))
                ),
                prepend=first,
            )
            part.register_full_backward_pre_hook(
                lambda m, go, name=name, n=n: seen.append(("back pre", name, n, sizes(go))),
                prepend=first,
            )
            part.register_full_backward_hook(
                lambda m, gi, go, name=name, n=n: seen.append(
                    ("back", name, n, [g is None for g in gi], sizes(go))
                ),
                prepend=first,
            )
    x = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    given = mi.Tensor(x) if side == "minima" else torch.from_numpy(x)
    net(given.requires_grad_(), times=2.0).sum().backward()
    return seen


def test_hooks_are_called_in_pytorchs_order():
    """Fault: another order, number or kind of arguments."""
    ours, theirs = calls("minima"), calls("torch")
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other

"""The two sides of a comparison, with one interface: rows are written once and run on both."""

from __future__ import annotations

from zlib import crc32

import numpy as np

import minima as mi
from minima.nn.interop import _keys, from_torch_state, to_torch_state


def filled(key, array, seed):
    """Return values for the parameter or buffer *key*, in PyTorch's layout: the same each time."""
    if array.dtype.kind in "biu":
        return array
    rng = np.random.default_rng(crc32(f"{seed}/{key}".encode()))
    values = rng.uniform(-0.5, 0.5, array.shape)
    values = np.abs(values) + 0.5 if key.endswith(("running_var", "weight_g")) else values
    return np.asarray(values)


class Minima:
    """minima's side."""

    name = "minima"
    nn, optim, F, init = mi.nn, mi.optim, mi.nn.functional, mi.init

    def __init__(self, dtype):
        self.dtype = dtype

    def tensor(self, array, grad=False):
        """Return a Tensor, floating ones of this side's dtype; with *grad* a leaf."""
        array = np.array(array, self.dtype if np.asarray(array).dtype.kind == "f" else None)
        return mi.Tensor(array, requires_grad=grad)

    def numpy(self, t):
        return t.detach().numpy()

    def is_tensor(self, t):
        return isinstance(t, mi.Tensor)

    def seed(self, n):
        mi.manual_seed(n)

    def fill(self, module, seed):
        """Give *module* this side's dtype and values that follow from the keys alone."""
        module.to(self.dtype)
        state = {k: filled(k, v, seed) for k, v in to_torch_state(module).items()}
        module.load_state_dict(from_torch_state(module, state))
        return module

    def parameters(self, module):
        """Return key -> parameter, by PyTorch's keys."""
        named = dict(module.named_parameters(remove_duplicate=False))
        return {t: named[o] for t, (o, _) in _keys(module).items() if o in named}

    def in_torch_layout(self, module, key, array):
        return array.T if _keys(module)[key][1] else array

    def buffers(self, module):
        names = {name for name, _ in module.named_buffers()}
        return {
            t: module.state_dict()[o].numpy() for t, (o, _) in _keys(module).items() if o in names
        }

    def grad(self, y, leaves, create=False):
        return mi.autograd.grad(y, leaves, create_graph=create, allow_unused=True)


def torch_side():
    """Return the class of PyTorch's side."""
    import torch

    class Torch:
        """PyTorch's side, of the same interface."""

        name = "torch"
        nn, optim, F, init = torch.nn, torch.optim, torch.nn.functional, torch.nn.init

        def __init__(self, dtype):
            self.dtype = dtype
            torch.set_default_dtype(getattr(torch, dtype))  # some optimisers keep numbers in it
            torch.backends.cuda.enable_flash_sdp(False)  # on the cpu too: it has no second order

        def tensor(self, array, grad=False):
            array = np.array(array, self.dtype if np.asarray(array).dtype.kind == "f" else None)
            return torch.from_numpy(array).requires_grad_(grad)

        def numpy(self, t):
            return t.detach().resolve_conj().numpy(force=True)

        def is_tensor(self, t):
            return isinstance(t, torch.Tensor)

        def seed(self, n):
            torch.manual_seed(n)

        def fill(self, module, seed):
            module.to(getattr(torch, self.dtype))
            state = module.state_dict()
            new = {k: torch.from_numpy(filled(k, v.numpy(), seed)) for k, v in state.items()}
            module.load_state_dict(new)
            return module

        def parameters(self, module):
            return dict(module.named_parameters(remove_duplicate=False))

        def in_torch_layout(self, module, key, array):
            return array

        def buffers(self, module):
            names = {name for name, _ in module.named_buffers()}
            return {k: v.numpy() for k, v in module.state_dict().items() if k in names}

        def grad(self, y, leaves, create=False):
            return torch.autograd.grad(y, leaves, create_graph=create, allow_unused=True)

    return Torch

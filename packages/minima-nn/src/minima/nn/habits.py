"""Names of PyTorch that are not here, for the error of who looks for them: what to write."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["missing_attribute", "missing_function", "missing_layer"]

#: attribute of torch.nn.Module -> what to write
_ATTRIBUTES = {
    "_modules": "dict(model.named_children())",
    "_parameters": "dict(model.named_parameters(recurse=False))",
    "_all_weights": "all_weights, or the names of named_parameters()",
    "share_memory": "model itself: workers of minima.data are handed what they need",
    "to_empty": "to(device)",
    "is_cuda": "next(model.parameters()).device",
    "dtype": "next(model.parameters()).dtype",
}
#: layer of PyTorch -> what to write
_LAYERS = {
    "DataParallel": "nothing: a model runs on one device here",
    "SyncBatchNorm": "BatchNorm1d, BatchNorm2d or BatchNorm3d: a model runs on one device here",
    "Container": "Module",
    "CrossMapLRN2d": "LocalResponseNorm",
    "NLLLoss2d": "NLLLoss",
    "Buffer": "Module.register_buffer",
    "RNNBase": "(RNN, LSTM, GRU) with isinstance",
    "RNNCellBase": "(RNNCell, LSTMCell, GRUCell) with isinstance",
}
#: function of torch.nn.functional -> what to write
_FUNCTIONS = {
    "upsample": "interpolate",
    "upsample_nearest": "interpolate(x, size)",
    "upsample_bilinear": 'interpolate(x, size, mode="bilinear", align_corners=True)',
    "log_sigmoid": "logsigmoid",
}


def missing_attribute(owner: str, name: str) -> str:
    """Return what to say to who looks for the attribute *name* of a module of class *owner*.

    >>> missing_attribute("Net", "_modules")
    "'Net' object has no attribute '_modules'; here it is dict(model.named_children())"
    """
    said = f"{owner!r} object has no attribute {name!r}"
    return f"{said}; here it is {_ATTRIBUTES[name]}" if name in _ATTRIBUTES else said


def missing_layer(name: str) -> str:
    """Return what to say to who looks for the layer *name*, if that is known.

    >>> missing_layer("SyncBatchNorm").partition(";")[0]
    "minima.nn has no layer 'SyncBatchNorm'"
    """
    return f"minima.nn has no layer {name!r}; write {_LAYERS[name]}" if name in _LAYERS else ""


def missing_function(name: str, known: Sequence[str]) -> str:
    """Return what to say to who looks for the function *name*, where there are those *known*.

    >>> missing_function("upsample", [])
    "minima.nn.functional has no 'upsample'; write interpolate"
    """
    said = f"minima.nn.functional has no {name!r}"
    if name in _FUNCTIONS:
        return f"{said}; write {_FUNCTIONS[name]}"
    from difflib import get_close_matches

    near = () if name.startswith("_") else get_close_matches(name, known, 3, 0.75)
    return f"{said}; did you mean {' or '.join(near)}?" if near else said

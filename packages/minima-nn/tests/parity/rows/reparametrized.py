"""Weights that are computed: by length and direction, of spectral norm 1, orthogonal."""

from __future__ import annotations

import warnings

from ..table import layer


def wrapped(name, how, make, takes, label, /, **options):
    """Return the row of the layer *make(side.nn)* whose weight is computed by *how(side.nn)*.

    Of a Linear, whose weights are PyTorch's transposed, second gradients would be those of another
    sum. Along axis 0 PyTorch's second gradients of weight_norm take the norms for constants.
    """
    rounded = {}
    if options.get("name") == "bias":
        rounded = {"tolerances": {"float32": 5e-3}, "why": "the gradient is 0; this is what rounds"}
    if options.get("orthogonal_map") == "matrix_exp":
        rounded = {"tolerances": {"float32": 5e-5}, "why": "another rational approximation"}
    return layer(
        name,
        kind="reparametrized",
        label=label,
        make=lambda side: how(side.nn)(make(side.nn), **options),
        takes=[takes],
        second=make in (conv, transposed) and label not in ("old-conv", "new-conv"),
        **rounded,
    )


def linear(nn):
    return nn.Linear(3, 2)


def conv(nn):
    return nn.Conv2d(2, 3, 2, bias=False)


def transposed(nn):
    return nn.ConvTranspose1d(2, 3, 2, bias=False)


IMAGE, LINE = (1, 2, 3, 3), (1, 2, 3)


def old_weight(nn):
    def apply(module, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PyTorch recommends the new one
            return nn.utils.weight_norm(module, **options)

    return apply


def new_weight(nn):
    return nn.utils.parametrizations.weight_norm


def new_spectral(nn):
    return nn.utils.parametrizations.spectral_norm


def new_orthogonal(nn):
    return nn.utils.parametrizations.orthogonal


ROWS = [
    *(
        row
        for how, form in ((old_weight, "old"), (new_weight, "new"))
        for row in (
            wrapped("weight_norm", how, linear, (4, 3), f"{form}-linear"),
            wrapped("weight_norm", how, linear, (4, 3), f"{form}-linear-dim=1", dim=1),
            wrapped("weight_norm", how, linear, (4, 3), f"{form}-linear-dim=None", dim=None),
            wrapped("weight_norm", how, conv, IMAGE, f"{form}-conv"),
            wrapped("weight_norm", how, conv, IMAGE, f"{form}-conv-dim=-2", dim=-2),
            wrapped("weight_norm", how, linear, (4, 3), f"{form}-bias", name="bias"),
        )
    ),
    wrapped("spectral_norm", new_spectral, linear, (4, 3), "linear"),
    wrapped("spectral_norm", new_spectral, linear, (4, 3), "linear-dim=1", dim=1),
    wrapped("spectral_norm", new_spectral, conv, IMAGE, "conv-2", n_power_iterations=2),
    wrapped("spectral_norm", new_spectral, transposed, LINE, "transposed", eps=1e-6),
    wrapped("spectral_norm", new_spectral, linear, (4, 3), "bias", name="bias"),
    *(
        wrapped(
            "orthogonal",
            new_orthogonal,
            lambda nn, n=n, k=k: nn.Linear(n, k),
            (2, n),
            f"{how}-{n}-{k}-{trivial}",
            orthogonal_map=how,
            use_trivialization=trivial,
        )
        for how in ("matrix_exp", "cayley")
        for n, k in ((3, 3), (3, 2), (2, 3))
        for trivial in (True, False)
    ),
]

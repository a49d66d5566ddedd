"""Optimisers: 20 steps of a small problem, the state they leave behind, two groups."""

from __future__ import annotations

import numpy as np

from ..table import Row, values

STEPS = 20
SHAPES = ((3, 4), (4,), (2, 2, 2))


def steps(
    name, label="", make=None, why="", tolerances=None, shapes=SHAPES, count=STEPS, **options
):
    label = label or ",".join(f"{k}={v}" for k, v in options.items())

    def run(side):
        leaves = [side.tensor(values(f"{name}/{i}", s), True) for i, s in enumerate(shapes)]
        targets = [side.tensor(values(f"{name}/target{i}", s)) for i, s in enumerate(shapes)]
        groups = [{"params": leaves[:2]}, {"params": leaves[2:], "lr": 0.02}]
        optimizer = make(side, leaves) if make else getattr(side.optim, name)(groups, **options)
        losses = []

        def loss_of():
            total = None
            for p, t in zip(leaves, targets, strict=True):
                part = ((p - t) * (p - t)).sum() + (p * p * p * p).sum() * 0.1
                total = part if total is None else total + part
            return -total if options.get("maximize") else total

        def closure():
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            losses.append(float(side.numpy(loss)))
            return loss

        for _ in range(count):
            optimizer.step(closure)
        found = {f"parameter {i}": side.numpy(p) for i, p in enumerate(leaves)}
        return {**found, "losses": np.array(losses)}

    return Row("optimiser", name, label, run, tolerances or {}, why)


def _lbfgs(**options):
    return lambda side, leaves: side.optim.LBFGS(leaves, **options)


ROWS = [
    steps("SGD", lr=0.05),
    steps("SGD", lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.01),
    steps("SGD", lr=0.05, momentum=0.9, nesterov=True),
    steps("Adagrad", lr=0.05, lr_decay=0.01, weight_decay=0.01, initial_accumulator_value=0.1),
    steps("RMSprop", lr=0.01),
    steps("RMSprop", lr=0.01, momentum=0.9, centered=True, weight_decay=0.01),
    steps("Adam", lr=0.05),
    steps("Adam", lr=0.05, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    steps("AdamW", lr=0.05, weight_decay=0.1),
    steps("Adam", lr=0.05, weight_decay=0.1, decoupled_weight_decay=True),
    steps("SGD", lr=0.05, momentum=0.5, maximize=True),
    steps("Adagrad", lr=0.01, maximize=True),
    steps("RMSprop", lr=0.01, maximize=True),
    steps("Adam", lr=0.05, amsgrad=True, maximize=True),
    steps("AdamW", lr=0.05, amsgrad=True),
    steps("NAdam", lr=0.05),
    steps("NAdam", lr=0.05, betas=(0.8, 0.99), momentum_decay=0.01, weight_decay=0.1),
    steps("NAdam", lr=0.05, weight_decay=0.1, decoupled_weight_decay=True, maximize=True),
    steps("RAdam", lr=0.05),
    steps("RAdam", lr=0.05, betas=(0.9, 0.99), weight_decay=0.1),
    steps("RAdam", lr=0.05, weight_decay=0.1, decoupled_weight_decay=True, maximize=True),
    steps("Adamax", lr=0.05),
    steps("Adamax", lr=0.05, betas=(0.8, 0.99), weight_decay=0.1, maximize=True),
    steps("Adadelta"),
    steps("Adadelta", lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.1, maximize=True),
    steps("Rprop", lr=0.05),
    steps("Rprop", lr=0.05, etas=(0.4, 1.3), step_sizes=(1e-3, 0.1), maximize=True),
    steps("ASGD", lr=0.02),
    steps("ASGD", lr=0.02, lambd=0.1, alpha=0.5, t0=5, weight_decay=0.1),
    steps("Adafactor", lr=0.05),
    steps("Adafactor", lr=0.05, beta2_decay=-0.5, eps=(1e-5, 1e-2), d=1.5, weight_decay=0.1),
    steps("LBFGS", make=_lbfgs(lr=0.1, max_iter=3), label="steps"),
    steps("LBFGS", make=_lbfgs(history_size=3, max_iter=2, lr=0.2), label="history"),
    steps("ASGD", lr=0.02, maximize=True),
    steps(
        "LBFGS", make=_lbfgs(max_iter=2, line_search_fn="strong_wolfe"), label="search",
        count=3, tolerances={"float32": 1e-4},
        why="the search divides differences of losses, which keep few digits in float32",
    ),
]  # fmt: skip

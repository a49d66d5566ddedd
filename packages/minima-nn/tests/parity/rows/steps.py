"""Optimisers: 20 steps of a small problem, the state they leave behind, two groups."""

from __future__ import annotations

import numpy as np

from ..table import Row, values

STEPS = 20
SHAPES = ((3, 4), (4,), (2, 2, 2))


def steps(name, label="", make=None, why="", tolerances=None, shapes=SHAPES, **options):
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
            return total

        def closure():
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            losses.append(float(side.numpy(loss)))
            return loss

        for _ in range(STEPS):
            optimizer.step(closure)
        found = {f"parameter {i}": side.numpy(p) for i, p in enumerate(leaves)}
        return {**found, "losses": np.array(losses)}

    return Row("optimiser", name, label, run, tolerances or {}, why)


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
]

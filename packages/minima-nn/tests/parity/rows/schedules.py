"""Schedules of the learning rate: the rates of 30 steps, and the momenta where they move."""

from __future__ import annotations

import numpy as np

from ..table import Row


def schedule(name, *args, steps=30, label="", make=None, momentum=0.9, figures=None, **options):
    label = label or ",".join([*map(str, args), *(f"{k}={v}" for k, v in options.items())])

    def run(side):
        S, zero = side.optim.lr_scheduler, np.zeros(1)
        groups = [{"params": [side.tensor(zero, True)]}]
        groups += [{"params": [side.tensor(zero, True)], "lr": 0.3}]
        optimizer = side.optim.SGD(groups, lr=1.0, momentum=momentum)
        made = make(S, optimizer) if make else getattr(S, name)(optimizer, *args, **options)
        rates, momenta = [], []
        for n in range(steps):
            rates.append([g["lr"] for g in optimizer.param_groups])
            momenta.append([g["momentum"] for g in optimizer.param_groups])
            for g in optimizer.param_groups:
                for p in g["params"]:
                    p.grad = side.tensor(zero)
            optimizer.step()
            made.step(*([figures[n]] if figures else []))
        return {
            "rates": np.array(rates),
            "momenta": np.array(momenta),
            "last": np.array(made.get_last_lr()),
        }

    return Row("scheduler", name, label, run)


def _sequence(S, o):
    first = S.LinearLR(o, 0.1, 1.0, 4)
    return S.SequentialLR(o, [first, S.StepLR(o, 3, 0.5), S.ExponentialLR(o, 0.9)], [5, 17])


def _chain(S, o):
    return S.ChainedScheduler(
        [S.ConstantLR(o, 0.2, 4), S.ExponentialLR(o, 0.9), S.CosineAnnealingLR(o, 7, 0.01)]
    )


def _halves(step):
    return 0.95**step


FIGURES = [1.0, 0.9, 0.9, 0.95, 0.8999, 0.9, 0.9, 0.7, *[0.7] * 12, *[0.69] * 10]

ROWS = [
    schedule("StepLR", 4),
    schedule("StepLR", step_size=3, gamma=0.5),
    schedule("MultiStepLR", [3, 7, 7, 20], gamma=0.3),
    schedule("ExponentialLR", 0.9),
    schedule("ConstantLR"),
    schedule("ConstantLR", factor=0.5, total_iters=9),
    schedule("LinearLR"),
    schedule("LinearLR", start_factor=0.1, end_factor=0.7, total_iters=12),
    schedule("PolynomialLR"),
    schedule("PolynomialLR", total_iters=20, power=2.0),
    schedule("CosineAnnealingLR", 10),
    schedule("CosineAnnealingLR", T_max=7, eta_min=0.05),
    schedule("CosineAnnealingWarmRestarts", 5),
    schedule("CosineAnnealingWarmRestarts", T_0=3, T_mult=2, eta_min=0.01),
    schedule("LambdaLR", _halves, label="one"),
    schedule("LambdaLR", [_halves, lambda step: 1.0 / (1 + step)], label="two"),
    schedule("MultiplicativeLR", _halves, label="one"),
    schedule("OneCycleLR", max_lr=2.0, total_steps=31),
    schedule("OneCycleLR", max_lr=[2.0, 0.5], epochs=6, steps_per_epoch=6, pct_start=0.4,
             anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0),
    schedule("OneCycleLR", max_lr=2.0, total_steps=40, three_phase=True, base_momentum=0.7),
    schedule("OneCycleLR", max_lr=2.0, total_steps=40, cycle_momentum=False),
    schedule("CyclicLR", 0.1, 1.0, step_size_up=4),
    schedule("CyclicLR", 0.1, 1.0, step_size_up=4, step_size_down=6, mode="triangular2"),
    schedule("CyclicLR", [0.1, 0.2], [1.0, 0.7], step_size_up=3, mode="exp_range", gamma=0.97),
    schedule("CyclicLR", 0.1, 1.0, step_size_up=4, scale_fn=lambda n: 0.9**n,
             scale_mode="iterations", cycle_momentum=False, label="function"),
    schedule("ReduceLROnPlateau", figures=FIGURES, patience=2, factor=0.5),
    schedule("ReduceLROnPlateau", figures=FIGURES, mode="max", patience=3, threshold=0.05,
             threshold_mode="abs", cooldown=2, min_lr=[0.05, 0.01]),
    schedule("SequentialLR", make=_sequence),
    schedule("ChainedScheduler", make=_chain),
]  # fmt: skip

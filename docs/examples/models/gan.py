"""A small GAN: a generator that learns to put points on eight spots around a circle.

Run ``python gan.py``. It prints how many of the spots it has found, and how many points lie on
one. Source: Goodfellow et al. 2014; the example is of Metz et al. 2016.
"""

import argparse

import numpy as np

import minima as mi
from minima import nn

SPOTS = np.array([[np.cos(a), np.sin(a)] for a in np.arange(8) * np.pi / 4], "float32")
SPREAD = 0.05


def points(count, rng):
    """Return *count* points around the spots."""
    return SPOTS[rng.integers(0, 8, count)] + SPREAD * rng.normal(size=(count, 2)).astype("float32")


def network(inputs, outputs, width=96):
    """Return a network of two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.LeakyReLU(0.2),
        nn.Linear(width, width), nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )  # fmt: skip


def found(generator, rng):
    """Return the number of spots with at least 2 % of 1,000 points, and the share on a spot."""
    with mi.no_grad():
        made = generator(mi.Tensor(rng.normal(size=(1000, 4)).astype("float32"))).numpy()
    away = np.linalg.norm(made[:, None] - SPOTS, axis=2)
    near = away.min(1) < 4 * SPREAD
    counts = np.bincount(away.argmin(1)[near], minlength=8)
    return int((counts >= 20).sum()), float(near.mean())


def main(argv=None):
    """Train, print how it goes, and return the spots and the share."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=3000)
    steps = options.parse_args(argv).steps
    mi.manual_seed(0)
    rng = np.random.default_rng(0)
    generator, critic = network(4, 2), network(2, 1)
    loss = nn.BCEWithLogitsLoss()
    of_generator = mi.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    of_critic = mi.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.999))
    mean = mi.optim.EMA(generator, 0.995)
    ones, zeros = mi.ones((128, 1)), mi.zeros((128, 1))

    @mi.compile
    def judge(real, noise):
        of_critic.zero_grad()
        made = generator(noise).detach()
        value = loss(critic(real), ones) + loss(critic(made), zeros)
        value.backward()
        of_critic.step()
        return value

    @mi.compile
    def improve(noise):
        of_generator.zero_grad()
        value = loss(critic(generator(noise)), ones)
        value.backward()
        of_generator.step()
        return value

    for n in range(steps):
        judge(mi.Tensor(points(128, rng)), mi.Tensor(rng.normal(size=(128, 4)).astype("float32")))
        improve(mi.Tensor(rng.normal(size=(128, 4)).astype("float32")))
        mean.update_parameters(generator)
        if n % 500 == 499 or n == steps - 1:
            spots, share = found(mean, np.random.default_rng(1))
            print(f"step {n + 1}: {spots} of 8 spots, {100 * share:.0f} % of the points on one")
    return spots, share


if __name__ == "__main__":
    main()

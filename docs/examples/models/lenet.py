"""LeNet-5 on the handwritten digits, drawn twice as large: 16x16 pixels.

Run ``python lenet.py``; ``--epochs 2`` for a short run. Source: LeCun et al. 1998.
"""

import argparse

import numpy as np

import minima as mi
from minima import nn
from minima.data import DataLoader, digits


def lenet():
    """Return the network for images (N, 1, 16, 16)."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 120), nn.Tanh(),
        nn.Linear(120, 84), nn.Tanh(),
        nn.Linear(84, 10),
    )  # fmt: skip


def larger(images):
    """Return each pixel as four."""
    return nn.functional.interpolate(images, scale_factor=2, mode="nearest")


def accuracy(model, data):
    """Return the share of *data* that the model gets right."""
    model.eval()
    metric = mi.metrics.Accuracy()
    with mi.no_grad():
        for images, targets in DataLoader(data, batch_size=256):
            metric.update(model(larger(images)), targets)
    model.train()
    return metric.compute()


def main(argv=None):
    """Train, print the accuracy after each epoch, and return the last."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=8)
    epochs = options.parse_args(argv).epochs
    mi.manual_seed(0)
    train, test = digits("train"), digits("test")
    model, loss = lenet(), nn.CrossEntropyLoss()
    optimizer = mi.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    loader = DataLoader(train, batch_size=64, shuffle=True, drop_last=True)
    schedule = mi.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=6e-3, epochs=epochs, steps_per_epoch=len(loader), cycle_momentum=False
    )

    @mi.compile
    def step(images, targets):
        optimizer.zero_grad()
        value = loss(model(larger(images)), targets)
        value.backward()
        optimizer.step()
        return value

    for epoch in range(epochs):
        losses = []
        for images, targets in loader:
            losses.append(step(images, targets).item())
            schedule.step()
        share = accuracy(model, test)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, test accuracy {share:.4f}")
    return share


if __name__ == "__main__":
    main()

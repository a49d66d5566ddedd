"""ResNet-20 on the handwritten digits, or on CIFAR-10 files that you have: ``--cifar FOLDER``.

Run ``python resnet20.py``; ``--epochs 1`` for a short run. Source: He et al. 2015, section 4.2.
"""

import argparse

import numpy as np

import minima as mi
from minima import nn
from minima.data import DataLoader, digits


class Block(nn.Module):
    """Two convolutions and a way round them, which skips pixels where sizes halve."""

    def __init__(self, inner, outer, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.stride, self.new = stride, outer - inner

    def forward(self, x):
        """Return relu(both convolutions + the way round)."""
        y = mi.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.new:
            half = x[:, :, :: self.stride, :: self.stride]
            n, _, height, width = half.shape
            x = mi.concat([half, mi.zeros((n, self.new, height, width), dtype=x.dtype)], axis=1)
        return mi.relu(y + x)


def resnet20(channels, classes):
    """Return the network: three stages of three blocks, 16, 32 and 64 channels wide."""
    layers = [nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inner = 16
    for outer in (16, 32, 64):
        for n in range(3):
            layers.append(Block(inner, outer, 2 if n == 0 and outer != 16 else 1))
            inner = outer
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)]
    return nn.Sequential(*layers)


def accuracy(model, data):
    """Return the share of *data* that the model gets right."""
    model.eval()
    metric = mi.metrics.Accuracy()
    with mi.no_grad():
        for images, targets in DataLoader(data, batch_size=256):
            metric.update(model(images), targets)
    model.train()
    return metric.compute()


def main(argv=None):
    """Train, print the accuracy after each epoch, and return the last."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--cifar", metavar="FOLDER", help="where the files *_batch*.bin lie")
    chosen = options.parse_args(argv)
    mi.manual_seed(0)
    if chosen.cifar:
        from minima.data import CIFAR10

        train, test = CIFAR10(chosen.cifar, train=True), CIFAR10(chosen.cifar, train=False)
    else:
        train, test = digits("train"), digits("test")
    model, loss = resnet20(train[0][0].shape[0], 10), nn.CrossEntropyLoss()
    optimizer = mi.optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    loader = DataLoader(train, batch_size=64, shuffle=True, drop_last=True)
    steps = chosen.epochs * len(loader)
    schedule = mi.optim.lr_scheduler.WarmupLR(
        optimizer, max(1, steps // 10),
        after=mi.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps - steps // 10)),
    )  # fmt: skip

    @mi.compile
    def step(images, targets):
        optimizer.zero_grad()
        value = loss(model(images), targets)
        value.backward()
        optimizer.step()
        return value

    for epoch in range(chosen.epochs):
        losses = []
        for images, targets in loader:
            losses.append(step(images, targets).item())
            schedule.step()
        share = accuracy(model, test)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, test accuracy {share:.4f}")
    return share


if __name__ == "__main__":
    main()

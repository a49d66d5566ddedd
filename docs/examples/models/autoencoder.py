"""An autoencoder that keeps twelve numbers of each handwritten digit.

Run ``python autoencoder.py``. It prints the share of the pixels' variance that comes back.
Source: Hinton & Salakhutdinov 2006.
"""

import argparse

import minima as mi
from minima import nn
from minima.data import DataLoader, digits


def autoencoder(kept):
    """Return the network (N, 1, 8, 8) -> (N, 1, 8, 8) with *kept* numbers at its waist."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.GELU(),
        nn.Conv2d(32, 32, 2, stride=2), nn.GELU(),
        nn.Flatten(), nn.Linear(512, 128), nn.GELU(), nn.Linear(128, kept),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(kept, 128), nn.GELU(), nn.Linear(128, 512), nn.Unflatten(1, (32, 4, 4)),
        nn.GELU(), nn.ConvTranspose2d(32, 16, 2, stride=2), nn.GELU(),
        nn.Conv2d(16, 1, 3, padding=1),
    )  # fmt: skip
    return nn.Sequential({"encoder": encoder, "decoder": decoder})


def main(argv=None):
    """Train, print how it goes, and return the share of variance on digits kept back."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=20)
    epochs = options.parse_args(argv).epochs
    mi.manual_seed(0)
    train, test = digits("train"), digits("test")
    model, loss = autoencoder(12), nn.MSELoss()
    optimizer = mi.optim.Adam(model.parameters(), lr=3e-3)
    schedule = mi.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)

    @mi.compile
    def step(images):
        optimizer.zero_grad()
        value = loss(model(images), images)
        value.backward()
        optimizer.step()
        return value

    def explained():
        images = next(iter(DataLoader(test, batch_size=len(test))))[0]
        with mi.no_grad():
            wrong = loss(model(images), images)
            around = ((images - images.mean(0)) ** 2).mean()
        return 1.0 - (wrong / around).item()

    for epoch in range(epochs):
        for images, _ in DataLoader(train, batch_size=64, shuffle=True, drop_last=True):
            step(images)
        schedule.step()
        if epoch % 5 == 4 or epoch == epochs - 1:
            print(f"epoch {epoch + 1}: {100 * explained():.1f} % of the variance comes back")
    return explained()


if __name__ == "__main__":
    main()

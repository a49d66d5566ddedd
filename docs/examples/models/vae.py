"""A variational autoencoder of the handwritten digits, which can draw new ones.

Run ``python vae.py``. It prints the evidence lower bound, in nats for a digit, on digits that it
has not seen, and draws one. Source: Kingma & Welling 2013.
"""

import argparse

import numpy as np

import minima as mi
from minima import nn
from minima.data import DataLoader, digits


class VAE(nn.Module):
    """A normal distribution for each digit, and from its numbers a probability for each pixel."""

    def __init__(self, kept=8, width=128):
        super().__init__()
        self.kept = kept
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(width, kept), nn.Linear(width, kept)
        self.decoder = nn.Sequential(nn.Linear(kept, width), nn.ReLU(), nn.Linear(width, 64))

    def forward(self, images, noise):
        """Return minus the evidence lower bound of each image, with one draw by *noise*."""
        hidden = self.encoder(images)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        logits = self.decoder(mean + noise * mi.exp(log_variance * 0.5))
        pixels = nn.functional.binary_cross_entropy_with_logits(
            logits, images.reshape((-1, 64)), reduction="none"
        ).sum(1)
        apart = 0.5 * (mean**2 + mi.exp(log_variance) - 1.0 - log_variance).sum(1)
        return pixels + apart

    def draw(self, noise):
        """Return the pixels of digits that do not exist."""
        return mi.sigmoid(self.decoder(noise)).reshape((-1, 8, 8))


def main(argv=None):
    """Train, print how it goes, and return the bound on digits kept back."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=30)
    epochs = options.parse_args(argv).epochs
    mi.manual_seed(0)
    train, test = digits("train"), digits("test")
    model = VAE()
    optimizer = mi.optim.Adam(model.parameters(), lr=3e-3)
    source = mi.Generator(0)

    @mi.compile
    def step(images, noise):
        optimizer.zero_grad()
        value = model(images, noise).mean()
        value.backward()
        optimizer.step()
        return value

    def bound():
        images = next(iter(DataLoader(test, batch_size=len(test))))[0]
        with mi.no_grad():
            return -model(images, mi.Generator(1).normal((len(test), model.kept))).mean().item()

    for epoch in range(epochs):
        for images, _ in DataLoader(train, batch_size=64, shuffle=True, drop_last=True):
            step(images, source.normal((images.shape[0], model.kept)))
        if epoch % 10 == 9 or epoch == epochs - 1:
            print(f"epoch {epoch + 1}: lower bound {bound():.2f}")
    for row in model.draw(source.normal((1, model.kept)))[0].numpy():
        print("".join(" .:-=+*#%@"[int(9.99 * p)] for p in np.clip(row, 0, 1)))
    return bound()


if __name__ == "__main__":
    main()

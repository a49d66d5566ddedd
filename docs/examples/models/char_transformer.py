"""A small transformer that learns to write Python from the sources of Python's own library.

Run ``python char_transformer.py``; ``--steps 150`` for a short run. It prints the loss, in nats
for a character, on text that it has not seen, and some text of its own.
"""

import argparse
import os
from pathlib import Path

import numpy as np

import minima as mi
from minima import nn

CONTEXT = 64


def text(size):
    """Return *size* characters of the sources of Python's library."""
    folder = Path(os.__file__).parent
    files = sorted(folder.glob("*.py"))
    found = "".join(path.read_text("utf8", errors="ignore") for path in files)
    return "".join(c for c in found if ord(c) < 128)[:size]


class Transformer(nn.Module):
    """Characters and places embedded, causal layers, and a score for each next character."""

    def __init__(self, characters, width=64, heads=4, depth=2):
        super().__init__()
        self.token = nn.Embedding(characters, width)
        self.place = nn.Embedding(CONTEXT, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True,
            norm_first=True,
        )  # fmt: skip
        self.layers = nn.TransformerEncoder(layer, depth)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters)

    def forward(self, tokens):
        """Return scores (N, L, characters) for tokens (N, L)."""
        length = tokens.shape[1]
        x = self.token(tokens) + self.place(mi.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        return self.head(self.norm(self.layers(x, mask=mask, is_causal=True)))


def batches(tokens, size, rng):
    """Yield (inputs, targets), each (size, CONTEXT), from random places."""
    while True:
        starts = rng.integers(0, len(tokens) - CONTEXT - 1, size)
        rows = np.stack([tokens[s : s + CONTEXT + 1] for s in starts])
        yield mi.Tensor(rows[:, :-1]), mi.Tensor(rows[:, 1:])


def written(model, start, characters, length, rng):
    """Return *start* and *length* characters that the model adds, one after the other."""
    tokens = [characters.index(c) for c in start]
    model.eval()
    with mi.no_grad():
        for _ in range(length):
            scores = model(mi.Tensor([tokens[-CONTEXT:]]))[0, -1]
            shares = mi.softmax(scores * 1.5).numpy().astype("float64")
            tokens.append(int(rng.choice(len(characters), p=shares / shares.sum())))
    model.train()
    return "".join(characters[t] for t in tokens)


def main(argv=None):
    """Train, print how it goes, and return the loss on text that was kept back."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=600)
    options.add_argument("--size", type=int, default=400_000, help="characters of text")
    chosen = options.parse_args(argv)
    mi.manual_seed(0)
    rng = np.random.default_rng(0)
    source = text(chosen.size)
    characters = sorted(set(source))
    tokens = np.array([characters.index(c) for c in source])
    cut = len(tokens) * 9 // 10
    model = Transformer(len(characters))
    loss = nn.CrossEntropyLoss()
    optimizer = mi.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = mi.optim.lr_scheduler.WarmupLR(
        optimizer, 20, mi.optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.steps)
    )

    @mi.compile
    def step(x, t):
        optimizer.zero_grad()
        value = loss(model(x).reshape((-1, len(characters))), t.reshape((-1,)))
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return value

    def unseen():
        with mi.no_grad():
            pairs = batches(tokens[cut:], 32, np.random.default_rng(1))
            found = [
                loss(model(x).reshape((-1, len(characters))), t.reshape((-1,))).item()
                for (x, t), _ in zip(pairs, range(8))
            ]
        return float(np.mean(found))

    for n, (x, t) in zip(range(chosen.steps), batches(tokens[:cut], 16, rng)):
        value = step(x, t)
        schedule.step()
        if n % 100 == 99:
            print(f"step {n + 1}: loss {value.item():.3f}, of unseen text {unseen():.3f}")
    print(written(model, "def ", characters, 160, rng))
    return unseen()


if __name__ == "__main__":
    main()

"""A small transformer that learns to write Python from the sources of Python's own library.

Run ``python char_transformer.py``; ``--steps 150`` for a short run. It prints the loss, in nats
for a character, on text that it has not seen, and some text of its own.
"""

import argparse
import os
from itertools import islice
from pathlib import Path

import numpy as np

import minima as mi
from minima import nn
from minima.data import CharVocabulary, DataLoader, RandomSampler, TextDataset

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


def written(model, start, vocabulary, length, rng):
    """Return *start* and *length* characters that the model adds, one after the other."""
    tokens = vocabulary.encode(start).tolist()
    model.eval()
    with mi.no_grad():
        for _ in range(length):
            scores = model(mi.Tensor([tokens[-CONTEXT:]]))[0, -1]
            shares = mi.softmax(scores * 1.5).numpy().astype("float64")
            tokens.append(int(rng.choice(len(vocabulary), p=shares / shares.sum())))
    model.train()
    return vocabulary.decode(tokens)


def main(argv=None):
    """Train, print how it goes, and return the loss on text that was kept back."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=600)
    options.add_argument("--size", type=int, default=400_000, help="characters of text")
    chosen = options.parse_args(argv)
    mi.manual_seed(0)
    rng = np.random.default_rng(0)
    source = text(chosen.size)
    vocabulary = CharVocabulary(source)
    cut = len(source) * 9 // 10
    seen = TextDataset(source[:cut], CONTEXT, vocabulary)
    kept = TextDataset(source[cut:], CONTEXT, vocabulary, stride=CONTEXT)
    model = Transformer(len(vocabulary))
    loss = nn.CrossEntropyLoss()
    optimizer = mi.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = mi.optim.lr_scheduler.WarmupLR(
        optimizer, 20, mi.optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.steps)
    )

    @mi.compile
    def step(x, t):
        optimizer.zero_grad()
        value = loss(model(x).reshape((-1, len(vocabulary))), t.reshape((-1,)))
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return value

    def unseen():
        with mi.no_grad():
            found = [
                loss(model(x).reshape((-1, len(vocabulary))), t.reshape((-1,))).item()
                for x, t in islice(DataLoader(kept, batch_size=32), 8)
            ]
        return float(np.mean(found))

    places = RandomSampler(seen, replacement=True, num_samples=16 * chosen.steps)
    for n, (x, t) in enumerate(DataLoader(seen, batch_size=16, sampler=places)):
        value = step(x, t)
        schedule.step()
        if n % 100 == 99:
            print(f"step {n + 1}: loss {value.item():.3f}, of unseen text {unseen():.3f}")
    print(written(model, "def ", vocabulary, 160, rng))
    return unseen()


if __name__ == "__main__":
    main()

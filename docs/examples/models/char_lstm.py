"""An LSTM that learns to write Python from the sources of Python's own library.

Run ``python char_lstm.py``; ``--steps 150`` for a short run. It prints the loss, in nats for a
character, on text that it has not seen, and some text of its own.
"""

import argparse
import os
from itertools import islice
from pathlib import Path

import numpy as np

import minima as mi
from minima import nn
from minima.data import CharVocabulary, DataLoader, RandomSampler, TextDataset

LENGTH = 64


def text(size):
    """Return *size* characters of the sources of Python's library."""
    folder = Path(os.__file__).parent
    files = sorted(folder.glob("*.py"))
    found = "".join(path.read_text("utf8", errors="ignore") for path in files)
    return "".join(c for c in found if ord(c) < 128)[:size]


class Writer(nn.Module):
    """Characters embedded, an LSTM, and a score for each next character."""

    def __init__(self, characters, width=128):
        super().__init__()
        self.token = nn.Embedding(characters, 32)
        self.lstm = nn.LSTM(32, width, batch_first=True)
        self.head = nn.Linear(width, characters)

    def forward(self, tokens, state=None):
        """Return scores (N, L, characters) for tokens (N, L), and the state to go on from."""
        y, state = self.lstm(self.token(tokens), state)
        return self.head(y), state


def written(model, start, vocabulary, length, rng):
    """Return *start* and *length* characters that the model adds, one after the other."""
    tokens = vocabulary.encode(start).tolist()
    model.eval()
    with mi.no_grad():
        scores, state = model(mi.Tensor([tokens]))
        for _ in range(length):
            shares = mi.softmax(scores[0, -1] * 1.5).numpy().astype("float64")
            tokens.append(int(rng.choice(len(vocabulary), p=shares / shares.sum())))
            scores, state = model(mi.Tensor([tokens[-1:]]), state)
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
    seen = TextDataset(source[:cut], LENGTH, vocabulary)
    kept = TextDataset(source[cut:], LENGTH, vocabulary, stride=LENGTH)
    model, loss = Writer(len(vocabulary)), nn.CrossEntropyLoss()
    optimizer = mi.optim.Adam(model.parameters(), lr=5e-3)
    schedule = mi.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, chosen.steps)

    @mi.compile
    def step(x, t):
        optimizer.zero_grad()
        scores, _ = model(x)
        value = loss(scores.reshape((-1, len(vocabulary))), t.reshape((-1,)))
        value.backward()
        optimizer.step()
        return value

    def unseen():
        with mi.no_grad():
            found = [
                loss(model(x)[0].reshape((-1, len(vocabulary))), t.reshape((-1,))).item()
                for x, t in islice(DataLoader(kept, batch_size=32), 8)
            ]
        return float(np.mean(found))

    places = RandomSampler(seen, replacement=True, num_samples=32 * chosen.steps)
    for n, (x, t) in enumerate(DataLoader(seen, batch_size=32, sampler=places)):
        value = step(x, t)
        schedule.step()
        if n % 100 == 99:
            print(f"step {n + 1}: loss {value.item():.3f}, of unseen text {unseen():.3f}")
    print(written(model, "def ", vocabulary, 160, rng))
    return unseen()


if __name__ == "__main__":
    main()

"""Text as characters or as bytes, in windows for models that predict what comes next."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.data.dataset import Dataset
from minima.data.errors import DatasetError
from minima.data.sampler import positive_size
from minima.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from minima.tensor import Tensor, asarray

__all__ = ["CharVocabulary", "TextDataset", "read_text"]


def read_text(path: str | os.PathLike[str], encoding: str | None = "utf-8") -> Any:
    r"""Read a file as text, or with `encoding=None` as bytes.

    Raises: DatasetError, naming file and byte, when it is missing or not in that encoding;
    ArgumentError for an unknown one.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "text")
    >>> _ = path.write_bytes(b"caf\xc3\xa9")
    >>> mi.data.read_text(path), mi.data.read_text(path, encoding=None)
    ('café', b'caf\xc3\xa9')
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        return data if encoding is None else data.decode(encoding)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: is not {encoding}: {error.reason} at byte {error.start}; give its "
            "encoding, or None for bytes"
        ) from error
    except LookupError:
        raise ArgumentError(f"read_text: encoding is {encoding!r}; expected a known one") from None


class CharVocabulary:
    """Number the different characters of a text, in the order of their code points.

    Raises: ArgumentError, naming it, for a character that is not there and without `unknown`, one
    of the vocabulary, that takes its place.

    >>> vocabulary = mi.data.CharVocabulary("hello")
    >>> len(vocabulary), vocabulary.encode("hole").tolist(), vocabulary.decode([1, 0])
    (4, [1, 3, 2, 0], 'he')
    """

    def __init__(self, text: Iterable[str], unknown: str | None = None) -> None:
        self.characters = "".join(sorted(set(text)))
        self.unknown = unknown
        self._points = _points(self.characters)
        if unknown is not None and (len(unknown) != 1 or unknown not in self.characters):
            raise ArgumentError(
                f"CharVocabulary: unknown is {unknown!r}; expected one character of the text"
            )

    def __len__(self) -> int:
        return len(self.characters)

    def __repr__(self) -> str:
        return f"CharVocabulary({self.characters!r})"

    def encode(self, text: str) -> npt.NDArray[np.int64]:
        """Return the numbers of the characters of *text*: (len(text),), int64."""
        points = _points(text)
        if not len(self):
            places = np.zeros(len(points), np.int64)
            wrong = np.arange(len(points))
        else:
            places = np.searchsorted(self._points, points).clip(0, len(self) - 1)
            wrong = np.flatnonzero(self._points[places] != points)
        if wrong.size:
            if self.unknown is None:
                raise ArgumentError(
                    f"CharVocabulary: character {text[wrong[0]]!r} at {wrong[0]} is not among its "
                    f"{len(self)}; expected those, or a vocabulary with unknown="
                )
            places[wrong] = self.characters.index(self.unknown)
        return places.astype(np.int64)

    def decode(self, numbers: Any) -> str:
        """Return the text of *numbers*, a sequence, an array or a Tensor of one axis."""
        array = numbers.numpy() if isinstance(numbers, Tensor) else np.asarray(numbers)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ShapeError(
                f"CharVocabulary: numbers have shape {array.shape}, dtype {array.dtype}; expected "
                "(N,) whole numbers"
            )
        if array.size and not 0 <= array.min() <= array.max() < len(self):
            raise IndexRangeError(
                f"CharVocabulary: numbers run from {array.min()} to {array.max()}; expected 0 to "
                f"{len(self) - 1}"
            )
        return "".join(self.characters[i] for i in array.tolist())


class TextDataset(Dataset):
    """Give windows of a text and, as targets, the same windows one further on.

    `text` is a str, whose characters `vocabulary` numbers (by default its own), bytes, which are
    numbers from 0 to 255, or an array of numbers. Windows begin every `stride` places.

    Shapes: samples (block_size,) and (block_size,); batches (B, block_size) each.
    Dtype: int64.
    Raises: ArgumentError when a size is not above 0 or the text has no window; DTypeError for
    other texts.

    >>> data = mi.data.TextDataset("hello world", block_size=4)
    >>> x, y = data[6]
    >>> len(data), data.vocabulary.decode(x), data.vocabulary.decode(y)
    (7, 'worl', 'orld')
    """

    def __init__(
        self,
        text: str | bytes | npt.NDArray[Any],
        block_size: int,
        vocabulary: CharVocabulary | None = None,
        stride: int = 1,
    ) -> None:
        self.block_size = positive_size("TextDataset", "block_size", block_size)
        self.stride = positive_size("TextDataset", "stride", stride)
        if isinstance(text, str):
            vocabulary = CharVocabulary(text) if vocabulary is None else vocabulary
            numbers: npt.NDArray[Any] = vocabulary.encode(text)
            numbers = numbers.astype(np.min_scalar_type(max(len(vocabulary) - 1, 0)))
        elif isinstance(text, (bytes, bytearray)):
            numbers = np.frombuffer(bytes(text), np.uint8)
        else:
            numbers = np.asarray(text)
            if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
                raise DTypeError(
                    f"TextDataset: text is a {type(text).__name__}; expected str, bytes or an "
                    "array (N,) of whole numbers"
                )
        if len(numbers) <= self.block_size:
            raise ArgumentError(
                f"TextDataset: the text has {len(numbers)} places; expected at least "
                f"{self.block_size + 1}, one more than block_size"
            )
        self.numbers = numbers
        self.vocabulary = vocabulary

    @property
    def vocabulary_size(self) -> int:
        """Return how many different numbers there can be."""
        if self.vocabulary is not None:
            return len(self.vocabulary)
        return 256 if self.numbers.dtype == np.uint8 else int(self.numbers.max()) + 1

    def split(self, fraction: float = 0.9) -> tuple[TextDataset, TextDataset]:
        """Return the first part of the text, and the rest, as data sets that share no place.

        >>> train, test = mi.data.TextDataset("abcdefghij" * 10, block_size=4).split(0.8)
        >>> len(train), len(test)
        (76, 16)
        """
        if not 0 < fraction < 1:
            raise ArgumentError(f"split: fraction is {fraction!r}; expected one between 0 and 1")
        cut = int(len(self.numbers) * fraction)
        first, second = (
            TextDataset(part, self.block_size, self.vocabulary, self.stride)
            for part in (self.numbers[:cut], self.numbers[cut:])
        )
        return first, second

    def __len__(self) -> int:
        return (len(self.numbers) - self.block_size - 1) // self.stride + 1

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        x, y = self.__getitems__([index])
        return x[0], y[0]

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        rows, size = np.asarray(indices, dtype=np.int64), len(self)
        outside = rows[(rows < -size) | (rows >= size)]
        if outside.size:
            raise IndexRangeError(
                f"TextDataset: index {outside[0]} lies outside of {size} windows; expected "
                f"{-size} to {size - 1}"
            )
        places = (rows % size * self.stride)[:, None] + np.arange(self.block_size + 1)
        windows = self.numbers[places].astype(np.int64)
        return asarray(windows[:, :-1].copy()), asarray(windows[:, 1:].copy())


def _points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)

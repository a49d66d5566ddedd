import numpy as np
import pytest

import minima as mi
from minima.data import CharVocabulary, DatasetError, TextDataset, read_text

TEXT = "to be, or not to be: ça ira 🙂"


def test_vocabulary():
    """Catch numbers that depend on the order of the text, and a way back that loses any."""
    vocabulary = CharVocabulary(TEXT)
    assert vocabulary.characters == "".join(sorted(set(TEXT)))
    numbers = vocabulary.encode(TEXT)
    assert numbers.dtype == np.int64
    assert numbers.tolist() == [vocabulary.characters.index(c) for c in TEXT]
    assert vocabulary.decode(numbers) == vocabulary.decode(mi.Tensor(numbers)) == TEXT
    assert CharVocabulary("ab?", unknown="?").encode("xaz").tolist() == [0, 1, 0]
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.decode([]) == ""


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("text", [TEXT, TEXT.encode(), np.arange(40) * 1000])
def test_windows(text, stride):
    """Catch targets that are not the next place, a lost last window, one past the end."""
    data = TextDataset(text, 5, stride=stride)
    whole = data.numbers.astype(int).tolist()
    starts = [s for s in range(0, len(whole), stride) if s + 6 <= len(whole)]
    assert len(data) == len(starts)
    for i, start in enumerate(starts):
        x, y = data[i]
        assert x.dtype == y.dtype == "int64"
        assert x.tolist() == whole[start : start + 5]
        assert y.tolist() == whole[start + 1 : start + 6]
    x, y = data.__getitems__([0, -1])
    assert (x.shape, y.shape) == ((2, 5), (2, 5))
    assert x[1].tolist() == data[len(data) - 1][0].tolist()


def test_split():
    """Catch places that both parts share, and parts that number characters differently."""
    train, test = TextDataset("abcdefghij" * 4, 3).split(0.75)
    assert (len(train.numbers), len(test.numbers)) == (30, 10)
    assert train.vocabulary is test.vocabulary
    assert train.vocabulary_size == test.vocabulary_size == 10


def test_sizes_of_vocabularies():
    """Catch an embedding that would be too small for the numbers that come."""
    assert TextDataset(b"abcdef", 3).vocabulary_size == 256
    assert TextDataset(np.array([0, 7, 3]), 2).vocabulary_size == 8
    assert TextDataset("aabbc", 2).vocabulary_size == 3


def test_files(tmp_path):
    """Catch another encoding taken for the one asked for."""
    path = tmp_path / "text"
    path.write_bytes(b"caf\xe9")
    assert read_text(path, "latin-1") == "café"
    assert read_text(path, None) == b"caf\xe9"
    with pytest.raises(DatasetError, match=r"text: is not utf-8: .* at byte 3"):
        read_text(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_text(tmp_path / "other")
    with pytest.raises(ValueError, match="encoding is 'latin-99'"):
        read_text(path, "latin-99")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CharVocabulary("ab").encode("abc"), ValueError, "character 'c' at 2"),
        (lambda: CharVocabulary("").encode("c"), ValueError, "character 'c' at 0"),
        (lambda: CharVocabulary("ab", unknown="c"), ValueError, "unknown is 'c'"),
        (lambda: CharVocabulary("ab").decode([2]), IndexError, "from 2 to 2; expected 0 to 1"),
        (lambda: CharVocabulary("ab").decode([-1]), IndexError, "from -1"),
        (lambda: CharVocabulary("ab").decode([0.5]), ValueError, "dtype float64"),
        (lambda: CharVocabulary("ab").decode([[0]]), ValueError, r"shape \(1, 1\)"),
        (lambda: TextDataset("abc", 0), ValueError, "block_size is 0"),
        (lambda: TextDataset("abc", 2, stride=0), ValueError, "stride is 0"),
        (lambda: TextDataset("abc", 3), ValueError, "has 3 places; expected at least 4"),
        (lambda: TextDataset(3.5, 3), TypeError, "text is a float"),
        (lambda: TextDataset("abc", 2)[1], IndexError, "index 1 lies outside of 1 windows"),
        (lambda: TextDataset("abc", 2).split(1.0), ValueError, "fraction is 1.0"),
        (lambda: TextDataset("abcdef", 3).split(0.5), ValueError, "has 3 places"),
    ],
)
def test_bad_calls(make, error, message):
    """Catch a wrong number in silence."""
    with pytest.raises(error, match=message) as caught:
        make()
    assert isinstance(caught.value, mi.MinimaError)

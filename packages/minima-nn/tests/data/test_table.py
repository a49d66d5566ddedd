import numpy as np
import pytest

import minima as mi
from minima.data import DatasetError, Table, read_csv


def read(tmp_path, content, **options):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_csv(path, **options)


@pytest.mark.parametrize(
    ("text", "options", "names", "values"),
    [
        ("a,b\n1,2\n3,4\n", {}, ("a", "b"), [[1, 2], [3, 4]]),
        ("\ufeffa , b\r\n 1 , 2 \r\n\r\n3,-4e1", {}, ("a", "b"), [[1, 2], [3, -40]]),
        ("1;2\n3;4\n", {"header": False, "delimiter": ";"}, ("0", "1"), [[1, 2], [3, 4]]),
        ('"a, b",c\n"1","2"\n', {}, ("a, b", "c"), [[1, 2]]),
        ("a,b,c\n1,x,3\n", {"columns": ["c", 0]}, ("c", "a"), [[3, 1]]),
        ("a,b\n1,\n,2\n", {"missing": -1}, ("a", "b"), [[1, -1], [-1, 2]]),
        ("k,a\nz,1\nx,2\nz,3\n", {"text": ["k"]}, ("k", "a"), [[1, 1], [0, 2], [1, 3]]),
        ("a,b\n", {}, ("a", "b"), []),
        ("a\n9007199254740993\n", {"dtype": np.int64}, ("a",), [[9007199254740993]]),
    ],
)
def test_read(tmp_path, text, options, names, values):
    """Catch columns that are mixed up, quotes taken for text, a lost row, rounded integers."""
    table = read(tmp_path, text, **options)
    assert table.names == names
    assert table.values.tolist() == values
    assert table.values.dtype == options.get("dtype", np.float32)
    assert table.values.shape == (len(values), len(names))
    assert len(table) == len(values)


def test_what_is_no_finite_number(tmp_path):
    """Catch nan and inf, where a file says so, that are refused or changed."""
    values = read(tmp_path, "a,b\nnan,-inf\n").values
    assert np.isnan(values[0, 0])
    assert values[0, 1] == -np.inf
    assert np.isnan(read(tmp_path, 'a\n""\n', missing=float("nan")).values[0, 0])


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "holds no rows"),
        ("a,b\n1,2\n3\n", {}, "line 3: has 1 fields; expected 2"),
        ("a,b\n1,2,3\n", {}, "line 2: has 3 fields"),
        ("a,b\n1,\n", {}, "line 2: column 'b' is empty"),
        ("a,b\n1,x\n", {}, "line 2: column 'b' is 'x'; expected a number"),
        ("a\n1_0\n", {}, "'1_0'; expected a number"),
        ("a\n1.5\n", {"dtype": "int64"}, "'1.5'; expected a whole number"),
        ("a\n1e39\n", {}, "1e39, too large for float32"),
        ("a\n-1e400\n", {"dtype": "float64"}, "-1e400, too large for float64"),
        ("a\n300\n", {"dtype": "uint8"}, "300, too large for uint8"),
        ("a\n-1\n", {"dtype": "uint64"}, "-1, too large for uint64"),
        ("a,a\n1,2\n", {}, "line 1: column names repeat"),
        ('a\n"1\n', {}, "line 2: not sound CSV"),
        (b"a\n\xff\n", {}, r"is not UTF-8 \(invalid start byte, byte 0xff"),
        ("a\n" + "1" * 200_000, {}, "not sound CSV: field larger"),
        ("a\n" + "1" * 5000, {"dtype": "int64"}, "line 2: column 'a'"),
    ],
)
def test_damaged_files(tmp_path, text, options, message):
    """Catch a wrong number in silence, and an error without the line."""
    with pytest.raises(DatasetError, match=message) as caught:
        read(tmp_path, text, **options)
    assert "table.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: read_csv(p, columns=["z"]), ValueError, r"column 'z'; expected one of \['a'\]"),
        (lambda p: read_csv(p, columns=[1]), ValueError, "column 1"),
        (lambda p: read_csv(p, dtype=complex), TypeError, "dtype is complex128"),
        (lambda p: read_csv(p, delimiter=""), ValueError, "delimiter is ''"),
        (lambda p: read_csv(p)["z"], ValueError, "Table: got column 'z'"),
        (lambda p: read_csv(p / "x"), ValueError, "cannot be read"),
        (lambda p: read_csv(p, dtype="int64", missing=0.5), ValueError, "missing is 0.5"),
        (lambda p: read_csv(p, dtype="uint8", missing=300), ValueError, "missing is 300"),
        (lambda p: read_csv(p, dtype="uint8", missing=float("nan")), ValueError, "missing is nan"),
    ],
)
def test_bad_calls(tmp_path, make, error, message):
    """Catch an option that is ignored."""
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")
    with pytest.raises(error, match=message) as caught:
        make(path)
    assert isinstance(caught.value, mi.MinimaError)


def test_columns_of_a_table():
    """Catch a column found by another name."""
    table = Table(("a", "b"), np.array([[1, 2], [3, 4]]))
    assert table["b"].tolist() == [2, 4]
    assert table["b", "a"].tolist() == [[2, 1], [4, 3]]

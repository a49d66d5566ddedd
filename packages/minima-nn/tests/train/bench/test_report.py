"""Tables: every number from the rows, ratios to the best peer, reasons below."""

from minima.train.bench.report import Table, markdown, rst, tables

COMMON = {"workload": "mlp-small", "mode": "train", "note": ""}
ROWS = [
    {**COMMON, "contender": "minima numpy", "median": 3e-5, "low": 3e-5, "high": 3.3e-5},
    {**COMMON, "contender": "PyTorch", "median": 2e-4, "low": 2e-4, "high": 2e-4, "first": 1.5},
    {**COMMON, "contender": "JAX", "median": 4e-5, "low": 4e-5, "high": 4e-5},
    {**COMMON, "contender": "MyGrad", "note": "layer missing: LSTM"},
]


def test_ratio_is_to_the_best_peer():
    times, first = tables(ROWS, peers=["PyTorch", "JAX", "MyGrad"])
    assert times.header[-1] == "numpy / best peer"
    (line,) = times.lines
    assert line == [
        "MLP 64-32-10, batch 32", "training step",
        "30 ±5%", "200 ±0%", "40 ±0%", "- [1]", "0.75",
    ]  # fmt: skip
    assert times.remarks == ["layer missing: LSTM"]
    assert first.lines == [["MLP 64-32-10, batch 32", "-", "1.50", "-", "-"]]


def test_without_peers_the_first_is_the_measure():
    times = tables(ROWS[:1] + ROWS[2:3])[0]
    assert times.header[-1] == "JAX / minima numpy"
    assert times.lines[0][-1] == "1.33"


def test_markdown():
    table = Table("t", ["workload", "a"], [["x", "1"]])
    table.remark("because")
    assert markdown(table).splitlines() == [
        "| workload | a |", "|---|---:|", "| x | 1 |", "", "[1] because  ",
    ]  # fmt: skip


def test_rst():
    table = Table("t", ["workload", "a"], [["x", "1"]])
    table.remark("a `b`")
    assert rst(table).splitlines() == [
        ".. list-table:: t", "   :header-rows: 1", "",
        "   * - workload", "     - a", "   * - x", "     - 1", "", "| [1] ``a 'b'``",
    ]  # fmt: skip

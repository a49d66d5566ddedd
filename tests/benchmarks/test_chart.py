"""The chart: ratios to the best peer."""

from benchmarks.chart import ratios


def row(contender, median, mode="train"):
    return {"workload": "lstm", "mode": mode, "contender": contender, "median": median}


def test_ratios_are_to_the_best_peer():
    rows = [row("minima", 1.0), row("a", 4.0), row("b", 2.0), row("b", 0.1, "infer")]
    assert ratios(rows, {"a", "b"}) == {"lstm": {"minima": 0.5, "a": 2.0, "b": 1.0}}


def test_rows_without_times_are_left_out():
    assert (
        ratios([{"workload": "lstm", "mode": "train", "contender": "a", "note": "x"}], set()) == {}
    )

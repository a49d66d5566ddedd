"""Side by side: rows for all, reasons for who cannot, and no time for who computes otherwise."""

from minima.train.bench.measure import CONTENDERS, Contender, Settings, compare

SETTINGS = Settings(rounds=2, seconds=0.01, modes=("train",))
EAGER, NUMPY, _ = CONTENDERS
SCALED = """
import minima as mi
from minima.train.bench import contenders


def eager(workload, training):
    trial = contenders.eager(workload, training)
    with mi.no_grad():
        for parameter in trial.model.parameters():
            parameter.mul_(1.01)
    return trial
"""


def test_rows():
    rows = compare(["mlp-small"], [EAGER, NUMPY], SETTINGS)
    assert [row["contender"] for row in rows] == ["minima eager", "minima numpy"]
    for row in rows:
        assert row["note"] == ""
        assert len(row["rounds"]) == 2
        assert 0 < row["best"] <= row["low"] <= row["median"] <= row["high"]
        assert row["first"] > 0


def test_reasons():
    """Catch a contender that vanishes from the table."""
    absent = Contender("absent", "no.such.module:eager")
    lines = []
    rows = compare(["mlp-small"], [EAGER, absent], SETTINGS, lines.append)
    assert "no.such" in rows[1]["note"] or "'no'" in rows[1]["note"]
    assert "median" not in rows[1]
    assert "median" in rows[0]
    assert any("absent" in line for line in lines)


def test_who_computes_something_else_is_not_timed(tmp_path):
    """Catch a fast contender that trains another model."""
    (tmp_path / "scaled.py").write_text(SCALED)
    other = Contender("other", "scaled:eager", environment=(("PYTHONPATH", str(tmp_path)),))
    rows = compare(["mlp-small"], [EAGER, other], SETTINGS)
    assert rows[1]["note"].startswith("computes something else than minima eager: off by")
    assert "median" not in rows[1]

"""The machine: told on any system, whatever files it has."""

from minima.train.bench import machine


def test_a_system_without_proc(monkeypatch):
    """Catch a benchmark that only runs on Linux."""
    monkeypatch.setattr(machine, "_first", lambda file, name: "")
    found = machine.describe()
    assert found["memory"] == 0
    assert found["processor"]
    assert machine.sentence(found).endswith(".")

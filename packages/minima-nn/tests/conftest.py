"""What a run of the tests says at its end."""

import sys
from pathlib import Path


def pytest_terminal_summary(terminalreporter):
    """Say how much is held to PyTorch: the names that are expected, and the rows that compare."""
    reports = [r for group in terminalreporter.stats.values() for r in group]
    if not any("parity/" in getattr(report, "nodeid", "") for report in reports):
        return
    sys.path.insert(0, str(Path(__file__).parent))  # processes beside this one ran the tests
    from parity import names, rows

    count = sum(map(len, names.PLACES.values()))
    kinds = {}
    for row in rows.ROWS:
        kinds[row.kind] = kinds.get(row.kind, 0) + 1
    found = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    terminalreporter.write_line(f"held to PyTorch: {count} names, {len(rows.ROWS)} rows ({found})")

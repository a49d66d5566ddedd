"""What a run of the tests says at its end."""


def pytest_terminal_summary(terminalreporter):
    """Say how much is held to PyTorch: the names that are expected, and the rows that compare."""
    try:
        from parity import names, rows
    except ImportError:  # only other tests ran
        return
    count = sum(map(len, names.PLACES.values()))
    kinds = {}
    for row in rows.ROWS:
        kinds[row.kind] = kinds.get(row.kind, 0) + 1
    found = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    terminalreporter.write_line(f"held to PyTorch: {count} names, {len(rows.ROWS)} rows ({found})")

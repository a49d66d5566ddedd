"""minima side by side with its peers: `python -m benchmarks`, or `tox -e bench`.

The workloads, and the way to measure, are those of `minima bench`; here are the peers, the table of
operators, and what importing and installing each costs.
"""

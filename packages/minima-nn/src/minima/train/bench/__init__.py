"""`minima bench`: how long training steps and inference take, eager and with each executor.

A workload is a model without a framework: sizes, weights and data as NumPy arrays. A contender
runs it, in a process of its own; `compare` lets contenders take turns.
"""

from minima.train.bench.measure import compare
from minima.train.bench.workloads import WORKLOADS, Workload

__all__ = ["WORKLOADS", "Workload", "compare"]

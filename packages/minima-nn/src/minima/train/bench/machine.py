"""The machine that numbers come from, in words that a table can carry."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["describe", "versions"]


def describe() -> dict[str, Any]:
    """Return the processor, cores, memory, system and load of this machine.

    >>> sorted(describe())
    ['blas', 'cores', 'load', 'memory', 'processor', 'python', 'system', 'vectors']
    """
    blas: Any = np.show_config(mode="dicts")
    found = blas.get("Build Dependencies", {}).get("blas", {})
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    flags = _first("/proc/cpuinfo", "flags").split()
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": cores,
        "vectors": next((f for f in ("avx512f", "avx2", "asimd") if f in flags), "unknown"),
        "memory": int(_first("/proc/meminfo", "MemTotal").split()[0] or 0) * 1024
        if _first("/proc/meminfo", "MemTotal")
        else 0,
        "system": platform.platform(),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "blas": f"{found.get('name', 'unknown')} {found.get('version', '')}".strip(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _first(file: str, name: str) -> str:
    """Return what the first line of *file* that begins with *name* says after the colon."""
    try:
        lines = Path(file).read_text("utf8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the version of each distribution that is installed.

    >>> sorted(versions(["numpy", "no-such-distribution"]))
    ['numpy']
    """
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def sentence(machine: dict[str, Any]) -> str:
    """Return one sentence about the machine of a measurement.

    >>> sentence(describe()).startswith("Measured on")
    True
    """
    return (
        f"Measured on {machine['cores']} cores of {machine['processor']} ({machine['vectors']}), "
        f"{machine['memory'] / 2**30:.0f} GiB, {machine['system']}, Python {machine['python']}, "
        f"{machine['blas']}; load before: {machine['load']}."
    )

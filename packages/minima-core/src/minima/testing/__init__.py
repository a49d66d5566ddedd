"""Checks that anyone can run on their own operators and devices.

`gradcheck` and `gradgradcheck` compare gradients with differences; `samples` holds inputs and
NumPy's answer for each operator; `conformance` walks them on any device:
``pytest --minima-device NAME --pyargs minima.testing.conformance``.
"""

from __future__ import annotations

from .gradcheck import GradcheckError, gradcheck, gradgradcheck

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

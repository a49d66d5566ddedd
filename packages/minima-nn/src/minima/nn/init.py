"""`minima.init` under PyTorch's name: ``minima.nn.init.kaiming_uniform_(layer.weight)``.

>>> mi.nn.init.zeros_(mi.empty(2))
Tensor([0., 0.])
"""

from __future__ import annotations

from minima.init import *  # noqa: F403
from minima.init import __all__ as __all__

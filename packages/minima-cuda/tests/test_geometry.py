"""Launch configurations: they cover the work, and a GPU takes them."""

import numpy as np
import pytest

from minima_cuda import geometry

COUNTS = (1, 31, 32, 33, 1023, 1024, 1025, 2**24 + 1, 2**31, 2**33 + 5, 10**14)
MAKERS = {
    "over_elements": lambda n: geometry.over_elements(n),
    "over_elements by 4": lambda n: geometry.over_elements(n, 4),
    "rows": lambda n: geometry.rows(n, 100),
    "long rows": lambda n: geometry.rows(3, n, most=4096),
    "tall tiles": lambda n: geometry.tiles(n, 3, (64, 32), (16, 16)),
    "wide tiles": lambda n: geometry.tiles(3, n, (64, 32), (16, 16)),
    "many tiles": lambda n: geometry.tiles(3, 3, (64, 32), (16, 16), batch=n),
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", MAKERS)
def test_a_gpu_takes_every_configuration(name, count):
    """Catches a grid beyond 2**31 - 1 or 65535 blocks, an empty one, and broken warps."""
    grid, block = MAKERS[name](count)
    assert all(1 <= n <= most for n, most in zip(grid, geometry.GRID_LIMITS))
    threads = int(np.prod(block))
    assert threads <= 1024
    assert threads % 32 == 0


@pytest.mark.parametrize("count", [n for n in COUNTS if n < 2**24])
def test_small_work_has_a_thread_or_a_block_for_each_item(count):
    """Catches a division that rounds down."""
    assert geometry.over_elements(count).grid[0] * geometry.BLOCK >= count
    assert geometry.rows(count, 7).grid == (count,)
    grid, _ = geometry.tiles(count, count, (64, 32), (16, 16))
    assert grid[0] * 32 >= count
    assert grid[1] * 64 >= count

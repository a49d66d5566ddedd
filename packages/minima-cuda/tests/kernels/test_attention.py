"""Attention and its gradient on the emulator: tiles, masks, and sizes that do not fit them."""

from dataclasses import dataclass
from functools import cache

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from kernels.compare import (
    LARGE_SCHEDULES,
    SMALL_SCHEDULES,
    Poisoned,
    assert_close,
    kernels,
    reference,
)
from minima_cuda.families.attention import KERNELS, OWN_BYTES, tiles_of

pytestmark = needs_emulator


@dataclass(frozen=True)
class Case:
    """Sizes: leading axes, queries, keys, size of a key, of a value; *mask* by its shape."""

    lead: tuple[int, ...]
    queries: int
    keys: int
    size: int
    width: int
    causal: bool = False
    mask: tuple[int, ...] | None = None
    added: bool = False

    @property
    def id(self):
        kind = "" if self.mask is None else "added" if self.added else "bools"
        return f"{self.lead}-{self.queries}x{self.keys}-{self.size}-{self.width}-{kind}"


SMALL = [
    Case((), 1, 1, 1, 1),
    Case((2,), 3, 5, 2, 3, causal=True),
    Case((), 16, 33, 4, 5),
    Case((2, 1), 1, 40, 7, 2, mask=(1, 40)),
    Case((2, 2, 2), 5, 3, 3, 1, mask=(2, 1, 2, 1, 3)),
    Case((2, 3), 4, 6, 2, 2, mask=(3, 4, 1), added=True, causal=True),
    Case((3,), 4, 4, 2, 2, mask=(4,), added=True),
]
LARGE = [
    Case((2,), 33, 31, 5, 7, causal=True),
    Case((2,), 65, 70, 9, 66),
    Case((), 31, 100, 66, 3, causal=True, mask=(31, 100), added=True),
    Case((), 100, 33, 16, 8, causal=True, mask=(100, 33)),
]
TYPES = ("float64", "float16", "bfloat16")


@cache
def arrays(case, dtype):
    """Return g, q, k, v and the mask."""
    random = np.random.default_rng(case.queries + case.keys)
    sizes = [
        (case.queries, case.width),
        (case.queries, case.size),
        (case.keys, case.size),
        (case.keys, case.width),
    ]
    found = [random.normal(size=(*case.lead, *s)).astype(dtype) for s in sizes]
    if case.mask is None:
        return *found, None
    if case.added:
        return *found, random.normal(size=case.mask).astype(dtype)
    mask = random.random(case.mask) < 0.6
    mask[..., :1, :] &= case.queries == 1 or case.mask[-2] == 1  # a query that sees no key
    return *found, mask


def check(table, case, dtype, forward=True, backward=True):
    g, q, k, v, mask = arrays(case, dtype)
    attrs = {"causal": case.causal, "scale": case.size**-0.5}
    before = [x.copy() for x in (g, q, k, v)]
    pairs = []
    if forward:
        pairs.append(("scaled_dot_product_attention", (q, k, v, mask)))
    if backward:
        pairs.append(("attention_gradient", (g, q, k, v, mask)))
    for name, inputs in pairs:
        found = table[name](*inputs, **attrs)
        assert found.dtype == dtype
        assert_close(found, reference(name, *inputs, **attrs), dtype, 8.0)
    assert all((x == y).all() for x, y in zip((g, q, k, v), before))


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
@pytest.mark.parametrize("case", SMALL, ids=lambda c: c.id)
def test_small(case, schedule):
    """Catches a race between tiles and threads, and masks that are read at the wrong place."""
    check(kernels(schedule), case, "float32")


@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
@pytest.mark.parametrize("case", LARGE, ids=lambda c: c.id)
def test_several_tiles(case, schedule):
    """Catches softmax that is not carried from tile to tile, and tiles left out."""
    check(kernels(schedule), case, "float32")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("case", [SMALL[5], LARGE[0]], ids=lambda c: c.id)
def test_types(case, dtype):
    """Catches sums in a type too narrow, and tiles sized for another type."""
    check(kernels("reverse"), case, dtype)


class Few:
    """A launcher that gives the work to two blocks."""

    def __init__(self, launcher):
        self.launcher = launcher

    def launch(self, source, name, grid, block, args, smem=0):
        """Launch on *launcher*."""
        assert grid[0] > 2
        self.launcher.launch(source, name, (2,), block, args, smem)


def test_a_grid_smaller_than_the_work():
    """Catches a block that takes no second tile."""
    table = KERNELS(Few(EmulatorLauncher()), Poisoned())
    check(table, Case((5,), 16, 33, 4, 5), "float32")


def large_scores(table, scores):
    q = np.full((3, 4), scores, np.float32)
    k = np.linspace(0.5, 1, 160, dtype=np.float32).reshape(40, 4)
    v = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    attrs = {"causal": False, "scale": 1.0}
    found = table["scaled_dot_product_attention"](q, k, v, **attrs)
    wanted = reference("scaled_dot_product_attention", q, k, v, **attrs)
    assert_close(found, wanted, "float32", 100.0)


@pytest.mark.parametrize("scores", [1e4, -1e4])
def test_large_scores(scores):
    """Catches exp of a score from which the largest one was not taken."""
    large_scores(kernels("forward"), scores)


def test_a_query_that_sees_nothing_has_no_gradient():
    """Catches 0 / 0 of a row whose keys are all masked."""
    q = np.ones((2, 3), np.float32)
    mask = np.array([[True, True], [False, False]])
    attrs = {"causal": False, "scale": 1.0}
    table = kernels("forward")
    assert (table["scaled_dot_product_attention"](q, q, q, mask, **attrs)[1] == 0).all()
    found = table["attention_gradient"](q, q, q, q, mask, **attrs)
    assert np.isfinite(found).all()
    assert (found[3:6] == 0).all()


def test_out():
    """Catches a result that is not where the caller asked for it."""
    g, q, k, v, mask = arrays(SMALL[1], "float32")
    attrs = {"causal": True, "scale": 0.5}
    table = kernels("forward")
    for name, inputs in [
        ("scaled_dot_product_attention", (q, k, v, mask)),
        ("attention_gradient", (g, q, k, v, mask)),
    ]:
        wanted = table[name](*inputs, **attrs)
        out = np.full(wanted.shape, np.nan, np.float32)
        assert table[name](*inputs, **attrs, out=out) is out
        assert (out == wanted).all()
    out = q.copy()[..., :2]
    table["scaled_dot_product_attention"](out, k, v[..., :2], **attrs, out=out)
    wanted = table["scaled_dot_product_attention"](q, k, v[..., :2], **attrs)
    assert (out == wanted).all()


@pytest.mark.parametrize(
    ("rows", "held", "itemsize"),
    [(r, h, b) for r in (1, 40, 10**6) for h in ((64,), (128, 128), (256, 256)) for b in (4, 8)],
)
def test_tiles_fit_every_gpu(rows, held, itemsize):
    """Catches more shared memory than the 64 KiB of sm_75."""
    tiles = tiles_of(rows, held, max(held), itemsize)
    if tiles is None:
        assert 16 * sum(held) * itemsize > OWN_BYTES - 2048
    else:
        assert tiles.shared <= 64 << 10


def test_rows_too_long_are_left_to_products():
    """Catches a kernel asked for more than it has been made for."""
    launcher = EmulatorLauncher()
    check(KERNELS(launcher, Poisoned()), Case((), 2, 3, 300, 2), "float32")
    assert not launcher.launched


def test_under_the_sanitizers():
    """Catches accesses outside of an array or of shared memory."""
    table = KERNELS(EmulatorLauncher(sanitize=True), np)
    for case in (SMALL[5], LARGE[2]):
        check(table, case, "float32")

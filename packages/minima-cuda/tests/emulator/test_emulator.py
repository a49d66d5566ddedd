"""The emulator: a kernel with a fault is named with it, and one without passes."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from emulator import EmulatorLauncher, KernelFault, needs_emulator
from minima_cuda.launch import Pointers
from minima_cuda.modules import name_of
from minima_cuda.sources import Source

pytestmark = needs_emulator

TEXT = "".join(
    f'#line 1 "{name}"\n{text}\n'
    for name, text in (
        ("common.cuh", (files("minima_cuda") / "kernels" / "common.cuh").read_text("utf-8")),
        ("table", "struct Table { const float* at[4]; };"),
        ("kernels.cu", (Path(__file__).parent / "kernels.cu").read_text("utf-8")),
    )
).replace("#pragma once", "")


@dataclass(frozen=True)
class Text:
    """A source that is all there."""

    text: str = TEXT


def run(name, launcher=None, n=33, threads=64, blocks=1, smem=0, x=None, y=None):
    """Launch a kernel of (x, y, n) and return y."""
    x = np.arange(1, n + 1, dtype=np.float32) if x is None else x
    y = np.full(n, np.nan, np.float32) if y is None else y
    launcher = launcher or EmulatorLauncher()
    launcher.launch(Text(), name, (blocks,), (threads,), (x, y, np.int32(n)), smem)
    return y


def x(n):
    return np.arange(1, n + 1, dtype=np.float32)


SCHEDULES = ("forward", "reverse", 1, 2, 3)
RIGHT = {
    # name: (options, what y has to be)
    "barrier_right": ({"n": 64}, x(64)[::-1]),
    "count_right": ({}, np.full(33, 33)),
    "shuffle_right": ({"n": 32, "threads": 32}, np.full(32, 528)),
    "vote_right": ({"n": 20, "threads": 32}, np.full(20, 120)),
    "warp_right": ({"n": 32, "threads": 32}, (x(32)[::-1]).reshape(-1, 2)[:, ::-1].ravel()),
    "add_right": ({"n": 1000, "blocks": 16}, x(1000) + 1),
    "dynamic_right": ({"n": 64, "smem": 256}, x(64)[::-1]),
    "constant_right": ({"n": 5, "threads": 5}, [2, 3, 4, 1, 2]),
    "blocks_share_atomically": ({"blocks": 33, "y": np.zeros(1, "f4")}, [561]),
    "neighbours_right": ({"x": np.arange(33, dtype="i1"), "y": np.zeros(33, "i1")}, np.arange(33)),
    "bytes_right": ({"x": np.arange(33, dtype="i1"), "y": np.zeros(33, "i1")}, np.arange(33)),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_kernel_passes(name, schedule):
    """Catches a check that calls a right kernel wrong, and wrong results of its own."""
    options, wanted = RIGHT[name]
    got = run(name, EmulatorLauncher(schedule), **options)
    np.testing.assert_array_equal(got, wanted)
    if "y" in options:
        options["y"][...] = 0


@pytest.mark.parametrize("mode", [{"sanitize": True}, {"races": False}], ids=str)
def test_a_right_kernel_passes_in_every_mode(mode):
    launcher = EmulatorLauncher(3, **mode)
    for name, (options, wanted) in RIGHT.items():
        np.testing.assert_array_equal(run(name, launcher, **options), wanted)
        if "y" in options:
            options["y"][...] = 0


WRONG = [
    # name, options, kind, what the message says
    ("barrier_in_branch", {}, "barrier", r"kernels\.cu:\d+, thread \d+ of block 0 has returned"),
    ("barrier_two_places", {}, "barrier", r"kernels\.cu:\d+, .* is at kernels\.cu:\d+"),
    ("barrier_dropped", {"n": 64}, "race", r"byte \d+ of the 256 bytes of s .* it at"),
    ("bytes_dropped", {"x": np.ones(33, "i1"), "y": np.ones(33, "i1")}, "race", "of s in shared"),
    ("barrier_once", {"n": 64}, "race", r"byte \d+ of .* at kernels\.cu:\d+; .* it at kernels"),
    ("shuffle_in_branch", {"n": 16, "threads": 32}, "deadlock", "lanes 0xffffffff"),
    ("shuffle_outside_mask", {"n": 32, "threads": 32}, "lane", "reads lane 16"),
    ("shuffle_from_returned", {"n": 31, "threads": 32}, "lane", "reads lane 31"),
    ("shuffle_not_in_own_mask", {"n": 9}, "mask", "thread 8 of block 0 is not in its own"),
    ("warp_halves", {"n": 32, "threads": 32}, "race", "of s in shared memory"),
    ("warp_by_shuffle", {"n": 32, "threads": 32}, "race", "of s in shared memory"),
    ("read_past_end", {}, "bounds", r"reads 4 bytes at x\[33\] \(of 33 elements\) at kernels"),
    ("write_past_end", {}, "bounds", r"writes 4 bytes at y\[33\]"),
    ("write_before_start", {}, "bounds", r"writes 4 bytes at .*\["),
    ("shared_past_end", {"n": 64}, "bounds", "writes 4 bytes at byte 128 of the 128 bytes of s"),
    ("dynamic_right", {"n": 64, "smem": 252}, "bounds", "byte 252 of the dynamic shared memory"),
    ("shared_unwritten", {}, "uninitialised", "reads byte 128 of the 256 bytes of s"),
    ("vector_unaligned", {}, "alignment", "reads 16 bytes"),
    ("blocks_share", {"blocks": 2}, "race", r"block 1 reads y\[0\].*block 0 wrote it"),
    ("blocks_mix", {"blocks": 2}, "race", r"updates atomically y\[0\]"),
    ("block_reads_written", {"blocks": 33}, "race", r"writes y\[1\].* read it"),
    ("traps", {"x": np.zeros(33, "f4")}, "trap", r"kernels\.cu"),
    ("bounded", {"threads": 160}, "launch", "__launch_bounds__ allows 128"),
    ("add_right", {"threads": 1025}, "launch", r"block \(1025,\)"),
    ("add_right", {"blocks": 0}, "launch", r"grid \(0,\)"),
    ("add_right", {"blocks": 2**31}, "launch", "grid"),
    ("add_right", {"smem": 227 * 1024 + 1}, "launch", "bytes of shared memory"),
    ("too_much_shared", {}, "launch", "49160 bytes of static shared memory"),
    ("add_right", {"y": np.zeros(33)}, "launch", "y is p4, got p8"),
    ("nothing", {}, "launch", "no such kernel"),
]


@pytest.mark.parametrize(("name", "options", "kind", "message"), WRONG)
def test_a_fault_is_named(name, options, kind, message):
    """Catches a fault that the emulator lets pass, or names in another way."""
    with pytest.raises(KernelFault, match=message) as caught:
        run(name, EmulatorLauncher(), **options)
    assert caught.value.kind == kind


RACES = [row for row in WRONG if row[2] in ("race", "barrier", "uninitialised", "bounds")]


@pytest.mark.parametrize("schedule", SCHEDULES[1:])
@pytest.mark.parametrize(("name", "options", "kind", "message"), RACES)
def test_a_race_is_seen_in_every_order(name, options, kind, message, schedule):
    """Catches a race check that sees only what happened to go wrong."""
    with pytest.raises(KernelFault) as caught:
        run(name, EmulatorLauncher(schedule), **options)
    assert caught.value.kind == kind


SANITIZED = [
    ("read_past_end", {}, "heap-buffer-overflow"),
    ("write_past_end", {}, "heap-buffer-overflow"),
    ("overflow", {"x": np.array([2**31 - 1], "i4"), "y": np.zeros(1, "i4")}, "overflow"),
]


@pytest.mark.parametrize(("name", "options", "message"), SANITIZED)
def test_a_sanitizer_reports(name, options, message):
    """Catches a process under sanitizers that hangs, or whose report gets lost."""
    with pytest.raises(KernelFault, match=message) as caught:
        run(name, EmulatorLauncher(sanitize=True), **options)
    assert caught.value.kind == "sanitizer"
    assert "kernels.cu" in str(caught.value)


def test_a_number_of_another_type_is_refused():
    """Catches an index that a GPU would read from memory beyond a 32-bit argument."""
    given = np.zeros(1, "f4"), np.zeros(1, "f4"), np.int64(1)
    with pytest.raises(KernelFault, match="n is i4, got i8"):
        EmulatorLauncher().launch(Text(), "add_right", (1,), (1,), given)
    with pytest.raises(KernelFault, match="n got int"):
        EmulatorLauncher().launch(Text(), "add_right", (1,), (1,), (*given[:2], 1))
    with pytest.raises(KernelFault, match="2 arguments for 3"):
        EmulatorLauncher().launch(Text(), "add_right", (1,), (1,), given[:2])


@pytest.mark.parametrize(
    "source",
    [
        Source("softmax", "int32"),
        Source("softmax", "float32", (("TILE", "128"),)),
        Source("attention", "float32", (("SIDE", "8"), ("PARTS", "1"), ("MASK", "0"))),
        Source("attention", "float32", (("SIDE", "2"), ("PARTS", "1"))),
    ],
    ids=name_of,
)
def test_a_module_that_nobody_lists_is_refused(source):
    """Catches a kernel compiled in a way that no test compiles for a GPU."""
    with pytest.raises(KernelFault, match="not in the list") as caught:
        EmulatorLauncher().launch(source, "any", (1,), (1,), ())
    assert caught.value.kind == "launch"


def test_a_table_of_arrays_is_followed():
    rows, y = [np.full(2, i, "f4") for i in range(3)], np.zeros(3, "f4")
    args = Pointers(rows, room=4), y, np.int64(3)
    EmulatorLauncher().launch(Text(), "table", (1,), (1,), args)
    assert y.tolist() == [0, 1, 2]
    short = Pointers(rows[:2], room=4), y, np.int64(3)
    with pytest.raises(KernelFault, match="bounds"):
        EmulatorLauncher().launch(Text(), "table", (1,), (1,), short)


def test_arrays_that_overlap_are_the_same_memory():
    """Catches a launch in place whose input is not what it writes."""
    whole = x(40)
    assert run("add_right", x=whole[:33], y=whole[:33]).tolist() == (x(33) + 1).tolist()
    assert whole[33:].tolist() == x(40)[33:].tolist()
    with pytest.raises(KernelFault, match="race"):
        run("add_right", x=whole[:33], y=whole[1:34])


def _order(schedule):
    order, place = np.zeros(256, "u4"), np.zeros(1, "u4")
    EmulatorLauncher(schedule).launch(Text(), "first_come", (2,), (128,), (order, place))
    return order.tolist()


def test_schedules_are_orders_of_threads_warps_and_blocks():
    """Catches a schedule that is the same as another, or that leaves a thread out."""
    assert _order("forward") == list(range(256))
    assert _order("reverse") == list(range(256))[::-1]
    shuffled = {seed: _order(seed) for seed in range(5)}
    assert all(sorted(order) == list(range(256)) for order in shuffled.values())
    assert len({tuple(order) for order in shuffled.values()}) == 5
    assert _order(3) == shuffled[3]


HALVES = "KERNEL halves(const float* x, UInt16* y) { y[blockIdx.x] = %s(x[blockIdx.x]); }"
WIDER = "KERNEL wider(const UInt16* x, float* y) { int i = first_element(); y[i] = %s(x[i]); }"
BACK = "half_to_float"


def test_half_is_rounded_as_numpy_rounds():
    """Catches a tie, a subnormal number, an overflow or a NaN that becomes another number."""
    every = np.arange(2**16, dtype="u2")
    wide = np.zeros(2**16, "f4")
    source = Text(TEXT + WIDER % BACK)
    EmulatorLauncher(races=False).launch(source, "wider", (64,), (1024,), (every, wide))
    np.testing.assert_array_equal(wide, every.view("f2").astype("f4"))

    sizes = every.view("f2").astype("f4")[:0x7C01]
    between = np.append((sizes[1:].astype("f8") + sizes[:-1]).astype("f4") / 2, 65520)
    between = between[np.isfinite(between)]
    near = [np.nextafter(between, np.float32(s)) for s in (-np.inf, np.inf)]
    given = np.concatenate([between, *near, -between, [np.inf, -np.inf, 1e30, 1e-30]])
    given = given.astype("f4")
    narrow = np.zeros(given.size, "u2")
    source = Text(TEXT + HALVES % "float_to_half")
    EmulatorLauncher(races=False).launch(source, "halves", (given.size,), (1,), (given, narrow))
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_array_equal(narrow, given.astype("f2").view("u2"))


def test_bfloat16_is_rounded_to_nearest_even():
    given = np.array([0x3F808000, 0x3F818000, 0x3F808001, 0x7F7FFFFF, 0x7F800000, 0x7F800001])
    narrow = np.zeros(6, "u2")
    source = Text(TEXT + HALVES % "float_to_bfloat16")
    args = given.astype("u4").view("f4"), narrow
    EmulatorLauncher().launch(source, "halves", (6,), (1,), args)
    assert [hex(n) for n in narrow] == "0x3f80 0x3f82 0x3f81 0x7f80 0x7f80 0x7fff".split()

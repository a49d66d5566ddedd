"""Random programs of views, writes, indices and arithmetic, against a naive copy-everything twin.

The twin keeps every element's value and its slopes by all elements of the leaves (forward mode), a
view as an array of places in a store. It knows nothing of versions, nodes or strides.
MINIMA_EXAMPLES sets how many programs are run.
"""

import os
import random
from dataclasses import dataclass, field

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import minima as mi

LEAVES = ((2, 3), (4,), ())
SLOPES = sum(int(np.prod(s)) for s in LEAVES)


@dataclass
class Store:
    """Memory: its values, and how often it was written."""

    values: np.ndarray
    writes: int = 0


@dataclass
class Family:
    """A tensor and its recorded views: what the graph knows of one store."""

    slopes: np.ndarray
    tracked: bool = False
    leaf: bool = False
    history: frozenset = frozenset()


@dataclass
class Twin:
    """One tensor: its family, and the place in the store of each of its elements."""

    store: Store
    family: Family
    places: np.ndarray
    outside: bool = False
    readonly: bool = False

    @property
    def values(self):
        return self.store.values[self.places]

    @property
    def tracked(self):
        return self.family.tracked and not self.outside

    @property
    def slopes(self):
        found = self.family.slopes[self.places]
        return found if self.tracked else np.zeros_like(found)


@dataclass
class Saved:
    """One recorded operation: the stores that its gradient may read, and their state then."""

    stores: list
    writes: list = field(init=False)

    def __post_init__(self):
        self.writes = [s.writes for s in self.stores]

    def stale(self):
        return any(s.writes != n for s, n in zip(self.stores, self.writes))

    __hash__ = object.__hash__
    __eq__ = object.__eq__


def made(values, slopes, tracked, history=frozenset()):
    """Return the twin of a new tensor."""
    values = np.array(values, float)
    flat = np.array(slopes, float).reshape(values.size, SLOPES)
    family = Family(flat if tracked else np.zeros_like(flat), tracked, history=history)
    places = np.arange(values.size).reshape(values.shape)
    return Twin(Store(values.reshape(-1).copy()), family, places)


def lifted(values):
    """Return values that multiply slopes."""
    return np.asarray(values)[..., None]


# ---- what programs draw --------------------------------------------------------------------------
def slices(r, n):
    step = r.choice([1, 1, 2, -1, -2, 3])
    ends = [r.choice([None, r.randint(-n - 1, n + 1)]) for _ in range(2)]
    return slice(*ends, step)


def basic(r, shape):
    """Return an index of integers, slices, None and ... into *shape*."""
    parts = []
    for n in shape[: r.randint(0, len(shape))]:
        parts.append(r.randrange(-n, n) if n and r.random() < 0.3 else slices(r, n))
        if r.random() < 0.1:
            parts.append(None)
    if r.random() < 0.3:
        cut = r.randint(0, len(parts))
        given = sum(p is not None for p in parts[cut:])
        if given:  # the parts behind ... must fit the last axes
            parts = [..., *(slices(r, n) for n in shape[len(shape) - given :])]
        else:
            parts.insert(cut, ...)
    return tuple(parts)


def advanced(r, shape):
    """Return an index with arrays that names no element twice, Tensors and lists among them."""
    if r.random() < 0.4 or not shape:
        whole = r.random() < 0.5
        mask = np.array(
            [r.random() < 0.5 for _ in range(int(np.prod(shape if whole else shape[:1])))], bool
        )
        mask = mask.reshape(shape if whole else shape[:1])
        return mi.Tensor(mask) if r.random() < 0.5 else mask
    axes = sorted(r.sample(range(len(shape)), r.randint(1, len(shape))))
    chosen = axes[0]
    n = shape[chosen]
    count = r.randint(0, n)
    first = np.array(r.sample(range(n), count), int)
    first = np.where(np.array([r.random() < 0.3 for _ in range(count)], bool), first - n, first)
    parts = []
    for a, size in enumerate(shape):
        if a == chosen:
            parts.append(first)
        elif a in axes and size:
            parts.append(
                r.randrange(size)
                if r.random() < 0.5
                else np.array([r.randrange(size) for _ in range(count)], int)
            )
        else:
            parts.append(slices(r, size))
    if r.random() < 0.5:
        parts = [mi.Tensor(p) if isinstance(p, np.ndarray) else p for p in parts]
    elif r.random() < 0.5:
        parts = [p.tolist() if isinstance(p, np.ndarray) else p for p in parts]
    return tuple(parts)


def plain(index):
    """Return *index* as NumPy takes it."""
    if isinstance(index, tuple):
        return tuple(map(plain, index))
    if isinstance(index, mi.Tensor):
        return index.numpy()
    return np.array(index, int) if isinstance(index, list) else index


def factors(r, size):
    shape = []
    while size > 1 and r.random() < 0.8:
        d = r.choice([d for d in range(1, size + 1) if size % d == 0])
        shape.append(d)
        size //= d
    return (*shape, size)


def views(r, shape):
    """Return a view: what makes it of a Tensor, and of an array of places."""
    kind = r.choice(
        "getitem getitem permute reshape expand squeeze broadcast transpose diagonal".split()
    )
    if kind == "getitem":
        index = basic(r, shape)
        return lambda t: t[index], lambda p: p[index]
    if kind == "permute":
        axes = r.sample(range(len(shape)), len(shape))
        return lambda t: t.permute(*axes), lambda p: p.transpose(axes)
    if kind == "reshape":
        to = factors(r, int(np.prod(shape)))
        return lambda t: t.reshape(to), lambda p: p.reshape(to)
    if kind == "expand":
        axis = r.randint(0, len(shape))
        return lambda t: t.expand_dims(axis), lambda p: np.expand_dims(p, axis)
    if kind == "broadcast":
        to = tuple(r.choice([1, 2]) if n == 1 else n for n in shape)
        to = (2, *to) if r.random() < 0.3 else to
        return lambda t: t.broadcast_to(to), lambda p: np.broadcast_to(p, to)
    if kind == "transpose":
        return lambda t: t.T, lambda p: p.swapaxes(-1, -2) if p.ndim > 1 else p
    if kind == "diagonal" and len(shape) > 1:
        return lambda t: mi.diagonal(t, 1, 0, -1), lambda p: np.diagonal(p, 1, 0, -1)
    return lambda t: t.squeeze(), np.squeeze


#: name -> the values, and the slope of each input, of an elementwise operation
BINARY = {
    "add": (np.add, lambda a, b: (1.0, 1.0)),
    "subtract": (np.subtract, lambda a, b: (1.0, -1.0)),
    "multiply": (np.multiply, lambda a, b: (b, a)),
    "maximum": (np.maximum, lambda a, b: ((a > b) + 0.5 * (a == b), (b > a) + 0.5 * (a == b))),
}
UNARY = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sin": (np.sin, np.cos),
    "square": (np.square, lambda x: 2 * x),
    "negative": (np.negative, lambda x: -np.ones_like(x)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
}


class Programs(RuleBasedStateMachine):
    """One program: pairs of a Tensor and its twin, changed together."""

    @initialize()
    def leaves(self):
        rng = np.random.default_rng(0)
        self.pool, self.start = [], []
        first = 0
        for shape in LEAVES:
            values = rng.uniform(-1, 1, shape)
            t = mi.Tensor(values, dtype="float64", requires_grad=True)
            slopes = np.eye(SLOPES)[first : first + values.size]
            first += values.size
            twin = made(values, slopes, True)
            twin.family.leaf = True
            self.pool.append((t, twin))
            self.start.append(t)
        self.add(
            mi.zeros((3, 2), dtype="float64"), made(np.zeros((3, 2)), np.zeros((6, SLOPES)), False)
        )

    def add(self, t, twin):
        self.pool.append((t, twin))
        if len(self.pool) > 10:
            del self.pool[3]
        self.compare()

    def compare(self):
        for t, twin in self.pool:
            assert t.shape == twin.places.shape
            np.testing.assert_allclose(t.numpy(), twin.values, rtol=1e-9, atol=1e-12)
            assert t.requires_grad == twin.tracked

    def pick(self, number):
        return self.pool[number % len(self.pool)]

    def target(self, which):
        """Return what to write to: a leaf, which mostly raises, in one case of four only."""
        t, twin = self.pick(which)
        spare = [p for p in self.pool if not p[1].family.leaf]
        return spare[which % len(spare)] if twin.family.leaf and which % 4 and spare else (t, twin)

    # ---- reading ---------------------------------------------------------------------------------
    @rule(which=st.integers(0, 99), seed=st.integers(0, 10**6), silent=st.integers(0, 9))
    def view(self, which, seed, silent):
        t, twin = self.pick(which)
        of_tensor, of_places = views(random.Random(seed), t.shape)
        silent = not silent
        with mi.set_grad_enabled(not silent):
            out = of_tensor(t)
        places = of_places(twin.places)
        readonly = twin.readonly or not out.numpy().flags.writeable
        if out.size and np.shares_memory(out.numpy(), t.numpy()):
            self.add(out, Twin(twin.store, twin.family, places, twin.outside or silent, readonly))
        else:
            copy = Twin(twin.store, twin.family, places, twin.outside)
            new = made(copy.values, copy.slopes, twin.tracked and not silent, self.past(copy))
            new.readonly = readonly and not out.size
            self.add(out, new)

    @rule(which=st.integers(0, 99), seed=st.integers(0, 10**6))
    def index(self, which, seed):
        t, twin = self.pick(which)
        r = random.Random(seed)
        index = advanced(r, t.shape)
        out = t[index]
        copy = Twin(twin.store, twin.family, twin.places[plain(index)], twin.outside)
        assert not np.shares_memory(out.numpy(), t.numpy()) or not out.size
        self.add(out, made(copy.values, copy.slopes, twin.tracked, self.past(copy)))

    @rule(which=st.integers(0, 99), copied=st.booleans())
    def detach(self, which, copied):
        t, twin = self.pick(which)
        if copied:
            self.add(t.clone(), made(twin.values, twin.slopes, twin.tracked, self.past(twin)))
            return
        family = Family(np.zeros_like(twin.family.slopes))
        self.add(t.detach(), Twin(twin.store, family, twin.places, readonly=twin.readonly))

    @rule(name=st.sampled_from(list(UNARY)), which=st.integers(0, 99), silent=st.integers(0, 9))
    def unary(self, name, which, silent):
        t, twin = self.pick(which)
        with mi.set_grad_enabled(silent != 0):
            out = getattr(mi, name)(t)
        function, slope = UNARY[name]
        new = made(
            function(twin.values),
            lifted(slope(twin.values)) * twin.slopes,
            twin.tracked and silent != 0,
        )
        new.family.history = self.past(twin, Saved([twin.store, new.store]))
        self.add(out, new)

    @rule(name=st.sampled_from(list(BINARY)), first=st.integers(0, 99), second=st.integers(0, 99))
    def binary(self, name, first, second):
        (a, ta), (b, tb) = self.pick(first), self.pick(second)
        if not fits(b.shape, a.shape):
            fitting = [p for p in self.pool if fits(p[0].shape, a.shape)]
            b, tb = fitting[second % len(fitting)]
        values, slopes = self.computed(name, ta, tb)
        new = made(values, slopes, ta.tracked or tb.tracked)
        new.family.history = self.past(ta, tb, Saved([ta.store, tb.store, new.store]))
        self.add(getattr(mi, name)(a, b), new)

    def computed(self, name, ta, tb):
        function, slope = BINARY[name]
        a, b = np.broadcast_arrays(ta.values, tb.values)
        da, db = (lifted(s) for s in slope(a, b))
        return function(a, b), da * ta.slopes + db * tb.slopes if a.shape == ta.values.shape == (
            tb.values.shape
        ) else da * wide(ta, a.shape) + db * wide(tb, a.shape)

    # ---- writing ---------------------------------------------------------------------------------
    @rule(
        which=st.integers(0, 99),
        source=st.integers(0, 99),
        seed=st.integers(0, 10**6),
        silent=st.integers(0, 5),
    )
    def assign(self, which, source, seed, silent):
        t, twin = self.target(which)
        r = random.Random(seed)
        index = (basic if r.random() < 0.6 else advanced)(r, t.shape)
        part = Twin(twin.store, twin.family, twin.places[plain(index)], twin.outside, twin.readonly)
        value, tv = self.operand(r, source, part.places.shape)
        self.written(
            twin, part, tv, tv.values, tv.slopes, silent, lambda: t.__setitem__(index, value), []
        )

    @rule(
        name=st.sampled_from(list(BINARY)),
        which=st.integers(0, 99),
        source=st.integers(0, 99),
        seed=st.integers(0, 10**6),
        silent=st.integers(0, 5),
    )
    def change(self, name, which, source, seed, silent):
        """Change in place by an operation with another: ``x += y`` or ``x[index] += y``."""
        t, twin = self.target(which)
        r = random.Random(seed)
        if name == "maximum" or r.random() < 0.6:
            index, part = None, twin
        else:
            index = (basic if r.random() < 0.6 else advanced)(r, t.shape)
            part = Twin(
                twin.store, twin.family, twin.places[plain(index)], twin.outside, twin.readonly
            )
        value, tv = self.operand(r, source, part.places.shape)
        values, slopes = self.computed(name, part, tv)

        def run():
            nonlocal t
            if index is None:
                mi.operators.in_place(name, t, value)
            elif name == "add":
                t[index] += value
            elif name == "subtract":
                t[index] -= value
            else:
                t[index] *= value

        self.written(twin, part, tv, values, slopes, silent, run, [tv.store, part.store])

    @rule(name=st.sampled_from(list(UNARY)), which=st.integers(0, 99), silent=st.integers(0, 5))
    def change_alone(self, name, which, silent):
        t, twin = self.target(which)
        function, slope = UNARY[name]
        values, slopes = function(twin.values), lifted(slope(twin.values)) * twin.slopes
        none = made(0.0, np.zeros(SLOPES), False)
        self.written(
            twin, twin, none, values, slopes, silent, lambda: mi.operators.in_place(name, t), []
        )

    @rule(
        which=st.integers(0, 99),
        source=st.integers(0, 99),
        seed=st.integers(0, 10**6),
        silent=st.integers(0, 5),
    )
    def accumulate(self, which, source, seed, silent):
        """Add at indices along an axis, of which some repeat."""
        t, twin = self.target(which)
        r = random.Random(seed)
        axes = [a for a, n in enumerate(t.shape) if n]
        if not axes:
            return
        axis = r.choice(axes)
        index = np.array([r.randrange(t.shape[axis]) for _ in range(r.randint(0, 4))], int)
        shape = (*t.shape[:axis], index.size, *t.shape[axis + 1 :])
        value, tv = self.operand(r, source, shape)
        values, slopes = twin.values.copy(), twin.slopes.copy()
        place = (*(slice(None),) * axis, index)
        np.add.at(values, place, np.broadcast_to(tv.values, shape))
        np.add.at(slopes, place, wide(tv, shape))
        self.written(
            twin,
            twin,
            tv,
            values,
            slopes,
            silent,
            lambda: t.index_add_(axis, index, value),
            [tv.store],
        )

    @rule(
        which=st.integers(0, 99),
        value=st.sampled_from([0.0, 0.25]),
        seed=st.integers(0, 10**6),
        silent=st.integers(0, 5),
    )
    def mask(self, which, value, seed, silent):
        """Fill where a mask is True."""
        t, twin = self.target(which)
        mask = np.random.default_rng(seed).random(t.shape[-1:]) < 0.5
        values = np.where(mask, value, twin.values)
        slopes = np.where(lifted(mask), 0.0, twin.slopes)
        none = made(0.0, np.zeros(SLOPES), False)
        self.written(
            twin, twin, none, values, slopes, silent, lambda: t.masked_fill_(mask, value), []
        )

    @rule(which=st.integers(0, 99), seed=st.integers(0, 10**6))
    def total(self, which, seed):
        t, twin = self.pick(which)
        axis = random.Random(seed).randrange(t.ndim) if t.ndim else None
        values = twin.values.sum(axis) if t.ndim else twin.values
        slopes = twin.slopes.sum(axis) if t.ndim else twin.slopes
        self.add(t.sum(axis), made(values, slopes, twin.tracked, self.past(twin)))

    def operand(self, r, source, shape):
        """Return what is written: a number, or a tensor of the pool that broadcasts to *shape*."""
        fitting = [p for p in self.pool if fits(p[0].shape, shape)]
        if r.random() < 0.85:
            return fitting[source % len(fitting)]
        number = r.choice([0.0, 0.5, -1.5])
        return number, made(number, np.zeros(SLOPES), False)

    def written(self, twin, part, tv, values, slopes, silent, run, saved):
        """Run a write, and do to the twin what it has to do, or see it raise."""
        grad = silent != 0
        repeated = len(np.unique(twin.places)) < twin.places.size
        recorded = grad and (twin.tracked or tv.tracked)
        if (
            twin.readonly
            or repeated
            or (grad and twin.family.leaf and not twin.outside)
            or (recorded and twin.outside)
        ):
            with mi.set_grad_enabled(grad):
                try:
                    run()
                except (mi.AutogradError, mi.ArgumentError):
                    self.compare()
                    return
            assert not part.places.size, "a write that must not be"
            self.compare()
            return
        before = [s.writes for s in saved]
        with mi.set_grad_enabled(grad):
            run()
        shape = part.places.shape
        values = np.broadcast_to(values, shape).copy()
        slopes = wide_slopes(slopes, shape).copy()
        past = self.past(twin, tv)
        twin.store.values[part.places] = values
        twin.store.writes += 1
        if recorded:
            family = twin.family
            family.tracked = True
            family.slopes[part.places] = slopes
            note = Saved(saved)
            note.writes = before
            family.history = past | {note}
        self.compare()

    def past(self, *given):
        """Return all recorded operations that *given* twins come from, and new ones."""
        found = frozenset()
        for g in given:
            found |= frozenset({g}) if isinstance(g, Saved) else g.family.history
        return found

    @rule(which=st.integers(0, 99))
    def drop(self, which):
        place = which % len(self.pool)
        if place > 2:
            del self.pool[place]

    def teardown(self):
        wanted = [(t, twin) for t, twin in getattr(self, "pool", ()) if t.requires_grad and t.size]
        if not wanted:
            return
        rng = np.random.default_rng(1)
        weights = [rng.uniform(-1, 1, t.shape) for t, _ in wanted]
        expected = sum(
            (lifted(w) * twin.slopes).reshape(-1, SLOPES).sum(0)
            for w, (_, twin) in zip(weights, wanted)
        )
        loss = sum(((mi.Tensor(w) * t).sum() for w, (t, _) in zip(weights, wanted)), mi.Tensor(0.0))
        stale = any(s.stale() for s in self.past(*(twin for _, twin in wanted)))
        try:
            loss.backward()
        except mi.AutogradError as error:
            why = str(error)
        else:
            why = ""
        if why:
            assert "changed in place" in why
            assert stale, "backward raised, though nothing that it reads was changed"
            return
        got = np.concatenate(
            [
                (np.zeros(t.shape) if t.grad is None else t.grad.numpy()).reshape(-1)
                for t in self.start
            ]
        )
        size = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-9 * size)


def fits(small, shape):
    """Say whether *small* broadcasts to *shape*."""
    try:
        return np.broadcast_shapes(small, shape) == shape
    except ValueError:
        return False


def wide(twin, shape):
    return wide_slopes(twin.slopes, shape)


def wide_slopes(slopes, shape):
    """Broadcast all but the last axis of *slopes*; more axes of size 1 in front are dropped."""
    lead = slopes.ndim - 1 - len(shape)
    if lead > 0:
        slopes = slopes.reshape(slopes.shape[lead:])
    lacking = (1,) * (len(shape) - slopes.ndim + 1)
    return np.broadcast_to(slopes.reshape(lacking + slopes.shape), (*shape, SLOPES))


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(
    max_examples=int(os.environ.get("MINIMA_EXAMPLES", "250")),
    stateful_step_count=20,
    deadline=None,
    derandomize="MINIMA_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)

"""The namespace `minima` beside array-api-strict, which does what the standard says and no more.

Every function of the standard has a row here: values, types and shapes for every kind of dtype,
its signature, and what it refuses.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import minima as mi
from minima.tensor import Tensor

strict = pytest.importorskip("array_api_strict", reason="the wheel of the core's tests has it")

NAMES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128"
).split()
KINDS = {name: np.dtype(name).kind for name in NAMES}
#: of strict itself, not of the standard
OWN = {
    "ArrayAPIStrictFlags",
    "Device",
    "__version__",
    "get_array_api_strict_flags",
    "reset_array_api_strict_flags",
    "set_array_api_strict_flags",
}


def functions():
    """Return the names of the standard's functions, those of extensions with a dot."""
    for part in ("", "linalg", "fft"):
        home = getattr(strict, part) if part else strict
        for name in home.__all__:
            if callable(getattr(home, name)) and name not in OWN:
                yield f"{part}.{name}".lstrip(".")


FUNCTIONS = sorted(functions())


def find(namespace, name):
    """Return the function *name*, which may have one dot, of *namespace*."""
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


# ---- values and types ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """One call of one function, for all dtypes of *kinds*.

    *call* gets the function, the namespace and arrays of *shapes*; *domain* are the limits of
    their numbers. *loose* marks results that are told by what they satisfy, not by their values.
    """

    name: str
    call: Callable
    shapes: tuple = ((2, 3),)
    kinds: str = "biufc"
    domain: tuple = (-3, 4)
    note: str = ""
    tolerance: float = 1.0

    def __str__(self):
        return f"{self.name}{'-' if self.note else ''}{self.note}"


def arrays(row, dtype):
    """Return NumPy arrays of *dtype* within the domain of *row*, the same at every call."""
    rng = np.random.default_rng(len(row.name))
    low, high = row.domain
    for shape in row.shapes:
        if KINDS[dtype] == "b":
            yield rng.random(shape) < 0.5
        elif KINDS[dtype] in "iu":
            lowest = max(0, low) if KINDS[dtype] == "u" else low
            yield rng.integers(lowest, max(high, lowest + 1), shape).astype(dtype)
        elif KINDS[dtype] == "f":
            yield rng.uniform(low, high, shape).astype(dtype)
        else:
            yield (rng.uniform(low, high, shape) + 1j * rng.uniform(low, high, shape)).astype(dtype)


UNARY = {
    "iufc": "abs negative positive square sign",
    "iuf": "ceil floor trunc round",
    "fc": "acosh asinh cos cosh exp expm1 log log10 log1p log2 round sin sinh sqrt tan tanh atan "
    "reciprocal",
    "f": "signbit",
    "c": "conj imag real",
    "b": "logical_not",
    "biu": "bitwise_invert",
}
BINARY = {
    "iufc": "add subtract multiply pow",
    "biufc": "equal not_equal",
    "iuf": "less less_equal greater greater_equal maximum minimum floor_divide remainder",
    "fc": "divide",
    "f": "atan2 copysign hypot logaddexp nextafter",
    "b": "logical_and logical_or logical_xor",
    "biu": "bitwise_and bitwise_or bitwise_xor",
    "iu": "bitwise_left_shift bitwise_right_shift",
}
#: name -> the numbers that it is asked for
DOMAIN = {
    "acosh": (1, 4),
    "log": (1, 4),
    "log10": (1, 4),
    "log1p": (1, 4),
    "log2": (1, 4),
    "sqrt": (0, 4),
    "reciprocal": (1, 4),
    "divide": (1, 4),
    "floor_divide": (1, 6),
    "remainder": (1, 6),
    "pow": (0, 4),
    "bitwise_left_shift": (0, 4),
    "bitwise_right_shift": (0, 4),
    "tan": (-1, 1),
}


def elementwise():
    """Yield the rows of functions that work element by element."""
    for kinds, names in UNARY.items():
        for name in names.split():
            domain = DOMAIN.get(name, (-3, 4))
            kept = kinds.replace("u", "") if name == "negative" else kinds
            yield Row(name, lambda f, xp, x: f(x), kinds=kept, domain=domain)
    for name in "acos asin atanh".split():
        yield Row(name, lambda f, xp, x: f(x), kinds="fc", domain=(-0.9, 0.9))
    for name in "isfinite isinf isnan".split():
        yield Row(name, lambda f, xp, x: f(x), kinds="iufc")
        yield Row(
            name,
            lambda f, xp, x: f(x / xp.zeros((2, 3), dtype=x.dtype)),
            kinds="f",
            note="special",
        )
    for kinds, names in BINARY.items():
        for name in names.split():
            domain = DOMAIN.get(name, (-3, 4))
            for shapes in (((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2,))):
                note = "x".join(map(str, map(len, shapes)))
                yield Row(name, lambda f, xp, a, b: f(a, b), shapes, kinds, domain, note)
            yield Row(name, lambda f, xp, a: f(a, a[0, 0]), kinds=kinds, domain=domain, note="0-d")
            number = True if kinds == "b" else 2  # of Python, which takes the type beside it
            for side, call in {
                "left": lambda f, xp, a, n=number: f(n, a),
                "right": lambda f, xp, a, n=number: f(a, n),
            }.items():
                yield Row(name, call, kinds=kinds.lstrip("b") or "b", domain=domain, note=side)
    yield Row("clip", lambda f, xp, x: f(x, 0, 2), kinds="iuf")
    yield Row("clip", lambda f, xp, x, low: f(x, low), ((2, 3), (3,)), "iuf", note="array")
    yield Row("clip", lambda f, xp, x, top: f(x, None, top), ((2, 3), (2, 3)), "iuf", note="max")
    yield Row("where", lambda f, xp, a, b: f(a == b, a, b), ((2, 3), (3,)))
    yield Row("where", lambda f, xp, a: f(a > 1, a, 1), kinds="iuf", note="number")


def by_axis():
    """Yield the rows of reductions, searches, sorts and cumulative functions."""
    for kinds, names in {"iufc": "sum prod", "iuf": "max min", "biufc": "all any"}.items():
        for name in names.split():
            yield Row(name, lambda f, xp, x: f(x), kinds=kinds)
            yield Row(name, lambda f, xp, x: f(x, axis=1), kinds=kinds, note="axis")
            yield Row(
                name, lambda f, xp, x: f(x, axis=(0, -1), keepdims=True), kinds=kinds, note="axes"
            )
    for name in ("sum", "prod"):
        yield Row(
            name,
            lambda f, xp, x: f(x, dtype=xp.float64),
            kinds="iuf",
            note="dtype",
        )
    yield Row("mean", lambda f, xp, x: f(x, axis=0), kinds="fc")
    for name in ("std", "var"):
        yield Row(name, lambda f, xp, x: f(x), kinds="f")
        yield Row(name, lambda f, xp, x: f(x, axis=1, correction=1.0), kinds="f", note="axis")
    for name in ("argmax", "argmin"):
        yield Row(name, lambda f, xp, x: f(x), kinds="iuf")
        yield Row(name, lambda f, xp, x: f(x, axis=1, keepdims=True), kinds="iuf", note="axis")
    yield Row("count_nonzero", lambda f, xp, x: f(x, axis=0))
    yield Row("cumulative_sum", lambda f, xp, x: f(x, axis=1), kinds="iufc")
    yield Row(
        "cumulative_sum",
        lambda f, xp, x: f(x, axis=0, include_initial=True),
        kinds="iufc",
        note="initial",
    )
    yield Row("cumulative_prod", lambda f, xp, x: f(x, axis=1), kinds="iufc")
    yield Row("diff", lambda f, xp, x: f(x, n=2), ((2, 4),), "iufc")
    for name in ("sort", "argsort"):
        yield Row(name, lambda f, xp, x: f(x), kinds="iuf")
        yield Row(name, lambda f, xp, x: f(x, axis=0, descending=True), kinds="iuf", note="down")
    yield Row("searchsorted", lambda f, xp, a, b: f(xp.sort(a), b), ((5,), (3,)), "iuf")
    yield Row("searchsorted", lambda f, xp, a: f(xp.sort(a), 1), ((5,),), "iuf", note="number")
    yield Row("isin", lambda f, xp, a, b: f(a, b), ((2, 3), (3,)), "iu")
    yield Row("isin", lambda f, xp, a: f(a, 1), kinds="iu", note="number")
    yield Row("isin", lambda f, xp, a: f(1, a), kinds="iu", note="of a number")
    yield Row("nonzero", lambda f, xp, x: f(x))
    for name in "unique_all unique_counts unique_inverse unique_values".split():
        yield Row(name, lambda f, xp, x: f(x), ((3, 3),), "biuf")


def shapes():
    """Yield the rows of functions that move elements."""
    yield Row("broadcast_to", lambda f, xp, x: f(x, (4, 2, 3)))
    yield Row("broadcast_arrays", lambda f, xp, a, b: f(a, b), ((2, 1), (3,)))
    yield Row("concat", lambda f, xp, a, b: f([a, b], axis=0), ((2, 3), (1, 3)))
    yield Row("concat", lambda f, xp, a, b: f([a, b], axis=None), ((2, 3), (2,)), note="flat")
    yield Row("expand_dims", lambda f, xp, x: f(x, axis=-1))
    yield Row("expand_dims", lambda f, xp, x: f(x, axis=(0, -1)), note="axes")
    yield Row("flip", lambda f, xp, x: f(x))
    yield Row("flip", lambda f, xp, x: f(x, axis=1), note="axis")
    yield Row("moveaxis", lambda f, xp, x: f(x, 0, -1), ((2, 3, 4),))
    yield Row("permute_dims", lambda f, xp, x: f(x, (1, 0)))
    yield Row("permute_dims", lambda f, xp, x: f(x, (-1, 0, 1)), ((2, 3, 4),), note="negative")
    yield Row("repeat", lambda f, xp, x: f(x, 2, axis=1))
    yield Row("repeat", lambda f, xp, x: f(x, 2), note="flat")
    yield Row("reshape", lambda f, xp, x: f(x, (3, -1)))
    yield Row("reshape", lambda f, xp, x: f(x, (6,), copy=True), note="copy")
    yield Row("roll", lambda f, xp, x: f(x, 1))
    yield Row("roll", lambda f, xp, x: f(x, (1, -1), axis=(0, 1)), note="axes")
    yield Row("squeeze", lambda f, xp, x: f(x, axis=1), ((2, 1, 3),))
    yield Row("stack", lambda f, xp, a, b: f([a, b], axis=1), ((2, 3), (2, 3)))
    yield Row("tile", lambda f, xp, x: f(x, (2, 1, 2)))
    yield Row("unstack", lambda f, xp, x: f(x, axis=1))
    yield Row("take", lambda f, xp, x: f(x, xp.asarray([1, 0, 1]), axis=0))
    yield Row("take_along_axis", lambda f, xp, x: f(x, xp.asarray([[0, 2], [1, 1]]), axis=1))
    yield Row("tril", lambda f, xp, x: f(x, k=-1), ((3, 3),))
    yield Row("triu", lambda f, xp, x: f(x, k=1), ((2, 3, 4),))
    yield Row("meshgrid", lambda f, xp, a, b: f(a, b), ((2,), (3,)))
    yield Row("meshgrid", lambda f, xp, a, b: f(a, b, indexing="ij"), ((2,), (3,)), note="ij")


def made():
    """Yield the rows of functions that make arrays, or speak of types."""
    for name in ("zeros", "ones"):
        yield Row(name, lambda f, xp, x: f(x.shape, dtype=x.dtype))
        yield Row(f"{name}_like", lambda f, xp, x: f(x))
    yield Row("empty", lambda f, xp, x: f((2, 3), dtype=x.dtype).dtype)
    yield Row("empty_like", lambda f, xp, x: f(x).shape)
    yield Row("full", lambda f, xp, x: f((2, 3), 1, dtype=x.dtype), kinds="iufc")
    yield Row("full_like", lambda f, xp, x: f(x, 1), kinds="iufc")
    yield Row("eye", lambda f, xp, x: f(3, 4, k=1, dtype=x.dtype))
    yield Row("arange", lambda f, xp, x: f(1, 9, 2, dtype=x.dtype), kinds="iuf")
    yield Row("arange", lambda f, xp, x: f(5), kinds="i", note="default")
    yield Row("linspace", lambda f, xp, x: f(0, 4, 5, dtype=x.dtype), kinds="fc")
    yield Row(
        "linspace",
        lambda f, xp, x: f(0, 4, 4, dtype=x.dtype, endpoint=False),
        kinds="f",
        note="end",
    )
    yield Row("asarray", lambda f, xp, x: f(x, copy=True))
    yield Row("asarray", lambda f, xp, x: f([[1, 0], [0, 1]], dtype=x.dtype), note="nested")
    yield Row("asarray", lambda f, xp, x: f([[x[0, 0], x[0, 1]]]), note="arrays", kinds="iu")
    yield Row("from_dlpack", lambda f, xp, x: f(x))
    for kinds in ("biufc", "iufc", "fc", "c"):
        name = {"b": "bool", "i": "int64", "f": "float64", "c": "complex128"}[kinds[0]]
        taken = {"b": "b", "i": "biu", "f": "biuf", "c": "biufc"}[kinds[0]]
        yield Row(
            "astype",
            lambda f, xp, x, name=name: f(x, getattr(xp, name), copy=False),
            kinds=taken,
            note=name,
        )
    yield Row("broadcast_shapes", lambda f, xp, x: f((2, 1), (3,)), kinds="b")
    yield Row("iinfo", lambda f, xp, x: [getattr(f(x.dtype), n) for n in ("bits", "max", "min")],
              kinds="iu")  # fmt: skip
    limits = ("bits", "eps", "max", "min", "smallest_normal")
    yield Row("finfo", lambda f, xp, x: [getattr(f(x), n) for n in limits], kinds="fc")
    groups = ("bool", "signed integer", "unsigned integer", "integral", "real floating",
              "complex floating", "numeric")  # fmt: skip
    yield Row("isdtype", lambda f, xp, x: [f(x.dtype, g) for g in groups])
    yield Row("isdtype", lambda f, xp, x: f(x.dtype, ("bool", x.dtype)), note="tuple")
    for kind in "biufc":
        same = [n for n in NAMES if KINDS[n] == kind]
        yield Row(
            "can_cast",
            lambda f, xp, x, same=same: [f(x.dtype, getattr(xp, n)) for n in same],
            kinds=kind,
            note=kind,
        )
        yield Row(
            "result_type",
            lambda f, xp, x, same=same: [f(x, getattr(xp, n), x.dtype) for n in same],
            kinds=kind,
            note=kind,
        )
    yield Row(
        "__array_namespace_info__",
        lambda f, xp, x: [sorted(f().dtypes(kind=g)) for g in groups],
        kinds="b",
    )


def linear():
    """Yield the rows of linear algebra, at the top and in its extension."""
    for home in ("", "linalg."):
        yield Row(f"{home}matmul", lambda f, xp, a, b: f(a, b), ((2, 3), (3, 4)), "iufc")
        yield Row(f"{home}matmul", lambda f, xp, a, b: f(a, b), ((5, 2, 3), (3,)), "f", note="1-d")
        yield Row(f"{home}matrix_transpose", lambda f, xp, x: f(x), ((2, 3, 4),))
        yield Row(f"{home}vecdot", lambda f, xp, a, b: f(a, b), ((2, 3), (3,)), "iufc")
        yield Row(f"{home}tensordot", lambda f, xp, a, b: f(a, b, axes=1), ((2, 3), (3, 4)), "iufc")
        yield Row(
            f"{home}tensordot",
            lambda f, xp, a, b: f(a, b, axes=((0, 1), (1, 0))),
            ((2, 3, 2), (3, 2)),
            "iufc",
            note="axes",
        )
    yield Row("linalg.outer", lambda f, xp, a, b: f(a, b), ((2,), (3,)), "iufc")
    yield Row("linalg.cross", lambda f, xp, a, b: f(a, b), ((2, 3), (2, 3)), "iufc")
    yield Row("linalg.diagonal", lambda f, xp, x: f(x, offset=1), ((2, 3, 4),))
    yield Row("linalg.trace", lambda f, xp, x: f(x), ((2, 3, 3),), "iufc")
    matrix = ((2, 3, 3),)
    for name in "det inv slogdet pinv svdvals".split():
        yield Row(f"linalg.{name}", lambda f, xp, x: f(x), matrix, "fc", tolerance=50)
    yield Row("linalg.matrix_rank", lambda f, xp, x: f(x), matrix, "fc")
    yield Row("linalg.matrix_norm", lambda f, xp, x: f(x), matrix, "fc")
    for order in ("nuc", 1, -2, float("inf")):
        yield Row(
            "linalg.matrix_norm",
            lambda f, xp, x, order=order: f(x, ord=order, keepdims=True),
            matrix,
            "fc",
            note=str(order),
            tolerance=20,
        )
    for order in (0, 1, 2, 3.5, float("inf")):
        yield Row(
            "linalg.vector_norm",
            lambda f, xp, x, order=order: f(x, axis=1, ord=order),
            kinds="fc",
            note=str(order),
        )
    yield Row("linalg.vector_norm", lambda f, xp, x: f(x, keepdims=True), kinds="fc", note="all")
    yield Row("linalg.matrix_power", lambda f, xp, x: f(x, 3), matrix, "fc", tolerance=20)
    yield Row("linalg.solve", lambda f, xp, a, b: f(a, b), ((3, 3), (3, 2)), "fc", tolerance=50)
    # what has more than one answer is multiplied together again
    positive = "linalg.cholesky", "linalg.eigh", "linalg.eigvalsh"
    square = lambda xp, x: xp.conj(xp.matrix_transpose(x)) @ x + xp.eye(3, dtype=x.dtype)  # noqa: E731
    whole = lambda xp, x: xp.matrix_transpose(x) @ x + xp.eye(3, dtype=x.dtype)  # noqa: E731
    for kinds, hermitian in (("c", square), ("f", whole)):
        for name in positive:
            yield Row(
                name,
                (lambda f, xp, x, h=hermitian: f(h(xp, x))[0])
                if name == "linalg.eigh"
                else (lambda f, xp, x, h=hermitian: f(h(xp, x))),
                ((3, 3),),
                kinds,
                note=kinds,
                tolerance=50,
            )
    yield Row("linalg.eigvals", lambda f, xp, x: xp.sum(f(x) ** 2), matrix, "fc", tolerance=100)
    yield Row(
        "linalg.eig",
        lambda f, xp, x: f(x)[1] * f(x)[0][None, :] @ xp.linalg.inv(f(x)[1]),
        ((3, 3),),
        "fc",
        tolerance=100,
    )
    yield Row("linalg.qr", lambda f, xp, x: f(x)[0] @ f(x)[1], ((3, 2),), "fc", tolerance=20)
    yield Row("linalg.svd", lambda f, xp, x: f(x).S, ((3, 2),), "fc", tolerance=20)


def fourier():
    """Yield the rows of the Fourier transforms."""
    for name in "fft ifft hfft".split():
        yield Row(f"fft.{name}", lambda f, xp, x: f(x), ((2, 5),), "c", tolerance=10)
        yield Row(
            f"fft.{name}",
            lambda f, xp, x: f(x, n=4, axis=0, norm="ortho"),
            ((5, 2),),
            "c",
            note="axis",
            tolerance=10,
        )
    for name in "fftn ifftn irfftn".split():
        yield Row(f"fft.{name}", lambda f, xp, x: f(x), ((3, 5),), "c", tolerance=20)
        yield Row(
            f"fft.{name}",
            lambda f, xp, x: f(x, s=(4,), axes=(0,), norm="forward"),
            ((3, 5),),
            "c",
            note="axes",
            tolerance=20,
        )
    yield Row("fft.irfft", lambda f, xp, x: f(x, n=5), ((2, 3),), "c", tolerance=10)
    for name in ("rfft", "ihfft"):
        yield Row(f"fft.{name}", lambda f, xp, x: f(x), ((2, 5),), "f", tolerance=10)
    yield Row("fft.rfftn", lambda f, xp, x: f(x), ((3, 4),), "f", tolerance=20)
    for name in ("fftfreq", "rfftfreq"):
        yield Row(f"fft.{name}", lambda f, xp, x: f(5, d=0.5, dtype=x.dtype), kinds="f")
    for name in ("fftshift", "ifftshift"):
        yield Row(f"fft.{name}", lambda f, xp, x: f(x), ((3, 5),), "fc")


ROWS = [
    *elementwise(),
    *by_axis(),
    *shapes(),
    *made(),
    *linear(),
    *fourier(),
]


def test_every_function_has_a_row():
    """Catches a function of the standard that nothing here asks for."""
    assert sorted(set(FUNCTIONS) - {row.name for row in ROWS}) == []


def flat(result):
    """Return the parts of a result: of tuples and lists each, of arrays the NumPy array."""
    if isinstance(result, tuple | list):
        return [part for r in result for part in flat(r)]
    if isinstance(result, Tensor):
        return [result.numpy()]
    if hasattr(result, "_array"):
        return [np.asarray(result._array)]
    return [getattr(result, "_np_dtype", result)]


@pytest.mark.parametrize(
    ("row", "dtype"),
    [(row, name) for row in ROWS for name in NAMES if KINDS[name] in row.kinds],
    ids=str,
)
def test_values(row, dtype):
    """Catches another value, shape or type than the standard's."""
    given = list(arrays(row, dtype))
    with np.errstate(all="ignore"):
        results = [row.call(find(xp, row.name), xp, *map(xp.asarray, given)) for xp in (mi, strict)]
    found, expected = map(flat, results)
    assert len(found) == len(expected)
    assert type(results[0]) is tuple or type(results[1]) is not tuple
    for got, wanted in zip(found, expected):
        if not isinstance(wanted, np.ndarray):
            assert got == wanted
            continue
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
        if wanted.dtype.kind in "fc":
            eps = float(np.finfo(wanted.dtype).eps) * row.tolerance
            np.testing.assert_allclose(got, wanted, rtol=16 * eps, atol=16 * eps)
        else:
            np.testing.assert_array_equal(got, wanted)


# ---- signatures ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature(name):
    """Catches a parameter that is missing, called otherwise, or in another place."""
    wanted = list(inspect.signature(find(strict, name)).parameters.values())
    found = inspect.signature(find(mi, name)).parameters
    places = [p for p in found.values() if p.kind is not p.KEYWORD_ONLY]
    for i, p in enumerate(wanted):
        if p.kind is p.KEYWORD_ONLY:
            assert p.name in found
        elif p.kind is p.VAR_POSITIONAL:
            assert places[i].kind is p.kind
        elif p.kind is p.POSITIONAL_OR_KEYWORD:
            assert (places[i].name, places[i].kind) == (p.name, p.kind)
        else:
            assert len(places) > i
    needed = [p for p in found.values() if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    assert len(needed) <= sum(p.default is p.empty for p in wanted)


# ---- what it refuses -----------------------------------------------------------------------------
def matrix(xp, *shape):
    """Return ones of float64."""
    return xp.ones(shape, dtype=xp.float64)


def refused():
    """Yield calls outside of a function's domain: its name and a function of namespace and it."""
    by_axis = (
        "sum prod max min mean std var argmax argmin sort argsort cumulative_sum cumulative_prod "
        "flip squeeze unstack count_nonzero diff"
    )
    for name in by_axis.split():
        yield name, lambda xp, f: f(matrix(xp, 2, 3), axis=5)
        yield name, lambda xp, f: f(matrix(xp, 2, 3), axis=-3)
    for name in ("all", "any"):
        yield name, lambda xp, f: f(xp.ones((2, 3), dtype=xp.bool), axis=2)
    binary = " ".join(BINARY.values()).split()
    for name in sorted(set(binary) - {"bitwise_left_shift", "bitwise_right_shift"}):
        kinds = next(kinds for kinds, names in BINARY.items() if name in names.split())
        dtype = {"b": "bool", "i": "int64", "f": "float64"}[kinds[0]]
        yield (
            name,
            lambda xp, f, dtype=dtype: f(
                xp.ones(2, dtype=getattr(xp, dtype)), xp.ones(3, dtype=getattr(xp, dtype))
            ),
        )
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift"):
        yield name, lambda xp, f: f(matrix(xp, 2), matrix(xp, 2))
    yield "bitwise_invert", lambda xp, f: f(matrix(xp, 2))
    yield "where", lambda xp, f: f(matrix(xp, 2), matrix(xp, 2), matrix(xp, 2))
    yield "where", lambda xp, f: f(xp.ones(2, dtype=xp.bool), matrix(xp, 3), matrix(xp, 3))
    yield "broadcast_to", lambda xp, f: f(matrix(xp, 2, 3), (2, 2))
    yield "broadcast_arrays", lambda xp, f: f(matrix(xp, 2), matrix(xp, 3))
    yield "broadcast_shapes", lambda xp, f: f((2,), (3,))
    yield "reshape", lambda xp, f: f(matrix(xp, 2, 3), (4, 2))
    yield "permute_dims", lambda xp, f: f(matrix(xp, 2, 3), (0, 0))
    yield "permute_dims", lambda xp, f: f(matrix(xp, 2, 3), (0,))
    yield "moveaxis", lambda xp, f: f(matrix(xp, 2, 3), 2, 0)
    yield "expand_dims", lambda xp, f: f(matrix(xp, 2, 3), axis=4)
    yield "squeeze", lambda xp, f: f(matrix(xp, 2, 3), axis=0)
    yield "concat", lambda xp, f: f([matrix(xp, 2, 3), matrix(xp, 2, 2)], axis=0)
    yield "concat", lambda xp, f: f([matrix(xp, 2), matrix(xp, 2)], axis=1)
    yield "stack", lambda xp, f: f([matrix(xp, 2), matrix(xp, 3)])
    yield "stack", lambda xp, f: f([matrix(xp, 2)], axis=3)
    yield "roll", lambda xp, f: f(matrix(xp, 2), 1, axis=1)
    yield "repeat", lambda xp, f: f(matrix(xp, 2), 2, axis=1)
    yield "take", lambda xp, f: f(matrix(xp, 2), xp.asarray([2]), axis=0)
    yield "take", lambda xp, f: f(matrix(xp, 2), xp.asarray([0]), axis=1)
    yield "take_along_axis", lambda xp, f: f(matrix(xp, 2), xp.asarray([2]), axis=0)
    yield "nonzero", lambda xp, f: f(matrix(xp))
    yield "meshgrid", lambda xp, f: f(matrix(xp, 2), indexing="yx")
    yield "tril", lambda xp, f: f(matrix(xp, 2))
    yield "triu", lambda xp, f: f(matrix(xp, 2))
    yield "asarray", lambda xp, f: f([[1, 2], [3]])
    yield "asarray", lambda xp, f: f(["a"])
    yield "asarray", lambda xp, f: f([1, 2], copy=False)
    yield "asarray", lambda xp, f: f(matrix(xp, 2), dtype=xp.float32, copy=False)
    yield "zeros", lambda xp, f: f((-1,))
    yield "full", lambda xp, f: f((-1,), 1)
    yield "eye", lambda xp, f: f(-1)
    yield "linspace", lambda xp, f: f(0.0, 1.0, -1)
    yield "arange", lambda xp, f: f(0, 5, 0)
    yield "finfo", lambda xp, f: f(xp.int64)
    yield "iinfo", lambda xp, f: f(xp.float64)
    yield "isdtype", lambda xp, f: f(xp.float64, "floating")
    yield "result_type", lambda xp, f: f()
    yield "from_dlpack", lambda xp, f: f([1])
    for home in ("", "linalg."):
        yield f"{home}matmul", lambda xp, f: f(matrix(xp, 2, 3), matrix(xp, 2, 3))
        yield f"{home}matmul", lambda xp, f: f(matrix(xp), matrix(xp, 2))
        yield f"{home}matrix_transpose", lambda xp, f: f(matrix(xp, 2))
        yield f"{home}vecdot", lambda xp, f: f(matrix(xp, 2), matrix(xp, 3))
        yield f"{home}tensordot", lambda xp, f: f(matrix(xp, 2, 3), matrix(xp, 2, 3), axes=1)
    for name in "det inv slogdet cholesky eigh eigvalsh".split():
        yield f"linalg.{name}", lambda xp, f: f(matrix(xp, 2, 3))
        yield f"linalg.{name}", lambda xp, f: f(matrix(xp, 2))
    for name in "qr svd svdvals pinv matrix_norm matrix_rank diagonal trace".split():
        yield f"linalg.{name}", lambda xp, f: f(matrix(xp, 2))
    yield "linalg.inv", lambda xp, f: f(matrix(xp, 2, 2))
    yield "linalg.solve", lambda xp, f: f(matrix(xp, 2, 2), matrix(xp, 3, 2))
    yield "linalg.cholesky", lambda xp, f: f(-xp.eye(2, dtype=xp.float64))
    yield "linalg.outer", lambda xp, f: f(matrix(xp, 2, 2), matrix(xp, 2))
    yield "linalg.cross", lambda xp, f: f(matrix(xp, 2), matrix(xp, 2))
    yield "linalg.matrix_power", lambda xp, f: f(matrix(xp, 2, 3), 2)
    yield "linalg.vector_norm", lambda xp, f: f(matrix(xp, 2), axis=1)
    for name in "fft ifft irfft hfft".split():
        yield f"fft.{name}", lambda xp, f: f(xp.ones(4, dtype=xp.complex128), axis=1)
        yield f"fft.{name}", lambda xp, f: f(xp.ones(4, dtype=xp.complex128), n=0)
        yield f"fft.{name}", lambda xp, f: f(xp.ones(4, dtype=xp.complex128), norm="all")
    for name in ("rfft", "ihfft"):
        yield f"fft.{name}", lambda xp, f: f(matrix(xp, 4), axis=1)
    for name in ("fftn", "ifftn"):
        yield f"fft.{name}", lambda xp, f: f(xp.ones(4, dtype=xp.complex128), axes=(1,))
    yield "fft.fftshift", lambda xp, f: f(xp.ones(4, dtype=xp.complex128), axes=1)


REFUSED = list(refused())


@pytest.mark.parametrize(
    ("name", "call"), [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(REFUSED)]
)
def test_refusals(name, call):
    """Catches an input that is taken though it makes no sense, or an error that is not ours."""
    with pytest.raises(Exception):  # noqa: B017  (each function has its own)
        call(strict, find(strict, name))
    with pytest.raises(mi.MinimaError) as caught:
        call(mi, find(mi, name))
    assert len(str(caught.value)) > 20


# ---- the array object ----------------------------------------------------------------------------
def test_every_method_is_there():
    """Catches a method or a property of the standard's array that a Tensor lacks."""
    wanted = {n for n in dir(strict.asarray(1)) if not n.startswith("_") or n.endswith("__")}
    odd = {"__array_interface__", "__buffer__"}
    assert wanted - odd - set(dir(mi.Tensor)) == set()


def test_namespace_of_a_tensor():
    """Catches another module, or a version that is taken though nothing is known of it."""
    assert mi.ones(1).__array_namespace__() is mi
    assert mi.__array_api_version__ == strict.__array_api_version__
    for version in ("2022.12", "2023.12", "2024.12", mi.__array_api_version__):
        assert mi.ones(1).__array_namespace__(api_version=version) is mi
    with pytest.raises(mi.ArgumentError, match=r"expected one of 2021\.12"):
        mi.ones(1).__array_namespace__(api_version="1999.12")


def test_inspection():
    """Catches a device, type or capability that the namespace does not own to."""
    info = mi.__array_namespace_info__()
    assert info.default_device() in info.devices()
    assert isinstance(info.devices(), tuple)
    assert set(info.default_dtypes(device="cpu")) == set(
        strict.__array_namespace_info__().default_dtypes()
    )
    assert set(info.dtypes()) == set(strict.__array_namespace_info__().dtypes())
    assert set(info.capabilities()) == set(strict.__array_namespace_info__().capabilities())


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ("__iadd__", 2), ("__isub__", 2), ("__imul__", 2), ("__ifloordiv__", 2), ("__imod__", 2),
        ("__iand__", 2), ("__ior__", 2), ("__ixor__", 2), ("__ilshift__", 2), ("__irshift__", 2),
        ("__ipow__", 2),
    ],
)  # fmt: skip
def test_operators_in_place(change, other):
    """Catches a change that does not show in what shares the memory."""
    x, expected = mi.Tensor([5, 6, 7]), np.array([5, 6, 7])
    alias = x.detach()
    assert getattr(x, change)(other) is x
    np.testing.assert_array_equal(alias.numpy(), getattr(expected, change)(other))


def test_shifts_from_either_side():
    """Catches a number on the left that is not taken."""
    assert (mi.Tensor([1, 2]) << 2).tolist() == [4, 8]
    assert (1 << mi.Tensor([1, 2])).tolist() == [2, 4]
    assert (8 >> mi.Tensor([1, 2])).tolist() == [4, 2]
    assert complex(mi.Tensor(1 + 2j)) == 1 + 2j
    assert (+mi.Tensor([1, 2])).tolist() == [1, 2]


@pytest.mark.parametrize("options", [{}, {"copy": True}, {"max_version": (1, 0)},
                                     {"dl_device": (1, 0), "stream": None}])  # fmt: skip
def test_dlpack_takes_every_option(options):
    """Catches an option of the protocol that is refused or dropped."""
    assert "dltensor" in repr(mi.ones(2).__dlpack__(**options))
    with pytest.raises(mi.ExportError, match=r"dl_device=\(2, 0\)"):
        mi.ones(2).__dlpack__(dl_device=(2, 0))


def test_from_dlpack_copies_where_asked():
    """Catches shared memory in place of a copy."""
    array = np.zeros(2)
    t = mi.from_dlpack(array, copy=True, device="cpu")
    array[0] = 1
    assert t.tolist() == [0, 0]


def test_grids_and_broadcasts_differentiate():
    """Catches a gradient that is not summed over what was stretched."""
    a, b = (mi.ones(n, dtype="float64").requires_grad_() for n in (2, 3))
    left, right = mi.meshgrid(a, b)
    (left.sum() + 2 * right.sum()).backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([3.0] * 2, [4.0] * 3)
    (wide, _) = mi.broadcast_arrays(a, mi.ones((4, 2)))
    (found,) = mi.autograd.grad(wide.sum(), [a])
    assert found.tolist() == [4.0, 4.0]


def test_neighbours_of_numbers():
    """Catches a step of the wrong size, which rows of samples are too coarse for."""
    for dtype in ("float16", "float32", "float64"):
        a = mi.Tensor([1.0, -1.0, 0.0], dtype=dtype)
        expected = np.nextafter(a.numpy(), np.array([2, 2, 2], dtype))
        assert mi.nextafter(a, 2.0).numpy().tobytes() == expected.tobytes()


def test_limits_that_are_tensors():
    """Catches a gradient of clip that does not go where the value came from."""
    x, low = (mi.Tensor(v, dtype="float64", requires_grad=True) for v in ([0.0, 2.0], [1.0, 1.0]))
    mi.clip(x, low, mi.Tensor([5.0, 5.0], dtype="float64")).sum().backward()
    assert (x.grad.tolist(), low.grad.tolist()) == ([0.0, 1.0], [1.0, 0.0])
    with pytest.raises(mi.DTypeError, match="clip: max has dtype float32"):
        mi.clip(mi.arange(3), 0, mi.ones(3))


def test_numbers_are_written_exactly():
    """Catches a Python float that goes through float32 on its way into float64."""
    t = mi.zeros(3, dtype="float64")
    t[0], t[1:] = 0.1, [0.2, 0.3]
    assert t.tolist() == [0.1, 0.2, 0.3]
    t[...] = 1e-300
    assert t.tolist() == [1e-300] * 3
    z = mi.zeros(1, dtype="complex128")
    z[0] = 0.1 + 0.2j
    assert z.tolist() == [0.1 + 0.2j]


def test_masks_without_elements():
    """Catches an axis of size 0 of a mask that is refused: the standard lets it select nothing."""
    x = mi.ones((2, 3), requires_grad=True)
    for shape, expected in (((0,), (0, 3)), ((0, 3), (0,)), ((2, 0), (0,))):
        assert x[mi.zeros(shape, dtype="bool")].shape == expected
    x[mi.zeros(0, dtype="bool")].sum().backward()
    assert not x.grad.numpy().any()
    with pytest.raises(mi.IndexRangeError, match="got a mask of shape"):
        x[mi.zeros(1, dtype="bool")]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([300], "int8"),
        ([-1, 0], "uint8"),
        ([2**40], "int32"),
        ([np.nan], "int64"),
        ([2.0**63], "int64"),
    ],
)
def test_numbers_that_do_not_fit(values, dtype):
    """Catches numbers that wrap around without a word."""
    for make in (mi.asarray, mi.Tensor):
        with pytest.raises(mi.DTypeError, match=f"do not fit into {dtype}"):
            make(values, dtype=dtype)
    assert mi.asarray([127, -128], dtype="int8").tolist() == [127, -128]


def test_bools_fit_into_every_type():
    """Catches a comparison of NumPy's bools with the largest number, which overflows."""
    for dtype in NAMES:
        assert mi.asarray([True, False], dtype=dtype).tolist() == [1, 0]
        assert mi.asarray(True, dtype=dtype).item() == 1

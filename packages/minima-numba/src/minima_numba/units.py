"""What recurrent layers compute for each unit: arithmetic on one number, and loops over vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .functions import TYPES, call, number
from .tiles import Nest

__all__ = ["Numbers", "Strip", "Vectors"]

Vectors = Sequence[Sequence[str]]

# tanh(x) / x as a ratio of polynomials in x**2, highest first: least squares of the relative error,
# weighted anew until it is even; from the end on tanh is 1 to within what float32 holds
TANH_END = 9.0
TANH_TOP = (1.335455369e-08, 2.060900164e-05, 3.495583152e-03, 0.1338102144, 0.9999999795)
TANH_BELOW = (7.776513251e-07, 3.285626722e-04, 2.587696324e-02, 0.4671433704, 1.0)


class Numbers:
    """Arithmetic on numbers of one kind."""

    def __init__(self, nest: Nest, kind: str) -> None:
        self.nest, self.kind, self.one = nest, kind, number(1.0, kind)

    def __call__(self, op: str, a: str, b: str) -> str:
        """Return a (op) b."""
        return self.nest(f"f{op} {TYPES[self.kind]} {a}, {b}")

    def bounded(self, x: str, most: float) -> str:
        """Return x where it is within +-*most*, else the nearest end; of NaN NaN."""
        name = TYPES[self.kind]
        for how, end in (("olt", -most), ("ogt", most)):
            value = number(end, self.kind)
            test = self.nest(f"fcmp {how} {name} {x}, {value}")
            x = self.nest(f"select i1 {test}, {name} {value}, {name} {x}")
        return x

    def polynomial(self, x: str, coefficients: Sequence[float]) -> str:
        """Return the polynomial of a float32; the coefficient of the highest power comes first."""
        total, *rest = (number(c, "f4") for c in coefficients)
        for c in rest:
            total = self.nest.external("llvm.fma.f32", "f4", total, x, c)
        return total

    def tanh(self, x: str) -> str:
        """Return the hyperbolic tangent; of float32 within 6 units in the last place.

        `functions.call` is within 2, and takes three times as long.
        """
        if self.kind != "f4":
            return call(self.nest, "tanh", self.kind, x)
        x = self.bounded(x, TANH_END)
        square = self("mul", x, x)
        top = self("mul", x, self.polynomial(square, TANH_TOP))
        return self.bounded(self("div", top, self.polynomial(square, TANH_BELOW)), 1.0)

    def sigmoid(self, x: str) -> str:
        """Return 1 / (1 + e**-x), of float32 as half of tanh of the half, and a half."""
        if self.kind != "f4":
            return call(self.nest, "sigmoid", self.kind, x)
        half = number(0.5, self.kind)
        return self("add", self("mul", self.tanh(self("mul", x, half)), half), half)

    def share(self, y: str) -> str:
        """Return the slope of sigmoid where it is y."""
        return self("mul", y, self("sub", self.one, y))

    def bend(self, y: str) -> str:
        """Return the slope of tanh where it is y."""
        return self("sub", self.one, self("mul", y, y))


class Strip:
    """Vectors that are put on the stack, for a loop over their elements."""

    def __init__(self, nest: Nest, kind: str, lanes: int, vectors: int, places: int) -> None:
        self.nest, self.kind, self.lanes = nest, kind, lanes
        room = f"alloca [{vectors * lanes} x {TYPES[kind]}], align 64"
        self.places = [nest(room) for _ in range(places)]

    def map(self, given: Vectors, body: Callable[..., Sequence[str]]) -> Vectors:
        """Return vectors of each result of *body*, which gets one element of each of *given*."""
        nest, kind, lanes = self.nest, self.kind, self.lanes
        places, count = iter(self.places), len(given[0])
        sources = [next(places) for _ in given]
        for place, vectors in zip(sources, given):
            for i, vector in enumerate(vectors):
                nest.write(vector, nest.at(place, i * lanes, kind), kind, lanes, lanes)
        results: list[str] = []

        def element(i: str) -> None:
            for value in body(*[nest.read(nest.at(p, i, kind), kind) for p in sources]):
                results.append(next(places))
                nest.do(f"store {TYPES[kind]} {value}, ptr {nest.at(results[-1], i, kind)}")

        nest.loop(0, count * lanes, element)
        return [
            [nest.read(nest.at(p, i * lanes, kind), kind, lanes) for i in range(count)]
            for p in results
        ]

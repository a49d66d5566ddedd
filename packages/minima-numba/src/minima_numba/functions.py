"""The code of one function call: LLVM instructions, and the functions of float32 that vectorise.

Each is straight-line arithmetic without branches, so that the loop around it becomes vector code.
NaN and infinity go through as through libm's. float64 calls libm.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

__all__ = ["TYPES", "Code", "call", "combined", "number"]

#: LLVM's names of the kinds of elements, in registers
TYPES = {"f4": "float", "f8": "double", "i4": "i32", "i8": "i64", "b1": "i1"}


def number(value: float | str, kind: str) -> str:
    """Return a constant as LLVM writes it.

    >>> number(1.0, "f4")
    '0x3FF0000000000000'
    """
    if kind == "b1":
        return "true" if value else "false"
    if kind[0] == "i":
        return str(int(value))
    wide = float(value)
    if kind == "f4":
        try:
            (wide,) = struct.unpack("<f", struct.pack("<f", wide))
        except OverflowError:
            wide = float("inf") if wide > 0 else float("-inf")
    return f"0x{int.from_bytes(struct.pack('>d', wide), 'big'):016X}"


class Code:
    """Instructions in order; a call appends one and returns the name of its result."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self._count = 0

    def name(self) -> str:
        """Return a name that was not used yet."""
        self._count += 1
        return f"%v{self._count}"

    def __call__(self, instruction: str) -> str:
        """Append an instruction and return the name of its result."""
        name = self.name()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """Append an instruction without a result."""
        self.lines.append(f"  {instruction}")

    def external(self, name: str, kind: str, *args: str, takes: str = "") -> str:
        """Call a function of libm, or an intrinsic of LLVM."""
        result, given = TYPES[kind], takes or kind
        types = ", ".join([TYPES[given]] * len(args))
        pure = "" if name.startswith("llvm.") else " nounwind willreturn memory(none)"
        self.declared.add(f"declare {result} @{name}({types}){pure}")
        values = ", ".join(f"{TYPES[given]} {a}" for a in args)
        return self(f"call {result} @{name}({values})")


# ---- float32, spelled out ------------------------------------------------------------------------
class Single:
    """float32 arithmetic on names in a `Code`; numbers become constants."""

    def __init__(self, code: Code) -> None:
        self.code = code

    def _name(self, x: str | float) -> str:
        return x if isinstance(x, str) else number(x, "f4")

    def do(self, op: str, a: str | float, b: str | float) -> str:
        """Return a (op) b, exactly rounded and not rearranged."""
        return self.code(f"{op} float {self._name(a)}, {self._name(b)}")

    def fma(self, a: str | float, b: str | float, c: str | float) -> str:
        """Return a * b + c, rounded once."""
        return self.code.external("llvm.fma.f32", "f4", *map(self._name, (a, b, c)))

    def select(
        self, how: str, a: str | float, b: str | float, yes: str | float, no: str | float
    ) -> str:
        """Return *yes* where the comparison *how* of a and b holds, else *no*."""
        test = self.code(f"fcmp {how} float {self._name(a)}, {self._name(b)}")
        return self.code(f"select i1 {test}, float {self._name(yes)}, float {self._name(no)}")

    def abs(self, x: str) -> str:
        """Return the magnitude."""
        return self.code.external("llvm.fabs.f32", "f4", x)

    def signed(self, size: str, sign: str) -> str:
        """Return *size* with the sign of *sign*."""
        return self.code.external("llvm.copysign.f32", "f4", size, sign)

    def polynomial(self, x: str, *coefficients: float) -> str:
        """Return the polynomial; the coefficient of the highest power comes first."""
        total: str | float = coefficients[0]
        for c in coefficients[1:]:
            total = self.fma(total, x, c)
        return str(total)

    def bits(self, x: str) -> str:
        """Return the bits of a float32 as an integer."""
        return self.code(f"bitcast float {x} to i32")

    def from_bits(self, x: str) -> str:
        """Return the float32 with these bits."""
        return self.code(f"bitcast i32 {x} to float")


_ROUNDING = 12582912.0  # 1.5 * 2**23: adding it leaves the nearest integer in the low bits
_LOG2_HIGH, _LOG2_LOW = 0.693359375, -2.12194440e-4


def _exp(code: Code, x: str, *, bounded: bool = False) -> str:
    """e**x = 2**n e**r with |r| <= log(2) / 2; 2**n in two factors, for results near the ends.

    *bounded* promises |x| < 80, where one factor is enough.
    """
    f = Single(code)
    if not bounded:
        x = f.select("olt", x, -105.0, -105.0, x)
        x = f.select("ogt", x, 89.0, 89.0, x)
    shifted = f.fma(x, 1.4426950408889634, _ROUNDING)
    n = f.do("fsub", shifted, _ROUNDING)
    high = f.fma(n, -_LOG2_HIGH, x)
    r = f.fma(n, -_LOG2_LOW, high)
    lost = f.fma(n, -_LOG2_LOW, f.do("fsub", high, r))
    p = f.polynomial(
        r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
        5.0000001201e-1,
    )  # fmt: skip
    y = f.do("fadd", f.do("fadd", f.fma(p, f.do("fmul", r, r), lost), r), 1.0)
    power = code(f"sub i32 {f.bits(shifted)}, {0x4B400000}")
    half = code(f"ashr i32 {power}, 1")
    parts = [power] if bounded else [half, code(f"sub i32 {power}, {half}")]
    for part in parts:
        biased = code(f"add i32 {part}, 127")
        y = f.do("fmul", y, f.from_bits(code(f"shl i32 {biased}, 23")))
    return y


def _log(code: Code, x: str) -> str:
    """log(x) = e log(2) + log(m) with sqrt(1/2) <= m < sqrt(2)."""
    f = Single(code)
    smallest = 1.1754943508222875e-38
    scaled = f.select("olt", x, smallest, f.do("fmul", x, 8388608.0), x)
    bits = f.bits(scaled)
    power = code(f"ashr i32 {code(f'sub i32 {bits}, {0x3F3504F3}')}, 23")
    shift = code(f"shl i32 {power}, 23")
    m = f.do("fsub", f.from_bits(code(f"sub i32 {bits}, {shift}")), 1.0)
    e = code(f"sitofp i32 {power} to float")
    e = f.select("olt", x, smallest, f.do("fsub", e, 23.0), e)
    square = f.do("fmul", m, m)
    p = f.polynomial(
        m, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
        1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )  # fmt: skip
    y = f.do("fmul", f.do("fmul", p, m), square)
    y = f.fma(e, _LOG2_LOW, y)
    y = f.do("fadd", f.fma(square, -0.5, y), m)
    y = f.fma(e, _LOG2_HIGH, y)
    infinity = float("inf")
    y = f.select("oeq", x, infinity, x, y)
    y = f.select("ult", x, 0.0, float("nan"), y)
    return f.select("oeq", x, 0.0, -infinity, y)


def _tanh(code: Code, x: str) -> str:
    """Of small x a polynomial, else 1 - 2 / (e**2x + 1)."""
    f = Single(code)
    size = f.abs(x)
    square = f.do("fmul", x, x)
    p = f.polynomial(
        square, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1,
        -3.33332819422e-1,
    )  # fmt: skip
    small = f.fma(f.do("fmul", p, square), x, x)
    most = f.select("ogt", size, 10.0, 10.0, size)  # beyond it is 1
    e = _exp(code, f.do("fadd", most, most), bounded=True)
    large = f.do("fsub", 1.0, f.do("fdiv", 2.0, f.do("fadd", e, 1.0)))
    return f.signed(f.select("olt", size, 0.625, small, large), x)


def _sigmoid(code: Code, x: str) -> str:
    f = Single(code)
    e = _exp(code, code(f"fneg float {f.abs(x)}"))
    below = f.do("fadd", e, 1.0)
    y = f.do("fdiv", f.select("oge", x, 0.0, 1.0, e), below)
    lost = f.do("fsub", f.do("fsub", below, 1.0), e)  # what rounding the sum added to it
    return f.fma(y, lost, y)


#: erf(x) / x - 1 in powers of x**2 for |x| <= 1, highest first: Chebyshev interpolation
_ERF_INNER = (
    7.882497110086663e-05, -0.0008018854992786387, 0.005189311942686617, -0.026854328796067244,
    0.11283597463488053, -0.3761262690358044, 0.1283791658815026,
)  # fmt: skip
#: erfc(x) exp(x**2) in powers of u, which is -1 at x = 1 and 1 at x = 6.2
_ERF_OUTER = (
    2.0781324263526694e-05, -0.0003545874886091954, 0.002626307613963501, -0.013209781955217166,
    0.050760039059518945, -0.15529840573431541, 0.20531371893803643,
)  # fmt: skip
_LOW, _HIGH = -0.5, 3.2 / 9.2  # (x - 3) / (x + 3) at x = 1 and x = 6.2


def _erf(code: Code, x: str) -> str:
    f = Single(code)
    size = f.abs(x)
    size = f.select("ogt", size, 6.0, 6.0, size)
    square = f.do("fmul", size, size)
    inner = f.fma(f.polynomial(square, *_ERF_INNER), size, size)
    t = f.do("fdiv", f.do("fadd", size, -3.0), f.do("fadd", size, 3.0))
    u = f.fma(t, 2 / (_HIGH - _LOW), -(_HIGH + _LOW) / (_HIGH - _LOW))
    e = _exp(code, code(f"fneg float {square}"), bounded=True)
    tail = f.do("fmul", f.polynomial(u, *_ERF_OUTER), e)
    return f.signed(f.select("olt", size, 1.0, inner, f.do("fsub", 1.0, tail)), x)


_SINGLE: dict[str, Callable[[Code, str], str]] = {
    "exp": _exp,
    "log": _log,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "erf": _erf,
}


_ORDER = "reassoc contract nsz"  # sums may be taken in any order


def combined(code: Code, how: str, kind: str, a: str, b: str) -> str:
    """Write a step of a "sum", "max" or "min"; of the latter two NaN is the result of NaN."""
    element, bits = TYPES[kind], kind[1:]
    if how == "sum":
        add = f"fadd {_ORDER}" if kind[0] == "f" else "add"
        return code(f"{add} {element} {a}, {b}")
    if kind[0] == "f":
        name = "maximum" if how == "max" else "minimum"
        return code.external(f"llvm.{name}.f{int(bits) * 8}", kind, a, b)
    test = code(f"icmp {'sgt' if how == 'max' else 'slt'} {element} {a}, {b}")
    return code(f"select i1 {test}, {element} {a}, {element} {b}")


def call(code: Code, name: str, kind: str, *args: str) -> str:
    """Write a call of sigmoid, or of a function of libm."""
    if kind == "f4" and name in _SINGLE:
        return _SINGLE[name](code, *args)
    if name == "sigmoid":
        (x,) = args
        size = code.external("llvm.fabs.f64", "f8", x)
        e = code.external("exp", "f8", code(f"fneg double {size}"))
        test = code(f"fcmp oge double {x}, {number(0, 'f8')}")
        top = code(f"select i1 {test}, double {number(1, 'f8')}, double {e}")
        total = code(f"fadd double {e}, {number(1, 'f8')}")
        return code(f"fdiv double {top}, {total}")
    return code.external(name + "f" * (kind == "f4"), kind, *args)

"""The methods of Tensor that hand on all that they get to the function of their name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import operators as ops  # at run time `minima.tensor` puts it here, once it exists
    from .tensor import Tensor, TensorLike

__all__ = ["Forwarding"]


def _method(name: str) -> Callable[..., Tensor]:
    """Return the method that calls function *name* with the tensor first."""

    def method(self: Any, *args: Any, **options: Any) -> Tensor:
        found: Tensor = getattr(ops, name)(self, *args, **options)
        return found

    method.__name__, method.__qualname__ = name, f"Forwarding.{name}"
    method.__doc__ = f"See `minima.{name}`."
    return method


def _unary(name: str) -> Callable[[Any], Tensor]:
    """Return the method of a function of one tensor."""
    return _method(name)


def _binary(name: str) -> Callable[[Any, TensorLike], Tensor]:
    """Return the method of a function of two tensors."""
    return _method(name)


class Forwarding:
    """Base of Tensor: a method for each function that is one as it stands.

    ``x.f(...)`` is ``mi.f(x, ...)``: same arguments, gradients and errors. A function whose
    method means something else in PyTorch or NumPy (``equal``, ``where``, ``unfold``) has none.

    >>> import minima as mi
    >>> mi.Tensor([-1.5, 4.0]).floor().maximum(0)
    Tensor([0., 4.])
    """

    __slots__ = ()

    # ---- of one tensor ---------------------------------------------------------------------------
    acos = _unary("acos")
    acosh = _unary("acosh")
    angle = _unary("angle")
    argwhere = _unary("argwhere")
    asin = _unary("asin")
    asinh = _unary("asinh")
    atan = _unary("atan")
    atanh = _unary("atanh")
    bitwise_invert = _unary("bitwise_invert")
    ceil = _unary("ceil")
    cos = _unary("cos")
    cosh = _unary("cosh")
    det = _unary("det")
    digamma = _unary("digamma")
    erf = _unary("erf")
    erfc = _unary("erfc")
    erfinv = _unary("erfinv")
    exp2 = _unary("exp2")
    expm1 = _unary("expm1")
    fliplr = _unary("fliplr")
    flipud = _unary("flipud")
    floor = _unary("floor")
    inv = _unary("inv")
    isfinite = _unary("isfinite")
    isinf = _unary("isinf")
    isnan = _unary("isnan")
    lgamma = _unary("lgamma")
    log10 = _unary("log10")
    log1p = _unary("log1p")
    log2 = _unary("log2")
    logical_not = _unary("logical_not")
    logit = _unary("logit")
    neg = negative = _unary("negative")
    positive = _unary("positive")
    reciprocal = _unary("reciprocal")
    round = _unary("round")
    rsqrt = _unary("rsqrt")
    sign = _unary("sign")
    signbit = _unary("signbit")
    sin = _unary("sin")
    sinh = _unary("sinh")
    square = _unary("square")
    tan = _unary("tan")
    trunc = _unary("trunc")

    # ---- of two tensors --------------------------------------------------------------------------
    add = _binary("add")
    atan2 = _binary("atan2")
    bitwise_and = _binary("bitwise_and")
    bitwise_left_shift = _binary("bitwise_left_shift")
    bitwise_or = _binary("bitwise_or")
    bitwise_right_shift = _binary("bitwise_right_shift")
    bitwise_xor = _binary("bitwise_xor")
    copysign = _binary("copysign")
    div = divide = _binary("divide")
    dot = _binary("dot")
    floor_divide = _binary("floor_divide")
    greater = _binary("greater")
    greater_equal = _binary("greater_equal")
    hypot = _binary("hypot")
    inner = _binary("inner")
    kron = _binary("kron")
    less = _binary("less")
    less_equal = _binary("less_equal")
    logaddexp = _binary("logaddexp")
    logaddexp2 = _binary("logaddexp2")
    logical_and = _binary("logical_and")
    logical_or = _binary("logical_or")
    logical_xor = _binary("logical_xor")
    matmul = _binary("matmul")
    maximum = _binary("maximum")
    minimum = _binary("minimum")
    mul = multiply = _binary("multiply")
    nextafter = _binary("nextafter")
    not_equal = _binary("not_equal")
    outer = _binary("outer")
    remainder = _binary("remainder")
    sub = subtract = _binary("subtract")
    xlogy = _binary("xlogy")

    # ---- with options ----------------------------------------------------------------------------
    addcdiv = _method("addcdiv")
    addcmul = _method("addcmul")
    bincount = _method("bincount")
    cholesky = _method("cholesky")
    count_nonzero = _method("count_nonzero")
    diag = _method("diag")
    diag_embed = _method("diag_embed")
    index_add = _method("index_add")
    index_update = _method("index_update")
    lerp = _method("lerp")
    movedim = _method("movedim")
    nan_to_num = _method("nan_to_num")
    norm = _method("norm")
    polygamma = _method("polygamma")
    pow = _method("pow")
    put_along_axis = _method("put_along_axis")
    rot90 = _method("rot90")
    searchsorted = _method("searchsorted")
    take_along_axis = _method("take_along_axis")
    trace = _method("trace")
    tril = _method("tril")
    triu = _method("triu")
    vecdot = _method("vecdot")

"""All operators: one table, a kernel and a gradient for each; see `minima.operators.table`.

What needs no kernel of its own is composed of them; see `minima.operators.composed`. A family
is a module: its names are those of its ``__all__``. Those of `minima.late` are imported when they
are first asked for.
"""

from __future__ import annotations

from sys import modules
from typing import TYPE_CHECKING

from ..late import EXPORTS as _EXPORTS
from ..late import exporter as _exporter
from ..late import family as _family
from .arithmetic import *  # noqa: F403
from .arithmetic import add, divide, multiply, negative, subtract
from .comparison import *  # noqa: F403
from .complex import *  # noqa: F403
from .composed import COMPOSITES as COMPOSITES
from .composed import composite as composite
from .creation import *  # noqa: F403
from .exponential import *  # noqa: F403
from .indexing import *  # noqa: F403
from .inplace import *  # noqa: F403
from .joining import *  # noqa: F403
from .linear_algebra import *  # noqa: F403
from .logical import *  # noqa: F403
from .manipulation import *  # noqa: F403
from .reduction import *  # noqa: F403
from .table import TABLE as TABLE
from .table import Array as Array
from .table import Arrays as Arrays
from .table import Operator as Operator
from .table import OperatorFunction as OperatorFunction
from .table import operator as operator
from .transfer import *  # noqa: F403

if TYPE_CHECKING:
    from .activation import *  # noqa: F403
    from .adaptive import *  # noqa: F403
    from .attention import *  # noqa: F403
    from .contraction import *  # noqa: F403
    from .convolution import *  # noqa: F403
    from .cumulative import *  # noqa: F403
    from .curves import *  # noqa: F403
    from .decompositions import *  # noqa: F403
    from .distance import *  # noqa: F403
    from .dropouts import *  # noqa: F403
    from .error_functions import *  # noqa: F403
    from .factorization import *  # noqa: F403
    from .fourier import *  # noqa: F403
    from .gamma import *  # noqa: F403
    from .gates import *  # noqa: F403
    from .gathering import *  # noqa: F403
    from .grids import *  # noqa: F403
    from .grouped import *  # noqa: F403
    from .lookup import *  # noqa: F403
    from .loss import *  # noqa: F403
    from .matrices import *  # noqa: F403
    from .matrix_functions import *  # noqa: F403
    from .normalization import *  # noqa: F403
    from .norms import *  # noqa: F403
    from .numbers import *  # noqa: F403
    from .padding import *  # noqa: F403
    from .pooling import *  # noqa: F403
    from .products import *  # noqa: F403
    from .quantiles import *  # noqa: F403
    from .rearrangement import *  # noqa: F403
    from .rectifiers import *  # noqa: F403
    from .recurrent import *  # noqa: F403
    from .resizing import *  # noqa: F403
    from .rounding import *  # noqa: F403
    from .sampling import *  # noqa: F403
    from .selection import *  # noqa: F403
    from .sets import *  # noqa: F403
    from .shrinkage import *  # noqa: F403
    from .sorting import *  # noqa: F403
    from .spatial import *  # noqa: F403
    from .special import *  # noqa: F403
    from .statistics import *  # noqa: F403
    from .summaries import *  # noqa: F403
    from .transforms import *  # noqa: F403
    from .transposed import *  # noqa: F403
    from .trigonometric import *  # noqa: F403
    from .window_largest import *  # noqa: F403
    from .window_means import *  # noqa: F403

# the names that the notebook uses beside those of the standard
negate = negative
add_scalar = add
subtract_scalar = subtract
multiply_scalar = mul_scalar = multiply
divide_scalar = divide

_FIRST = (
    *("arithmetic", "comparison", "complex", "creation", "exponential", "indexing", "inplace"),
    *("joining", "linear_algebra", "logical", "manipulation", "reduction", "transfer"),
)
if not TYPE_CHECKING:  # checkers follow the imports above
    __all__ = [
        *("TABLE", "COMPOSITES", "Array", "Arrays", "Operator", "OperatorFunction"),
        *("composite", "operator", "negate", "add_scalar", "subtract_scalar"),
        *("multiply_scalar", "mul_scalar", "divide_scalar"),
        *(n for family in _FIRST for n in modules[f"{__name__}.{family}"].__all__),
    ]
    #: what is there at once; the rest of ``__all__`` comes when it is asked for
    _HERE = tuple(__all__)
    __all__ += [n for names in _EXPORTS.values() for n in names.split()]

    def __getattr__(name):
        if name in _EXPORTS:
            return _family(name)
        family = _exporter(name)
        if family is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        globals().update({n: getattr(family, n) for n in family.__all__})
        return globals()[name]

    def __dir__():
        return sorted({*globals(), *__all__})

"""bfloat16, which ml_dtypes has: the type survives everything that a float takes part in."""

import sys

import numpy as np
import pytest

import minima as mi
from minima.operators import COMPOSITES, TABLE
from minima.testing.conformance import one_row_each
from minima.testing.launch import call, gradients
from minima.testing.samples import COMPOSED, SAMPLES

pytest.importorskip("ml_dtypes", reason="the extra bfloat16 has it")

#: what is left out -> why
WITHOUT = {
    **dict.fromkeys(
        "adjugate cond det eig eig_packed eigh eigvals eigvalsh inv lstsq matrix_norm matrix_rank "
        "pinv qr slogdet solve svd svdvals".split(),
        "factorisations want float32 or float64",
    ),
    **dict.fromkeys(
        "fft fft2 fftn hfft ifft ifft2 ifftn ihfft irfft irfft2 irfftn rfft rfft2 rfftn real_dft "
        "dft real_idft".split(),
        "there are no complex numbers of its width",
    ),
}
ROWS = [
    s
    for s in one_row_each([s for s in [*SAMPLES, *COMPOSED] if s.floating and s.smooth])
    if s.operator not in WITHOUT
]


def narrow(sample, *, requires_grad=False):
    """Return the inputs of *sample*, those of a floating type as bfloat16."""
    given = []
    for a in sample.arrays():
        if isinstance(a, np.ndarray):
            floating = a.dtype.kind == "f"
            a = mi.asarray(a.astype(mi.bfloat16) if floating else a)
            if floating and requires_grad:
                a.requires_grad_()
        given.append(a)
    return given


@pytest.mark.parametrize("sample", ROWS, ids=[s.id for s in ROWS])
def test_the_type_survives(sample):
    """Catches a result, or a gradient, that is float32, or far off."""
    rounded = [
        a.astype(mi.bfloat16).astype("float64")
        if isinstance(a, np.ndarray) and a.dtype.kind == "f"
        else a
        for a in sample.arrays()
    ]
    with np.errstate(all="ignore"):
        expected = np.asarray(sample.oracle(*rounded, **sample.attrs))
        y = call(sample, narrow(sample))
        if expected.dtype.kind != "f" or sample.dtype is not None:
            return
        assert y.dtype == mi.bfloat16
        size = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
        np.testing.assert_allclose(y.numpy().astype(float), expected, rtol=0.05, atol=0.05 * size)
        given = narrow(sample, requires_grad=True)
        if call(sample, given).requires_grad:
            for t, g in zip(given, gradients(sample, given)):
                if g is not None:
                    assert (g.dtype, g.shape) == (t.dtype, t.shape)


def test_left_out_are_there():
    """Catches an exception that outlived its function."""
    assert set(WITHOUT) <= {*TABLE, *COMPOSITES}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("bool", "bfloat16"), ("int8", "bfloat16"), ("int64", "bfloat16"), ("uint8", "bfloat16"),
        ("float16", "float32"), ("float32", "float32"), ("float64", "float64"),
        ("complex64", "complex64"), (1, "bfloat16"), (1.5, "bfloat16"), (1j, "complex64"),
    ],
)  # fmt: skip
def test_promotion(other, expected):
    """Catches a type that is widened, or an error of NumPy's."""
    x = mi.ones(2, dtype="bfloat16")
    beside = mi.ones(2, dtype=other) if isinstance(other, str) else other
    assert str((x + beside).dtype) == str((beside + x).dtype) == expected
    assert mi.result_type(x, beside) == mi.result_type(beside, x) == (x + beside).dtype


def test_what_is_said_of_it():
    """Catches limits, kinds or a text of another type."""
    x = mi.Tensor([1.5, 3.0], dtype=mi.bfloat16)
    assert repr(x) == "Tensor([1.5, 3], dtype=bfloat16)"
    assert (mi.finfo(x).bits, mi.finfo(x).eps, mi.finfo(x).dtype) == (16, 2.0**-7, mi.bfloat16)
    assert mi.isdtype(mi.bfloat16, "real floating")
    assert not mi.isdtype(mi.bfloat16, ("complex floating", "integral", "bool"))
    assert mi.can_cast(mi.bfloat16, mi.float32)
    assert not mi.can_cast(mi.float32, mi.bfloat16)
    assert mi.bfloat16 is mi.bfloat16
    assert (x.nbytes, x.tolist(), x.astype("int8").tolist()) == (4, [1.5, 3.0], [1, 3])


def test_sums_are_made_in_float32():
    """Catches a sum that stops growing at 256."""
    x = mi.ones((40, 25), dtype="bfloat16")
    assert x.sum().item() == 1000.0
    assert (x.T @ x)[0, 0].item() == 40.0
    function = mi.compile(lambda t: (t @ t.T).sum() + t.sum())
    assert [function(x).item() for _ in range(3)] == [41000.0 // 256 * 256] * 3


def test_in_place_and_training():
    """Catches a step that leaves the type, or memory that is not written."""
    w = mi.ones(3, dtype="bfloat16", requires_grad=True)
    for _ in range(3):
        ((w - 3.0) ** 2).sum().backward()
        with mi.no_grad():
            w -= 0.25 * w.grad
            w.grad = None
    assert (w.dtype, w.tolist()) == (mi.bfloat16, [2.75] * 3)
    w.detach()[:] = 1.0
    assert w.tolist() == [1.0] * 3


def test_without_ml_dtypes(monkeypatch):
    """Catches a ModuleNotFoundError in place of what to install."""
    monkeypatch.setattr("minima.dtypes._BFLOAT16", [])
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(mi.DTypeError, match=r"pip install 'minima-core\[bfloat16\]'"):
        mi.zeros(2, dtype="bfloat16")
    with pytest.raises(AttributeError, match=r"pip install 'minima-core\[bfloat16\]'"):
        _ = mi.bfloat16
    assert not hasattr(mi, "bfloat16")


def test_other_types_of_no_kind_are_refused():
    """Catches a record or a narrow float that no kernel knows."""
    for dtype in ("V4", "float8_e5m2", [("a", "f4")]):
        with pytest.raises(mi.DTypeError, match="expected one of"):
            mi.zeros(2, dtype=dtype)
    with pytest.raises(mi.DTypeError):
        mi.asarray(np.zeros(2, [("a", "f4")]))

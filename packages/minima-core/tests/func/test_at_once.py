"""What takes a batch of vmap in one go, rather than element after element."""

import numpy as np
import pytest

import minima as mi
from minima.func import rules, vmap


def real(*shape):
    return mi.asarray(np.random.default_rng(0).standard_normal(shape))


def index(*shape):
    return mi.asarray(np.random.default_rng(0).integers(-3, 3, shape))


def square(a):
    return a @ a.mT + 3.0 * mi.eye(3, dtype="float64")


ops = mi.operators
WEIGHT, MEAN, VAR = real(24, 6), mi.zeros(3), mi.ones(3)
ROWS = {
    "solve": (lambda a, b: mi.linalg.solve(square(a), b), [real(4, 3, 3), real(4, 3)]),
    "solve, columns": (lambda a, b: mi.linalg.solve(square(a), b), [real(4, 3, 3), real(4, 3, 2)]),
    "qr": (lambda a: mi.linalg.qr(a)[1], [real(4, 3, 3)]),
    "eigh": (lambda a: mi.linalg.eigh(square(a))[0], [real(4, 3, 3)]),
    "lstm": (lambda x, h: ops.lstm(x, h, h, WEIGHT), [real(4, 5, 2, 24), real(4, 2, 6)]),
    "gru": (lambda x, h: ops.gru(x, h, WEIGHT[:18]), [real(4, 5, 2, 18), real(4, 2, 6)]),
    "rnn": (lambda x, h: ops.rnn(x, h, WEIGHT[:6]), [real(4, 5, 2, 6), real(4, 2, 6)]),
    "batch_norm": (lambda x: ops.batch_norm(x, MEAN, VAR), [real(4, 5, 3, 2)]),
    "fft": (lambda x: mi.fft.fft(x), [mi.asarray(real(4, 6).numpy() + 1j)]),
    "trace": (mi.trace, [real(4, 3, 3)]),
    "erfinv": (lambda x: mi.erfinv(mi.tanh(x)), [real(4, 3)]),
    "own rows": (lambda x, i: x[i], [real(4, 3, 2), index(4, 5)]),
    "own elements": (lambda x, i, j: x[i % 2, j % 2], [real(4, 3, 2), index(4, 5), index(4, 2, 1)]),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_batch_is_one_launch(name, monkeypatch):
    """Catches a rule that is gone, or gives other values than the elements by themselves."""
    function, given = ROWS[name]
    expected = [function(*(t[i] for t in given)).numpy() for i in range(4)]

    def refused(n, function, inputs, attrs):
        raise AssertionError(f"{function.__name__} runs element after element")

    monkeypatch.setattr(rules, "one_by_one", refused)
    np.testing.assert_allclose(vmap(function)(*given).numpy(), np.stack(expected), atol=1e-6)

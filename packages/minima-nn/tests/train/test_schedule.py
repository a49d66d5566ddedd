import pytest

from minima.train import warmup_cosine


@pytest.mark.parametrize(
    ("done", "factor"), [(0.0, 0.1), (0.05, 0.55), (0.1, 1.0), (0.55, 0.505), (1.0, 0.01)]
)
def test_values(done, factor):
    """Catch a jump between warm-up and decay, or a rate of 0."""
    assert warmup_cosine(done) == pytest.approx(factor)


def test_rises_then_falls():
    """Catch a rate that grows again near the end."""
    factors = [warmup_cosine(i / 1000) for i in range(1001)]
    assert factors[:101] == sorted(factors[:101])
    assert factors[100:] == sorted(factors[100:], reverse=True)

"""What minima adds to pytest: ``--minima-device NAME`` and the device that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..devices import Device

__all__ = ["minima_device", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option; nothing of minima is imported before a test asks for the device."""
    parser.getgroup("minima").addoption(
        "--minima-device",
        default="cpu",
        metavar="NAME",
        help="the device that minima.testing.conformance judges: cpu, cuda:1, or a plugin's name",
    )


@pytest.fixture(scope="session")
def minima_device(request: pytest.FixtureRequest) -> Device:
    """Return the device that ``--minima-device`` names; without it there is nothing to test."""
    import minima

    name = request.config.getoption("--minima-device")
    try:
        return minima.device(name)
    except minima.MinimaError as error:
        pytest.exit(f"--minima-device {name}: {error}", returncode=pytest.ExitCode.USAGE_ERROR)

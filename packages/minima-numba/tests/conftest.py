import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keep compiled code in a folder of this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIMA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield

"""Both back ends; trio's clock is virtual, so that nothing waits."""

import pytest
import sniffio
from trio.testing import MockClock


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, MockClock]]:
    options = {"clock": MockClock(autojump_threshold=0)} if request.param == "trio" else {}
    return request.param, options


@pytest.fixture(autouse=True)
def asserted_backend(request: pytest.FixtureRequest) -> None:
    """A test that runs on one back end twice would prove half of what it says."""
    if "anyio_backend" in request.fixturenames:
        request.getfixturevalue("_backend_is_the_one_asked_for")


@pytest.fixture
async def _backend_is_the_one_asked_for(anyio_backend_name: str) -> None:
    assert sniffio.current_async_library() == anyio_backend_name

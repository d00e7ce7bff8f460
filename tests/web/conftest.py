"""What every test of the HTTP layer needs."""

from collections.abc import Iterator

import pytest

from core.access.forwarders import LATCH


@pytest.fixture(autouse=True)
def _no_forwarder_yet() -> Iterator[None]:
    """Forget the forwarders that an earlier test has played: a test is like a start of its own."""
    LATCH.release()
    yield
    LATCH.release()

"""A Kling that counts, and the workshop that works with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.fake_kling import FakeKling
from tests.crash.workshop import Workshop


@pytest.fixture
def fake() -> Iterator[FakeKling]:
    with FakeKling() as kling:
        yield kling


@pytest.fixture
def workshop(tmp_path: Path, fake: FakeKling) -> Iterator[Workshop]:
    with Workshop(tmp_path, fake.origin) as opened:
        yield opened


@pytest.fixture
def closed(tmp_path: Path, fake: FakeKling) -> Iterator[Callable[..., Workshop]]:
    """Opens workshops that are closed in the end."""
    opened: list[Workshop] = []

    def open_one(**options: Any) -> Workshop:
        opened.append(Workshop(options.pop("folder", tmp_path), fake.origin, **options))
        return opened[-1].start()

    yield open_one
    for each in opened:
        each.close()

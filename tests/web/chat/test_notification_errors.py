"""Whatever goes wrong between processes is told, is never called live, and is tried again."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from core.storage.db import notifications
from core.storage.db.notifications import Notifications
from tests.waiting import until

pytestmark = pytest.mark.postgres

ERRORS = [
    psycopg.OperationalError("server closed the connection"),
    RuntimeError("cannot schedule"),
    OSError(24, "Too many open files"),
    MemoryError(),
    ImportError("no libpq"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    KeyError("schema"),
]
PLACES = ["_connect", "_hears_itself", "_listen", "_say"]


@pytest.fixture
def talking(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notifications]:
    monkeypatch.setattr(notifications, "AGAIN_AFTER_S", 0.05)
    monkeypatch.setattr(notifications, "SPEAK_AGAIN_AFTER_S", 0.05)
    monkeypatch.setattr(notifications, "HEARTBEAT_S", 0.05)
    made = Notifications(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    yield made
    made.close()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", PLACES)
def test_an_error_of_any_kind_is_told_and_tried_again(
    talking: Notifications,
    place: str,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[Any] = []
    fails, failed = [False], [0]
    real = getattr(Notifications, place)

    def failing(*arguments: Any) -> Any:
        if fails[0]:
            failed[0] += 1
            raise error
        return real(*arguments)

    monkeypatch.setattr(Notifications, place, failing)
    fails[0] = place != "_say"
    talking.start(heard.append)
    if place == "_say":
        until(lambda: talking.state == "live", "it listens")
        fails[0] = True
    until(lambda: failed[0] > 2, "it tried again and again")
    until(lambda: talking.state == "away", "it says that it is not live")
    told = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert any(type(error).__name__ in one for one in told)
    assert len(told) <= 4, "what comes again and again is told once"
    talking.send({"kind": "lost"})  # nobody would hear it: not kept either
    fails[0] = False
    until(lambda: talking.state == "live", "it is live again")
    talking.send({"kind": "one", "text": "好"})
    until(lambda: heard, "what is said is heard again")
    assert heard == [{"kind": "one", "text": "好"}]
    assert all(one.is_alive() for one in talking._threads)

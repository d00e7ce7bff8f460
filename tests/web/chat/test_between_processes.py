"""Answers of one process seen and stopped through another, by PostgreSQL's notifications."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus, ChatParameters, Turn
from core.settings import ChatSettings, Secret, Settings
from core.storage.db import notifications
from core.storage.db.database import parse_url
from core.storage.db.notifications import Notifications, in_pieces
from core.work.chat.live_answer import LiveAnswer
from core.work.studio import Studio
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, ending, event
from tests.waiting import until
from tests.web.serving import CHAT_KEY

pytestmark = pytest.mark.postgres

PIECES = [f"第{number}片 😀。" for number in range(40)]


class Provider:
    """An upstream that goes on when it is told to."""

    def __init__(self) -> None:
        self.goes_on = threading.Semaphore(0)

    def plan(self, _body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        for piece in PIECES:
            while not self.goes_on.acquire(blocking=False):
                yield Step(0.01)
            yield Step(0, event(content=piece))
        yield Step(0, ending() + DONE)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str, provider: Provider) -> Iterator[list[Studio]]:
    with Upstream(provider.plan) as upstream:
        settings = Settings(
            tmp_path,
            chat=ChatSettings(url=upstream.url, api_key=Secret(CHAT_KEY)),
            database_url=Secret(postgres_url),
        )
        studios = [Studio.open(settings) for _ in range(2)]
        for one in studios:
            until(partial(getattr, one.answers.relay, "is_live"), "it hears itself")
        yield studios
        for one in studios:
            one.close()


def ask(studio: Studio, provider: Provider) -> LiveAnswer:
    turns = [Turn.of_text("user", "q")]
    live = studio.answers.ask_posted(LOCAL_OWNER, turns, ChatParameters())
    provider.goes_on.release()
    until(lambda: live.length, "the first piece is there")
    return live


def test_growth_is_heard_in_order_and_a_reader_who_comes_late_gets_all(
    pair: list[Studio], provider: Provider
) -> None:
    one, other = pair
    live = ask(one, provider)
    heard: list[dict[str, Any]] = []
    other.answers.relay.read(live.message_id, heard.append)
    other.answers.relay.watch(live.message_id, 0)
    until(lambda: heard, "the beginning is heard")
    provider.goes_on.release(len(PIECES))
    until(lambda: heard[-1]["kind"] == "end", "the end is heard")
    text = ""
    for message in heard[:-1]:
        assert message["place"] == len(text)
        text += message["text"]
    assert text == "".join(PIECES)
    kept = other.store.messages.get(LOCAL_OWNER, live.message_id)
    assert kept is not None
    assert (kept.status, kept.content) == (AnswerStatus.COMPLETE, text)


def test_a_stop_through_the_other_process_holds_at_once(
    pair: list[Studio], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    live = ask(one, provider)
    until(lambda: other.store.messages.get(LOCAL_OWNER, live.message_id), "its row is there")
    sent: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(other.answers.relay, "stop", sent.append)
        other.answers.stop("user:somebody-else", live.message_id)
    assert sent == []
    # The row does not say it: what is seen of it was heard.
    monkeypatch.setattr(other.store.running_answers, "request_stop", lambda *_: True)
    other.answers.stop(LOCAL_OWNER, live.message_id)
    assert live.saved.wait(60)
    assert live.outline().status is AnswerStatus.STOPPED


def test_nothing_is_sent_of_an_answer_that_nobody_reads_elsewhere(
    pair: list[Studio], provider: Provider, postgres_url: str
) -> None:
    channel = pair[0].store.notifications
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'LISTEN "{channel._channel}"'.encode())
        live = ask(pair[0], provider)
        provider.goes_on.release(len(PIECES))
        assert live.saved.wait(60)
        channel.send({"kind": "after"})
        said = []
        for one in connection.notifies(timeout=60):
            said.append(one.payload)
            if "after" in one.payload:
                break
    assert not any("grow" in one for one in said)


def test_where_nothing_is_delivered_it_says_so_and_sends_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler in transaction mode takes LISTEN, and nothing comes: as if it were not said."""
    monkeypatch.setattr(notifications, "SELF_TEST_S", 0.3)
    monkeypatch.setattr(notifications, "UNDELIVERED_AGAIN_AFTER_S", 0.2)
    deaf = Notifications(parse_url(postgres_url))
    connect = deaf._connect

    def without_listening() -> Any:
        connection = connect()
        execute = connection.execute

        def say(query: Any, *rest: Any) -> Any:
            is_listen = isinstance(query, bytes) and query.startswith(b"LISTEN")
            return None if is_listen else execute(query, *rest)

        monkeypatch.setattr(connection, "execute", say)
        return connection

    monkeypatch.setattr(deaf, "_connect", without_listening)
    heard: list[dict[str, Any]] = []
    deaf.start(heard.append)
    until(lambda: deaf.state == "undelivered", "it found out")
    deaf.send({"kind": "lost"})
    assert deaf._waiting.empty()
    monkeypatch.setattr(deaf, "_connect", connect)  # a direct connection now
    until(lambda: deaf.state == "live", "it tried again")
    deaf.send({"kind": "there"})
    until(lambda: heard, "it is heard")
    assert heard == [{"kind": "there"}]
    deaf.close()


@given(st.text(max_size=9_000))
def test_pieces_fit_into_a_notification_and_make_the_text_again(text: str) -> None:
    text = (text * 8).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    pieces = in_pieces(text)
    assert "".join(pieces) == text
    for piece in pieces:
        message = {"kind": "grow", "answer": "a" * 32, "place": 10**9, "text": piece}
        assert len(notifications._written(message).encode()) <= notifications.PAYLOAD_BYTES

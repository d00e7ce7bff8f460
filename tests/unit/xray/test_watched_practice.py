"""The studio's own exchanges with practice: read, copied and run again, exported, masked."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.access.owners import LOCAL_OWNER
from core.errors import AppError, InputError
from core.models.accounts import KlingKeyPair
from core.models.chat import ChatParameters
from core.models.generations import ImageRequest
from core.models.money.ledger import Spender
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PracticeSettings
from core.providers.http.kept_exchange import Exchange
from core.providers.kling.client import Kling
from core.settings import ChatSettings, KlingSettings, Secret, Settings
from core.wire.masking.secrets import known_secrets
from core.work.drawing.proposals import PROPOSAL, DrawingWish
from core.work.studio import Studio
from core.work.xray.keeping import forget, forget_orphans, keep, kept, kept_since
from core.work.xray.reading import (
    added_by,
    clock_skew_s,
    is_stream,
    purpose_of,
    stream_facts,
)
from core.work.xray.recipes import as_curl, as_har, as_json, as_python
from core.work.xray.subjects import traces_about
from core.work.xray.task_way import task_way
from core.work.xray.watch import ExchangeWatch
from tests.waiting import until

PAIR = KlingKeyPair("access-canary-1234567890", "secret-canary-09876543210987654321")
QUICK = PracticeSettings(
    chat_key=PRACTICE_CHAT_KEY,
    kling_api_key="kling-canary-5544332211",
    first_delta_s=0.02,
    delta_interval_s=0.001,
    keep_alive_s=0.01,
    submitted_s=0.05,
    processing_s=0.1,
    picture_pixels=256,
)


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def studio(practice: PracticeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    opened = Studio.open(
        Settings(
            data_dir=tmp_path_factory.mktemp("xray"),
            chat=ChatSettings(url=practice.chat_url, api_key=Secret(PRACTICE_CHAT_KEY)),
            kling=KlingSettings(origin=practice.origin, api_key=Secret("kling-canary-5544332211")),
        )
    )
    yield opened
    opened.close()


def ask(studio: Studio, question: str, **parameters: Any) -> str:
    conversation = studio.store.conversations.create(LOCAL_OWNER, title="named")
    asked = ChatParameters(**parameters)
    live = studio.answers.ask(LOCAL_OWNER, conversation, question, asked)
    assert live.saved.wait(60)
    return live.message_id


def about(studio: Studio, *words: str) -> list[Exchange]:
    return [one.exchange for one in studio.xray.ring.about(*words)]


@pytest.fixture(scope="module")
def answer(studio: Studio) -> Exchange:
    subject = ask(studio, "what is this app?", thinking=True)
    found: Exchange = until(
        lambda: [one for one in about(studio, subject) if is_stream(one)], "its stream is seen"
    )[0]
    return found


def test_an_answer_is_read_frame_by_frame(studio: Studio, answer: Exchange) -> None:
    facts = stream_facts(answer)
    assert purpose_of(answer) == "answer"
    assert facts.keep_alives >= 1
    assert facts.frames[-1].data == "[DONE]"
    said = "".join(map(added_by, facts.frames))
    message = studio.store.messages.get(LOCAL_OWNER, answer.subject)
    assert message is not None
    assert said == message.reasoning_content + message.content
    assert facts.first_token_s is not None
    assert answer.first_byte_s is not None
    assert answer.first_byte_s <= facts.first_token_s <= answer.duration_s
    assert facts.tokens_per_s is not None
    assert facts.tokens_per_s > 0
    skew = clock_skew_s(answer)
    assert skew is not None
    assert abs(skew) < 30


def test_a_refusal_and_the_second_try_are_both_of_the_answer(studio: Studio) -> None:
    subject = ask(studio, "/practice retry-after 1")
    tries = [one for one in about(studio, subject) if purpose_of(one) == "answer"]
    assert [one.status_code for one in tries][:2] == [429, 200]
    assert dict(tries[0].response_headers)["retry-after"] == "1"
    wait = (tries[1].began_at - tries[0].began_at).total_seconds()
    assert wait >= 1.0


def test_a_title_is_told_apart_from_the_answer(studio: Studio) -> None:
    conversation = studio.store.conversations.create(LOCAL_OWNER)
    live = studio.answers.ask(LOCAL_OWNER, conversation, "name this", ChatParameters())
    assert live.saved.wait(60)
    title = until(
        lambda: [one for one in studio.xray.ring.newest() if purpose_of(one.head) == "title"],
        "the title was asked for",
    )[0].exchange
    assert not is_stream(title)
    line_id = title.subject.removeprefix("title:")
    assert line_id in studio.store.ledger.several(LOCAL_OWNER, [line_id])
    assert {purpose_of(one) for one in about(studio, live.message_id)} == {"answer"}


def test_a_prompt_is_told_apart_from_the_answer(studio: Studio) -> None:
    subject = ask(studio, "a hill")
    wanted = DrawingWish()
    studio.proposals.begin(Spender(LOCAL_OWNER, "page"), subject, wanted).result(60)
    prompt = until(
        lambda: [one for one in studio.xray.ring.newest() if purpose_of(one.head) == "prompt"],
        "the prompt was asked for",
    )[0].exchange
    assert prompt.url.endswith("/chat/completions")
    line_id = prompt.subject.removeprefix(PROPOSAL)
    line = studio.store.ledger.several(LOCAL_OWNER, [line_id])[line_id]
    assert (line.kind, line.message_id) == ("prompt", subject)
    assert {purpose_of(one) for one in about(studio, subject)} == {"answer"}


def test_a_pictures_way_is_together(studio: Studio) -> None:
    generation = studio.generations.request(LOCAL_OWNER, ImageRequest("a hill"))

    def arrived() -> Any:
        found = studio.store.generations.get(LOCAL_OWNER, generation.id)
        return found if found is not None and found.pictures else None

    task = until(arrived, "it is drawn").task_id
    way = [purpose_of(one) for one in about(studio, generation.id, task)]
    assert way[0] == "create"
    assert "download" in way


def test_a_tasks_way_tells_why_each_look_waited(studio: Studio) -> None:
    generation = studio.generations.request(LOCAL_OWNER, ImageRequest("a lake"))

    def arrived() -> Any:
        found = studio.store.generations.get(LOCAL_OWNER, generation.id)
        return found if found is not None and found.pictures else None

    until(arrived, "it is drawn")
    traces = until(
        lambda: (
            (found := traces_about(studio, LOCAL_OWNER, generation.id))
            and purpose_of(found[0].head) == "download"
            and found
        ),
        "it was fetched",
    )
    steps = task_way([one.exchange for one in reversed(traces)])
    assert [(steps[0].purpose, steps[0].why)] == [("create", "start")]
    assert steps[0].said == "submitted"
    assert steps[1].why in ("first", "together")
    assert (steps[-1].purpose, steps[-1].why) == ("download", "fetch")
    assert steps[-2].said == "succeed"
    assert all(one.waited_s >= 0 for one in steps)


def test_what_is_kept_with_an_answer_outlives_memory(studio: Studio, answer: Exchange) -> None:
    store, subject = studio.store, answer.subject
    assert kept_since(store, LOCAL_OWNER, subject) is None
    keep(store, LOCAL_OWNER, subject, [answer])
    keep(store, LOCAL_OWNER, "of-nothing", [answer])
    (one,) = kept(store, LOCAL_OWNER, subject)
    assert one.exchange == answer
    assert kept_since(store, LOCAL_OWNER, subject) is not None
    assert kept(store, "user:ann@example.org", subject) == ()
    known_secrets.replace(["frame-by-frame-secret", answer.response_body[40:80]])
    try:
        (one,) = kept(store, LOCAL_OWNER, subject)
        assert not known_secrets.is_in(one.exchange.response_body)
    finally:
        known_secrets.replace([])
    assert forget_orphans(store) == 1
    forget(store, LOCAL_OWNER, subject)
    assert kept(store, LOCAL_OWNER, subject) == ()
    with pytest.raises(InputError):
        keep(store, LOCAL_OWNER, subject, [replace(answer, response_body="x" * (5 << 20))])


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_is_copied_runs_and_says_the_same(studio: Studio, answer: Exchange) -> None:
    refused = ask(studio, "/practice 401")
    for one in (answer, about(studio, refused)[0]):
        environment = {**os.environ, "DEEPSEEK_API_KEY": PRACTICE_CHAT_KEY}
        command = as_curl(one).replace("curl ", "curl -s -o /dev/null -w %{http_code} ", 1)
        done = subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == str(one.status_code)
        program = subprocess.run(
            [sys.executable, "-c", as_python(one)], env=environment, capture_output=True, text=True
        )
        assert program.returncode == 0, program.stderr
        shown = program.stdout.strip()
        assert shown.endswith("[DONE]") if is_stream(one) else shown.startswith("401")


def test_a_har_log_holds_what_its_readers_ask_for(studio: Studio, answer: Exchange) -> None:
    log = json.loads(as_har([answer]))["log"]
    assert log["version"] == "1.2"
    (entry,) = log["entries"]
    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= entry.keys()
    assert entry["request"]["postData"]["mimeType"] == "application/json"
    assert entry["response"]["content"]["mimeType"].startswith("text/event-stream")
    assert entry["response"]["statusText"] == "OK"
    assert sum(entry["timings"].values()) == pytest.approx(entry["time"], abs=1)
    (own,) = json.loads(as_json([answer]))["exchanges"]
    assert own["chunks"] == [list(one) for one in answer.chunks]


def test_a_signed_token_is_taken_apart_and_not_shown(practice: PracticeServer) -> None:
    watch = ExchangeWatch()
    watch.set(on=True)
    known_secrets.replace([PAIR.access_key, PAIR.secret_key])
    try:

        async def refused() -> None:
            kling = Kling(origin=practice.origin, credentials=PAIR)
            with suppress(AppError):  # practice knows no such pair
                await kling.list_tasks("image")
            await kling.aclose()

        asyncio.run(refused())
        one = watch.ring.newest()[0].exchange
        assert one.bearer is not None
        assert (one.bearer.algorithm, one.bearer.kind) == ("HS256", "JWT")
        assert one.bearer.claims == ("iss", "exp", "nbf")
        assert one.bearer.expires_at is not None
        assert one.bearer.valid_from is not None
        assert one.bearer.expires_at - one.bearer.valid_from == 1805
        for shown in (as_curl(one), as_python(one), as_har([one]), as_json([one]), repr(one)):
            assert PAIR.access_key not in shown
            assert PAIR.secret_key not in shown
            assert "eyJ" not in shown
        assert "$KLING_TOKEN" in as_curl(one)
    finally:
        watch.set(on=False)
        known_secrets.replace([])


def test_no_key_is_in_anything_that_leaves(studio: Studio, answer: Exchange) -> None:
    everything = [one.exchange for one in studio.xray.ring.newest()]
    assert len(everything) > 5
    known_secrets.replace([PRACTICE_CHAT_KEY, "kling-canary-5544332211"])
    try:
        for shown in (as_har(everything), as_json(everything), *map(as_curl, everything)):
            assert not known_secrets.is_in(shown)
            assert "kling-canary" not in shown
    finally:
        known_secrets.replace([])


def test_switched_off_nothing_is_kept(practice: PracticeServer, tmp_path: Path) -> None:
    chat = ChatSettings(url=practice.chat_url, api_key=Secret(PRACTICE_CHAT_KEY))
    studio = Studio.open(Settings(data_dir=tmp_path, chat=chat, kling=None, xray=False))
    try:
        ask(studio, "hello")
        assert not studio.xray.is_on
        assert studio.xray.ring.newest() == ()
        studio.apply(Settings(data_dir=tmp_path, chat=chat, kling=None))
        ask(studio, "hello")
        assert studio.xray.ring.newest() != ()
        studio.apply(Settings(data_dir=tmp_path, chat=chat, kling=None, xray=False))
        assert studio.xray.ring.newest() == ()
    finally:
        studio.close()

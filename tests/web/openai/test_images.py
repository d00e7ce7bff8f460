"""The official openai client draws with Kling: from words, from a picture, and only once a key."""

import base64
import io
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from core.errors import StoreError
from core.practice.server import PracticeServer
from core.web.chat.posted.body_room import BodyRoom
from core.web.timings import HttpTimings
from core.work.studio import Studio
from tests.crash.workshop import QUICK as SOON
from tests.waiting import until
from tests.web.chat.test_openai import client_of
from tests.web.serving import QUICK, Served, serving_practice

# A studio that looks after its tasks at once.
soon = partial(Studio.open, timings=SOON)


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    with serving_practice(tmp_path_factory.mktemp("drawing"), practice, build=soon) as running:
        yield running


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with client_of(served) as running:
        yield running


def picture_of(one: Any) -> Image.Image:
    if one.b64_json:
        return Image.open(io.BytesIO(base64.b64decode(one.b64_json)))
    return Image.open(io.BytesIO(httpx.get(one.url, trust_env=False).content))


def red(width: int = 400, height: int = 300) -> tuple[str, bytes]:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 20, 20)).save(file, "PNG")
    return "red.png", file.getvalue()


@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_words_are_drawn(client: openai.OpenAI, served: Served, form: Any) -> None:
    done: Any = client.images.generate(
        model="kling-v3",
        prompt="a lighthouse in ink",
        n=2,
        size="1792x1024",
        response_format=form,
        quality="hd",
    )
    assert len(done.data) == 2
    shown = [picture_of(one) for one in done.data]
    assert {round(one.width / one.height, 2) for one in shown} == {1.78}
    (notice,) = done.model_extra["notices"]
    assert (notice["id"], notice["names"]) == ("fields_ignored", "quality")
    newest = served.studio.store.generation_lists.list("local", limit=1).items[0]
    assert (newest.request.n, newest.request.resolution, newest.origin) == (2, "2k", "http")


def test_a_picture_is_drawn_anew_and_openais_names_stand_for_what_draws_here(
    client: openai.OpenAI, served: Served
) -> None:
    done: Any = client.images.edit(
        model="gpt-image-1", image=red(), prompt="true", size="1024x1024"
    )
    assert picture_of((done.data or [])[0]).width  # base64, as this model always answers
    assert [one["id"] for one in done.model_extra["notices"]] == ["model_stands_in"]
    newest = served.studio.store.generation_lists.list("local", limit=1).items[0]
    assert newest.request.has_image
    assert newest.request.prompt == "true"  # a form says flags as text, but not all text is one
    assert newest.request.model_name == "kling-v3"


def test_one_key_buys_once(client: openai.OpenAI, practice: PracticeServer) -> None:
    before = len(practice.picture_book)
    same: Any = {"prompt": "one crane", "extra_headers": {"Idempotency-Key": "crane-1"}}
    first, again = (client.images.generate(response_format="b64_json", **same) for _ in range(2))
    assert first.data == again.data
    assert len(practice.picture_book) == before + 1


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, PracticeServer]]:
    """A studio that soon says something, and a Kling that draws for longer than that."""
    with (
        PracticeServer(settings=replace(QUICK, processing_s=0.6)) as practice,
        serving_practice(
            tmp_path_factory.mktemp("slow"),
            practice,
            build=soon,
            timings=HttpTimings(keep_alive_s=0.05),
        ) as running,
    ):
        yield running, practice


def test_what_is_slowly_drawn_keeps_its_connection_alive(
    slow: tuple[Served, PracticeServer],
) -> None:
    served, _ = slow
    with served.http.stream(
        "POST", "/v1/images/generations", json={"prompt": "a slow tree"}
    ) as reply:
        first, *rest = reply.iter_raw()
    assert first == b"\n"
    assert json.loads(b"".join(rest))["data"][0]["url"]
    with client_of(served) as client:
        done = client.images.generate(prompt="a slow hill", response_format="b64_json")
    assert picture_of((done.data or [])[0]).width


def test_what_fails_late_is_told_by_its_status_and_drawn_once(
    slow: tuple[Served, PracticeServer],
) -> None:
    served, practice = slow
    before = practice.counters.tasks_accepted
    with client_of(served) as client, pytest.raises(openai.BadRequestError) as caught:
        client.with_options(max_retries=2).images.generate(prompt="/practice fail a late tree")
    assert caught.value.code == "task_failed"
    assert practice.counters.tasks_accepted == before + 1
    # A client that would not say that it repeats is told in the body.
    reply = served.http.post("/v1/images/generations", json={"prompt": "/practice fail a bush"})
    assert reply.json()["error"]["code"] == "task_failed"


def test_what_the_client_repeats_by_itself_is_bought_once(
    slow: tuple[Served, PracticeServer],
) -> None:
    served, practice = slow
    before = practice.counters.tasks_accepted
    asked = 0

    def leaves_early(request: Any) -> None:
        # Blanks are news to its timeout; so it goes before the first, as a proxy would have it.
        nonlocal asked
        asked += 1
        request.extensions["timeout"]["read"] = 0.04 if asked < 3 else 30

    with (
        client_of(served) as client,
        openai.DefaultHttpxClient(event_hooks={"request": [leaves_early]}) as leaving,
    ):
        impatient = client.with_options(http_client=leaving, max_retries=5)
        done = impatient.images.edit(image=red(), prompt="the same by day", model="gpt-image-1")
        assert picture_of((done.data or [])[0]).width
        assert asked >= 3
        assert practice.counters.tasks_accepted == before + 1
        for _ in range(2):  # who does not repeat himself wants another one
            client.images.generate(prompt="the same words", response_format="b64_json")
    assert practice.counters.tasks_accepted == before + 3


def test_what_is_drawn_and_cannot_be_read_is_told_and_comes_later(
    slow: tuple[Served, PracticeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, practice = slow
    before = practice.counters.tasks_accepted
    asked: Any = {"prompt": "a far hill", "response_format": "b64_json"}
    keyed = {"Idempotency-Key": "far"}

    def lost(_name: str) -> bytes:
        raise StoreError("error.archive_write")

    with monkeypatch.context() as patched:
        patched.setattr(served.studio.archive, "original_bytes", lost)
        with client_of(served) as client, pytest.raises(openai.InternalServerError) as caught:
            client.with_options(max_retries=1).images.generate(**asked, extra_headers=keyed)
        assert caught.value.status_code == 503
    with client_of(served) as client:
        done = client.images.generate(**asked, extra_headers=keyed)
    assert picture_of((done.data or [])[0]).width
    assert practice.counters.tasks_accepted == before + 1


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x", "size": "1000x100"}, "size"),
        ({"prompt": "x", "size": "big"}, "size"),
        ({"prompt": "x", "size": "00x10"}, "size"),
        ({"prompt": "x", "n": 10}, "n"),
        ({"prompt": "x", "model": "stable-diffusion"}, "model"),
        ({"prompt": "x", "stream": True}, "stream"),
        ({"prompt": "x", "response_format": "png"}, "response_format"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(
    client: openai.OpenAI, practice: PracticeServer, fields: dict[str, Any], param: str
) -> None:
    before = practice.counters.tasks_accepted
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(**fields)
    assert caught.value.param == param
    assert practice.counters.tasks_accepted == before


def test_a_mask_or_two_pictures_are_refused(client: openai.OpenAI) -> None:
    for how, param in (({"mask": red()}, "mask"), ({"image": [red(), red()]}, "image")):
        asked: Any = {"image": red(), "prompt": "x", **how}
        with pytest.raises(openai.BadRequestError) as caught:
            client.images.edit(**asked)
        assert caught.value.param == param


def test_what_kling_refuses_or_fails_is_told(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="content safety"):
        client.images.generate(prompt="gore")
    with pytest.raises(openai.BadRequestError) as failed:
        client.images.generate(prompt="/practice fail a tree")
    assert failed.value.code == "task_failed"


def test_klings_account_is_told_and_its_clients_understand_a_refusal(served: Served) -> None:
    now = int(time.time() * 1000)
    costs = served.http.get(f"/kling/account/costs?start_time={now - 86_400_000}&end_time={now}")
    assert costs.json()["code"] == 0
    for path, status, code in (("/kling/v2/images", 404, 1202), ("/kling/v1/a/..%2f", 400, 1201)):
        reply = served.http.get(path)
        told = reply.json()
        assert (reply.status_code, told["code"]) == (status, code)
        assert told["message"] == told["error"]
        assert told["request_id"] == reply.headers["x-request-id"]


def _away(*_of: object) -> Any:
    raise StoreError("error.store_unwritable")


@pytest.mark.parametrize(
    ("broken", "instead", "status"),
    [
        ("core.archive.archive.Archive.original_bytes", _away, 503),
        ("core.archive.archive.Archive.original_bytes", lambda *_of: 1 / 0, 500),
        ("core.web.openai.images.routes.OpenAIImages._load", lambda *_of: None, 404),
    ],
)
def test_what_is_paid_for_and_cannot_be_handed_over_is_not_asked_for_again(
    served: Served, monkeypatch: pytest.MonkeyPatch, broken: str, instead: Any, status: int
) -> None:
    monkeypatch.setattr(broken, instead)
    asked = {"prompt": "a kite", "response_format": "b64_json"}
    reply = served.http.post("/v1/images/generations", json=asked)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]
    assert status < 500 or reply.headers["x-should-retry"] == "false"
    assert "retry-after" not in reply.headers


def test_large_pictures_share_a_room_and_leave_it_while_they_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.studio_bridge.BodyRoom", partial(BodyRoom, 4 * 1024 * 1024))
    file = io.BytesIO()
    Image.frombytes("RGB", (900, 900), os.urandom(900 * 900 * 3)).save(file, "PNG")  # 2.4 MB

    def post(served: Served, content: bytes) -> httpx.Response:
        files, data = {"image": ("noise.png", content)}, {"prompt": "less noise"}
        return served.http.post("/v1/images/edits", files=files, data=data)

    slow = replace(QUICK, processing_s=1.5)
    with (
        PracticeServer(settings=slow) as practice,
        serving_practice(tmp_path, practice) as served,
        ThreadPoolExecutor(2) as threads,
    ):
        first = threads.submit(post, served, file.getvalue())
        until(lambda: practice.counters.tasks_accepted, "the first is being drawn")
        second = threads.submit(post, served, file.getvalue())
        until(lambda: practice.counters.tasks_accepted == 2, "the second is let in meanwhile")
        assert not first.done()
        assert post(served, file.getvalue() * 2).status_code == 503
        assert [one.result().status_code for one in (first, second)] == [200, 200]

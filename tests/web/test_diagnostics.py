"""The check-up and the X-ray over HTTP: the owner's alone, masked, and nothing of it costs."""

import json
import time
from collections.abc import Iterator

import pytest

from core.settings import AccessSettings, ChatSettings, KlingSettings, Secret, Settings
from core.wire.masking.secrets import known_secrets
from core.work.checkup.front import judge_beats
from tests.unit.checkup.servers import API_KEY, CHAT_KEY, Provider
from tests.waiting import until
from tests.web.serving import Served, serving

TOKEN = "secret-token-of-the-web-page"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def served(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("diagnostics")
    settings = Settings(
        data_dir=folder,
        chat=ChatSettings(url=f"{provider.origin}/chat/completions", api_key=Secret(CHAT_KEY)),
        kling=KlingSettings(origin=provider.origin, api_key=Secret(API_KEY)),
        access=AccessSettings(tokens={"web": Secret(TOKEN)}),
    )
    with pytest.MonkeyPatch.context() as patch, serving(folder, settings=settings) as made:
        patch.setattr("core.work.checkup.asked.KLING_REGIONS", {})
        yield made


def test_the_check_up_is_told_in_both_shapes_and_languages(
    served: Served, provider: Provider
) -> None:
    provider.says["/models"] = (401, {"error": {"message": f"bad key {CHAT_KEY}"}})
    try:
        reply = served.http.get("/checkup", headers={"Accept-Language": "zh"})
    finally:
        provider.says.clear()
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    findings = reply.json()["findings"]
    assert findings[0]["id"] == "chat_key_refused"
    assert findings[0]["do"].startswith("重新复制")
    assert {"kling_key_good", "here_yes", "database_good"} <= {one["id"] for one in findings}
    told = served.http.get("/checkup", params={"format": "text"}).text
    assert "✓ [chat_key_good]" in told
    assert not known_secrets.is_in(reply.text + told)
    assert {method for method, _ in provider.asked} == {"GET"}


def test_exchanges_are_told_masked(served: Served, provider: Provider) -> None:
    served.http.get("/checkup")
    known = until(
        lambda: served.http.get("/exchanges", params={"about": "checkup"}).json()["exchanges"],
        "its exchanges are there",
    )
    assert all(one["subject"] == "checkup" and one["method"] == "GET" for one in known)
    har = served.http.get("/exchanges", params={"format": "har", "limit": 2})
    assert len(json.loads(har.text)["log"]["entries"]) == 2
    assert not known_secrets.is_in(har.text)
    assert CHAT_KEY not in har.text
    assert served.http.get("/exchanges", params={"format": "xml"}).status_code == 400
    assert served.http.get("/exchanges", params={"limit": "0"}).status_code == 400


@pytest.mark.parametrize("path", ["/checkup", "/exchanges"])
def test_a_token_opens_neither(served: Served, path: str) -> None:
    elsewhere = {**BEARER, "X-Forwarded-For": "192.0.2.7"}
    reply = served.http.get(path, headers=elsewhere)
    assert reply.status_code == 403
    assert "Only the owner" in reply.json()["error"]
    assert served.http.get(path, headers={"X-Forwarded-For": "192.0.2.7"}).status_code in (401, 403)


def test_beats_come_one_by_one(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    # So far apart that a reader who stands still for a while does not take them for held back.
    monkeypatch.setattr("core.web.diagnostics.checkup.BEAT_EVERY_S", 0.6)
    elsewhere = {**BEARER, "X-Forwarded-For": "192.0.2.7"}
    began = time.monotonic()
    with served.http.stream("GET", "/checkup/beat", headers=elsewhere) as reply:
        arrivals = [time.monotonic() - began for _ in reply.iter_raw()]
    assert judge_beats(arrivals).id == "stream_good"


def test_switched_off_there_are_no_exchanges(served: Served) -> None:
    served.studio.xray.set(on=False)
    try:
        assert served.http.get("/exchanges").status_code == 404
    finally:
        served.studio.xray.set(on=True)

"""Metrics as Prometheus reads them, and the log's line of each request; no key in either."""

import asyncio
import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.access.issued_tokens import IssuedTokens
from core.models.generations import ImageRequest
from core.practice.server import PracticeServer
from core.settings import AccessSettings, ChatSettings, KlingSettings, Secret, Settings
from core.settings.operations import OperationsSettings
from core.storage.money.filters import LedgerFilter
from core.ui.start.logs import begin_logging
from core.web.studio_routes import StudioRoutes
from core.wire.log_form import JsonFormatter
from tests.waiting import until
from tests.web.serving import CHAT_KEY, KLING_KEY, QUICK, Served, ask_once, serving

METRICS_TOKEN = "metrics-token-0123456789"
KIOSK = "a-token-for-the-kiosk-0123"
CANARIES = (CHAT_KEY, KLING_KEY, METRICS_TOKEN, KIOSK)
Samples = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    practice = PracticeServer(settings=QUICK)
    practice.start()
    folder = tmp_path_factory.mktemp("metrics")
    settings = Settings(
        folder,
        chat=ChatSettings(url=practice.chat_url, api_key=Secret(CHAT_KEY)),
        kling=KlingSettings(origin=practice.origin, api_key=Secret(KLING_KEY)),
        operations=OperationsSettings(metrics_token=Secret(METRICS_TOKEN)),
        access=AccessSettings(
            behind_proxy=True,
            tokens={"kiosk": Secret(KIOSK)},
            token_scopes={"kiosk": frozenset({"chat"})},
        ),
    )
    with serving(folder, settings=settings, build=ask_once) as running:
        yield running
    practice.stop()


def get(served: Served, token: str | None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return served.http.get("/metrics", headers=headers)


def scrape(served: Served) -> Samples:
    reply = get(served, METRICS_TOKEN)
    assert reply.status_code == 200
    assert not any(one in reply.text for one in CANARIES)
    found: Samples = {}
    for family in text_string_to_metric_families(reply.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[
                tuple(value for _, value in sorted(sample.labels.items()))
            ] = sample.value
    return found


def ask(served: Served, question: str, **more: Any) -> httpx.Response:
    body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": question}]} | more
    headers = {"Authorization": f"Bearer {KIOSK}"}
    return served.http.post("/v1/chat/completions", json=body, headers=headers)


def test_metrics_are_for_whoever_has_their_token_or_may_read(served: Served) -> None:
    reader = served.studio.tokens.issue("reader", frozenset({"read"}))
    assert [get(served, one).status_code for one in (None, KIOSK, "wrong-0123456789")] == [
        *(403, 403, 401)
    ]
    assert [get(served, one).status_code for one in (METRICS_TOKEN, reader)] == [200, 200]
    # It is for metrics and for nothing else.
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    assert served.http.get("/ledger", headers=headers).status_code == 401
    assert isinstance(served.studio.tokens, IssuedTokens)


def test_the_official_parser_finds_what_the_ledger_and_the_requests_say(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    before = scrape(served)
    with caplog.at_level(logging.INFO, "core"):
        replies = [ask(served, f"question {number}") for number in range(3)]
        replies.append(ask(served, "q", model="no-such-model"))
        until(lambda: len(lines(caplog)) == 4, "all lines are written")
    after = scrape(served)
    route = ("POST", "/v1/chat/completions")
    for reply in replies:
        key = (*route, str(reply.status_code))
        counted = [one["inkling_http_request_seconds_count"].get(key, 0) for one in (before, after)]
        assert counted[1] - counted[0] == sum(
            one.status_code == reply.status_code for one in replies
        )
    sums = served.studio.store.ledger.sums(LedgerFilter(), "kind")
    assert after["inkling_ledger_amount"] == {
        (one.currency, str(one.by[0])): float(one.amount) for one in sums
    }
    assert after["inkling_answers_total"]["", "complete"] >= 3
    assert after["inkling_answer_first_token_seconds_count"][("live",)] >= 3
    assert after["inkling_http_requests_in_progress"]["/v1/chat/completions",] == 0
    assert sum(after["inkling_upstream_errors_total"].values()) >= 1
    assert all(after["inkling_store_seconds_count"].values())
    lag = "inkling_event_loop_lag_seconds_count"
    until(lambda: len(scrape(served).get(lag, {})) == 2, "both loops were looked at")
    assert after["process_resident_memory_bytes"][()] > 1 << 20
    assert after["inkling_threads"][()] > 2

    told = lines(caplog)
    by_id = {one["request_id"]: one for one in told}
    assert set(by_id) == {one.headers["x-request-id"] for one in replies}
    good = [by_id[one.headers["x-request-id"]] for one in replies[:3]]
    assert all(one["caller"] == "token:kiosk" and one["status"] == 200 for one in good)
    ledger = served.studio.store.ledger.several("local", [str(one["answer"]) for one in good])
    for one in good:
        line = ledger[str(one["answer"])]
        assert Decimal(str(one["cost"])) == line.amount
        assert one["currency"] == line.currency
    assert not any(canary in caplog.text for canary in CANARIES)
    # Whoever is told an error is told by what id the log knows it.
    assert replies[3].json()["request_id"] == replies[3].headers["x-request-id"]
    refused = served.http.get("/ledger")
    assert refused.json()["request_id"] == refused.headers["x-request-id"]


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the requests' lines as the JSON log has them."""
    told = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    return [one for one in told if one.get("route") == "/v1/chat/completions"]


def test_tasks_stand_in_the_metrics_by_state_and_age(served: Served) -> None:
    store = served.studio.store
    made = store.intents.create("local", ImageRequest("a cat"), provider="kling")
    counted = scrape(served)
    assert counted["inkling_tasks"]["image", "kling", "intended"] >= 1
    assert counted["inkling_task_oldest_seconds"]["image", "kling", "intended"] >= 0
    store.generations.cancel("local", made.id)


def test_machines_that_look_in_all_the_time_leave_no_lines(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> list[str]:
        return [one.getMessage() for one in caplog.records if "req_" in one.getMessage()]

    with caplog.at_level(logging.INFO, "core"):
        for path in ("/healthz", "/readyz"):
            assert served.http.get(path).status_code == 200
        scrape(served)
        assert served.http.get("/stream?question=a-secret-question").status_code == 403
        told = until(said, "its line is written")  # behind the reply
    assert len(told) == 1
    assert "GET /stream 403" in told[0]
    assert "a-secret-question" not in caplog.text


def test_every_route_is_told_apart_and_nothing_else_makes_one(served: Served) -> None:
    async def tables() -> tuple[StudioRoutes, set[str]]:
        counter = StudioRoutes(served.studio)
        found = (counter.table, counter.signed_table, counter.open_table)
        return counter, {path for table in found for path in table}

    counter, paths = asyncio.run(tables())
    assert {path: counter.route_of(path) for path in paths} == {path: path for path in paths}
    assert "/speech/read" in paths
    made_up = [f"/kling/v1/images/generations/{n}" for n in range(50)]
    made_up += [f"/v1/models/{n}" for n in range(50)] + [f"/v1/{n}" for n in range(50)]
    told = {counter.route_of(path) for path in made_up}
    assert told == {"/kling/v1/*", "/v1/models/*", None}


def test_what_anybody_makes_up_adds_no_labels(served: Served) -> None:
    before = scrape(served)
    odd = ("PROPFIND", "PURGE", "MKCOL", "LOCK", "REPORT")  # the parser knows no others
    for method in odd:
        assert served.http.request(method, "/ledger").status_code == 405
    for number in range(20):
        assert served.http.get(f"/v1/nothing-{number}").status_code == 404
    after = scrape(served)
    name = "inkling_http_request_seconds_count"
    fresh = after[name].keys() - before[name].keys()
    assert {(one[0], one[1]) for one in fresh} <= {("other", "/ledger"), ("GET", "other")}
    assert after[name]["other", "/ledger", "405"] == len(odd)
    assert all(count >= 0 for count in after["inkling_http_requests_in_progress"].values())


def test_a_line_of_json_holds_an_exception_too() -> None:
    try:
        raise ValueError("no “good”\nat all")
    except ValueError as error:
        facts = (type(error), error, error.__traceback__)
        record = logging.LogRecord("core.x", logging.ERROR, "x", 1, "it %s", ("broke",), facts)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["message"]) == ("ERROR", "it broke")
    assert "no “good”" in told["exception"]
    assert callable(begin_logging)

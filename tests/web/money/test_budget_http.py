"""Budgets and the ledger over HTTP: what is let through, refused with 402, and told afterwards."""

import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from core.errors import StoreError
from core.models.access_scopes import AccessScope
from core.models.money.ledger import Budget, BudgetPlan, LedgerLine, LineState, Period
from core.models.money.prices import ChatPrice, PiecePrice, PriceList, TokenRates
from core.practice.server import PracticeServer
from core.settings import AccessSettings, ChatSettings, KlingSettings, Secret, Settings
from core.settings.money import MoneySettings
from core.storage.db.errors import store_error
from core.storage.money.filters import LedgerFilter
from tests.threads_client import threads_client
from tests.upstream import Step, Upstream, whole
from tests.waiting import until
from tests.web.serving import CHAT_KEY, KLING_KEY, QUICK, Served, serving

TOKEN = "secret-token-of-the-web-page"
QUESTION = {"question": "你好"}
PICTURE = {"model_name": "kling-v2-1", "prompt": "a hill", "n": 1}


def day(limit: str, currency: str = "CNY", **more: Any) -> Budget:
    made = Budget("studio", "", "day", Decimal(limit), currency)
    return replace(made, **more)


@contextmanager
def budgeted(
    folder: Path, *budgets: Budget, prices: PriceList | None = None, token: bool = False
) -> Iterator[tuple[Served, PracticeServer]]:
    practice = PracticeServer(settings=QUICK)
    practice.start()
    settings = Settings(
        data_dir=folder,
        chat=ChatSettings(url=practice.chat_url, api_key=Secret(CHAT_KEY)),
        kling=KlingSettings(origin=practice.origin, api_key=Secret(KLING_KEY)),
        access=AccessSettings(tokens={"web": Secret(TOKEN)} if token else {}),
        money=MoneySettings(plan=BudgetPlan(budgets), prices=prices or PriceList()),
    )
    try:
        with serving(folder, settings=settings) as served:
            yield served, practice
    finally:
        practice.stop()


def lines(served: Served, **query: str) -> list[dict[str, Any]]:
    reply = served.http.get("/ledger", params=query)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["lines"]
    return found


def settled(served: Served, count: int) -> list[dict[str, Any]]:
    """Return the lines once so many are there and none is only held back."""

    def all_settled() -> list[dict[str, Any]]:
        found = lines(served)
        is_done = len(found) == count and all(one["state"] != "reserved" for one in found)
        return found if is_done else []

    return until(all_settled, f"{count} lines are settled")  # type: ignore[no-any-return]


def test_a_whole_answer_has_its_line_with_tokens_and_price(tmp_path: Path) -> None:
    with budgeted(tmp_path) as (served, practice):
        assert served.http.post("/complete", json=QUESTION).status_code == 200
        (line,) = settled(served, 1)
        tokens = line["tokens"]
        price = tokens["miss"] * 1 + tokens["hit"] * Decimal("0.02") + tokens["completion"] * 4
        assert Decimal(line["amount"]) == price / 1_000_000
        assert (line["state"], line["kind"], line["currency"]) == ("computed", "chat", "CNY")
        assert (line["provider"], line["model"]) == (
            urlsplit(practice.chat_url).netloc,
            "deepseek-flash",
        )
        assert line["id"] == line["message_id"]
        assert line["at"].endswith("Z")
        assert served.kept(line["message_id"]).usage is not None


def test_who_pays_for_what_is_told_apart(tmp_path: Path) -> None:
    with budgeted(tmp_path, token=True) as (served, _):
        as_token = {"Authorization": f"Bearer {TOKEN}"}
        served.http.post("/complete", json=QUESTION)
        served.http.post("/complete", json=QUESTION, headers=as_token)
        served.http.post("/kling/v1/images/generations", json=PICTURE, headers=as_token)
        assert len(settled(served, 3)) == 3
        own = served.http.get("/ledger", headers=as_token).json()["lines"]
        assert [one["caller"] for one in own] == ["token:web"] * 2
        assert {one["kind"] for one in own} == {"chat", "image"}
        assert {one["caller"] for one in lines(served)} == {"local", "token:web"}
        (picture,) = lines(served, kind="image")
        assert (picture["units"], picture["amount"]) == ("4", "0.1")
        assert picture["task_id"]
        assert picture["generation_id"]


@pytest.mark.parametrize("path", ["/complete", "/stream", "/v1/chat/completions"])
def test_where_nothing_is_left_every_dialect_hears_402_and_nothing_is_sent(
    tmp_path: Path, path: str
) -> None:
    with budgeted(tmp_path, day("0")) as (served, _):
        body = {"messages": [{"role": "user", "content": "hi"}], "stream": path != "/complete"}
        reply = served.http.post(path, json=body, headers={"Accept-Language": "zh"})
        assert reply.status_code == 402
        assert 0 < int(reply.headers["retry-after"]) <= 24 * 3600
        error = reply.json()["error"]
        sentence = error["message"] if path.startswith("/v1") else error
        assert "预算" in sentence
        if path.startswith("/v1"):
            assert (error["code"], error["type"]) == ("budget_exceeded", "insufficient_quota")
        assert lines(served) == []
        assert served.studio.store.conversations.list("local").items == ()


def test_openais_own_client_is_told_once_and_does_not_try_again(tmp_path: Path) -> None:
    with budgeted(tmp_path, day("0")) as (served, _):
        tried: list[httpx.Request] = []
        client = openai.OpenAI(
            base_url=f"{served.url}/v1",
            api_key="any",
            http_client=openai.DefaultHttpxClient(
                event_hooks={"request": [tried.append]}, trust_env=False
            ),
        )
        with client, pytest.raises(openai.APIStatusError) as refusal:
            client.chat.completions.create(
                model="deepseek-flash", messages=[{"role": "user", "content": "hi"}]
            )
        assert (refusal.value.status_code, refusal.value.code) == (402, "budget_exceeded")
        assert len(tried) == 1


def test_pictures_without_room_are_refused_in_klings_shape(tmp_path: Path) -> None:
    with budgeted(tmp_path, day("0.25")) as (served, _):
        codes = [served.http.post("/kling/v1/images/generations", json=PICTURE) for _ in range(4)]
        assert [one.status_code for one in codes] == [200, 200, 402, 402]
        refused = codes[-1].json()
        assert refused["code"] == 1102
        assert refused["message"] == refused["error"]
        assert "Retry-After" in codes[-1].headers
        assert len(served.studio.store.generation_lists.list("local", limit=9).items) == 2


SPEECH = {"text": "说一句话。", "voice_id": "ai_kaiya"}


# Each create with what it costs at most, and the code of its refusal.
@pytest.mark.parametrize(
    ("path", "body", "amount", "kind"),
    [
        ("images/generations", PICTURE, "0.1", "image"),
        ("audio/tts", SPEECH, "0.05", "speech"),
    ],
)
def test_a_tokens_own_budget_and_scope_hold_for_every_kind_of_generation(
    tmp_path: Path, path: str, body: dict[str, Any], amount: str, kind: str
) -> None:
    with budgeted(tmp_path) as (served, practice):
        scope: AccessScope = "pictures" if kind == "image" else "speech"
        limit: tuple[Period, Decimal, str] = ("day", Decimal(amount) * 2, "CNY")
        token = served.studio.tokens.issue("own", frozenset({scope}), limit=limit)
        as_token = {"Authorization": f"Bearer {token}"}
        said = [
            served.http.post(f"/kling/v1/{path}", json=_numbered(body, number), headers=as_token)
            for number in range(3)
        ]
        assert [one.status_code for one in said] == [200, 200, 402]
        refused = said[-1].json()
        assert (refused["code"], refused["message"]) == (1102, refused["error"])
        assert "Retry-After" in said[-1].headers
        found = served.http.get("/ledger", params={"kind": kind}).json()["lines"]
        assert [one["caller"] for one in found] == ["token:own"] * 2
        assert {one["amount"] for one in found} == {amount}
        other = served.studio.tokens.issue("other", frozenset({"chat"}))
        as_other = {"Authorization": f"Bearer {other}"}
        assert served.http.post(f"/kling/v1/{path}", json=body, headers=as_other).status_code == 403
        assert practice.counters.tasks_accepted == 2


def _numbered(body: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a body whose words are no others': what was said once is not bought again."""
    name = "text" if "text" in body else "prompt"
    return body | {name: f"{body[name]} {number}"}


def test_a_small_budget_cuts_an_answer_without_a_limit_and_says_so(tmp_path: Path) -> None:
    with budgeted(tmp_path, day("0.012")) as (served, _):
        reply = served.http.post("/complete", json={"question": "Write 12000 characters"})
        assert reply.status_code == 200
        (notice,) = reply.json()["notices"]
        assert "budget" in notice["message"]
        (line,) = settled(served, 1)
        assert Decimal(line["amount"]) <= Decimal("0.012")
        assert 1_000 <= line["tokens"]["completion"] < 3_000
        again = served.http.post("/complete", json={"question": "hi", "max_tokens": 8000})
        assert again.status_code == 402


@pytest.mark.parametrize("way", ["/complete", "/stream", "/v1/chat/completions"])
def test_two_hundred_at_once_never_pass_the_budget(tmp_path: Path, way: str) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 100}
    rates = TokenRates(Decimal(0), Decimal(0), Decimal(10_000))  # a token costs a cent
    prices = PriceList(own_chat=(ChatPrice("settings/x", ("deepseek-flash",), "CNY", rates),))
    with budgeted(tmp_path, day("20"), prices=prices) as (served, _):
        with (
            threads_client(served.url, 60) as client,
            ThreadPoolExecutor(32) as threads,
        ):
            replies = list(
                threads.map(lambda _: client.post(way, json=body).status_code, range(200))
            )
        assert set(replies) <= {200, 402}
        assert replies.count(402) > 0
        found = settled(served, replies.count(200))
        spent = sum(Decimal(one["amount"]) for one in found)
        assert spent <= 20
        assert spent > 20 - 1  # used up but for one call's bound


def test_exactly_as_many_pictures_are_sent_as_the_budget_pays_for(tmp_path: Path) -> None:
    each = PiecePrice("settings/p", "image", "kling-v2-1", {"CNY": Decimal(1)})
    prices = PriceList(own_pieces=(each,))
    with budgeted(tmp_path, day("37"), prices=prices) as (served, _):

        def ask(_: int) -> int:
            return served.http.post("/kling/v1/images/generations", json=PICTURE).status_code

        with ThreadPoolExecutor(16) as threads:
            replies = list(threads.map(ask, range(60)))
        assert (replies.count(200), replies.count(402)) == (37, 23)
        assert len(served.studio.store.generation_lists.list("local", limit=99).items) == 37
        ledger = served.studio.store.ledger
        assert ledger.budgets()[0].spent == 37


def test_a_price_of_the_owners_counts_and_an_unknown_one_is_not_sent(tmp_path: Path) -> None:
    with budgeted(tmp_path, day("5")) as (served, _):
        reply = served.http.post("/complete", json=QUESTION | {"model": "nobody-knows"})
        assert reply.status_code == 402
        assert "nobody-knows" in reply.json()["error"]


def test_the_ledger_is_filtered_paged_and_told_as_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with budgeted(tmp_path) as (served, _):
        for _ in range(5):
            served.http.post("/complete", json=QUESTION)
        whole = settled(served, 5)
        pages, query = [], {"limit": "2"}
        while True:
            body = served.http.get("/ledger", params=query).json()
            pages.append([one["id"] for one in body["lines"]])
            if body["next"] is None:
                break
            query["cursor"] = body["next"]
        assert [len(page) for page in pages] == [2, 2, 1]
        assert [one for page in pages for one in page] == [one["id"] for one in whole]
        reply = served.http.get("/ledger", params={"format": "csv"})
        assert reply.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(reply.text)))
        assert [row["id"] for row in rows] == [one["id"] for one in whole]
        assert [row["amount"] for row in rows] == [one["amount"] for one in whole]
        today = whole[0]["at"][:10]
        assert lines(served, to="2026-01-01") == []
        assert len(lines(served, **{"from": whole[2]["at"]})) == 3
        assert len(lines(served, **{"from": "2026-01-01", "to": "2999-01-01"})) == 5
        assert today
        some = list(served.studio.store.ledger.every(LedgerFilter()))

        def breaking(_wanted: LedgerFilter) -> Iterator[LedgerLine]:
            yield from some * 200
            raise StoreError("error.store_unwritable")

        monkeypatch.setattr(served.studio.store.ledger, "every", breaking)
        with pytest.raises(httpx.RemoteProtocolError):  # what lacks its rest does not look whole
            served.http.get("/ledger", params={"format": "csv"})


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"kind": "music"}, "kind"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"limit": "0"}, "limit"),
        ({"limit": "9" * 400}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"cursor": "!!"}, ""),
        ({"format": "xml"}, "format"),
        ({"from": "0001-01-01T00:00:00+23:59"}, "from"),
        ({"to": "9999-12-31"}, "to"),
    ],
)
def test_a_wrong_parameter_is_named(tmp_path: Path, query: dict[str, str], field: str) -> None:
    with budgeted(tmp_path) as (served, _):
        reply = served.http.get("/ledger", params=query)
        assert reply.status_code == 400
        assert field in reply.json()["error"]


def test_what_was_refused_by_the_provider_costs_nothing(tmp_path: Path) -> None:
    with budgeted(tmp_path, day("5")) as (served, _):
        served.http.post("/complete", json={"question": "/practice 500"})
        served.http.post(
            "/kling/v1/images/generations", json=PICTURE | {"prompt": "gore and blood, violent"}
        )
        until(lambda: not lines(served), "nothing is left in the ledger")
        assert served.studio.store.ledger.budgets()[0].spent == 0


def test_an_answer_that_is_left_is_settled_by_what_came(tmp_path: Path) -> None:
    with budgeted(tmp_path) as (served, _):
        question = {"question": "Write 50000 characters"}
        with served.http.stream(
            "POST",
            "/v1/chat/completions",
            json={"messages": [{"role": "user", "content": question["question"]}], "stream": True},
        ) as reply:
            for count, _ in enumerate(reply.iter_lines()):
                if count > 60:
                    break
        (line,) = settled(served, 1)
        assert (line["state"], line["mark"]) == ("estimated", "≈")
        assert line["tokens"]["completion"] > 10
        assert Decimal(line["amount"]) > 0


def test_lines_of_titles_stand_beside_the_answers(tmp_path: Path) -> None:
    with budgeted(tmp_path) as (served, _):
        studio = served.studio
        conversation = studio.store.conversations.create("local")
        studio.answers.ask("local", conversation, "讲个故事", conversation.parameters)
        found = settled(served, 2)
        assert {one["kind"] for one in found} == {"chat", "title"}
        assert {one["conversation_id"] for one in found} == {conversation.id}
        assert all(
            one.state is LineState.COMPUTED
            for one in studio.store.ledger.every(LedgerFilter(conversation_id=conversation.id))
        )


NEW_VIDEO = {"settings": {"duration": 5, "resolution": "1080p", "audio": "native"}}
VIDEO = {"model_name": "kling-v2-6", "prompt": "a hill", "mode": "pro", "duration": "5"}


@pytest.mark.parametrize(
    ("path", "body", "amount"),
    [
        ("videos/text2video", VIDEO, "2.5"),
        ("videos/text2video", VIDEO | {"mode": "std", "duration": 10}, "3"),
        ("videos/image2video", VIDEO | {"model_name": "kling-v3", "sound": "on"}, "6"),
        ("general/ai-multi-shot", {"element_frontal_image": "x"}, "0.5"),
        ("images/kolors-virtual-try-on", {"model_name": "kolors-virtual-try-on-v1"}, None),
        ("videos/text2video", VIDEO | {"model_name": "kling-v9"}, None),
        ("/image-to-video/kling-3.0", NEW_VIDEO, "6"),
        ("/image-to-video/kling-3.0", {"settings": {"duration": 5}}, None),
        ("/omni-video/kling-9", NEW_VIDEO, None),
        ("videos/text2video", VIDEO | {"duration": "long"}, None),
    ],
)
def test_what_is_passed_on_has_its_line_too(
    tmp_path: Path, path: str, body: dict[str, Any], amount: str | None
) -> None:
    accepted = {"code": 0, "message": "ok", "data": {"task_id": "T-1", "task_status": "submitted"}}
    with passed_on(tmp_path, lambda _body: accepted) as (served, upstream):
        target = path if path.startswith("/") else f"/v1/{path}"
        assert served.http.post(f"/kling{target}", json=body).status_code == 200
        (line,) = settled(served, 1)
        assert (line["kind"], line["amount"], line["task_id"]) == ("forwarded", amount, "T-1")
        assert line["state"] == ("unknown" if amount is None else "estimated")
        assert len(upstream.exchanges) == 1


def test_what_is_passed_on_is_limited_and_refusals_cost_nothing(tmp_path: Path) -> None:
    replies: Iterator[dict[str, Any]] = iter(
        [
            {"code": 1201, "message": "no", "data": None},
            {"code": 0, "message": "ok", "data": {"task_id": "T-1"}},
            {"code": 0, "message": "ok", "data": {}},
        ]
    )
    with passed_on(tmp_path, lambda _body: next(replies), day("4")) as (served, upstream):
        url = "/kling/v1/videos/text2video"
        served.http.post(url, json=VIDEO)
        until(lambda: not lines(served), "a refusal leaves no line")
        assert served.http.post(url, json=VIDEO).status_code == 200
        refused = served.http.post(url, json=VIDEO)
        assert refused.status_code == 402
        assert refused.json()["error"]
        unpriced = served.http.post(url, json=VIDEO | {"model_name": "kling-v9"})
        assert unpriced.status_code == 402
        assert served.http.post("/kling/v1/account/billing/balance", json={}).status_code != 402
        assert len(upstream.exchanges) == 3


@contextmanager
def passed_on(
    folder: Path, answer: Callable[[dict[str, Any]], dict[str, Any]], *budgets: Budget
) -> Iterator[tuple[Served, Upstream]]:
    with Upstream(lambda body: iter([Step(0, whole(answer(body)))])) as upstream:
        settings = Settings(
            data_dir=folder,
            kling=KlingSettings(
                origin=f"http://127.0.0.1:{upstream.port}", api_key=Secret(KLING_KEY)
            ),
            money=MoneySettings(plan=BudgetPlan(budgets)),
        )
        with serving(folder, settings=settings) as served:
            yield served, upstream


@pytest.mark.parametrize(
    ("told", "amount", "state"),
    [
        ({"final_unit_deduction": "3.5", "task_result": None}, "3.5", "computed"),
        ({"final_unit_deduction": "0", "task_status": "failed"}, "0", "computed"),
        (
            {
                "final_unit_deduction": "0",
                "final_balance_deduction": {"quota": "2.2", "list_price": "2.5"},
            },
            "2.2",
            "provider",
        ),
    ],
)
def test_a_tasks_own_figure_is_taken_when_it_passes_by(
    tmp_path: Path, told: dict[str, Any], amount: str, state: str
) -> None:
    task = {"task_id": "T-1", "task_status": "succeed"}
    replies = iter([{"code": 0, "data": task}, {"code": 0, "data": task | told}])
    with passed_on(tmp_path, lambda _body: next(replies)) as (served, _):
        served.http.post("/kling/v1/videos/text2video", json=VIDEO)
        settled(served, 1)
        assert served.http.get("/kling/v1/videos/text2video/T-1").status_code == 200
        (line,) = until(
            lambda: [one for one in lines(served) if one["state"] == state], "the figure is taken"
        )
        assert (line["amount"], line["currency"]) == (amount, "CNY")


def test_a_reply_that_was_paid_for_is_not_lost_to_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = {"code": 0, "data": {"task_id": "T-1"}}
    with passed_on(tmp_path, lambda _body: accepted) as (served, _):

        def refuse(_settling: object) -> int:
            raise store_error("error.store_full", "the store")

        monkeypatch.setattr(served.studio.store.ledger, "settle", refuse)
        reply = served.http.post("/kling/v1/videos/text2video", json=VIDEO)
        assert reply.json() == accepted

"""Search with sources: found before the answer, kept with it, paid for once, and fenced."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.errors import StoreError
from core.models.chat import AnswerStatus, ChatParameters, Conversation, Message
from core.models.money.ledger import Budget, BudgetError, LedgerLine, LineState, Mark
from core.models.parts import lookup_in, sources_in
from core.practice.chat.request import ChatRequest, chat_request_from_json
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY
from core.practice.web.hostile import HOSTILE
from core.storage.chat.messages import Messages
from core.storage.money.filters import LedgerFilter
from core.ui.history.markdown_export import as_markdown
from core.wire.masking.secrets import known_secrets
from core.wire.web.block import without_block
from tests.waiting import PATIENCE_S, until
from tests.web.chat.practice_searches import searches
from tests.web.serving import QUICK, Served, serving

SEARCHING = ChatParameters(search=True)
PRICE = Decimal("0.005")
RECEIVED: list[dict[str, Any]] = []  # the bodies of chats that this test's practice was sent


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> Callable[[], PracticeServer]:
    servers: list[PracticeServer] = []

    def build(**options: Any) -> PracticeServer:
        pace = replace(QUICK, chat_key=PRACTICE_CHAT_KEY)
        servers.append(PracticeServer(**options, settings=pace))
        return servers[-1]

    def read(body: bytes, *, beta: bool) -> ChatRequest:
        RECEIVED.append(json.loads(body))
        return chat_request_from_json(body, beta=beta)

    RECEIVED.clear()
    monkeypatch.setattr("core.practice.chat.routes.chat_request_from_json", read)
    monkeypatch.setattr("core.practice.server.PracticeServer", build)
    return lambda: servers[-1]


@pytest.fixture
def served(tmp_path: Path, practice: object) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running


def begin(served: Served) -> Conversation:
    return served.studio.store.conversations.create("local", parameters=SEARCHING)


def fresh(served: Served, conversation: Conversation) -> Conversation:
    found = served.studio.store.conversations.get("local", conversation.id)
    assert found is not None
    return found


def asked(
    served: Served, question: str, conversation: Conversation | None = None
) -> tuple[Message, Message]:
    """Return a question that was searched for and its answer, as they are kept."""
    conversation = conversation or begin(served)
    live = served.studio.answers.ask("local", fresh(served, conversation), question, SEARCHING)
    return ended(served, live.message_id)


def ended(served: Served, answer_id: str) -> tuple[Message, Message]:
    answer = served.kept(answer_id)
    question = served.studio.store.messages.get("local", answer.parent_id)
    assert question is not None
    return question, answer


def looks(served: Served) -> list[LedgerLine]:
    """Return the lines of looks into the web, once they are settled."""

    def lines() -> tuple[list[LedgerLine]] | None:
        found = [one for one in lines_of(served) if one.kind in ("search", "fetch")]
        return None if any(one.state is LineState.RESERVED for one in found) else (found,)

    return until(lines, "looks are settled")[0]  # type: ignore[no-any-return]


def lines_of(served: Served) -> list[LedgerLine]:
    return list(served.studio.store.ledger.every(LedgerFilter(owner="local")))


def state(question: Message) -> str:
    look = lookup_in(question.parts)
    assert look is not None
    return look.state


def test_what_is_found_stands_with_the_question_and_is_cited(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    question, answer = asked(served, "讲讲端砚的历史")
    sources = sources_in(question.parts)
    assert question.content == "讲讲端砚的历史"
    assert 5 <= len(sources) <= 8
    assert state(question) == "found"
    assert all(one.url.startswith("https://") and one.site and one.date for one in sources)
    assert answer.status is AnswerStatus.COMPLETE
    assert f"[{len(sources)}]" in answer.content
    (line,) = looks(served)
    look = lookup_in(question.parts)
    assert look is not None
    assert (line.id, line.kind, line.amount, line.state) == (
        look.line_id,
        "search",
        PRICE,
        LineState.COMPUTED,
    )
    assert line.conversation_id == question.conversation_id
    assert [one.cost for one in practice().web_book] == [PRICE]


def test_later_questions_send_the_same_words_before_them(served: Served) -> None:
    conversation = begin(served)
    question, answer = asked(served, "第一个问题：端砚", conversation)
    asked(served, "第二个问题：徽墨", conversation)
    second = last_body(served)
    words, block = without_block(second["messages"][0]["content"])
    assert words == question.content
    assert block
    assert second["messages"][1]["content"] == answer.content
    first = bodies(served)[0]
    assert first["messages"] == second["messages"][: len(first["messages"])]


@pytest.mark.parametrize(
    ("fault", "text_id", "kept", "paid"),
    [
        ("web-empty", "error.search_empty", "empty", []),
        ("web-400", "error.search_refused", "refused", []),
        ("web-402", "error.deepseek_balance", "refused", []),
        ("web-500", "error.chat_fault", "refused", []),
        ("web-html", "error.look_lost", "asked", [Mark.AT_MOST]),
        ("web-lost", "error.look_lost", "asked", [Mark.AT_MOST]),
    ],
)
def test_a_look_that_brings_nothing_loses_nothing(
    served: Served, fault: str, text_id: str, kept: str, paid: list[Mark]
) -> None:
    conversation = begin(served)
    question, answer = asked(served, f"/practice {fault} 讲讲端砚", conversation)
    assert (answer.status, answer.error_text_id) == (AnswerStatus.FAILED, text_id)
    assert state(question) == kept
    assert not sources_in(question.parts)
    assert [one.mark for one in looks(served)] == paid
    lines = lines_of(served)
    assert not [one for one in lines if one.kind == "chat"]  # taken back: it was never asked
    # The same question without it: nothing is searched, and so nothing paid, by itself.
    live = served.studio.answers.regenerate("local", fresh(served, conversation), answer, SEARCHING)
    again, whole = ended(served, live.message_id)
    assert whole.status is AnswerStatus.COMPLETE
    assert (again.id, state(again)) == (question.id, kept)
    assert len(looks(served)) == len(paid)


def test_a_lost_look_is_made_again_only_on_a_persons_word(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    conversation = begin(served)
    _, answer = asked(served, "/practice web-lost 讲讲端砚", conversation)
    assert len(practice().web_book) == 1
    live = served.studio.answers.regenerate(
        "local", fresh(served, conversation), answer, SEARCHING, look_again=True
    )
    ended(served, live.message_id)
    assert len(practice().web_book) == 2
    assert len(looks(served)) == 2


def test_what_is_there_is_not_bought_once_more(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    conversation = begin(served)
    question, answer = asked(served, "讲讲端砚", conversation)
    for word in (False, True):
        live = served.studio.answers.regenerate(
            "local", fresh(served, conversation), answer, SEARCHING, look_again=word
        )
        again, _ = ended(served, live.message_id)
        assert again.parts == question.parts
    assert len(practice().web_book) == 1


def test_too_quick_is_asked_again_and_paid_once(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    question, answer = asked(served, "/practice web-429 1 讲讲端砚")
    assert answer.status is AnswerStatus.COMPLETE
    assert state(question) == "found"
    assert len(practice().web_book) == len(looks(served)) == 1


def test_a_budget_without_room_lets_nothing_out(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    ledger = served.studio.store.ledger
    ledger.plan = replace(
        ledger.plan, budgets=(Budget("studio", "", "day", Decimal("0.2"), "PRACTICE"),)
    )
    conversation = begin(served)
    live = served.studio.answers.ask(
        "local", fresh(served, conversation), "讲讲端砚", replace(SEARCHING, max_tokens=2_000)
    )
    ended(served, live.message_id)
    assert len(practice().web_book) == 1
    ledger.plan = replace(
        ledger.plan, budgets=(Budget("studio", "", "day", Decimal("0.0051"), "PRACTICE"),)
    )
    with pytest.raises(BudgetError):
        served.studio.answers.ask("local", fresh(served, conversation), "徽墨", SEARCHING)
    assert len(practice().web_book) == 1


def test_a_stop_in_the_middle_of_a_search_is_at_once_and_counts_as_at_most(
    served: Served, practice: Callable[[], PracticeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = searches(monkeypatch)
    conversation = begin(served)
    live = served.studio.answers.ask(
        "local", conversation, "/practice web-slow 60 讲讲端砚", SEARCHING
    )
    until(lambda: searched, "the search has arrived")
    assert live.looking == "search"
    assert [one.kind for one in lines_of(served)].count("search") == 1
    served.studio.answers.stop("local", live.message_id)
    question, answer = ended(served, live.message_id)
    assert answer.status is AnswerStatus.STOPPED
    assert state(question) == "asked"
    (line,) = looks(served)
    assert line.mark is Mark.AT_MOST


@pytest.mark.parametrize("stops", [1, 2])
def test_a_stop_while_a_search_is_written_down_takes_it_back(
    served: Served,
    practice: Callable[[], PracticeServer],
    monkeypatch: pytest.MonkeyPatch,
    stops: int,
) -> None:
    keep, has_written, may_go_on = Messages.keep_parts, threading.Event(), threading.Event()

    def slowly(messages: Messages, *args: Any, **options: Any) -> bool:
        is_there = keep(messages, *args, **options)
        if options.get("reservation") is not None:
            has_written.set()
            assert may_go_on.wait(PATIENCE_S)
        return is_there

    monkeypatch.setattr(Messages, "keep_parts", slowly)
    searched = searches(monkeypatch)
    conversation = begin(served)
    live = served.studio.answers.ask("local", conversation, "讲讲端砚", SEARCHING)
    assert has_written.wait(PATIENCE_S)
    assert [one.state for one in lines_of(served) if one.kind == "search"] == [LineState.RESERVED]
    for _ in range(stops):
        served.studio.answers.stop("local", live.message_id)
    may_go_on.set()
    question, answer = ended(served, live.message_id)
    assert answer.status is AnswerStatus.STOPPED
    assert looks(served) == []
    until(lambda: state(kept(served, question)) == "wanted", "it is taken back")
    assert not searched
    # Nothing was asked, and it can be made on a person's word.
    again = served.studio.answers.regenerate(
        "local", fresh(served, conversation), answer, SEARCHING, look_again=True
    )
    question, answer = ended(served, again.message_id)
    assert (answer.status, state(question)) == (AnswerStatus.COMPLETE, "found")
    assert [one.state for one in looks(served)] == [LineState.COMPUTED]


def kept(served: Served, message: Message) -> Message:
    found = served.studio.store.messages.get("local", message.id)
    assert found is not None
    return found


def test_a_page_is_read_for_a_question(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    conversation = begin(served)
    question, _ = asked(served, "讲讲端砚", conversation)
    url = sources_in(question.parts)[0].url
    live = served.studio.answers.read_page(
        "local", fresh(served, conversation), "请读这个网页", url, SEARCHING
    )
    read, answer = ended(served, live.message_id)
    (page,) = sources_in(read.parts)
    assert (page.kind, page.url) == ("fetch", url)
    assert "[1]" in answer.content
    assert [one.look for one in practice().web_book] == ["search", "fetch"]
    assert [one.kind for one in looks(served)].count("fetch") == 1


@pytest.mark.parametrize("fault", ["page-400", "page-402", "page-503", "page-empty", "page-lost"])
def test_a_page_that_cannot_be_read_says_so(served: Served, fault: str) -> None:
    url = f"https://library.example/practice/{fault}/x"
    live = served.studio.answers.read_page("local", begin(served), "读", url, SEARCHING)
    question, answer = ended(served, live.message_id)
    assert answer.status is AnswerStatus.FAILED
    assert state(question) == {"page-empty": "empty", "page-lost": "asked"}.get(fault, "refused")
    assert bool(looks(served)) is (fault == "page-lost")


def test_a_long_page_is_cut_and_says_how_much_is_left_out(served: Served) -> None:
    url = "https://library.example/practice/page-long/x"
    live = served.studio.answers.read_page("local", begin(served), "读", url, SEARCHING)
    question, answer = ended(served, live.message_id)
    (page,) = sources_in(question.parts)
    assert len(page.text) <= 40_000
    assert int(page.left_out) > 10_000
    assert answer.status is AnswerStatus.COMPLETE


def test_hostile_pages_have_nothing_run_sent_or_spent(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    conversation = begin(served)
    before = practice().counters
    question, answer = asked(served, "/practice web-hostile 讲讲端砚", conversation)
    assert len(sources_in(question.parts)) == 8
    url = "https://library.example/practice/page-hostile/x"
    live = served.studio.answers.read_page(
        "local", fresh(served, conversation), "读", url, SEARCHING
    )
    _, read = ended(served, live.message_id)
    assert read.status is AnswerStatus.COMPLETE
    after = practice().counters
    assert after.tasks_accepted == before.tasks_accepted == 0
    assert [one.look for one in practice().web_book] == ["search", "fetch"]
    lines = lines_of(served)
    assert sorted({one.kind for one in lines}) == ["chat", "fetch", "search", "title"]
    assert answer.status is AnswerStatus.COMPLETE  # `/practice 500` on a page is no command
    for body in bodies(served):
        assert "tools" not in body
        for message in body["messages"]:
            if message["role"] == "user":
                words, _ = without_block(message["content"])
                assert "hostile.example" not in words


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_each_hostile_result_alone_changes_nothing_but_the_data(
    served: Served, practice: Callable[[], PracticeServer], place: int, monkeypatch: Any
) -> None:
    one = HOSTILE[place]
    monkeypatch.setattr("core.practice.web.results.HOSTILE", (one,))
    question, answer = asked(served, "/practice web-hostile 讲讲端砚")
    (source,) = sources_in(question.parts)
    assert (source.site, source.date) == ("hostile.example", "")
    assert answer.status is AnswerStatus.COMPLETE
    assert len(practice().web_book) == 1
    assert practice().counters.tasks_accepted == 0
    (body,) = bodies(served)
    words, block = without_block(body["messages"][0]["content"])
    assert words == question.content
    assert block.endswith("===")
    assert "tools" not in body


def bodies(_served: Served) -> list[dict[str, Any]]:
    """Return the chats that practice was sent, oldest first, but for those about a title."""
    return [one for one in RECEIVED if one["messages"][0]["role"] == "user"]


def last_body(served: Served) -> dict[str, Any]:
    return bodies(served)[-1]


def test_an_export_and_an_import_carry_the_sources(served: Served) -> None:
    question, _ = asked(served, "讲讲端砚")
    store, messages = served.studio.store, served.studio.store.messages
    exported = store.exports.conversation("local", question.conversation_id)
    store.imports.import_file("user:ada", io.BytesIO(json.dumps(exported).encode()))
    (copied,) = served.studio.store.conversations.list("user:ada").items
    brought = messages.path("user:ada", copied.id)
    assert brought[0].parts == question.parts
    assert not copied.parameters.search  # whoever it is now decides that anew


QUESTION = [{"role": "user", "content": "讲讲端砚"}]


def test_programs_search_by_openais_own_field_and_are_told_whom_it_cites(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    body = {"model": "deepseek-flash", "messages": QUESTION, "web_search_options": {}}
    whole = served.http.post("/v1/chat/completions", json=body).json()
    message = whole["choices"][0]["message"]
    cited = [one["url_citation"] for one in message["annotations"]]
    assert [one["url"] for one in whole["sources"]] == [one["url"] for one in cited]
    for number, one in enumerate(cited, 1):
        assert message["content"][one["start_index"] : one["end_index"]] == f"[{number}]"
    reply = served.http.post("/v1/chat/completions", json=body | {"stream": True}).text
    last = json.loads(reply.strip().split("\n\n")[-2].removeprefix("data: "))
    assert last["choices"][0]["delta"]["annotations"] == message["annotations"]
    asked = {"question": "讲讲端砚", "web_search_options": {"search_context_size": "low"}}
    told = served.http.post("/complete", json=asked).json()
    assert told["sources"] == whole["sources"]
    assert "web_search_options.search_context_size" in told["notices"][0]["names"]
    assert "event: sources" in served.http.post("/stream", json=asked).text
    assert len(practice().web_book) == len(looks(served)) == 4
    assert {(one.origin, one.kind) for one in looks(served)} == {("http", "search")}


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "function", "function": {"name": "draw"}}]},
        {"messages": [*QUESTION, {"role": "assistant", "content": "x", "prefix": True}]},
    ],
)
def test_a_search_that_could_have_something_run_is_refused_by_name(
    served: Served, practice: Callable[[], PracticeServer], more: dict[str, Any]
) -> None:
    body = {"model": "deepseek-flash", "messages": QUESTION, "web_search_options": {}} | more
    refused = served.http.post("/v1/chat/completions", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "web_search_options"
    assert not looks(served)


def test_a_failed_search_is_told_and_not_paid(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    asked = {"question": "/practice web-empty 讲讲端砚", "web_search_options": {}}
    refused = served.http.post("/complete", json=asked)
    assert refused.status_code >= 400
    assert "端砚" in refused.json()["error"]
    assert not looks(served)
    lost = {"question": "/practice web-lost 讲讲端砚", "web_search_options": {}}
    assert served.http.post("/complete", json=lost).status_code >= 500
    assert len(practice().web_book) == 1


def test_the_ledger_holds_every_look_and_its_sum_is_practices_book(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    conversation = begin(served)
    for question in ("端砚", "徽墨", "/practice web-empty 宣纸", "/practice web-lost 湖笔"):
        found, _ = asked(served, question, conversation)
        if sources := sources_in(found.parts):
            live = served.studio.answers.read_page(
                "local", fresh(served, conversation), "读", sources[0].url, SEARCHING
            )
            ended(served, live.message_id)
    lines, book = looks(served), practice().web_book
    assert sum(one.amount or 0 for one in lines) == sum(one.cost for one in book)
    assert sorted(one.kind for one in lines) == sorted(one.look for one in book)
    assert len(book) == 5


def test_x_ray_shows_the_search_with_its_answer_and_without_the_key(served: Served) -> None:
    _, answer = asked(served, "讲讲端砚")
    shown = [one.exchange for one in served.studio.xray.ring.about(answer.id)]
    (search,) = [one for one in shown if one.url.endswith("/v1/tools/search")]
    assert json.loads(search.request_body)["query"] == "讲讲端砚"
    assert "encyclopedia.example" in search.response_body
    assert PRACTICE_CHAT_KEY not in str(search)


def test_programs_search_and_read_by_themselves_in_deepseeks_own_shape(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    found = served.http.post("/v1/tools/search", json={"query": "端砚", "count": 3}).json()
    assert len(found["results"]) == 3
    page = served.http.post("/v1/tools/fetch", json={"url": found["results"][0]["url"]}).json()
    assert "练习网页" in page["content"]
    nothing = served.http.post("/v1/tools/search", json={"query": "/practice web-empty x"})
    assert (nothing.status_code, nothing.json()) == (200, {"results": []})
    lost = served.http.post("/v1/tools/search", json={"query": "/practice web-lost x"})
    assert lost.status_code == 504
    assert "charged" in lost.json()["error"]["message"]
    assert lost.headers["x-should-retry"] == "false"
    lines, book = looks(served), practice().web_book
    assert sum(one.amount or 0 for one in lines) == sum(one.cost for one in book)
    assert len(book) == 3


def test_what_was_found_is_given_out_though_the_ledger_cannot_be_written(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(_settling: object) -> int:
        raise StoreError("error.store_read")

    monkeypatch.setattr(served.studio.store.ledger, "settle", settle)
    reply = served.http.post("/v1/tools/search", json={"query": "端砚", "count": 3})
    assert reply.status_code == 200
    assert len(reply.json()["results"]) == 3
    (line,) = [one for one in lines_of(served) if one.kind == "search"]
    assert line.state is LineState.RESERVED  # upkeep settles it later


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("search", {}, "query"),
        ("search", {"query": " "}, "query"),
        ("search", {"query": "x" * 129}, "query"),
        ("search", {"query": "x", "count": 51}, "count"),
        ("fetch", {}, "url"),
        ("fetch", {"url": "javascript:alert(1)"}, "url"),
        ("fetch", {"url": "https://user:secret@one.example/"}, "url"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_by_name(
    served: Served, path: str, body: dict[str, Any], field: str
) -> None:
    refused = served.http.post(f"/v1/tools/{path}", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == field
    assert not looks(served)


def test_odd_results_are_read_as_far_as_they_can_be(served: Served) -> None:
    question, answer = asked(served, "/practice web-odd 讲讲端砚")
    found = sources_in(question.parts)
    assert [one.site for one in found] == ["encyclopedia.example", "odd.example", "odd.example"]
    assert len({one.url for one in found}) == len(found)
    assert all(one.title and one.text for one in found)
    assert answer.status is AnswerStatus.COMPLETE


def test_a_page_that_quotes_a_key_is_kept_without_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-live-abcdef0123456789abcdef"
    known_secrets.add(key)
    monkeypatch.setattr("core.practice.web.results.HOSTILE", (f"The key is {key}, he said.",))
    question, answer = asked(served, "/practice web-hostile 讲讲端砚")
    assert "The key is" in str(question.parts)
    assert key not in str(question.parts)
    assert key not in json.dumps(bodies(served))
    assert key not in answer.content


def test_the_markdown_export_names_the_sources(served: Served) -> None:
    question, answer = asked(served, "讲讲端砚")
    conversation = served.studio.store.conversations.get("local", question.conversation_id)
    assert conversation is not None
    told = as_markdown("zh", conversation, [question, answer])
    for one in sources_in(question.parts):
        assert f"<{one.url}>" in told
    assert "\\[1\\]" in told

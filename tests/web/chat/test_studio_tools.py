"""The studio's tools in a bounded loop: called while an answer is made, kept, paid for once."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.models.chat import AnswerStatus, ChatParameters, Conversation, Message
from core.models.generations import ImageRequest
from core.models.money.ledger import Budget, LedgerLine, LineState
from core.models.parts import FilePart, ToolStep, sources_in, steps_in
from core.practice.chat.refusal import ChatRefusal
from core.practice.chat.request import ChatRequest, chat_request_from_json
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY
from core.practice.web.hostile import HOSTILE
from core.storage.money.filters import LedgerFilter
from core.ui.chat.message import can_go_on
from core.ui.history.markdown_export import as_markdown
from core.ui.money.figures import ANSWER_KINDS
from core.wire.masking.secrets import known_secrets
from core.work.attachments.extraction import ReadFile, read
from core.work.tools.loop import CALLS_MOST, TOLD_MOST
from tests.waiting import until
from tests.web.chat.practice_searches import searches
from tests.web.serving import QUICK, Served, serving

TOOLS = ChatParameters(tools=True)
THINKING = ChatParameters(tools=True, thinking=True)
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


def begin(served: Served, parameters: ChatParameters = TOOLS) -> Conversation:
    return served.studio.store.conversations.create("local", parameters=parameters)


def asked(
    served: Served,
    question: str,
    parameters: ChatParameters = TOOLS,
    conversation: Conversation | None = None,
    **options: Any,
) -> Message:
    """Return the answer to a question as it is kept."""
    conversation = conversation or begin(served, parameters)
    fresh = served.studio.store.conversations.get("local", conversation.id)
    assert fresh is not None
    live = served.studio.answers.ask("local", fresh, question, parameters, **options)
    kept: Message = served.kept(live.message_id)
    return kept


def bodies() -> list[dict[str, Any]]:
    """Return the chats that practice was sent, oldest first, but for those about a title."""
    return [one for one in RECEIVED if one["messages"][0]["role"] == "user"]


def lines(served: Served) -> list[LedgerLine]:
    """Return the ledger's lines but for titles, oldest first, once all are settled."""

    def settled() -> tuple[list[LedgerLine]] | None:
        found = list(served.studio.store.ledger.every(LedgerFilter(owner="local")))
        is_open = any(one.state is LineState.RESERVED for one in found)
        return None if is_open else (found,)

    found: list[LedgerLine] = until(settled, "all lines are settled")[0]
    return [one for one in reversed(found) if one.kind != "title"]


def states(answer: Message) -> list[tuple[str, str]]:
    return [(step.name, step.state) for step in steps_in(answer.parts)]


def is_booked(served: Served, practice: Callable[[], PracticeServer]) -> bool:
    """Wait until the ledger's sum is what practice has charged: a title may still be written."""

    def is_equal() -> bool:
        every = served.studio.store.ledger.every(LedgerFilter(owner="local"))
        ours = sum((one.amount or Decimal(0) for one in every), Decimal(0))
        theirs = sum((one.cost or Decimal(0) for one in practice().chat_book), Decimal(0))
        return ours == theirs + sum((one.cost for one in practice().web_book), Decimal(0))

    return bool(until(is_equal, "the ledger's sum is practice's book"))


@pytest.mark.parametrize("parameters", [TOOLS, THINKING, replace(TOOLS, stream=False)])
def test_tools_are_called_one_after_the_other_and_the_answer_follows(
    served: Served, practice: Callable[[], PracticeServer], parameters: ChatParameters
) -> None:
    question = "/practice tool-calculator /practice tool-search /practice tool-fetch 端砚 12*(3+4)"
    answer = asked(served, question, parameters)
    assert (answer.status, answer.error_text_id) == (AnswerStatus.COMPLETE, None)
    assert states(answer) == [("calculator", "done"), ("search", "done"), ("fetch", "done")]
    steps = steps_in(answer.parts)
    assert steps[0].result == "84"
    assert all(step.duration_ms for step in steps)
    assert [one.kind for one in sources_in(answer.parts)] == ["search"] * 8 + ["fetch"]
    assert "工具给出了结果" in answer.content
    sent = bodies()
    assert len(sent) == 4
    assert all(one["tools"] == sent[0]["tools"] for one in sent)
    for before, after in pairwise(sent):
        assert after["messages"][: len(before["messages"])] == before["messages"]
    assert sorted(one.kind for one in lines(served)) == ["chat"] * 4 + ["fetch", "search"]
    assert {one.message_id for one in lines(served)} == {answer.id}
    assert is_booked(served, practice)
    turns = [one for one in lines(served) if one.kind == "chat"]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == sum(one.completion or 0 for one in turns)


def test_off_is_the_default_and_sends_what_was_sent_before(served: Served) -> None:
    asked(served, "/practice tool-calculator 1+1", ChatParameters())
    (body,) = bodies()
    assert "tools" not in body


@pytest.mark.parametrize("parameters", [TOOLS, THINKING])
@pytest.mark.parametrize("with_words", [False, True])
def test_later_questions_take_the_calls_along_and_are_accepted(
    served: Served, parameters: ChatParameters, *, with_words: bool
) -> None:
    conversation = begin(served, parameters)
    says = "/practice tools-say " if with_words else ""
    first = asked(
        served, f"/practice tool-time {says}/practice tool-calculator 6*7", parameters, conversation
    )
    sent = bodies()[-1]["messages"]
    second = asked(served, "第二个问题", parameters, conversation)
    assert second.status is AnswerStatus.COMPLETE
    again = bodies()[-1]["messages"]
    assert again[: len(sent)] == sent  # what a cache knows stays good
    said = [one["content"] for one in again if one["role"] == "assistant"]
    assert len(said) == 3
    assert "\n\n".join(filter(None, said)) == first.content
    if parameters.thinking:
        thoughts = [one["reasoning_content"] for one in again if one["role"] == "assistant"]
        assert all(thoughts)
        assert "\n\n".join(thoughts) == first.reasoning_content
    # Without tools only the words go along, and that is accepted, too.
    plain = replace(parameters, tools=False)
    third = asked(served, "第三个问题", plain, conversation)
    assert third.status is AnswerStatus.COMPLETE
    told = bodies()[-1]
    assert "tools" not in told
    assert {one["role"] for one in told["messages"]} == {"user", "assistant"}
    assert told["messages"][1]["content"] == first.content


def test_answers_without_tools_go_along_with_their_thinking_once_tools_are_on(
    served: Served,
) -> None:
    conversation = begin(served, THINKING)
    asked(served, "第一个问题", replace(THINKING, tools=False), conversation)
    asked(served, "第二个问题", replace(TOOLS, tools=False), conversation)
    third = asked(served, "/practice tool-time 第三个问题", THINKING, conversation)
    assert (third.status, states(third)) == (AnswerStatus.COMPLETE, [("time", "done")])


@pytest.mark.parametrize(
    ("fault", "calls", "last"),
    [("tools-same", 2, "refused"), ("tools-endless", 8, "done")],
)
def test_a_loop_that_does_not_end_is_ended(
    served: Served,
    practice: Callable[[], PracticeServer],
    fault: str,
    calls: int,
    last: str,
) -> None:
    answer = asked(served, f"/practice {fault} 算", TOOLS)
    assert answer.status is AnswerStatus.COMPLETE
    assert len(states(answer)) == calls
    assert states(answer)[-1] == ("calculator", last)
    assert [one.get("tool_choice") for one in bodies()] == [None] * calls + ["none"]
    assert answer.content
    assert is_booked(served, practice)


def test_calls_at_once_are_run_in_their_order_and_no_more_than_four(served: Served) -> None:
    every = (
        "/practice tool-time /practice tool-calculator /practice tool-draw /practice tool-search"
    )
    answer = asked(served, f"/practice tools-together {every} /practice tool-fetch 端砚 6*7")
    assert states(answer) == [
        ("time", "done"),
        ("calculator", "done"),
        ("draw", "proposed"),
        ("search", "done"),
        ("fetch", "refused"),
    ]
    assert {step.turn for step in steps_in(answer.parts)} == {"1"}
    assert answer.status is AnswerStatus.COMPLETE
    assert len(bodies()) == 2


def test_many_calls_at_once_are_neither_run_nor_kept(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    keep = type(served.studio.store.messages).keep_parts

    def counted(self: Any, owner: str, message_id: str, parts: Any) -> Any:
        kept.append(len(parts))
        return keep(self, owner, message_id, parts)

    monkeypatch.setattr(type(served.studio.store.messages), "keep_parts", counted)
    answer = asked(served, "/practice tools-many 60")
    assert states(answer) == [("calculator", "done")] * CALLS_MOST + [("calculator", "refused")] * (
        TOLD_MOST - CALLS_MOST
    )
    assert answer.status is AnswerStatus.COMPLETE
    assert len(kept) == 1 + CALLS_MOST
    results = [one for one in bodies()[-1]["messages"] if one["role"] == "tool"]
    assert len(results) == TOLD_MOST


@pytest.mark.parametrize("parameters", [TOOLS, THINKING])
@pytest.mark.parametrize("fault", ["then-429 1", "then-500 9", "then-cut", "then-no-usage"])
def test_what_goes_wrong_between_turns_loses_nothing(
    served: Served,
    practice: Callable[[], PracticeServer],
    fault: str,
    parameters: ChatParameters,
) -> None:
    answer = asked(served, f"/practice tool-calculator /practice {fault} 6*7", parameters)
    is_whole = fault in ("then-429 1", "then-no-usage")
    wanted = AnswerStatus.COMPLETE if is_whole else AnswerStatus.CUT_OFF
    assert (answer.status, states(answer)) == (wanted, [("calculator", "done")])
    kept = [one for one in lines(served) if one.kind == "chat"]
    assert len(kept) == (1 if "500" in fault else 2)
    if fault in ("then-429 1", "then-500 9"):
        assert is_booked(served, practice)
    if fault == "then-no-usage":
        assert [one.state for one in kept].count(LineState.ESTIMATED) == 1


def test_a_stop_in_the_midst_of_a_tool_keeps_what_came(
    served: Served, practice: Callable[[], PracticeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = searches(monkeypatch)
    conversation = begin(served)
    question = "/practice tool-calculator /practice tool-search /practice web-slow 60 端砚 6*7"
    live = served.studio.answers.ask("local", conversation, question, TOOLS)
    until(lambda: searched, "the search has arrived")
    assert live.looking == "search"
    served.studio.answers.stop("local", live.message_id)
    answer = served.kept(live.message_id)
    assert answer.status is AnswerStatus.STOPPED
    assert states(answer) == [("calculator", "done"), ("search", "stopped")]
    kinds = sorted((one.kind, one.mark.value) for one in lines(served))
    assert [kind for kind, _ in kinds] == ["chat", "chat", "search"]
    assert len(bodies()) == 2
    # A later question is accepted, though a call has no result.
    later = asked(served, "后来呢", TOOLS, conversation)
    assert later.status is AnswerStatus.COMPLETE


def test_a_stop_in_a_later_turn_closes_it_and_settles_it(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    conversation = begin(served)
    question = "/practice tool-calculator /practice then-slow 400 6*7"
    live = served.studio.answers.ask("local", conversation, question, TOOLS)
    until(lambda: live.length > 0, "the second turn answers")
    served.studio.answers.stop("local", live.message_id)
    answer = served.kept(live.message_id)
    assert (answer.status, states(answer)) == (AnswerStatus.STOPPED, [("calculator", "done")])
    assert answer.content
    assert len([one for one in lines(served) if one.kind == "chat"]) == 2
    until(lambda: practice().counters.streams_open == 0, "the upstream is closed")


def continued(served: Served, cut: Message, parameters: ChatParameters) -> Message:
    """Return the answer that goes on where another was cut, as it is kept."""
    conversation = served.studio.store.conversations.get("local", cut.conversation_id)
    assert conversation is not None
    live = served.studio.answers.resume("local", conversation, cut, parameters)
    kept: Message = served.kept(live.message_id)
    return kept


def as_copied(answer: Message) -> list[ToolStep]:
    """Return an answer's steps without where they were first made."""
    return [replace(step, made_in="") for step in steps_in(answer.parts)]


@pytest.mark.parametrize("parameters", [TOOLS, THINKING, replace(TOOLS, stream=False)])
@pytest.mark.parametrize("says", ["", "/practice tools-say "])
def test_a_cut_answer_goes_on_with_its_calls_their_results_and_its_sources(
    served: Served, practice: Callable[[], PracticeServer], parameters: ChatParameters, says: str
) -> None:
    calls = f"/practice tool-search {says}/practice tool-calculator"
    cut = asked(served, f"{calls} /practice then-cut 端砚 6*7", parameters)
    assert cut.status is AnswerStatus.CUT_OFF
    before = bodies()[-1]["messages"]
    rest = continued(served, cut, parameters)
    assert (rest.status, rest.error_text_id) == (AnswerStatus.COMPLETE, None)
    assert as_copied(rest) == list(steps_in(cut.parts))
    assert {step.made_in for step in steps_in(rest.parts)} == {cut.id}
    assert sources_in(rest.parts) == sources_in(cut.parts)
    assert rest.content.startswith(cut.content)
    assert rest.content.strip() != cut.content.strip()
    body = bodies()[-1]
    assert "tools" not in body
    sent = body["messages"]
    assert sent[: len(before)] == before  # what a cache knows stays good
    assert [one["role"] for one in sent[len(before) :]] in ([], ["assistant"])
    told = "\n\n".join(
        one["content"] for one in sent if one.get("content") and one["role"] == "assistant"
    )
    assert told == cut.content.strip()
    # A program, an export and later questions see one answer with all of it.
    later = asked(
        served,
        "后来呢",
        parameters,
        served.studio.store.conversations.get("local", cut.conversation_id),
    )
    assert later.status is AnswerStatus.COMPLETE
    results = [one for one in bodies()[-1]["messages"] if one["role"] == "tool"]
    assert len(results) == len(steps_in(cut.parts))


def test_a_continuation_that_is_refused_costs_nothing_and_can_be_asked_for_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = asked(served, "/practice tool-search /practice then-cut 端砚", THINKING)
    before = lines(served)

    def refuse(_body: bytes, *, beta: bool) -> ChatRequest:
        raise ChatRefusal(402, "Insufficient Balance")

    with monkeypatch.context() as patched:
        patched.setattr("core.practice.chat.routes.chat_request_from_json", refuse)
        failed = continued(served, cut, THINKING)
    assert failed.status is AnswerStatus.FAILED
    assert as_copied(failed) == list(steps_in(cut.parts))
    assert can_go_on(failed)
    assert lines(served) == before  # nothing is charged for what was only carried along
    rest = continued(served, failed, THINKING)
    assert rest.status is AnswerStatus.COMPLETE
    assert as_copied(rest) == list(steps_in(cut.parts))
    assert {step.made_in for step in steps_in(rest.parts)} == {cut.id}


def test_an_answer_stopped_in_the_midst_of_a_tool_goes_on_from_what_came(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    conversation = begin(served)
    calls = "/practice tool-calculator /practice tools-say /practice tool-search"
    question = f"{calls} /practice web-slow 60 端砚 6*7"
    live = served.studio.answers.ask("local", conversation, question, TOOLS)
    until(lambda: live.looking == "search", "the search is under way")
    served.studio.answers.stop("local", live.message_id)
    cut = served.kept(live.message_id)
    assert states(cut) == [("calculator", "done"), ("search", "stopped")]
    rest = continued(served, cut, TOOLS)
    assert rest.status is AnswerStatus.COMPLETE
    assert states(rest) == states(cut)
    sent = bodies()[-1]["messages"]
    assert [one["role"] for one in sent[-2:]] == ["assistant", "tool"]
    assert not any(one.get("prefix") for one in sent)
    assert rest.content.startswith(f"{cut.content.rstrip()}\n\n" if cut.content.strip() else "")
    assert len(rest.content) > len(cut.content)
    assert len(practice().web_book) <= 1  # nothing is looked up, nor paid, again


@pytest.fixture
def off_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns at half of a weekday morning's price, whenever this runs: searches have one price."""
    monkeypatch.setattr("core.models.money.hours._rules", lambda: ())


@pytest.mark.usefixtures("off_peak")
def test_a_budget_without_room_ends_the_looking_and_the_answer_is_given(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    # Room for two short turns, and for no search behind the first.
    served.studio.budgets.set(Budget("studio", "", "day", Decimal("0.0052"), "PRACTICE"))
    short = replace(TOOLS, max_tokens=100)
    answer = asked(served, "/practice tool-search /practice tool-time 端砚", short)
    assert not practice().web_book
    assert states(answer) == [("search", "refused")]
    assert "budget" in steps_in(answer.parts)[0].result.lower()
    assert (answer.status, bool(answer.content)) == (AnswerStatus.COMPLETE, True)
    assert [one.get("tool_choice") for one in bodies()] == [None, "none"]
    assert [one.kind for one in lines(served)] == ["chat", "chat"]


@pytest.mark.usefixtures("off_peak")
def test_a_budget_without_room_for_another_turn_keeps_what_is_there(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    served.studio.budgets.set(Budget("studio", "", "day", Decimal("0.0033"), "PRACTICE"))
    short = replace(TOOLS, max_tokens=100)
    answer = asked(served, "/practice tool-calculator 6*7", short)
    assert states(answer) == [("calculator", "done")]
    assert answer.status is AnswerStatus.CUT_OFF
    assert answer.error_text_id is not None
    assert "budget" in answer.error_text_id
    assert len(practice().chat_book) == len(lines(served)) == 1


@pytest.mark.parametrize("way", ["search", "page", "file"])
@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_what_a_page_commands_is_neither_run_nor_sent_nor_paid(
    served: Served,
    practice: Callable[[], PracticeServer],
    place: int,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.practice.web.results.HOSTILE", (HOSTILE[place],))
    obeying, url = "/practice tools-obey", ""
    files: tuple[ReadFile, ...] = ()
    if way == "search":
        question = f"{obeying} /practice tool-search /practice web-hostile 端砚的历史"
    elif way == "page":
        url = "https://library.example/practice/page-hostile/x"
        question = f"{obeying} /practice tool-fetch {url} 读它"
    else:
        text = FilePart("evil.txt", HOSTILE[place], "text/plain")
        question, files = f"{obeying} 总结这个文件", (ReadFile(text),)
    answer = asked(served, question, TOOLS, files=files)
    assert answer.status is AnswerStatus.COMPLETE
    asked_for = {"search": ["search"], "page": ["fetch"], "file": []}[way]
    assert [one.look for one in practice().web_book] == asked_for
    if way == "page":
        assert practice().web_book[0].query == url
    assert practice().counters.tasks_accepted == 0
    assert not served.studio.store.generation_lists.list("local").items
    commanded = states(answer)[len(asked_for) :]
    assert ("draw", "proposed") in commanded  # a card, which waits for the person
    assert ("fetch", "refused") in commanded
    assert ("search", "refused") in commanded
    assert "done" not in {state for _, state in commanded}
    assert sorted({one.kind for one in lines(served)}) == sorted({"chat", *asked_for})
    assert is_booked(served, practice)


@pytest.mark.parametrize("parameters", [TOOLS, THINKING])
def test_what_stands_in_a_picture_is_neither_run_nor_sent_nor_paid(
    served: Served, practice: Callable[[], PracticeServer], parameters: ChatParameters
) -> None:
    """Its words are the model's alone to read: practice's takes every picture for a command."""
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(content, "JPEG")
    picture = read("sign.jpg", content.getvalue()).result(60)
    answer = asked(
        served, "/practice tools-obey 这块牌子上写着什么？", parameters, files=(picture,)
    )
    assert answer.status is AnswerStatus.COMPLETE
    assert not practice().web_book
    assert practice().counters.tasks_accepted == 0
    assert not served.studio.store.generation_lists.list("local").items
    commanded = states(answer)
    assert ("draw", "proposed") in commanded
    assert {("fetch", "refused"), ("search", "refused")} <= set(commanded)
    assert "done" not in {state for _, state in commanded}
    assert {one.kind for one in lines(served)} == {"chat"}
    assert is_booked(served, practice)


def test_a_key_in_a_result_and_in_arguments_is_masked(served: Served) -> None:
    key = "sk-live-abcdef0123456789abcdef"
    known_secrets.add(key)
    answer = asked(served, f"/practice tool-search 端砚 {key}")
    assert states(answer) == [("search", "done")]
    assert key not in str(answer.parts)
    assert key not in json.dumps(bodies()[-1]["messages"][1:])


@pytest.mark.parametrize("fault", ["web-empty", "web-500", "web-lost", "bad-arguments"])
def test_a_tool_that_fails_is_told_to_the_model_which_answers(
    served: Served, practice: Callable[[], PracticeServer], fault: str
) -> None:
    called = "" if fault == "bad-arguments" else "/practice tool-search "
    answer = asked(served, f"{called}/practice {fault} 端砚")
    assert answer.status is AnswerStatus.COMPLETE
    (step,) = steps_in(answer.parts)
    assert step.state == ("done" if fault == "web-empty" else "failed")
    assert step.result
    assert len([one for one in lines(served) if one.kind == "search"]) == (fault == "web-lost")
    assert is_booked(served, practice)


def test_a_call_that_only_leaked_into_the_text_is_not_run(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    answer = asked(served, "/practice leaked-call 端砚")
    assert not steps_in(answer.parts)
    assert not practice().web_book


def test_an_export_and_an_import_carry_the_steps(served: Served) -> None:
    answer = asked(served, "/practice tool-calculator /practice tool-search 端砚 6*7")
    store = served.studio.store
    exported = store.exports.conversation("local", answer.conversation_id)
    store.imports.import_file("user:ada", io.BytesIO(json.dumps(exported).encode()))
    (copied,) = served.studio.store.conversations.list("user:ada").items
    brought = served.studio.store.messages.path("user:ada", copied.id)
    # What they cost is told by the ledger that has their lines, and by no file.
    free = {"line_id": "", "amount": "", "currency": ""}
    carried = [replace(step, **free) for step in steps_in(answer.parts)]
    assert list(steps_in(brought[1].parts)) == carried
    assert carried != list(steps_in(answer.parts))
    assert sources_in(brought[1].parts) == sources_in(answer.parts)
    assert brought[1].content == answer.content


# What practice reads where a question names no address.
IN_A_FILE = "读一下 https://library.example/1"


def imported(served: Served) -> Conversation:
    """Return a conversation whose words came in a file."""
    asked(served, IN_A_FILE, ChatParameters())
    store = served.studio.store
    (own,) = served.studio.store.conversations.list("local").items
    payload = json.loads(json.dumps(store.exports.conversation("local", own.id)))
    payload["conversations"][0]["parameters"] |= {"tools": True, "search": True}
    served.studio.store.conversations.delete("local", own.id)
    served.studio.store.conversations.purge(datetime.now(UTC) + timedelta(days=1))
    store.imports.import_file("local", io.BytesIO(json.dumps(payload).encode()))
    (brought,) = served.studio.store.conversations.list("local").items
    return brought


def test_an_import_switches_nothing_on_that_is_paid(served: Served) -> None:
    brought = imported(served)
    assert (brought.origin, brought.parameters.tools, brought.parameters.search) == (
        "import",
        False,
        False,
    )


@pytest.mark.parametrize("is_forked", [False, True])
@pytest.mark.parametrize(
    ("question", "state"),
    [
        ("/practice tool-fetch https://library.example/1 现在呢", "done"),
        ("/practice tool-fetch 现在呢", "refused"),
        ("/practice tool-search 端砚", "done"),
    ],
)
def test_words_of_an_import_are_not_the_persons(
    served: Served,
    practice: Callable[[], PracticeServer],
    question: str,
    state: str,
    *,
    is_forked: bool,
) -> None:
    talk = imported(served)
    if is_forked:
        head = talk.head_id or ""
        talk = served.studio.store.branches.fork("local", talk.id, head, "again")
    answer = asked(served, question, TOOLS, talk)
    assert [one for _, one in states(answer)] == [state]
    assert len(practice().web_book) == (state == "done")


def test_the_clock_goes_by_the_persons_zone(served: Served) -> None:
    answer = asked(served, "/practice tool-time 现在", zone="Asia/Kathmandu")
    assert "+05:45" in steps_in(answer.parts)[0].result
    other = asked(served, "/practice tool-time America/Sao_Paulo", zone="Asia/Kathmandu")
    assert "-03:00" in steps_in(other.parts)[0].result


def events(text: str, name: str) -> list[dict[str, Any]]:
    """Return the data of a stream's events of that name."""
    found = []
    for event in text.strip().split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in event.split("\n"))
        if fields.get("event") == name:
            found.append(json.loads(fields["data"]))
    return found


def test_programs_switch_tools_on_and_are_told_of_each_step(
    served: Served, practice: Callable[[], PracticeServer]
) -> None:
    question = "/practice tool-calculator /practice tool-search 端砚 6*7"
    body = {"question": question, "studio_tools": True}
    whole = served.http.post("/complete", json=body).json()
    assert "工具给出了结果" in whole["content"]
    steps = whole["steps"]
    assert [(one["name"], one["state"], one["turn"]) for one in steps] == [
        ("calculator", "done", 1),
        ("search", "done", 2),
    ]
    assert [(one["amount"], one["currency"]) for one in steps] == [
        ("0", None),
        ("0.005", "PRACTICE"),
    ]
    assert steps[0]["result"] == "42"
    assert len(whole["sources"]) == 8
    assert "tool_calls" not in whole
    stream = served.http.post("/stream", json=body).text
    told = [(one["step"]["name"], one["step"]["state"]) for one in events(stream, "step")]
    assert told[-1] == ("search", "done")
    assert ("calculator", "done") in told
    assert not events(stream, "tool_calls")
    assert {one.origin for one in lines(served)} == {"http"}
    assert is_booked(served, practice)


@pytest.mark.parametrize("stream", [False, True])
def test_openais_clients_see_an_answer_like_any_other(served: Served, *, stream: bool) -> None:
    messages = [{"role": "user", "content": "/practice tool-calculator 6*7"}]
    body = {"model": "deepseek-flash", "messages": messages, "studio_tools": True}
    reply = served.http.post("/v1/chat/completions", json=body | {"stream": stream})
    if stream:
        parts = reply.text.strip().split("\n\n")
        assert parts[-1] == "data: [DONE]"
        chunks = [json.loads(one.removeprefix("data: ")) for one in parts[:-1]]
        assert not [one for one in chunks if "tool_calls" in one["choices"][0]["delta"]]
        last = chunks[-1]
        assert last["choices"][0]["finish_reason"] == "stop"
    else:
        last = reply.json()
        assert last["choices"][0]["finish_reason"] == "stop"
        assert "tool_calls" not in last["choices"][0]["message"]
    assert [one["result"] for one in last["steps"]] == ["42"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"tools": [{"type": "function", "function": {"name": "draw"}}]}, "studio_tools"),
        ({"studio_tools": "yes"}, "studio_tools"),
        ({"logprobs": True}, "studio_tools"),
    ],
)
def test_what_cannot_go_with_the_tools_is_refused_by_name(
    served: Served, more: dict[str, Any], field: str
) -> None:
    messages = [{"role": "user", "content": "x"}]
    body = {"model": "deepseek-flash", "messages": messages, "studio_tools": True} | more
    refused = served.http.post("/v1/chat/completions", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == field
    assert not lines(served)


def test_an_answer_is_told_what_all_of_its_turns_and_looks_cost(served: Served) -> None:
    question = "/practice tool-search /practice tool-calculator 端砚 6*7"
    live = served.studio.answers.ask("local", begin(served), question, TOOLS)
    served.kept(live.message_id)
    own = [one.amount or 0 for one in lines(served) if one.message_id == live.message_id]
    assert len(own) == 4
    assert live.cost is not None
    assert live.cost.amount == sum(own)


def test_a_bug_in_a_tool_or_in_the_loop_leaves_no_answer_running(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("core.work.tools.calculator.computed", broken)
    answer = asked(served, "/practice tool-calculator 6*7")
    assert (answer.status, states(answer)) == (AnswerStatus.COMPLETE, [("calculator", "failed")])
    monkeypatch.setattr("core.work.tools.loop.same_call", broken)
    answer = asked(served, "/practice tool-time 6*7")
    assert answer.status is AnswerStatus.CUT_OFF
    assert states(answer) == [("time", "stopped")]
    assert answer.error_text_id == "error.unexpected"


def test_the_markdown_export_tells_of_each_step(served: Served) -> None:
    answer = asked(served, "/practice tool-calculator /practice tool-search 端砚 6*7")
    store = served.studio.store
    conversation = store.conversations.get("local", answer.conversation_id)
    assert conversation is not None
    told = as_markdown("zh", conversation, store.messages.path("local", conversation.id))
    assert "<summary>计算 · " in told
    assert "0.005 PRACTICE</summary>" in told
    assert '{"expression": "6*7"}\n42\n' in told


@pytest.mark.parametrize("parameters", [TOOLS, THINKING])
def test_a_server_that_refuses_to_call_nothing_is_asked_without_tools(
    served: Served,
    practice: Callable[[], PracticeServer],
    parameters: ChatParameters,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(body: bytes, *, beta: bool) -> ChatRequest:
        RECEIVED.append(json.loads(body))
        if RECEIVED[-1].get("tool_choice") == "none":
            raise ChatRefusal(400, "tool_choice: only auto is supported in thinking mode")
        return chat_request_from_json(body, beta=beta)

    monkeypatch.setattr("core.practice.chat.routes.chat_request_from_json", read)
    answer = asked(served, "/practice tools-same 算", parameters)
    assert answer.status is AnswerStatus.COMPLETE
    assert answer.content
    assert [("tools" in one, one.get("tool_choice")) for one in bodies()] == [
        (True, None),
        (True, None),
        (True, "none"),
        (False, None),
    ]
    assert is_booked(served, practice)


def test_what_a_picture_of_an_answer_costs_is_not_the_answers(served: Served) -> None:
    answer = asked(served, "/practice tool-calculator 6*7")
    studio = served.studio
    spent = sum(one.amount or 0 for one in lines(served))
    studio.generations.request("local", ImageRequest("a hill"), caller="page", message_id=answer.id)
    of_pictures = [
        one
        for one in studio.store.ledger.every(LedgerFilter(owner="local"))
        if one.message_id == answer.id and one.kind == "image"
    ]
    assert of_pictures
    wanted = LedgerFilter(owner="local", conversation_id=answer.conversation_id, kinds=ANSWER_KINDS)
    own = [one for one in studio.store.ledger.every(wanted) if one.message_id == answer.id]
    assert sum(one.amount or 0 for one in own) == spent

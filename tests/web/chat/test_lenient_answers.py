"""Answers in other servers' shapes over real sockets: kept, told over HTTP, sent back, exported."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import AnswerStatus, ChatParameters, Message
from core.models.notices import moved_text, notices_of
from core.storage.transfer.format import ConversationReading, message_out
from core.ui.history.markdown_export import as_markdown
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event
from tests.waiting import until
from tests.web.chat.answering import OWNER, answering
from tests.web.events import hear, opened
from tests.web.serving import Served, serving

INVOKED = '<｜DSML｜invoke name="search"></｜DSML｜invoke>'
MARKED = f"<｜DSML｜function_calls>{INVOKED}</｜DSML｜function_calls>"
WHOLE = ChatParameters(stream=False)


def saying(*pieces: str | bytes, title: str = "Title") -> Callable[[dict[str, Any]], Plan]:
    """Return what answers with these pieces of text, or events as they are."""

    def plan(body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            is_title = body["messages"][0]["role"] == "system"
            texts = [piece for piece in pieces if isinstance(piece, str)]
            yield Step(0, completion(title if is_title else "".join(texts)))
            return
        yield Step(0, STREAM_HEAD)
        for piece in pieces:
            yield Step(0, piece if isinstance(piece, bytes) else event(content=piece))
        yield Step(0, ending() + DONE)

    return plan


SORTED = [
    (("<th", "ink>First weigh.", "</think>\n\n", "It is 42."), "First weigh.", "It is 42."),
    (("First weigh.", "\n</thi", "nk>\n\nIt is 42."), "First weigh.", "It is 42."),
    (("`<think>` and", " `</think>` are tags."), "", "`<think>` and `</think>` are tags."),
    (("Let me look.\n\n<｜DS", MARKED[4:]), "", "Let me look."),
]


@pytest.mark.parametrize("parameters", [ChatParameters(), WHOLE])
@pytest.mark.parametrize(("pieces", "reasoning", "content"), SORTED)
def test_an_answer_is_kept_and_sent_back_without_its_tags(
    tmp_path: Path,
    pieces: tuple[str, ...],
    reasoning: str,
    content: str,
    parameters: ChatParameters,
) -> None:
    upstream = Upstream(saying(*pieces, title="<think>Hm.</think>\n\nA title"))
    with upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        answer = asker.answered("q", conversation, parameters)
        assert (answer.reasoning_content, answer.content) == (reasoning, content)
        until(lambda: asker.again(conversation).title == "A title", "the title")
        asker.answered("q2", asker.again(conversation))
        sent = upstream.answers[-1].body["messages"]
        assert [one["content"] for one in sent] == ["q", content, "q2"]


def test_what_an_older_version_kept_is_sent_back_without_its_thinking(tmp_path: Path) -> None:
    with Upstream(saying("好")) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        asker.answered("q", conversation)
        asker.store.messages.add(
            OWNER,
            conversation.id,
            role="assistant",
            content="<think>old</think>\n\nKept.",
            parent_id=asker.path(conversation)[0].id,
        )
        asker.answered("q2", asker.again(conversation))
        sent = upstream.answers[-1].body["messages"]
        assert [one["content"] for one in sent] == ["q", "Kept.", "q2"]


def test_a_continued_answer_thinks_apart_too(tmp_path: Path) -> None:
    texts = iter([("Once ",), ("<think>go on</think>", "upon a time.")])

    def plan(body: dict[str, Any]) -> Plan:
        return saying(*next(texts))(body) if body["stream"] else saying("t")(body)

    with Upstream(plan) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        first = asker.answered("q", conversation)
        live = asker.answers.resume(OWNER, asker.again(conversation), first, ChatParameters())
        rest = asker.ended(live)
        assert (rest.content, rest.reasoning_content) == ("Once upon a time.", "go on")


LOST = b"data: {oops\n\n"


def served_by(folder: Path, upstream: Upstream) -> Any:
    return serving(folder, chat_url=upstream.url)


def test_what_may_be_lacking_is_told_over_http(tmp_path: Path) -> None:
    plan = saying("a", LOST, "b")
    with Upstream(plan) as upstream, served_by(tmp_path, upstream) as served:
        heard = hear(served.http, "/stream", params={"question": "q"})
        assert (heard.text, heard.errors, heard.has_ended) == ("ab", [], True)
        (notice,) = [one for one in heard.events if one.event == "notice"]
        (told,) = json.loads(notice.data)["notices"]
        assert (told["id"], told["count"]) == ("may_lack", 1)
        answer_id = heard.answer_id
        kept = served.kept(answer_id)
        assert (kept.status, kept.content) == (AnswerStatus.COMPLETE, "ab")
        again = hear(
            served.http,
            "/stream",
            params={"question": "q"},
            headers={"Last-Event-ID": f"{answer_id}.1"},
        )
        assert again.text == "b"
        assert [one.event for one in again.events if one.event == "notice"] == ["notice"]
        asked = {"messages": [{"role": "user", "content": "q"}]}
        chinese = {"Accept-Language": "zh"}
        streamed = served.http.post(
            "/v1/chat/completions", json={**asked, "stream": True}, headers=chinese
        ).text
        last = json.loads(streamed.split("data: ")[-2])
        assert last["notices"][0]["message"].startswith("这个回答可能不完整")
        assert last["choices"][0]["finish_reason"] == "stop"


def test_what_the_model_wanted_is_told_over_http(tmp_path: Path) -> None:
    plan = saying("Let me look. ", MARKED)
    with Upstream(plan) as upstream, served_by(tmp_path, upstream) as served:
        body = served.http.get("/complete", params={"question": "q"}).json()
        assert body["content"] == "Let me look."
        assert [one["names"] for one in body["notices"]] == ["search"]
        asked = {"messages": [{"role": "user", "content": "q"}]}
        whole = served.http.post("/v1/chat/completions", json=asked).json()
        assert [one["id"] for one in whole["notices"]] == ["tool_wanted"]
        assert whole["choices"][0]["message"]["content"] == "Let me look."
        heard = hear(served.http, "/stream", params={"question": "q"})
        assert "DSML" not in heard.text


def test_an_answer_as_it_should_be_has_no_notice(tmp_path: Path) -> None:
    with Upstream(saying("a")) as upstream, served_by(tmp_path, upstream) as served:
        assert served.http.get("/complete", params={"question": "q"}).json() == {"content": "a"}
        heard = hear(served.http, "/stream", params={"question": "q"})
        assert [one.event for one in heard.events] == ["message", "end"]


def test_an_export_says_what_an_answer_lacks(tmp_path: Path) -> None:
    plan = saying("a", LOST, MARKED)
    with Upstream(plan) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        answer = asker.answered("q", conversation)
        markdown = as_markdown("en", asker.again(conversation), asker.path(conversation))
        assert "> This answer may be incomplete: 1" in markdown
        assert "> The model wanted to call search" in markdown
        assert back(answer) == replace(
            answer, conversation_id="", parent_id=None, version=1, version_count=1
        )


def back(message: Message) -> Message:
    """Return a message that was exported, and imported again."""
    reading = ConversationReading("owner")
    reading.begin({})
    return reading.message(json.loads(json.dumps({**message_out(message), "parent_id": None})))


# -- a late close, and readers who come back -------------------------------------------------------


class Halting:
    """An answer whose thinking is known as such only once it is told to go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.end = threading.Event()

    def __call__(self, _body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="First weigh.\n"))
        yield from self._until(self.go_on)
        yield Step(0, event(content="</think>\n\nIt is "))
        yield from self._until(self.end)
        yield Step(0, event(content="42.") + ending() + DONE)

    def _until(self, fact: threading.Event) -> Plan:
        while not fact.is_set():
            yield Step(0.01, b": wait\n\n")


@pytest.mark.parametrize("ends_first", [False, True])
def test_a_reader_who_comes_back_behind_a_late_close_misses_nothing(
    tmp_path: Path, ends_first: bool
) -> None:
    script = Halting()
    with Upstream(script) as upstream, served_by(tmp_path, upstream) as served:
        with opened(served.http, "/stream", params={"question": "q"}) as (_, reading):
            for heard in reading:
                if "weigh" in heard.text and not script.go_on.is_set():
                    script.go_on.set()
                if heard.text.endswith("It is "):
                    break
            first, last_event_id = heard.text, heard.last_event_id
        assert first == "First weigh.\nIt is "
        script.end.set()
        if ends_first:
            served.kept(heard.answer_id)
        rest = come_back(served, last_event_id)
        assert (rest.text, rest.has_ended) == ("42.", True)
        kept = served.kept(heard.answer_id)
        assert (kept.reasoning_content, kept.content) == ("First weigh.", "It is 42.")
        assert moved_text(kept.error_facts) == (0, 13)
        until(lambda: served.studio.answers.live(heard.answer_id) is None, "the answer is let go")
        # Who had read less gets the answer, without what was thought.
        assert come_back(served, f"{heard.answer_id}.5").text == "It is 42."
        assert come_back(served, f"{heard.answer_id}.13").text == "It is 42."
        assert come_back(served, f"{heard.answer_id}.15").text == " is 42."


def come_back(served: Served, last_event_id: str) -> Any:
    return hear(
        served.http, "/stream", params={"question": "q"}, headers={"Last-Event-ID": last_event_id}
    )


def test_places_of_a_running_row_count_what_was_sent(tmp_path: Path) -> None:
    script = Halting()
    with Upstream(script) as upstream, answering(tmp_path, upstream.url) as asker:
        live = asker.ask("q")
        script.go_on.set()

        def progress(place: int) -> Any:
            return asker.store.running_answers.progress(OWNER, live.message_id, place)

        until(lambda: progress(0).rest == "It is ", "the row is saved")
        assert [progress(place).rest for place in (0, 5, 13, 15)] == ["It is "] * 3 + [" is "]
        assert progress(0).length == 13 + len("It is ")
        script.end.set()
        asker.ended(live)


# -- small cases from the world --------------------------------------------------------------------

CASES: dict[str, tuple[list[str], str, str, list[str]]] = {
    "content-parts": (
        [
            '{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text",'
            '"text":"Weigh both."}]}]}}]}',
            '{"choices":[{"delta":{"content":[{"type":"text","text":"The answer is 42."}]}}]}',
        ],
        "Weigh both.",
        "The answer is 42.",
        [],
    ),
    "half-pairs": (
        [
            '{"choices":[{"delta":{"content":"Hi \\ud83d"}}]}',
            '{"choices":[{"delta":{"content":"\\ude00 there"}}]}',
        ],
        "",
        "Hi 😀 there",
        [],
    ),
    "raw-tab": (
        ['{"choices":[{"delta":{"content":"A\tB"}}]}', '{"choices":[{"delta":{"content":" C"}}]}'],
        "",
        "A\tB C",
        [],
    ),
    "another choice": (
        ['{"choices":[{"index":0,"delta":{"content":"A"}},{"index":1,"delta":{"content":"B"}}]}'],
        "",
        "A",
        ["notice.may_lack"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cases_come_out_right_in_the_row_and_over_http(tmp_path: Path, name: str) -> None:
    datas, reasoning, content, notices = CASES[name]
    events = [f"data: {data}\n\n".encode() for data in datas]
    with Upstream(saying(*events)) as upstream, served_by(tmp_path, upstream) as served:
        heard = hear(served.http, "/stream", params={"question": "q"})
        kept = served.kept(heard.answer_id)
        assert heard.text == kept.content == content
        assert kept.reasoning_content == reasoning
        assert [notice.text_id for notice in notices_of(kept)] == notices


def test_a_flat_error_keeps_the_text_and_tells_its_words(tmp_path: Path) -> None:
    flat = b'data: {"code": 50505, "msg": "Model service overloaded"}\n\n'
    with Upstream(saying("Half ", flat)) as upstream, answering(tmp_path, upstream.url) as asker:
        answer = asker.answered("q")
        assert (answer.status, answer.content) == (AnswerStatus.CUT_OFF, "Half ")
        assert answer.error_detail == "Model service overloaded"
        assert len(upstream.answers) == 1


def test_a_question_that_was_heard_is_not_bought_twice(tmp_path: Path) -> None:
    with Upstream(lambda _: iter(())) as upstream, answering(tmp_path, upstream.url) as asker:
        answer = asker.answered("q")  # the server reads it, and hangs up
        assert (answer.status, answer.error_text_id) == (AnswerStatus.FAILED, "error.network_lost")
        assert len(upstream.exchanges) == 1

"""Kinds of answers that servers give beside the documented one, over real sockets and over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import AnswerStatus
from core.wire.masking.secrets import known_secrets
from tests.upstream import STREAM_HEAD, Plan, Step, Upstream, completion, event
from tests.web.chat.test_lenient_answers import LOST, MARKED, saying, served_by
from tests.web.events import hear

ASKED = {"messages": [{"role": "user", "content": "q"}]}
BEGIN = "<｜tool▁calls▁begin｜>"
MENTION = f"Calls begin with {BEGIN}, and the rest follows. All of it is shown."
LINES_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n"


def choice(**fields: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, **fields}]}).encode()


def raw(content: bytes) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % content


def bodies(*events: bytes) -> Callable[[dict[str, Any]], Plan]:
    """Return what answers with these bytes alone."""

    def plan(body: dict[str, Any]) -> Plan:
        yield from (
            (Step(0, one) for one in events) if body["stream"] else (Step(0, completion("Title")),)
        )

    return plan


def in_lines(*deltas: dict[str, Any]) -> bytes:
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    choices = [*({"index": 0, "delta": delta} for delta in deltas), last]
    return b"".join(json.dumps({"choices": [one]}).encode() + b"\n" for one in choices)


KINDS: dict[str, tuple[Callable[[dict[str, Any]], Plan], str, str]] = {
    "versions": (
        saying("The", "The sea", "The sea is", "The sea is wide."),
        "",
        "The sea is wide.",
    ),
    "told once more": (
        saying("The sea.", choice(message={"content": "The sea."}, finish_reason="stop")),
        "",
        "The sea.",
    ),
    "more at the end": (
        saying("The se", choice(message={"content": "The sea."}, finish_reason="stop")),
        "",
        "The sea.",
    ),
    "a mention": (saying(MENTION[:30], MENTION[30:]), "", MENTION),
    "padding": (
        saying("Hi.", choice(delta={}, finish_reason="stop", seal="a0b1c2")),
        "",
        "Hi.",
    ),
    "thinking beside": (
        saying(choice(delta={"content": "Hi.", "thinking": "Hm."})),
        "Hm.",
        "Hi.",
    ),
    "lines": (
        bodies(LINES_HEAD, in_lines({"content": "The "}, {"content": "sea."})),
        "",
        "The sea.",
    ),
    "bytes apart": (
        saying(raw(b"Hi \xf0\x9f"), raw(b"\x98\x80 there")),
        "",
        "Hi 😀 there",
    ),
    "odd in thinking": (
        saying("<think>A ` sign.</think>It is 42.\n", "\nDone."),
        "A ` sign.",
        "It is 42.\n\nDone.",
    ),
    "blank lines": (saying("Let me look.", "\n\n", MARKED), "", "Let me look."),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_comes_out_right_in_the_row_and_over_http(tmp_path: Path, name: str) -> None:
    plan, reasoning, content = KINDS[name]
    with Upstream(plan) as upstream, served_by(tmp_path, upstream) as served:
        heard = hear(served.http, "/stream", params={"question": "q"})
        kept = served.kept(heard.answer_id)
        assert heard.text == kept.content == content
        assert (kept.status, kept.reasoning_content) == (AnswerStatus.COMPLETE, reasoning)
        notices = [one for one in heard.events if one.event == "notice"]
        assert len(notices) == (name == "blank lines")
        streamed = served.http.post("/v1/chat/completions", json={**ASKED, "stream": True}).text
        deltas = [json.loads(one)["choices"][0]["delta"] for one in streamed.split("data: ")[1:-1]]
        assert "".join(delta.get("content") or "" for delta in deltas) == content


def test_halves_of_a_key_around_a_late_close_are_masked_over_http(tmp_path: Path) -> None:
    key = "sk-around-0f1e2d3c4b5a6978"
    for cut in (4, 8, 14, 20):
        plan = saying(f"So {key[:cut]}", "</think>", key[cut:], " it is.")
        with Upstream(plan) as upstream, served_by(tmp_path / str(cut), upstream) as served:
            known_secrets.add(key)
            heard = hear(served.http, "/stream", params={"question": "q"})
            assert key[6:] not in heard.text
            assert heard.text.endswith(" it is.")
            kept = served.kept(heard.answer_id)
            assert key[6:] not in kept.reasoning_content + kept.content


def test_a_tag_behind_an_odd_backtick_stays_sent_and_is_not_kept(tmp_path: Path) -> None:
    plan = saying("A ` sign.", "</think>", "It is 42.\n", "\nDone.")
    with Upstream(plan) as upstream, served_by(tmp_path, upstream) as served:
        heard = hear(served.http, "/stream", params={"question": "q"})
        assert heard.text.endswith("It is 42.\n\nDone.")  # what was sent before stays sent
        kept = served.kept(heard.answer_id)
        assert (kept.reasoning_content, kept.content) == ("A ` sign.", "It is 42.\n\nDone.")


def test_calls_of_a_last_message_are_told(tmp_path: Path) -> None:
    called = [{"id": "c1", "function": {"name": "find", "arguments": "{}"}}]
    whole = {"content": "Look.", "tool_calls": called}
    plan = saying("Look.", choice(message=whole, finish_reason="tool_calls"))
    with Upstream(plan) as upstream, served_by(tmp_path, upstream) as served:
        heard = hear(served.http, "/stream", params={"question": "q"})
        (notice,) = [one for one in heard.events if one.event == "notice"]
        assert json.loads(notice.data)["notices"][0]["names"] == "find"


def cut_off(body: dict[str, Any]) -> Plan:
    yield Step(0, STREAM_HEAD)
    yield Step(0, event(content="Half ") + LOST)


def test_a_cut_answer_has_its_notices_over_http(tmp_path: Path) -> None:
    with Upstream(cut_off) as upstream, served_by(tmp_path, upstream) as served:
        streamed = served.http.post("/v1/chat/completions", json={**ASKED, "stream": True}).text
        last = json.loads(streamed.split("data: ")[-2])
        assert last["error"]["message"]
        assert [one["id"] for one in last["notices"]] == ["may_lack"]
        whole = served.http.post("/v1/chat/completions", json=ASKED)
        assert whole.status_code >= 500
        assert [one["id"] for one in whole.json()["notices"]] == ["may_lack"]
        complete = served.http.get("/complete", params={"question": "q"})
        assert [one["id"] for one in complete.json()["notices"]] == ["may_lack"]
        heard = hear(served.http, "/stream", params={"question": "q"})
        assert [one.event for one in heard.events if one.event == "notice"] == ["notice"]


def test_an_error_without_a_lack_has_no_notices(tmp_path: Path) -> None:
    def cut(body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="Half "))

    with Upstream(cut) as upstream, served_by(tmp_path, upstream) as served:
        assert "notices" not in served.http.post("/v1/chat/completions", json=ASKED).json()

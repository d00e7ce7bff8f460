"""Posted chats: what each body comes to, a question with its parameters or the refusal's text.

`data/posted_chats.jsonl` was written by the parser of 2026-11-28, once it took what DeepSeek takes:
a body, and what came of it. Which of several faults is named, and every leniency, stands there.
"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import ChatParameters, Turn
from core.texts.catalogue import LANGUAGES
from core.web.chat.posted.request import ChatRequest, Dialect, chat_request_from_json
from core.web.http_call import HttpCall, HttpCallError

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "posted_chats.jsonl").read_text().splitlines()
]
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/stream",
    "headers": [(b"content-type", b"application/json")],
}


def parsed(body: bytes) -> ChatRequest:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    async def send(_message: object) -> None:
        raise AssertionError

    async def main() -> ChatRequest:
        call = HttpCall(SCOPE, receive, send)
        return chat_request_from_json(await call.json_object(), Dialect("the-default"))

    return asyncio.run(main())


def said(turn: Turn) -> list[str | None]:
    return [turn.role, turn.text, *([turn.reasoning_content] if turn.reasoning_content else [])]


def refused(error: HttpCallError) -> dict[str, Any]:
    told = [error.sentence(language) for language in LANGUAGES]
    assert all("?" not in sentence for sentence in told)  # a fact that the sentence lacks
    return {"refused": [error.status, error.text_id, error.field, dict(error.facts)]}


def outcome(body: bytes) -> dict[str, Any]:
    """Return what a body comes to: what is not as it would be anyway, or the refusal."""
    try:
        request = parsed(body)
    except HttpCallError as error:
        return refused(error)
    usual = asdict(ChatParameters(model="the-default"))
    turns = list(request.turns)
    prompts = []
    while turns[0].role == "system":
        prompts.append(turns.pop(0).text)
    named = {
        "system_prompt": "\n\n".join(prompts),
        "earlier": [said(turn) for turn in turns[:-1]],
        "streams": request.streams,
        "with_usage": request.with_usage,
        "options": {k: v for k, v in asdict(request.options).items() if v and k != "effort"},
        "ignored": [notice.facts["names"] for notice in request.notices],
    }
    return {
        "question": turns[-1].text,
        **{name: value for name, value in named.items() if value},
        **{
            name: value
            for name, value in asdict(request.parameters).items()
            if (type(value), value) != (type(usual[name]), usual[name])
        },
    }


@pytest.mark.parametrize(("body", "expected"), CASES)
def test_a_body_comes_to_what_it_came_to(body: str, expected: dict[str, Any]) -> None:
    came = outcome(body.encode("utf-8", "surrogatepass"))
    assert json.dumps(came) == json.dumps(expected)


@pytest.mark.parametrize(("count", "is_taken"), [(2000, True), (2001, False)])
def test_so_many_messages_are_taken_and_no_more(count: int, is_taken: bool) -> None:
    last = {"role": "user", "content": "hi"}
    came = outcome(json.dumps({"messages": [*[{"role": "user"}] * (count - 1), last]}).encode())
    refusal = [400, "http.want_messages", "messages", {"field": "messages", "most": 2000}]
    came.pop("earlier", None)
    assert came == ({"question": "hi"} if is_taken else {"refused": refusal})
    if not is_taken:  # how many there are is looked at before what they are
        assert outcome(json.dumps({"messages": [7] * count}).encode()) == came


@pytest.mark.parametrize("depth", range(960, 1000))
def test_whatever_is_nested_however_deeply_is_taken_or_refused(depth: int) -> None:
    odd = '"\\ud800": ' + "[" * depth + "]" * depth
    came = outcome(f'{{"messages": [{{"role": "user", "content": "hi", {odd}}}]}}'.encode())
    assert came == {"question": "hi"} or came["refused"][0] == 400

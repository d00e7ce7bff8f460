"""Bodies as clients that nobody here wrote send them: each field is passed, understood, or named.

`data/client_bodies.jsonl` has them, one a line, recorded before the studio: client, path, body, and
the `param` of the refusal where DeepSeek would refuse it too.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.providers.deepseek.endpoint import ChatEndpoint
from core.web.openai.images.request import picture_request
from tests.upstream import Plan, Step, Upstream, completion, streamed
from tests.web.serving import Served, ask_once, serving

DATA = Path(__file__).parent / "data" / "client_bodies.jsonl"
CASES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]

Body = dict[str, Any]
_ALWAYS: Callable[[Any, Body], bool] = lambda _value, _sent: True  # noqa: E731
_KNOWN_ROLES = ("system", "developer", "user", "assistant", "tool")

# What is read here and goes on in other words, and how that shows in what is sent.
UNDERSTOOD: dict[str, Callable[[Any, Body], bool]] = {
    "stream": lambda value, sent: sent["stream"] is value,
    "stream_options.include_usage": _ALWAYS,
    "max_completion_tokens": lambda value, sent: sent["max_tokens"] == value,
    "max_output_tokens": lambda value, sent: sent["max_tokens"] == value,
    "n": lambda value, _sent: value == 1,
    "user": lambda _value, sent: len(sent["user_id"]) >= 16,
    "safety_identifier": lambda _value, sent: len(sent["user_id"]) >= 16,
    "reasoning_effort": lambda value, sent: (
        sent["thinking"]["type"] == ("disabled" if value == "none" else "enabled")
    ),
    "parallel_tool_calls": lambda value, _sent: value is True,
    "service_tier": lambda value, _sent: value in ("auto", "default"),
    "frequency_penalty": lambda value, _sent: value == 0,
    "presence_penalty": lambda value, _sent: value == 0,
    "temperature": lambda value, _sent: value == 1,
    "top_p": lambda value, _sent: value == 1,
    "messages[].role": lambda value, _sent: value in _KNOWN_ROLES,
    "messages[].content[].type": _ALWAYS,
    "response_format.type": lambda value, sent: (
        value in ("text", "json_schema") or sent["response_format"]["type"] == value
    ),
    "response_format.json_schema.strict": _ALWAYS,  # asked for by a strict tool, or in the prompt
    "messages[].tool_calls[].index": _ALWAYS,  # their order says it
    "tool_choice.type": _ALWAYS,
    # Of the Responses API: kinds, ids and states of items, what thinking is to be shown of.
    "input[].type": _ALWAYS,
    "input[].role": lambda value, _sent: value in _KNOWN_ROLES,
    "input[].id": _ALWAYS,
    "input[].status": _ALWAYS,
    "input[].content[].type": _ALWAYS,
    "input[].output[].type": _ALWAYS,
    "input[].summary[].type": _ALWAYS,
    "reasoning.effort": lambda value, sent: (
        sent["thinking"]["type"] == ("disabled" if value == "none" else "enabled")
    ),
    "reasoning.summary": _ALWAYS,
    "tools[].strict": lambda value, sent: any(
        tool["function"].get("strict") is value for tool in sent["tools"]
    ),
    "text.format.type": _ALWAYS,
    "text.format.strict": _ALWAYS,
    "text.verbosity": lambda value, _sent: value == "medium",
    "include[]": lambda value, _sent: value == "reasoning.encrypted_content",
    "store": _ALWAYS,  # the reply says that nothing is stored
    "truncation": lambda value, _sent: value == "disabled",
}


def plan(body: Body) -> Plan:
    if body.get("stream"):
        return streamed(["Well."], 0)
    return iter([Step(0, completion("Well."))])


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream(plan) as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ChatEndpoint, "speaks_deepseek", True)
        folder = tmp_path_factory.mktemp("bodies")
        with serving(folder, chat_url=upstream.url, build=ask_once) as running:
            yield running


def leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield what a body says, each with the pattern of its place; what is empty says nothing."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, f"{place}[]")
    elif value is not None and value is not False and value != "":
        yield place, value


def is_named(place: str, names: set[str]) -> bool:
    parts = re.split(r"(?=[.\[])", place)
    return any("".join(parts[:length])[:60] in names for length in range(1, len(parts) + 1))


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{number}-{case['client']}" for number, case in enumerate(CASES)]
)
def test_no_field_of_a_clients_body_is_dropped_in_silence(
    case: Body, served: Served, upstream: Upstream
) -> None:
    seen = len(upstream.exchanges)
    reply = served.http.post(case["path"], json=case["body"])
    if "refused" in case:
        assert reply.status_code == 400
        assert reply.json()["error"]["param"] == case["refused"]
        return
    assert reply.status_code == 200, reply.text
    told = re.findall(r'"names":\s*"([^"]*)"', reply.text)
    names = {name for one in told for name in one.split(", ")}
    sent = upstream.exchanges[seen].body
    passed = set(leaves(sent))
    texts = json.dumps(sent, ensure_ascii=False)
    lost = [
        f"{place} = {value!r}"
        for place, value in leaves(case["body"])
        if (place, value) not in passed
        and not (isinstance(value, str) and json.dumps(value, ensure_ascii=False)[1:-1] in texts)
        and not is_named(place, names)
        and not (place in UNDERSTOOD and UNDERSTOOD[place](value, sent))
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"prompt": "a cat", "n": 1, "size": "1024x1024"}, ""),  # LibreChat, Open WebUI
        ({"prompt": "a cat", "size": "1792x1024", "quality": "hd", "style": "natural"}, "2"),
        ({"prompt": "a cat", "response_format": "b64_json", "user": "u", "seed": 0}, "2"),
        ({"prompt": "a cat", "model": "gpt-image-1", "output_format": "webp"}, "1"),
        ({"prompt": "a cat", "steps": 20, "cfg_scale": 7}, "2"),
    ],
)
def test_no_field_of_a_clients_picture_is_dropped_in_silence(fields: Body, names: str) -> None:
    asked = picture_request(fields, has_image=False)
    told = [one.facts["names"] for one in asked.notices if "names" in one.facts]
    named = set(str(told[0]).split(", ")) if told else set()
    assert len(named) == int(names or 0)
    assert named <= fields.keys()


def test_there_are_bodies_of_many_clients() -> None:
    assert len(CASES) >= 60
    assert len({case["client"] for case in CASES}) >= 12

"""One chat reply: what is thought, what is said, how it ends and what it cost."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.models.money.usage import Tokens
from core.practice.chat.answers import (
    answer,
    continuation,
    is_go_on,
    reasoning,
    results_answer,
)
from core.practice.chat.long_text import long_text
from core.practice.chat.request import ChatRequest
from core.practice.chat.skills.citing import cited
from core.practice.chat.skills.filling import filled
from core.practice.chat.skills.picturing import pictured
from core.practice.chat.skills.reading import read_back
from core.practice.chat.skills.studio import offers_studio_tools, studio_calls
from core.practice.chat.skills.tools import Call, calls_for
from core.practice.chat.texts import language_of, text
from core.practice.chat.titles import title
from core.practice.chat.tokens import PromptCache, clip_to_tokens, estimate_tokens
from core.practice.faults import Faults, read_faults, without_commands
from core.wire.source_block import without_source

HALFWAY_FAULTS = ("length", "content_filter", "insufficient_system_resource", "aborted")
_TITLE_WORDS = re.compile(r"标题|标\s*題|\btitles?\b", re.IGNORECASE)
_LEAKED_CALL = (
    '<｜DSML｜function_calls>\n<｜DSML｜invoke name="search">\n'
    '<｜DSML｜parameter name="query" string="true">练习 practice</｜DSML｜parameter>\n'
    "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
)
_PICTURE_TOKENS = 256
_THEN = "then-"
_CALLING = {"tool_calls", "two-calls", "bad-arguments", "unknown-tool"}
_MESSAGE_TOKENS = 4  # what role marks around one message come to


@dataclass(frozen=True, slots=True)
class Reply:
    """Ready to be sent, streamed or whole. `reasoning` is None when thinking is off."""

    id: str
    created: int
    model: str
    reasoning: str | None
    content: str
    finish_reason: str
    tokens: Tokens
    calls: tuple[Call, ...] = ()
    logprobs: int | None = None  # alternatives to each token; None where none are wanted

    @property
    def usage(self) -> Mapping[str, object]:
        """The usage as it is sent."""
        return _usage(self.tokens)


def faults_of(request: ChatRequest) -> Faults:
    """Return the faults the last user message asks for.

    A continuation and a title follow a question that had its fault already, and so does what is
    asked behind tools' results without tools; with them those strike that are written as `then-…`;
    a text that is to be drawn may tell of faults.
    """
    if request.prefix is not None or asks_for_title(request):
        return {}
    faults = read_faults(without_source(request.question.content)[0])
    if not request.results:
        return faults
    if not request.choice.tools:
        return {}
    return {name[len(_THEN) :]: at for name, at in faults.items() if name.startswith(_THEN)}


def asks_for_title(request: ChatRequest) -> bool:
    """Return whether the system prompt wants a title for the conversation."""
    asks = len(request.system) < 600 and bool(_TITLE_WORDS.search(request.system))
    asks = asks and _schema_in(request.system) is None  # in which "title" is a word like any other
    return asks and not request.json_mode and not request.choice.tools


def compose_reply(
    request: ChatRequest, faults: Faults, cache: PromptCache, *, reply_id: str, created: int
) -> Reply:
    """Return the reply to a request; the same question gives the same words."""
    content = _content(request)
    thoughts = _reasoning(request)
    finish_reason, calls = "stop", _calls(request, faults)
    if calls:
        content, finish_reason = "", "tool_calls"
        if "tools-say" in read_faults(request.question.content):
            content = text(language_of(request.question.content), "calling")
    if "empty" in faults:
        content, thoughts = "", None if thoughts is None else ""
    if "reasoning-only" in faults:
        thoughts = thoughts or reasoning(without_commands(request.question.content), "high")
        content = ""
    content, thoughts = _as_others_write(content, thoughts, request, faults)
    if "unknown-finish" in faults:
        finish_reason = "paused"
    for name in HALFWAY_FAULTS:
        if name in faults:
            content, finish_reason = content[: len(content) // 2], name
    for stop in request.stop:
        content = content.split(stop, 1)[0]
    if request.max_tokens is not None:
        # Unpublished, but the large defaults suggest that reasoning counts (reference, section 2).
        kept_thoughts = clip_to_tokens(thoughts or "", request.max_tokens)
        left = request.max_tokens - estimate_tokens(kept_thoughts)
        kept = clip_to_tokens(content, left) if kept_thoughts == (thoughts or "") else ""
        if kept != content:
            finish_reason = "length"
        thoughts = None if thoughts is None else kept_thoughts
        content = kept
    return Reply(
        id=reply_id,
        created=created,
        model=request.model,
        reasoning=thoughts,
        content=content,
        finish_reason=finish_reason,
        tokens=_count_tokens(request, cache, thoughts or "", content + _written(calls)),
        calls=calls,
        logprobs=request.logprobs,
    )


def _as_others_write(
    content: str, thoughts: str | None, request: ChatRequest, faults: Faults
) -> tuple[str, str | None]:
    """Return text and reasoning as servers send them that do not tell a template's marks apart."""
    if "think-tags" in faults or "late-close" in faults:
        thoughts = thoughts or reasoning(without_commands(request.question.content), "low")
        opening = "<think>\n" if "think-tags" in faults else ""
        content, thoughts = f"{opening}{thoughts}\n</think>\n\n{content}", None
    if "leaked-call" in faults:
        content = f"{content}\n\n{_LEAKED_CALL}"
    if "blanks" in faults:
        content = " \n\n "
    return content, thoughts


def _content(request: ChatRequest) -> str:
    question = without_commands(request.question.content)
    if asks_for_title(request):
        return title(question)
    if request.results:
        told = results_answer(request.results, language_of(question))
        prefix = request.prefix
        return told if prefix is None else continuation(told, prefix, language_of(question))
    if request.json_mode:
        return _json_content(question, request.system)
    asked_for = f"{request.system}\n{request.question.content}"
    if (schema := _schema_in(asked_for)) is not None:  # as a prompt asks for it
        return f"```json\n{_by_schema(schema, question)}\n```"
    questions = [place for place, m in enumerate(request.messages) if m.role == "user"]
    if request.prefix is not None:
        return continuation(_last_answer(request, questions), request.prefix, language_of(question))
    if is_go_on(question):
        begun = [place for place in questions if not is_go_on(request.messages[place].content)]
        if begun:
            later = request.messages[begun[-1] :]
            so_far = "".join(m.content for m in later if m.role == "assistant")
            language = language_of(request.messages[begun[-1]].content)
            return continuation(_whole_answer(request, begun[-1]), so_far, language)
    return _last_answer(request, questions)


def _last_answer(request: ChatRequest, questions: list[int]) -> str:
    return _whole_answer(request, questions[-1]) if questions else text("en", "greeting")


def _whole_answer(request: ChatRequest, place: int) -> str:
    """Return the answer to the question at this place among the messages."""
    asked = request.messages[place]
    question, faults = without_commands(asked.content), read_faults(asked.content)
    if "long" in faults:
        return long_text(question or "练习", faults["long"] or 5_000, language_of(question))
    if asked.web:
        return cited(asked.web, language_of(question))
    read = read_back(asked.files, language_of(question)) + "\n\n" if asked.files else ""
    return read + answer(
        question,
        raw_question=asked.content,
        earlier=[m.content for m in request.messages[:place] if m.role == "user"],
        system=request.system,
        pictures=asked.pictures,
    )


def _calls(request: ChatRequest, faults: Faults) -> tuple[Call, ...]:
    if asks_for_title(request):
        return ()
    if offers_studio_tools(request.choice) and not faults.keys() & _CALLING:
        asked = request.question
        told = "\n".join(result for _, result in request.results)
        return studio_calls(
            asked.content,
            read_faults(asked.content),
            request.turn,
            results=told,
            files=asked.files,
            pictures=len(asked.pictures),
        )
    if request.results and not request.choice.must_call:
        return ()
    question = without_commands(request.question.content)
    called = frozenset(name for name, _ in request.results)
    return calls_for(request.choice, question, faults, called=called)


def _written(calls: tuple[Call, ...]) -> str:
    return "".join(call.name + call.arguments for call in calls)


def _json_content(question: str, system: str) -> str:
    if (schema := _schema_in(system)) is not None:
        return json.dumps(
            pictured(schema, question) or filled(schema, question), ensure_ascii=False
        )
    language = language_of(question)
    said = answer(question, raw_question=question)
    return json.dumps(
        {
            "practice": True,
            "language": language,
            "question": question[:200],
            "title": title(question),
            "answer": said.replace("#", "").strip().split("\n", 1)[0].strip(),
            "characters": len(said),
        },
        ensure_ascii=False,
        indent=2,
    )


def _by_schema(schema: Mapping[str, object], question: str) -> str:
    """Return JSON that fits a schema."""
    return json.dumps(pictured(schema, question) or filled(schema, question), ensure_ascii=False)


def _schema_in(system: str) -> Mapping[str, object] | None:
    """Return the JSON schema that a prompt asks to follow, if one stands in it."""
    place = system.find("{")
    if "schema" not in system.lower() or place < 0:
        return None
    try:
        schema, _ = json.JSONDecoder().raw_decode(system[place:])
    except ValueError:
        return None
    return schema if isinstance(schema, dict) and "properties" in schema else None


def _reasoning(request: ChatRequest) -> str | None:
    if request.effort is None:
        return None
    if asks_for_title(request):
        return reasoning(without_commands(request.question.content), "low")
    return reasoning(without_commands(request.question.content), request.effort)


def _count_tokens(request: ChatRequest, cache: PromptCache, thoughts: str, content: str) -> Tokens:
    seen = sum(len(message.pictures) for message in request.messages)
    prompt_tokens = estimate_tokens(request.prompt) + _MESSAGE_TOKENS * len(request.messages)
    prompt_tokens += _PICTURE_TOKENS * seen
    hit = min(cache.hit_tokens(request.model, request.user_id, request.prompt), prompt_tokens)
    cache.remember(request.model, request.user_id, f"{request.prompt}\n<assistant>{content}")
    reasoning = estimate_tokens(thoughts)
    completion = reasoning + estimate_tokens(content)
    return Tokens(hit, prompt_tokens - hit, completion, reasoning)


def _usage(tokens: Tokens) -> Mapping[str, object]:
    prompt_tokens = tokens.hit + tokens.miss
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": tokens.completion,
        "total_tokens": prompt_tokens + tokens.completion,
        "prompt_tokens_details": {"cached_tokens": tokens.hit},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "prompt_cache_hit_tokens": tokens.hit,
        "prompt_cache_miss_tokens": tokens.miss,
    }

"""Chat as other front ends post it: JSON bodies to what is asked of the provider."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import msgspec

from core.models.chat import ChatParameters, Effort, Turn
from core.models.chat_options import NO_OPTIONS, ChatOptions
from core.models.notices import Notice
from core.models.parts import Blob, FilePart, PicturePart
from core.texts.catalogue import Language
from core.web.chat.posted.bodies import (
    MESSAGES_MOST,
    ChatBody,
    EffortWord,
    NamedTool,
    RoleWord,
    Thinking,
)
from core.web.chat.posted.fields import ignored_in, others_in, refused_field, shown_names
from core.web.chat.posted.messages import turns_from
from core.web.chat.posted.nested_fields import unknown_in
from core.web.http_call import HttpCallError
from core.web.posted_fields import FieldError, validated
from core.work.chat.asking.means import QUESTION_LIMIT

MISSING_QUESTION = "缺少参数:question"

_EFFORTS: Mapping[str, Effort] = {"minimal": "low", "low": "low", "max": "max", "ultra": "max"}
# What is told of a field that is not as it is described; of others that they are to be text.
_WANTED: dict[str, tuple[str, dict[str, object]]] = {
    "reasoning_effort": ("http.want_one_of", {"offered": ", ".join(get_args(EffortWord))}),
    "thinking": ("http.want_thinking", {}),
    "max_tokens": ("http.want_whole_number", {}),
    "max_completion_tokens": ("http.want_whole_number", {}),
    "temperature": ("http.want_number", {"most": "2"}),
    "top_p": ("http.want_number", {"most": "1"}),
    "top_logprobs": ("http.want_number", {"most": "20"}),
    "logprobs": ("http.want_flag", {}),
    "studio_tools": ("http.want_flag", {}),
    "messages": ("http.want_messages", {"most": MESSAGES_MOST}),
}
_SAMPLING = ("temperature", "top_p")
_DESCRIBED = frozenset(
    {"tools", "tool_choice", "response_format", "stop", "user_id", "web_search_options"}
)


class MissingQuestionError(HttpCallError):
    """No question: the contract prescribes the sentence, whatever the caller reads."""

    def __init__(self) -> None:
        super().__init__(400, "error.question_empty", field="question")

    def sentence(self, language: Language) -> str:
        """Return the contract's sentence."""
        return MISSING_QUESTION


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a body is read: what the provider knows, and whether it thinks where nobody says."""

    default_model: str
    speaks_deepseek: bool = True
    thinks: bool = False


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What was said, the question last, and how it is to be answered."""

    turns: tuple[Turn, ...]
    parameters: ChatParameters
    options: ChatOptions = NO_OPTIONS
    streams: bool = False
    with_usage: bool = False
    end_user: str | None = None  # the caller's own name for whoever asks
    notices: tuple[Notice, ...] = ()  # of what was understood otherwise than it was written
    attached: tuple[Blob, ...] = ()


def question_request(question: str | None, default_model: str) -> ChatRequest:
    """Return the request of a bare question; HttpCallError when there is none."""
    turn = Turn.of_text("user", _question(question))
    return ChatRequest((turn,), ChatParameters(model=default_model))


def chat_request_from_json(body: dict[str, Any], dialect: Dialect) -> ChatRequest:
    """Return the request in a JSON body: OpenAI's names, and `question`, `system`, `thinking`."""
    fields = _fields(body)
    try:
        posted = validated(fields, ChatBody)
    except FieldError as error:
        raise refusal_of(error, fields[error.field]) from error
    options = _options(posted, fields, dialect)
    parameters = _parameters(posted, options, dialect)
    turns = _conversation(posted, dialect)
    if parameters.search:
        _check_search(turns, options, dialect)
    if parameters.tools:
        _check_studio_tools(turns, options, dialect)
    if not isinstance(posted.stream, bool | None):
        raise _wrong("stream", "http.want_flag")
    wants = posted.stream_options
    notices = []
    ignored = ignored_in(fields, speaks_deepseek=dialect.speaks_deepseek)
    if parameters.thinking:  # these have no effect then, and are not sent
        ignored = (*ignored, *(name for name in _SAMPLING if fields.get(name) not in (None, 1)))
    if names := shown_names((*ignored, *unknown_in(fields))):
        notices.append(Notice("notice.fields_ignored", {"names": ", ".join(names)}))
    if options.json_schema is not None and dialect.speaks_deepseek:
        how = "notice.schema_in_prompt" if parameters.thinking else "notice.schema_by_tool"
        notices.append(Notice(how, {}))
    return ChatRequest(
        turns,
        parameters,
        options,
        streams=posted.stream is True,
        with_usage=isinstance(wants, dict) and wants.get("include_usage") is True,
        end_user=posted.user or posted.safety_identifier,
        notices=tuple(notices),
    )


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that count, those nested in `parameters` too; all are offered here."""
    nested = body.get("parameters")
    if nested is not None and not isinstance(nested, dict):
        raise _wrong("parameters", "http.want_object")
    fields = {**body, **(nested or {})}
    if (name := refused_field(fields)) is not None:
        raise _wrong(name, "http.not_offered")
    if fields.get("n") not in (None, 1):
        raise HttpCallError(400, "http.one_answer", field="n")
    if fields.get("modalities") not in (None, [], ["text"]):
        raise _wrong("modalities", "http.not_offered")
    if "effort" in fields:
        fields.setdefault("reasoning_effort", fields["effort"])
    fields.pop("parameters", None)
    for stronger, weaker in (("max_tokens", "max_completion_tokens"), ("messages", "question")):
        if fields.get(stronger) is not None:
            fields.pop(weaker, None)
    return fields


def _conversation(posted: ChatBody, dialect: Dialect) -> tuple[Turn, ...]:
    """Return what was said; the last turn is what is to be answered, or continued."""
    system = [Turn.of_text("system", posted.system)] if posted.system else []
    if posted.messages is None:
        return (*system, Turn.of_text("user", _question(posted.question)))
    turns = turns_from(posted.messages, speaks_deepseek=dialect.speaks_deepseek)
    last = turns[-1]
    if last.role != "tool" and last.role != "user" and not last.prefix:
        raise HttpCallError(400, "http.last_message_role", field="messages")
    has_more = any(isinstance(part, PicturePart | FilePart) for part in last.content)
    if last.role == "user" and not (last.text.strip() or has_more):
        raise HttpCallError(400, "http.last_message_empty", field="messages")
    return (*system, *turns)


def _question(question: str | None) -> str:
    if question is None or not question.strip():
        raise MissingQuestionError()
    if len(question) > QUESTION_LIMIT:
        facts = {"count": len(question), "limit": QUESTION_LIMIT}
        raise HttpCallError(400, "error.question_too_long", facts=facts, field="question")
    return question


def _options(posted: ChatBody, fields: Mapping[str, Any], dialect: Dialect) -> ChatOptions:
    choice, stop = posted.tool_choice, posted.stop
    if posted.top_logprobs is not None and not posted.logprobs:
        raise _wrong("top_logprobs", "http.needs_field", other="logprobs")
    form = _plain(posted.response_format)
    if form is not None and form["type"] == "json_schema":
        schema = form.get("json_schema", {}).get("schema")
        if schema is None or (dialect.speaks_deepseek and schema.get("type") != "object"):
            raise _wrong("response_format.json_schema.schema", "http.want_object_schema")
    options = ChatOptions(
        tools=tuple(_plain(tool) for tool in posted.tools or ()),
        tool_choice=_plain(choice) if isinstance(choice, NamedTool) else choice,
        response_format=None if form is not None and form["type"] == "text" else form,
        stop=tuple(one for one in ([stop] if isinstance(stop, str) else stop or ()) if one),
        logprobs=bool(posted.logprobs),
        top_logprobs=posted.top_logprobs,
        user_id=posted.user_id,
        effort=posted.reasoning_effort,
        others={} if dialect.speaks_deepseek else _for_others(fields),
    )
    if not options.tools:
        if options.forces_tool:
            raise _wrong("tool_choice", "http.needs_field", other="tools")
        options = replace(options, tool_choice=None)
    return options


def _for_others(fields: Mapping[str, Any]) -> dict[str, Any]:
    names = ("user", "safety_identifier")
    return others_in(fields) | {name: fields[name] for name in names if fields.get(name)}


def _plain(value: object) -> Any:
    """Return a posted Struct as JSON, without what was left out."""
    return None if value is None else _without_none(msgspec.to_builtins(value))


def _without_none(value: dict[str, Any]) -> dict[str, Any]:
    # Only of ours: in a schema, or an enum in it, null has a meaning.
    return {
        name: _without_none(one) if name in ("function", "json_schema") else one
        for name, one in value.items()
        if one is not None
    }


def _parameters(posted: ChatBody, options: ChatOptions, dialect: Dialect) -> ChatParameters:
    word, thinking = posted.reasoning_effort, posted.thinking
    if isinstance(thinking, Thinking):
        thinking = thinking.type == "enabled"
    elif thinking is None and word is not None:
        thinking = word != "none"
    elif thinking is None:
        # DeepSeek takes no forced tool while it thinks (deepseek.md section 2).
        is_forced = options.forces_tool or options.json_schema is not None
        thinking = dialect.thinks and dialect.speaks_deepseek and not is_forced
    return ChatParameters(
        model=(posted.model or "").strip() or dialect.default_model,
        thinking=thinking,
        effort=_EFFORTS.get(word or "", "high"),
        temperature=posted.temperature,
        top_p=posted.top_p,
        max_tokens=posted.max_tokens or posted.max_completion_tokens,
        search=posted.web_search_options is not None,
        tools=posted.studio_tools is True,
    )


def _check_search(turns: tuple[Turn, ...], options: ChatOptions, dialect: Dialect) -> None:
    """Refuse a search where nobody can make it, or what it finds could have tools called."""
    if not dialect.speaks_deepseek:
        raise _wrong("web_search_options", "http.not_offered")
    if options.tools:
        raise _wrong("web_search_options", "http.search_without_tools")
    if turns[-1].role != "user" or not turns[-1].text.strip():
        raise _wrong("web_search_options", "http.search_needs_question")


def _check_studio_tools(turns: tuple[Turn, ...], options: ChatOptions, dialect: Dialect) -> None:
    """Refuse the studio's tools where nobody has them, or where others are to be called."""
    if not dialect.speaks_deepseek:
        raise _wrong("studio_tools", "http.not_offered")
    for name, is_there in (
        ("tools", bool(options.tools)),
        ("response_format", options.json_schema is not None),
        ("logprobs", options.logprobs),
        ("prefix", turns[-1].prefix),
    ):
        if is_there:
            raise _wrong("studio_tools", "http.not_together", other=name)


def refusal_of(error: FieldError, value: Any) -> HttpCallError:
    """Return what is to be changed in a field, or at the place in it that is wrong."""
    if error.field == "messages" and error.path:
        position, _, place = error.path[1:].partition("]")
        return _message_refusal(value[int(position)], f"messages[{position}]", place)
    if error.field == "thinking" and isinstance(value, dict):
        return _wrong("thinking.type", "http.want_one_of", offered="enabled, disabled")
    if error.field in _DESCRIBED:
        return _wrong(error.field + error.path.rstrip("`"), "http.want_described")
    text_id, facts = _WANTED.get(error.field, ("http.want_text", {}))
    return _wrong(error.field, text_id, **facts)


def _message_refusal(message: object, name: str, place: str) -> HttpCallError:
    if not isinstance(message, dict):
        return _wrong(name, "http.want_object")
    if message.get("role") not in (roles := get_args(RoleWord)):
        return _wrong(f"{name}.role", "http.want_one_of", offered=", ".join(roles))
    place = place.rstrip("`")
    if place.startswith(".content["):
        return _wrong(f"{name}{place}", "http.want_part")
    if place == ".content":
        return _wrong(f"{name}.content", "http.want_text")
    return _wrong(f"{name}{place}", "http.want_described")


def _wrong(name: str, text_id: str, **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field=name)

"""Chat as other front ends post it: JSON bodies to questions with their history."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from core.models.chat import ChatParameters, Effort, Role, Turn
from core.texts.catalogue import Language
from core.web.http_call import HttpCallError
from core.web.posted_fields import FieldError, validated

MISSING_QUESTION = "缺少参数:question"
MESSAGES_MOST = 2_000

_RoleWord = Literal["system", "developer", "user", "assistant"]  # developer: OpenAI's newer word
_EffortWord = Literal["none", "minimal", "low", "medium", "high", "max"]
_Limit = Annotated[int, Meta(ge=1, le=10_000_000)] | None
_COUNT = Meta(min_length=1, max_length=MESSAGES_MOST)
# What would change the answer's form and cannot be had here: refused, not passed over in silence.
_NOT_OFFERED = ("tools", "functions", "stop", "logprobs", "modalities", "audio", "prediction")


class TextPart(Struct, gc=False):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class PostedMessage(Struct, gc=False):
    """What was said before, or the question."""

    role: _RoleWord
    content: str | list[TextPart] | None = None
    # Of another type it is passed over, as `stream_options` is.
    reasoning_content: Annotated[Any, Meta(extra_json_schema={"type": ["string", "null"]})] = None


class Thinking(Struct):
    """DeepSeek's own form."""

    type: Literal["enabled", "disabled"]


class Parameters(Struct):
    """How it is to be answered. The fields are looked at in this order."""

    reasoning_effort: _EffortWord | None = None
    thinking: bool | Thinking | None = None
    max_tokens: _Limit = None
    max_completion_tokens: _Limit = None
    model: str | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    system: str | None = None
    stream: Annotated[Any, Meta(extra_json_schema={"type": ["boolean", "null"]})] = None
    stream_options: Annotated[Any, Meta(extra_json_schema={"type": ["object", "null"]})] = None


class OpenAIChatBody(Parameters, kw_only=True):
    """OpenAI's names; the last of the messages is the user's."""

    messages: Annotated[list[PostedMessage], _COUNT]


class ChatBody(Parameters):
    """Either `question`, or `messages` of which the last is the user's."""

    messages: Annotated[list[PostedMessage], _COUNT] | None = None
    question: Annotated[str, Meta(extra_json_schema={"maxLength": 400_000})] | None = None
    parameters: Parameters | None = None


# What is told of a field that is not as above; of others that they are to be text.
_WANTED: dict[str, tuple[str, dict[str, object]]] = {
    "reasoning_effort": ("http.want_one_of", {"offered": ", ".join(get_args(_EffortWord))}),
    "thinking": ("http.want_thinking", {}),
    "max_tokens": ("http.want_whole_number", {}),
    "max_completion_tokens": ("http.want_whole_number", {}),
    "temperature": ("http.want_number", {"most": "2"}),
    "top_p": ("http.want_number", {"most": "1"}),
    "messages": ("http.want_messages", {"most": MESSAGES_MOST}),
}


class MissingQuestionError(HttpCallError):
    """No question: the contract prescribes the sentence, whatever the caller reads."""

    def __init__(self) -> None:
        super().__init__(400, "error.question_empty", field="question")

    def sentence(self, language: Language) -> str:
        """Return the contract's sentence."""
        return MISSING_QUESTION


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question, what was said before it, and how it is to be answered."""

    question: str
    parameters: ChatParameters
    system_prompt: str = ""
    earlier: tuple[Turn, ...] = ()
    streams: bool = False
    with_usage: bool = False


def question_request(question: str | None, default_model: str) -> ChatRequest:
    """Return the request of a bare question; HttpCallError when there is none."""
    return ChatRequest(_question(question), ChatParameters(model=default_model))


def chat_request_from_json(body: dict[str, Any], default_model: str) -> ChatRequest:
    """Return the request in a JSON body: OpenAI's names, and `question`, `system`, `thinking`."""
    fields = _fields(body)
    try:
        posted = validated(fields, ChatBody)
    except FieldError as error:
        raise _refusal(error, fields[error.field]) from error
    parameters = _parameters(posted, default_model)
    question, system_prompt, earlier = _conversation(posted)
    if not isinstance(posted.stream, bool | None):
        raise _wrong("stream", "http.want_flag")
    options = posted.stream_options
    with_usage = isinstance(options, dict) and options.get("include_usage") is True
    streams = posted.stream is True
    return ChatRequest(question, parameters, system_prompt, earlier, streams, with_usage)


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that count, those nested in `parameters` too; all are offered here."""
    nested = body.get("parameters")
    if nested is not None and not isinstance(nested, dict):
        raise _wrong("parameters", "http.want_object")
    fields = {**body, **(nested or {})}
    for name in _NOT_OFFERED:
        if fields.get(name):
            raise _wrong(name, "http.not_offered")
    if fields.get("n") not in (None, 1):
        raise HttpCallError(400, "http.one_answer", field="n")
    form = fields.get("response_format")
    if form is not None and not (isinstance(form, dict) and form.get("type") == "text"):
        raise HttpCallError(400, "http.plain_text_only", field="response_format")
    if "effort" in fields:
        fields.setdefault("reasoning_effort", fields["effort"])
    fields.pop("parameters", None)
    for stronger, weaker in (("max_tokens", "max_completion_tokens"), ("messages", "question")):
        if fields.get(stronger) is not None:
            fields.pop(weaker, None)
    return fields


def _conversation(posted: ChatBody) -> tuple[str, str, tuple[Turn, ...]]:
    """Return the question, the system's prompt and what was said between them."""
    if posted.messages is None:
        return _question(posted.question), posted.system or "", ()
    turns = [_turn(message) for message in posted.messages]
    prompts = [posted.system] if posted.system else []
    while turns and turns[0].role == "system":
        prompts.append(turns.pop(0).text)
    if not turns or turns[-1].role != "user":
        raise HttpCallError(400, "http.last_message_role", field="messages")
    question = turns.pop().text
    if not question.strip():
        raise HttpCallError(400, "http.last_message_empty", field="messages")
    return question, "\n\n".join(prompts), tuple(turn for turn in turns if turn.content)


def _question(question: str | None) -> str:
    if question is None or not question.strip():
        raise MissingQuestionError()
    return question


def _turn(message: PostedMessage) -> Turn:
    role: Role = "system" if message.role == "developer" else message.role
    content, reasoning = message.content, message.reasoning_content
    if isinstance(content, list):
        content = "\n".join([part.text for part in content])
    return Turn.of_text(role, content or "", (isinstance(reasoning, str) and reasoning) or None)


def _parameters(posted: ChatBody, default_model: str) -> ChatParameters:
    word, thinking = posted.reasoning_effort, posted.thinking
    if isinstance(thinking, Thinking):
        thinking = thinking.type == "enabled"
    elif thinking is None:
        thinking = word not in (None, "none", "minimal")
    effort: Effort = word if word in ("low", "max") else "high"
    return ChatParameters(
        model=(posted.model or "").strip() or default_model,
        thinking=thinking,
        effort=effort,
        temperature=posted.temperature,
        top_p=posted.top_p,
        max_tokens=posted.max_tokens or posted.max_completion_tokens,
    )


def _refusal(error: FieldError, value: Any) -> HttpCallError:
    """Return what is to be changed in a field, or at the place in it that is wrong."""
    if error.field == "messages" and error.path:
        position, _, place = error.path[1:].partition("]")
        return _message_refusal(value[int(position)], f"messages[{position}]", "[" in place)
    if error.field == "thinking" and isinstance(value, dict):
        return _wrong("thinking.type", "http.want_one_of", offered="enabled, disabled")
    text_id, facts = _WANTED.get(error.field, ("http.want_text", {}))
    return _wrong(error.field, text_id, **facts)


def _message_refusal(message: object, name: str, is_part: bool) -> HttpCallError:
    if not isinstance(message, dict):
        return _wrong(name, "http.want_object")
    if message.get("role") not in (roles := get_args(_RoleWord)):
        return _wrong(f"{name}.role", "http.want_one_of", offered=", ".join(roles))
    return _wrong(f"{name}.content", "http.want_text_only" if is_part else "http.want_text")


def _wrong(name: str, text_id: str, **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field=name)

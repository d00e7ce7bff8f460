"""Chat as other front ends post it: JSON bodies to questions with their history."""

from dataclasses import dataclass, replace
from typing import Any, cast

from core.models.chat import ChatParameters, Effort, Role, Turn
from core.texts.catalogue import Language
from core.web.http_call import HttpCallError

MISSING_QUESTION = "缺少参数:question"
MESSAGES_MOST = 2_000

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",  # OpenAI's newer word for it
    "user": "user",
    "assistant": "assistant",
}
_EFFORTS: dict[str, Effort] = {"low": "low", "medium": "high", "high": "high", "max": "max"}
_NO_EFFORT = ("none", "minimal")
# What would change the answer's form and cannot be had here: refused, not passed over in silence.
_NOT_OFFERED = ("tools", "functions", "stop", "logprobs", "modalities", "audio", "prediction")


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
    if question is None or not question.strip():
        raise MissingQuestionError()
    return ChatRequest(question, ChatParameters(model=default_model))


def chat_request_from_json(body: dict[str, Any], default_model: str) -> ChatRequest:
    """Return the request in a JSON body: OpenAI's names, and `question`, `system`, `thinking`."""
    nested = body.get("parameters")
    if nested is not None and not isinstance(nested, dict):
        raise _wrong("parameters", "http.want_object")
    fields = {**body, **(nested or {})}
    _refuse_what_is_not_offered(fields)
    request = _with_messages(fields, ChatRequest("", _parameters(fields, default_model)))
    options = fields.get("stream_options")
    return replace(
        request,
        streams=_flag(fields, "stream"),
        with_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _with_messages(fields: dict[str, Any], request: ChatRequest) -> ChatRequest:
    system = fields.get("system")
    if system is not None and not isinstance(system, str):
        raise _wrong("system", "http.want_text")
    if fields.get("messages") is None:
        bare = question_request(_text_or_none(fields, "question"), request.parameters.model)
        return replace(request, question=bare.question, system_prompt=system or "")
    turns = _turns(fields["messages"])
    prompts = [system] if system else []
    while turns and turns[0].role == "system":
        prompts.append(turns.pop(0).text)
    if not turns or turns[-1].role != "user":
        raise HttpCallError(400, "http.last_message_role", field="messages")
    question = turns.pop().text
    if not question.strip():
        raise HttpCallError(400, "http.last_message_empty", field="messages")
    return replace(
        request,
        question=question,
        system_prompt="\n\n".join(prompts),
        earlier=tuple(turn for turn in turns if turn.content),
    )


def _turns(messages: object) -> list[Turn]:
    if not isinstance(messages, list) or not messages or len(messages) > MESSAGES_MOST:
        raise _wrong("messages", "http.want_messages", most=MESSAGES_MOST)
    turns: list[Turn] = []
    for position, message in enumerate(messages):
        name = f"messages[{position}]"
        if not isinstance(message, dict):
            raise _wrong(name, "http.want_object")
        role = message.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise _wrong(f"{name}.role", "http.want_one_of", offered=", ".join(_ROLES))
        reasoning = message.get("reasoning_content")
        turns.append(
            Turn.of_text(
                _ROLES[role],
                _content(message.get("content"), f"{name}.content"),
                reasoning if isinstance(reasoning, str) and reasoning else None,
            )
        )
    return turns


def _content(content: object, name: str) -> str:
    """Return a message's text; OpenAI also sends it as a list of parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise _wrong(name, "http.want_text")
    texts: list[str] = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) else None
        if not isinstance(text, str) or part.get("type") != "text":
            raise _wrong(name, "http.want_text_only")
        texts.append(text)
    return "\n".join(texts)


def _parameters(fields: dict[str, Any], default_model: str) -> ChatParameters:
    thinking, effort = _thinking(fields)
    limit = "max_tokens" if fields.get("max_tokens") is not None else "max_completion_tokens"
    max_tokens = fields.get(limit)
    if max_tokens is not None and (
        isinstance(max_tokens, bool)
        or not isinstance(max_tokens, int)
        or not 1 <= max_tokens <= 10_000_000
    ):
        raise _wrong(limit, "http.want_whole_number")
    return ChatParameters(
        model=(_text_or_none(fields, "model") or "").strip() or default_model,
        thinking=thinking,
        effort=effort,
        temperature=_number(fields, "temperature", most=2.0),
        top_p=_number(fields, "top_p", most=1.0),
        max_tokens=max_tokens,
    )


def _thinking(fields: dict[str, Any]) -> tuple[bool, Effort]:
    effort = fields.get("reasoning_effort", fields.get("effort"))
    if effort is not None and effort not in (*_EFFORTS, *_NO_EFFORT):
        raise _wrong(
            "reasoning_effort", "http.want_one_of", offered=", ".join((*_NO_EFFORT, *_EFFORTS))
        )
    thinking = fields.get("thinking")
    if isinstance(thinking, dict):  # DeepSeek's own form
        kind = thinking.get("type")
        if kind not in ("enabled", "disabled"):
            raise _wrong("thinking.type", "http.want_one_of", offered="enabled, disabled")
        thinking = kind == "enabled"
    if thinking is None:
        thinking = effort is not None and effort not in _NO_EFFORT
    if not isinstance(thinking, bool):
        raise _wrong("thinking", "http.want_thinking")
    return thinking, _EFFORTS.get(cast(str, effort), "high")


def _refuse_what_is_not_offered(fields: dict[str, Any]) -> None:
    for name in _NOT_OFFERED:
        if fields.get(name):
            raise HttpCallError(400, "http.not_offered", facts={"field": name}, field=name)
    if fields.get("n") not in (None, 1):
        raise HttpCallError(400, "http.one_answer", field="n")
    form = fields.get("response_format")
    if form is not None and not (isinstance(form, dict) and form.get("type") == "text"):
        raise HttpCallError(400, "http.plain_text_only", field="response_format")


def _number(fields: dict[str, Any], name: str, *, most: float) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise _wrong(name, "http.want_number", most=f"{most:g}")
    return float(value)


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "http.want_flag")
    return value is True


def _text_or_none(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "http.want_text")
    return value


def _wrong(name: str, text_id: str, **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field=name)

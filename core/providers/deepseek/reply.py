"""Reply parsing: what one JSON object of a chat server adds, in any shape that servers give it.

Every object is read, or known to be empty, or counted as unread: then the answer may lack
something, and says so (deepseek.md sections 4, 8, 9).
"""

from collections.abc import Mapping
from typing import Any

from core.models.deltas import Completion, Extras
from core.providers.deepseek.message_texts import MessageTexts, is_padding
from core.providers.deepseek.told import CallsSoFar, ToldTexts
from core.providers.deepseek.wire import usage_from_json
from core.providers.http.redaction import model_name, opaque_id, short_word

# Where gateways put the answer itself.
_WRAPPINGS = ("data", "result", "response", "output", "body", "completion", "chunk")
_WRAPPED_DEEP = 4
# Of an object without choices: nothing of an answer stands there.
_KNOWN = frozenset(
    [
        "id",
        "object",
        "created",
        "model",
        "usage",
        "system_fingerprint",
        "service_tier",
        "provider",
        "type",
        "event",
        "timestamp",
        "created_at",
        "request_id",
        "requestid",
        "trace_id",
        "traceid",
        "session_id",
        "conversation_id",
        "message_id",
        "prompt_filter_results",
        "timings",
        "x_groq",
        "citations",
        "search_results",
        "obfuscation",
        "success",
        "ok",
        "status_code",
        "done",
        "index",
        "role",
        "nonce",
        "cost",
        "ts",
        "time",
        "metadata",
        "headers",
        "base_resp",
        "name",
    ]
)
# Names of events, and types of objects, that say nothing but that the server lives.
ALIVE = frozenset({"ping", "pong", "heartbeat", "keepalive", "keep-alive", "keep_alive"})
_EMPTY_WORDS = frozenset({"", "0", "200", "ok", "success", "processing", "pending", "[done]"})
_ERROR_ENDS = frozenset({"error", "failed"})


class ReplyReader:
    """Reads the objects of one answer in turn: of several choices the first is the answer."""

    def __init__(self) -> None:
        self._index: object = None  # of the choice that is the answer
        self._has_deltas = False  # text came as deltas: a message tells all of it
        self._calls = CallsSoFar()
        self.texts = ToldTexts()

    @property
    def is_first_choice(self) -> bool:
        """Whether the answer is the choice that servers send when they send one."""
        return self._index in (None, 0)

    def note_text(self) -> None:
        """Note that text came which was read the short way: of the choice with the index 0."""
        self._has_deltas = True
        self._index = 0

    def take(self, payload: Mapping[str, Any]) -> tuple[Completion, dict[str, Any] | None]:
        """Return what an object adds, and the error that stands in a choice of it."""
        answer = answer_in(payload)
        if answer is None:
            return self._without_answer(payload), None
        texts = MessageTexts()
        finish_reason, error = None, None
        logprobs: dict[str, list[Any]] = {}
        for choice in _choices(answer):
            index = choice.get("index") or 0
            if self._index is None:
                self._index = index
            if index != self._index:
                texts.unread += _has_words(choice)
                continue
            self._read_choice(choice, texts, is_whole=answer.get("object") == "chat.completion")
            _add_logprobs(logprobs, choice.get("logprobs"))
            finish_reason = finish_reason or _finish_reason(choice)
            error = error or choice.get("error")
        if finish_reason:
            texts.content.append(self.texts["content"].release())
            texts.reasoning.append(self.texts["reasoning_content"].release())
        if error or str(finish_reason).lower() in _ERROR_ENDS:
            broken = {"error": error or {"message": answer.get("message") or ""}}
            return _told(answer, texts, None, logprobs), broken
        return _told(answer, texts, finish_reason, logprobs), None

    def _read_choice(
        self, choice: Mapping[str, Any], texts: MessageTexts, *, is_whole: bool
    ) -> None:
        delta, message = choice.get("delta"), choice.get("message")
        is_end = bool(_finish_reason(choice))
        found, said = MessageTexts(is_last=is_end), MessageTexts(is_last=is_end)
        if delta:
            found.read_message(delta)
            self._has_deltas = self._has_deltas or bool(found.content or found.reasoning)
        if message:
            said.read_message(message)
        if found:
            texts.add(self._new_of(found, is_end=is_end))
            texts.calls += self._calls.take_whole(said.calls)
        elif said and self._has_deltas:
            texts.add(self._new_of_whole(said))
        elif said and (is_end or is_whole):
            texts.add(self._new_of_last(said))
        elif said:  # one more piece, where a delta is expected
            texts.add(self._new_of(said, is_end=False))
        elif text := choice.get("text"):
            found.read_content(text)
            self._has_deltas = True
            texts.add(self._new_of(found, is_end=is_end))
        elif not (delta or message):
            found.note_others(choice)
            texts.add(found)

    def _new_of(self, found: MessageTexts, *, is_end: bool) -> MessageTexts:
        """Return what one more piece adds."""
        for part, pieces in found.parts():
            pieces[:] = [self.texts[part].take("".join(pieces), is_end=is_end)]
        found.calls = self._calls.take(found.calls)
        return found

    def _new_of_last(self, found: MessageTexts) -> MessageTexts:
        """Return what the last of messages adds: one more piece, or all of it once more."""
        for part, pieces in found.parts():
            pieces[:] = [self.texts[part].take_last("".join(pieces))]
        found.calls = self._calls.take_whole(found.calls)
        return found

    def _new_of_whole(self, found: MessageTexts) -> MessageTexts:
        """Return what is new in an answer that is told once more as a whole."""
        for part, pieces in found.parts():
            pieces[:] = [self.texts[part].take_whole("".join(pieces))]
        found.calls = self._calls.take_whole(found.calls)
        return found

    def _without_answer(self, payload: Mapping[str, Any]) -> Completion:
        texts = MessageTexts()
        if not is_known_empty(payload):
            texts.unread += 1
        return _told(payload, texts, None, {})


def answer_in(payload: Mapping[str, Any], deep: int = 0) -> Mapping[str, Any] | None:
    """Return the object that holds the choices, out of what a gateway wrapped around it."""
    if _choices(payload):
        return payload
    for key in ("message", "delta"):
        if isinstance(payload.get(key), Mapping):
            return {**payload, "choices": [payload]}
    if deep < _WRAPPED_DEEP:
        for key in _WRAPPINGS:
            inner = payload.get(key)
            if isinstance(inner, list) and len(inner) == 1:
                inner = inner[0]
            if not isinstance(inner, Mapping):
                continue
            if (answer := answer_in(inner, deep + 1)) is not None:
                around = {
                    name: payload[name] for name in ("id", "model", "usage") if name in payload
                }
                return {**around, **answer}
            if isinstance(inner.get("text"), str) and inner["text"]:
                return {**payload, "choices": [inner]}
    return None


def has_message(payload: Mapping[str, Any]) -> bool:
    """Tell whether an object can be a whole answer: a message, a text or an error stands in it."""
    answer = answer_in(payload)
    return answer is not None and any(
        isinstance(choice.get("message"), Mapping | list | str)
        or isinstance(choice.get("delta"), Mapping)
        or isinstance(choice.get("text"), str)
        or choice.get("error")
        for choice in _choices(answer)
    )


def is_known_empty(payload: Mapping[str, Any]) -> bool:
    """Tell whether nothing of an answer can stand in an object without one."""
    if str(payload.get("type") or payload.get("event") or "").lower() in ALIVE:
        return True
    is_last = bool(payload.get("usage"))  # which comes behind the text
    return all(
        name.lower() in _KNOWN or _is_empty(value) or is_padding(name, value, is_last=is_last)
        for name, value in payload.items()
    )


def _is_empty(value: object, deep: int = 0) -> bool:
    if deep > _WRAPPED_DEEP:
        return False
    if isinstance(value, Mapping):
        return all(_is_empty(one, deep + 1) for one in value.values())
    if isinstance(value, list):
        return all(_is_empty(one, deep + 1) for one in value)
    return not isinstance(value, str) or value.strip().lower() in _EMPTY_WORDS


def _choices(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choices = payload.get("choices")
    if isinstance(choices, Mapping):
        choices = [choices]
    if not isinstance(choices, list):
        return []
    return [choice for choice in choices if isinstance(choice, Mapping)]


def _has_words(choice: Mapping[str, Any]) -> bool:
    texts = MessageTexts()
    for key in ("delta", "message", "text"):
        texts.read_message(choice.get(key))
    return bool(texts)


def _add_logprobs(found: dict[str, list[Any]], logprobs: object) -> None:
    """Add what a choice tells of how likely its tokens were; thinking has a list of its own."""
    if not isinstance(logprobs, Mapping):
        return
    for part in ("content", "reasoning_content"):
        if isinstance(entries := logprobs.get(part), list) and entries:
            found.setdefault(part, []).extend(entries)


def _finish_reason(choice: Mapping[str, Any]) -> object:
    """Return why a choice ended; some servers write that it has not as a word."""
    reason = choice.get("finish_reason")
    if reason is None and choice.get("done") is True:  # Ollama's own API
        reason = choice.get("done_reason") or "stop"
    return None if str(reason).strip().lower() in ("", "null", "none") else reason


def _told(
    answer: Mapping[str, Any],
    texts: MessageTexts,
    finish_reason: object,
    logprobs: dict[str, list[Any]],
) -> Completion:
    usage, model, request_id = answer.get("usage"), answer.get("model"), answer.get("id")
    extras = Extras(
        short_word(finish_reason) if finish_reason else None,
        usage_from_json(usage) if usage else None,
        model_name(model) if model else None,
        opaque_id(request_id) if request_id else None,
        tuple(texts.calls),
        texts.unread,
        logprobs or None,
    )
    return Completion("".join(texts.content), "".join(texts.reasoning), extras)

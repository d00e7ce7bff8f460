"""Message parsing: the texts of a delta or a message, whether strings, parts or lists of both."""

import re
from collections.abc import Mapping
from typing import Any

from core.models.chat import AnswerPart
from core.models.parts import ToolCallPiece
from core.providers.deepseek.messages import tool_calls_from

_DEEP = 12
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thinking_content", "thought")
_THOUGHT_DETAILS = "reasoning_details"  # OpenRouter's, beside the same as `reasoning`
_WORDS = ("text", "content", "output_text", "refusal", "summary", "value")
# Of a message: these hold none of its words, or its words once more.
_SILENT = frozenset(
    [
        "role",
        "name",
        "id",
        "type",
        "object",
        "index",
        "created",
        "model",
        "finish_reason",
        "stop_reason",
        "native_finish_reason",
        "logprobs",
        "annotations",
        "citations",
        "signature",
        "reasoning_signature",
        "thinking_signature",
        "token_ids",
        "padding",
        "obfuscation",
        "channel",
        "recipient",
        "end_turn",
        "weight",
        "prefix",
        "matched_stop",
        "content_filter_results",
        "content_filter_offsets",
        "stop",
        "status",
        "reasoning_details",
    ]
)
# Parts that stand among the words and are none.
_SILENT_PARTS = frozenset({"reference", "citation", "redacted_thinking", "reasoning.encrypted"})


# Fields against those who guess a text from its length; and names that could hold a text.
_PADDING = re.compile(r"pad|obfus|nois|nonce|random|filler|salt|junk|dummy|\A.\Z", re.IGNORECASE)
_WORDED = re.compile(
    r"text|content|word|answer|output|respon|mess|msg|delta|refus|repl|result|token|complet|value"
    r"|data|script|think|thought|reason|summar|part|error|detail",
    re.IGNORECASE,
)


def is_padding(name: str, value: object, *, is_last: bool) -> bool:
    """Tell whether a field only fills an event up: by its name, or in an event that needs none."""
    if not isinstance(value, str) or not value.strip():
        return isinstance(value, str)
    if _PADDING.search(name) is not None:
        return True
    is_blob = value.isascii() and len(value.split()) == 1
    return is_last and is_blob and _WORDED.search(name) is None


class MessageTexts:
    """What was found: pieces of both texts, tool calls, and how much could not be read."""

    def __init__(self, *, is_last: bool = False) -> None:
        self.is_last = is_last  # of an event that has something else to say: how the answer ended
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.calls: list[ToolCallPiece] = []
        self.unread = 0

    def __bool__(self) -> bool:
        return bool(self.content or self.reasoning or self.calls or self.unread)

    def parts(self) -> list[tuple[AnswerPart, list[str]]]:
        """Return the texts of which something was found."""
        parts: list[tuple[AnswerPart, list[str]]] = [
            ("content", self.content),
            ("reasoning_content", self.reasoning),
        ]
        return [(part, pieces) for part, pieces in parts if pieces]

    def add(self, others: "MessageTexts") -> None:
        """Append what was found elsewhere."""
        self.content += others.content
        self.reasoning += others.reasoning
        self.calls += others.calls
        self.unread += others.unread

    def read_message(self, message: object) -> None:
        """Read a delta or a message."""
        if not isinstance(message, Mapping):
            self.read_content(message)
            return
        thoughts: list[object] = []  # the same under several names, or one beside another
        for thought in filter(None, map(message.get, _THOUGHTS)):
            if thought not in thoughts:
                thoughts.append(thought)
        self._read(thoughts or message.get(_THOUGHT_DETAILS), is_thought=True)
        self.read_content(message.get("content"))
        self.read_content(message.get("refusal"))
        self._read_calls(message)
        if not self:
            if texts := next(filter(None, map(message.get, _WORDS)), None):
                self.read_content(texts)
            else:
                self.note_others(message)

    def read_content(self, value: object) -> None:
        """Read what stands where the words do."""
        self._read(value, is_thought=False)

    def note_others(self, message: Mapping[str, Any]) -> None:
        """Count what stands in a message in which no words were found."""
        self.unread += any(
            isinstance(value, str | list | dict) and bool(value)
            for name, value in message.items()
            if name not in _SILENT and not is_padding(name, value, is_last=self.is_last)
        )

    def _read(self, value: object, *, is_thought: bool, deep: int = 0) -> None:
        if value is None or value == "" or value == [] or value == {}:
            return
        if isinstance(value, str):
            (self.reasoning if is_thought else self.content).append(value)
        elif deep > _DEEP:
            self.unread += 1
        elif isinstance(value, list):
            for one in value:
                self._read(one, is_thought=is_thought, deep=deep + 1)
        elif isinstance(value, Mapping):
            self._read_part(value, is_thought=is_thought, deep=deep + 1)
        else:
            self.unread += 1

    def _read_part(self, part: Mapping[str, Any], *, is_thought: bool, deep: int) -> None:
        kind = str(part.get("type") or "").lower()
        if kind in _SILENT_PARTS:
            return
        thinks = is_thought or "think" in kind or "reason" in kind
        thoughts = next(filter(None, map(part.get, _THOUGHTS)), None)
        words = next(filter(None, map(part.get, _WORDS)), None)
        self._read(thoughts, is_thought=True, deep=deep)
        self._read(words, is_thought=thinks, deep=deep)
        if not (thoughts or words):
            is_text = not kind or "text" in kind or thinks
            others = [value for name, value in part.items() if name not in _SILENT and value]
            self.unread += bool(others) or not is_text

    def _read_calls(self, message: Mapping[str, Any]) -> None:
        calls = message.get("tool_calls")
        if isinstance(calls, Mapping):
            calls = [calls]
        found = tool_calls_from(calls)
        if not found and isinstance(called := message.get("function_call"), Mapping):
            found = tool_calls_from([{"index": 0, "function": called}])
        self.calls += found
        if calls and not found:
            self.unread += 1

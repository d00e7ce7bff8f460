"""Values of the chat column: turns, answers, conversations."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from core.models.parts import Part, plain_text, text_parts

Role = Literal["system", "user", "assistant", "tool"]
Effort = Literal["low", "high", "max"]


# -- chat ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider gave them; None means that it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cache_hit_tokens: int | None = None
    cache_miss_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ChatParameters:
    """How an answer is asked for. None leaves the provider's own default in force."""

    model: str = "deepseek-flash"
    thinking: bool = False
    effort: Effort = "high"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stream: bool = True
    search: bool = False  # whether the web is searched for each question first
    tools: bool = False  # whether the studio's own tools may be called while it answers


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as a provider receives it. `prefix` asks for its continuation (beta base)."""

    role: Role
    content: tuple[Part, ...]
    reasoning_content: str | None = None
    prefix: bool = False
    name: str = ""  # tells speakers of one role apart

    @classmethod
    def of_text(
        cls, role: Role, text: str, reasoning_content: str | None = None, prefix: bool = False
    ) -> Self:
        """Return a turn of text alone."""
        return cls(role, text_parts(text), reasoning_content, prefix)

    @property
    def text(self) -> str:
        """The words of it."""
        return plain_text(self.content)


AnswerPart = Literal["content", "reasoning_content"]


@dataclass(frozen=True, slots=True)
class ChatModel:
    """One entry of GET /models; what the provider does not tell is None."""

    id: str
    name: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    sees: bool | None = None  # whether it takes pictures


class AnswerStatus(StrEnum):
    """How far a message has come. Questions are COMPLETE from the start."""

    RUNNING = "running"
    COMPLETE = "complete"  # finish_reason tells how: stop, length, content_filter …
    STOPPED = "stopped"  # by a person
    CUT_OFF = "cut_off"  # the stream ended without finish_reason and [DONE]
    INTERRUPTED = "interrupted"  # our own process ended in the middle
    FAILED = "failed"  # an error; error_* tell which

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes."""
        return self is not AnswerStatus.RUNNING


@dataclass(frozen=True, slots=True)
class Message:
    """One node of a conversation's tree: siblings are versions, the path to the head is shown."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    content: str
    created_at: datetime
    reasoning_content: str = ""
    status: AnswerStatus = AnswerStatus.COMPLETE
    finish_reason: str | None = None
    usage: Usage | None = None
    model: str | None = None
    parameters: ChatParameters | None = None
    error_text_id: str | None = None
    error_facts: dict[str, object] = field(default_factory=dict)
    error_detail: str = ""
    reasoning_s: float | None = None  # how long it thought before the answer began
    first_token_s: float | None = None  # from our request to the first text
    duration_s: float | None = None  # from our request to the end
    practice: bool = False
    version: int = 1  # among its siblings, oldest first
    version_count: int = 1
    parts: tuple[Part, ...] = ()  # where it is more than `content`, which is their plain text

    def said(self) -> tuple[Part, ...]:
        """Return the parts of it, also where it is text alone."""
        return self.parts or text_parts(self.content)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A tree of messages; `head_id` is the leaf whose path is shown."""

    id: str
    owner: str
    title: str
    created_at: datetime
    updated_at: datetime
    head_id: str | None = None
    system_prompt: str = ""
    parameters: ChatParameters = ChatParameters()
    title_is_manual: bool = False
    pinned: bool = False
    origin: Literal["page", "http", "import"] = "page"

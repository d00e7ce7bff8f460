"""A conversation as a Markdown file: what was shown, from the first question to the last answer."""

from collections.abc import Sequence
from datetime import UTC, datetime

from core.models.chat import Conversation, Message
from core.models.notices import notices_of
from core.texts import catalogue
from core.texts.catalogue import Language
from core.ui.formats import file_words


def as_markdown(language: Language, conversation: Conversation, path: Sequence[Message]) -> str:
    """Return title, system prompt and the path of messages; reasoning stands folded."""

    def words(key: str, **facts: object) -> str:
        return catalogue.text(language, key, **facts)

    title = " ".join(conversation.title.split()) or words("chat.untitled")
    parts = [f"# {title}", words("history.file_head", at=_moment(conversation.created_at))]
    if conversation.system_prompt:
        parts += [f"## {words('settings.system_prompt')}", conversation.system_prompt]
    for message in path:
        at = _moment(message.created_at)
        model = f" · {message.model}" if message.model else ""
        parts.append(f"## {words(f'history.hit_{message.role}')}{model} · {at}")
        if message.reasoning_content:
            summary = words("chat.thought")
            parts.append(
                f"<details><summary>{summary}</summary>\n\n{message.reasoning_content}\n\n</details>"
            )
        parts.append(message.content)
        for notice in notices_of(message):
            parts.append(f"> {words(notice.text_id, **notice.facts)}")
    return "\n\n".join(parts) + "\n"


def file_name(conversation: Conversation, suffix: str) -> str:
    """Return a telling name for an exported conversation: when, what, and which of that name."""
    stamp = conversation.created_at.astimezone(UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{file_words(conversation.title)}-{conversation.id[:6]}.{suffix}"


def _moment(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")

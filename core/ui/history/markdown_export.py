"""A conversation as a Markdown file: what was shown, from the first question to the last answer."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from html import escape

from core.markdown.escaping import literal
from core.models.chat import Conversation, Message
from core.models.lineage import DrawnFrom
from core.models.notices import notices_of
from core.models.parts import FilePart, PicturePart, SourcePart, ToolStep, sources_in, steps_in
from core.storage.store import Store
from core.texts import catalogue
from core.texts.catalogue import Language
from core.ui import clock
from core.ui.chat.answer.steps import KNOWN, TOLD
from core.ui.formats import file_words
from core.wire.attachments.block import NAME_MOST
from core.wire.web.block import DATE_MOST, TITLE_MOST
from core.wire.web.washing import plain_address, plain_words

_ATTACHED = FilePart | PicturePart
_FENCES = re.compile(r"`{3,}")


def markdown_of(
    store: Store,
    owner: str,
    language: Language,
    conversation: Conversation,
    reader: tzinfo | None = None,
) -> str:
    """Return a conversation of an owner's as it is kept, with what was drawn from it."""
    path = store.messages.path(owner, conversation.id)
    drawn = store.lineage.drawn_from(owner, [message.id for message in path])
    return as_markdown(language, conversation, path, reader, drawn)


def as_markdown(
    language: Language,
    conversation: Conversation,
    path: Sequence[Message],
    reader: tzinfo | None = None,
    drawn: Mapping[str, Sequence[DrawnFrom]] | None = None,
) -> str:
    """Return title, system prompt and the path of messages; reasoning stands folded.

    `drawn` is what was drawn from messages: told by its prompt, and the generation's id. Times are
    of the time zone of the `reader`, by default the server's.
    """

    def words(key: str, **facts: object) -> str:
        return catalogue.text(language, key, **facts)

    title = " ".join(conversation.title.split()) or words("chat.untitled")
    parts = [f"# {title}", words("history.file_head", at=_moment(conversation.created_at, reader))]
    if conversation.system_prompt:
        parts += [f"## {words('settings.system_prompt')}", conversation.system_prompt]
    for message in path:
        at = _moment(message.created_at, reader)
        model = f" · {message.model}" if message.model else ""
        parts.append(f"## {words(f'history.hit_{message.role}')}{model} · {at}")
        if message.reasoning_content:
            summary = words("chat.thought")
            parts.append(
                f"<details><summary>{summary}</summary>\n\n{message.reasoning_content}\n\n</details>"
            )
        parts += [_step(step, words) for step in steps_in(message.parts)]
        parts.append(message.content)
        parts += [_attached(part) for part in message.parts if isinstance(part, _ATTACHED)]
        if sources := sources_in(message.parts):
            parts.append("\n".join(_source(number, one) for number, one in enumerate(sources, 1)))
        for notice in notices_of(message):
            parts.append(f"> {words(notice.text_id, **notice.facts)}")
        for one in (drawn or {}).get(message.id, ()):
            parts.append(_drawn(one, words("drawing.draw")))
    return "\n\n".join(parts) + "\n"


def _step(step: ToolStep, words: Callable[[str], str]) -> str:
    """Return a call of a tool, folded: what it was called with, what it returned, and its cost."""
    name = words(f"steps.tool_{step.name}") if step.name in KNOWN else escape(step.name)
    told = [name]
    if step.state in TOLD:
        is_open = step.state == "running"
        told.append(words("steps.state_stopped" if is_open else f"steps.state_{step.state}"))
    if step.duration_ms.isdecimal():
        told.append(f"{int(step.duration_ms) / 1000:.1f} s")
    if step.amount:
        told.append(f"{step.amount} {step.currency}")
    body = _fenced("\n".join(filter(None, (step.arguments, step.result))))
    return f"<details><summary>{escape(' · '.join(told))}</summary>\n\n{body}\n\n</details>"


def _fenced(text: str) -> str:
    """Return a text as code that it cannot leave."""
    fence = "`" * (1 + max((len(run) for run in _FENCES.findall(text)), default=2))
    return f"{fence}\n{text}\n{fence}"


def _attached(part: FilePart | PicturePart) -> str:
    """Return a picture's name; a file's with its text, folded, as code that it cannot leave."""
    name = plain_words(part.name, NAME_MOST, is_line=True)
    if isinstance(part, PicturePart):
        return f"> {literal(name or part.media_type or 'picture')}"
    body = _fenced(part.text)
    return f"<details><summary>{escape(name)}</summary>\n\n{body}\n\n</details>"


def _drawn(one: DrawnFrom, head: str) -> str:
    """Return what was drawn: its prompt, as far as that is known, and where it is found again."""
    request = one.link.request if one.generation is None else one.generation.request
    prompt = "" if request is None else literal(" ".join(request.prompt.split()))
    return f"> {head} · {prompt} · {one.link.generation_id}"


def _source(number: int, source: SourcePart) -> str:
    # As the pages have it: washed, and whose it is as the address says.
    title = literal(plain_words(source.title, TITLE_MOST, is_line=True))
    date = literal(plain_words(source.date, DATE_MOST, is_line=True))
    address = plain_address(source.url)
    link = f"<{address}>" if address is not None else ""
    return f"> \\[{number}\\] " + " · ".join(filter(None, (title, date, link))) + "  "


def file_name(conversation: Conversation, suffix: str, reader: tzinfo | None = None) -> str:
    """Return a telling name for an exported conversation: when, what, and which of that name."""
    stamp = clock.stamp(conversation.created_at, reader)
    return f"{stamp}-{file_words(conversation.title)}-{conversation.id[:6]}.{suffix}"


def _moment(at: datetime, reader: tzinfo | None) -> str:
    return at.astimezone(reader).strftime("%Y-%m-%d %H:%M")

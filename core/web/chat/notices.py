"""Notices of an answer over HTTP: a field that readers who do not know it pass over."""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType

from core.models.chat import Message
from core.models.notices import Notice, notices_of
from core.texts.catalogue import Language, text


class NoticeReply(Struct):
    """An id, a sentence, and the facts in it."""

    id: str
    message: str
    names: str | UnsetType = UNSET
    count: int | UnsetType = UNSET
    tokens: int | UnsetType = UNSET
    asked: str | UnsetType = UNSET
    model: str | UnsetType = UNSET


class Noticed(Struct, kw_only=True):
    """A reply with notices, where there are any."""

    notices: list[NoticeReply] | UnsetType = UNSET


_Body = TypeVar("_Body", bound=Noticed)


def notice_reply(notice: Notice, language: Language) -> NoticeReply:
    """Return a notice for a caller who reads this language."""
    facts: dict[str, Any] = {**notice.facts}
    words = text(language, notice.text_id, **facts)
    return NoticeReply(notice.text_id.removeprefix("notice."), words, **facts)


def notice_replies(
    message: Message, language: Language, asked: Sequence[Notice] = ()
) -> list[NoticeReply]:
    """Return what is to be said of an answer, or of how it was `asked` for."""
    return [notice_reply(one, language) for one in (*asked, *notices_of(message))]


def with_notices(
    body: _Body, message: Message, language: Language, asked: Sequence[Notice] = ()
) -> _Body:
    """Return a reply's body with `notices`, where there are any."""
    body.notices = notice_replies(message, language, asked) or UNSET
    return body

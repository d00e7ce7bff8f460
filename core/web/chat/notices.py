"""Notices of an answer over HTTP: a field that readers who do not know it pass over."""

from collections.abc import Sequence

from core.models.chat import Message
from core.models.notices import Notice, notices_of
from core.texts.catalogue import Language, text


def notices_json(
    message: Message, language: Language, asked: Sequence[Notice] = ()
) -> list[dict[str, object]]:
    """Return what is to be said of an answer, or of how it was `asked` for.

    An id, a sentence, and the facts in it.
    """
    return [
        {
            "id": notice.text_id.removeprefix("notice."),
            "message": text(language, notice.text_id, **notice.facts),
            **notice.facts,
        }
        for notice in (*asked, *notices_of(message))
    ]


def with_notices(
    body: dict[str, object], message: Message, language: Language, asked: Sequence[Notice] = ()
) -> dict[str, object]:
    """Return a reply's body with `notices`, where there are any."""
    notices = notices_json(message, language, asked)
    return body | {"notices": notices} if notices else body

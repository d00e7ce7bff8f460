"""Citations over HTTP: the sources of an answer, and where its text names them."""

import re
from collections.abc import Sequence

from core.models.parts import SourcePart

_MARK = re.compile(r"\[(\d{1,2})\]")


def sources_json(sources: Sequence[SourcePart]) -> list[dict[str, object]]:
    """Return the pages that a question brought along, numbered as they are cited."""
    return [
        {"number": number, "title": one.title, "url": one.url, "site": one.site, "date": one.date}
        for number, one in enumerate(sources, 1)
    ]


def annotations_json(sources: Sequence[SourcePart], text: str) -> list[dict[str, object]]:
    """Return OpenAI's `url_citation` for each place of a text that names a source."""
    found: list[dict[str, object]] = []
    for mark in _MARK.finditer(text):
        number = int(mark[1])
        if 0 < number <= len(sources):
            source = sources[number - 1]
            citation = {
                "start_index": mark.start(),
                "end_index": mark.end(),
                "title": source.title,
                "url": source.url,
            }
            found.append({"type": "url_citation", "url_citation": citation})
    return found

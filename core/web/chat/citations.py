"""Citations over HTTP: the sources of an answer, and where its text names them."""

import re
from collections.abc import Sequence

from msgspec import Struct

from core.models.parts import SourcePart

_MARK = re.compile(r"\[(\d{1,2})\]")


class SourceReply(Struct):
    """A page that a question brought along, by the number that it is cited with."""

    number: int
    title: str
    url: str
    site: str
    date: str


class UrlCitation(Struct):
    """Where a text names a source."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(Struct, tag_field="type", tag="url_citation"):
    """OpenAI's annotation of a text."""

    url_citation: UrlCitation


def source_replies(sources: Sequence[SourcePart]) -> list[SourceReply]:
    """Return the pages that a question brought along, numbered as they are cited."""
    return [
        SourceReply(number, one.title, one.url, one.site, one.date)
        for number, one in enumerate(sources, 1)
    ]


def annotations_of(sources: Sequence[SourcePart], text: str) -> list[Annotation]:
    """Return OpenAI's annotation for each place of a text that names a source."""
    found = []
    for mark in _MARK.finditer(text):
        number = int(mark[1])
        if 0 < number <= len(sources):
            source = sources[number - 1]
            citation = UrlCitation(mark.start(), mark.end(), source.title, source.url)
            found.append(Annotation(citation))
    return found

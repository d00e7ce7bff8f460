"""The check-up's report: to be pasted where people help, without secrets; and as JSON."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from core.providers.http.redaction import clean_text
from core.texts.catalogue import Language, text
from core.work.checkup.finding import Finding, Level, gravest_first

_SIGNS: dict[Level, str] = {"fault": "✗", "warning": "!", "note": "·", "good": "✓"}


def as_text(findings: Iterable[Finding], language: Language, at: datetime) -> str:
    """Return the report as lines of plain text."""
    lines = [text(language, "checkup.report", at=at.strftime("%Y-%m-%d %H:%M %Z").strip()), ""]
    for one in gravest_first(findings):
        lines.append(f"{_SIGNS[one.level]} [{one.id}] {one.what(language)}")
        lines += [f"    {said}" for said in (one.why(language), one.cure(language)) if said]
    return clean_text("\n".join(lines)) + "\n"


class FindingReply(Struct):
    """A finding as JSON has it."""

    id: str
    level: Level
    what: str
    why: str | UnsetType = UNSET
    do: str | UnsetType = UNSET


class Findings(Struct):
    """All findings, as JSON has them."""

    findings: list[FindingReply]


def as_objects(found: Iterable[Finding], language: Language) -> Findings:
    """Return findings as JSON has them."""
    return Findings([_as_object(one, language) for one in found])


def _as_object(one: Finding, language: Language) -> FindingReply:
    why, cure = (clean_text(words) or UNSET for words in (one.why(language), one.cure(language)))
    return FindingReply(one.id, one.level, clean_text(one.what(language)), why, cure)

"""The check-up's report: to be pasted where people help, without secrets; and as JSON."""

from collections.abc import Iterable
from datetime import datetime

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


def as_object(one: Finding, language: Language) -> dict[str, str]:
    """Return a finding as JSON has it."""
    said = {"what": one.what(language), "why": one.why(language), "do": one.cure(language)}
    return {"id": one.id, "level": one.level} | {
        name: clean_text(words) for name, words in said.items() if words
    }

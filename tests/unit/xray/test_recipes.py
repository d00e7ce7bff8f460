"""Exchanges as JSON: programs that read a moment find it as it always was, offset and all."""

import json
from datetime import UTC, datetime

import pytest

from core.work.xray.recipes import as_har, as_json, as_objects
from tests.unit.xray.kept import kept


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2026, 11, 30, 4, 0, 5, tzinfo=UTC), "2026-11-30T04:00:05+00:00"),
        (datetime(2026, 11, 30, 4, 0, 5, 60, tzinfo=UTC), "2026-11-30T04:00:05.000060+00:00"),
    ],
)
def test_a_moment_is_written_with_its_offset(at: datetime, told: str) -> None:
    one = kept(began_at=at).view()
    assert [each["began_at"] for each in as_objects([one])] == [told]
    (written,) = json.loads(as_json([one]))["exchanges"]
    assert written == json.loads(json.dumps(as_objects([one])[0]))
    assert written["chunks"] == [[0.1, 10]]
    (entry,) = json.loads(as_har([one]))["log"]["entries"]
    assert entry["startedDateTime"] == told


def test_half_a_character_stops_no_export() -> None:
    one = kept(subject="a\ud800b", error="\udcff").view()
    for written in (as_json([one]), as_har([one])):
        written.encode()
        json.loads(written)
    assert json.loads(as_json([one]))["exchanges"][0]["subject"] == "a?b"

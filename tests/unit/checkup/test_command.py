"""`python -m core.checkup`: the report, JSON, another language, and a status for scripts."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import checkup
from core.settings import ChatSettings, KlingSettings, Secret, Settings
from core.wire.masking.secrets import known_secrets
from core.work.checkup.finding import Finding, found
from tests.unit.checkup.servers import API_KEY, CHAT_KEY, Front, Provider


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setattr("core.work.checkup.asked.KLING_REGIONS", {})
    with Provider() as made:
        settings = Settings(
            data_dir=tmp_path,
            chat=ChatSettings(url=f"{made.origin}/chat/completions", api_key=Secret(CHAT_KEY)),
            kling=KlingSettings(origin=made.origin, api_key=Secret(API_KEY)),
        )
        monkeypatch.setattr(checkup, "app_settings", lambda: settings)
        yield made
    known_secrets.replace([])


def test_it_prints_a_report_and_ends_well(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkup.main(["--language", "zh"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("墨灵体检")
    assert "✓ [chat_key_good]" in told
    assert CHAT_KEY not in told


def test_it_ends_with_1_where_something_is_broken(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.accepts = set()
    with Front(fault="buffers") as front:
        through = f"http://127.0.0.1:{front.port}"
        token = "a-token-of-the-studio-1"
        asked = ["--json", "--language", "en", "--through", through, "--token", token]
        assert checkup.main(asked) == 1
    told = capsys.readouterr().out
    broken = [one["id"] for one in json.loads(told)["findings"] if one["level"] == "fault"]
    assert sorted(broken) == ["kling_key_refused", "stream_buffered"]
    assert API_KEY not in told
    assert token not in told


def test_half_a_character_in_an_address_stops_no_json(
    provider: Provider, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def made(*_: object) -> list[Finding]:
        return [found("unreachable", host="a\ud800b\udcff")]

    monkeypatch.setattr(checkup, "_all", made)
    assert checkup.main(["--json", "--language", "en"]) == 1
    told = capsys.readouterr().out
    told.encode()
    assert [one["id"] for one in json.loads(told)["findings"]] == ["unreachable"]
    assert "a?b?" in told

"""Who reads aloud and who writes down: addresses of either kind, and keys that are masked."""

from decimal import Decimal
from pathlib import Path

import pytest

from core.models.money.ledger import LineState, Spender
from core.providers.speech.transcription import TranscriptionReply, told_seconds
from core.settings import Secret, read_settings
from core.settings.values import secrets_of
from core.wire.audio import RATE, mp3_from, recording_s, wav_header
from core.work.money.spending import Spending

KEY = "speech-key-0123456789"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("http://127.0.0.1:8880/v1/", "http://127.0.0.1:8880/v1"),
        ("WSS://voice.example/rt", "wss://voice.example/rt"),
        ("ws://127.0.0.1:9/rt/", "ws://127.0.0.1:9/rt"),
    ],
)
def test_the_address_names_the_shape(tmp_path: Path, given: str, read: str) -> None:
    settings = read_settings(root=tmp_path, environment={"SPEECH_API_URL": given})
    assert (settings.speech.url, settings.problems) == (read, ())


def test_keys_are_read_and_masked(tmp_path: Path) -> None:
    environment = {
        "SPEECH_API_URL": "http://a.example",
        "SPEECH_API_KEY": f"Bearer {KEY}",
        "TRANSCRIBE_API_URL": "http://b.example",
        "TRANSCRIBE_API_KEY": f"{KEY}-2",
    }
    settings = read_settings(root=tmp_path, environment=environment)
    assert settings.speech.api_key == Secret(KEY)
    assert {KEY, f"{KEY}-2"} <= set(secrets_of(settings))
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "is_reading"),
    [
        ("SPEECH_API_URL", "not an address", True),
        ("SPEECH_API_KEY", "two words", True),
        ("TRANSCRIBE_API_URL", "wss://b.example", False),
    ],
)
def test_what_cannot_be_used_is_told_and_takes_its_own_server_along(
    tmp_path: Path, name: str, value: str, is_reading: bool
) -> None:
    good = {"SPEECH_API_URL": "http://a.example", "TRANSCRIBE_API_URL": "http://b.example"}
    settings = read_settings(root=tmp_path, environment={**good, name: value})
    assert [problem.key for problem in settings.problems] == [name]
    assert (settings.speech.url is None) == is_reading
    assert (settings.speech.transcribe_url is None) == (not is_reading)
    assert settings.chat is not None


def test_a_servers_price_is_the_owners_to_tell(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    price = '[[prices.speech]]\nmodel = "tts-1"\ncurrency = "USD"\neach = 0.015\n'
    (tmp_path / ".streamlit/secrets.toml").write_text(price)
    settings = read_settings(root=tmp_path, environment={})
    spending = Spending(lambda: settings.money, lambda _provider: "CNY")
    held = spending.for_speech(Spender("local", "page"), "a.example", "tts-1", "x" * 500)
    assert (held.line.amount, held.line.currency) == (Decimal("0.0075"), "USD")
    unknown = spending.for_speech(Spender("local", "page"), "a.example", "other", "x")
    assert (unknown.line.amount, unknown.is_known) == (None, False)


def priced(tmp_path: Path, each: str) -> Spending:
    (tmp_path / ".streamlit").mkdir()
    price = f'[[prices.transcription]]\nmodel = "whisper-1"\ncurrency = "USD"\neach = {each}\n'
    (tmp_path / ".streamlit/secrets.toml").write_text(price)
    settings = read_settings(root=tmp_path, environment={})
    assert settings.problems == ()
    return Spending(lambda: settings.money, lambda _provider: "CNY")


@pytest.mark.parametrize(
    ("model", "seconds", "told_s", "held_back", "cost"),
    [
        ("whisper-1", 30.0, None, "0.003", "0.003"),
        ("whisper-1", 30.0, 60.0, "0.003", "0.006"),  # as the server bills it
        ("whisper-1", None, 90.0, None, "0.009"),
        ("whisper-1", None, None, None, None),
        ("other", 30.0, 30.0, None, None),
    ],
)
def test_what_writing_down_costs_is_told_or_unknown_and_never_nothing(
    tmp_path: Path,
    model: str,
    seconds: float | None,
    told_s: float | None,
    held_back: str | None,
    cost: str | None,
) -> None:
    spending = priced(tmp_path, "0.006")
    held = spending.for_recording(Spender("local", "page"), "a.example", model, seconds)
    assert held.line.amount == (None if held_back is None else Decimal(held_back))
    assert held.is_known == (held_back is not None)
    settled = spending.recording_settled(told_s)(held.line)
    assert settled is not None
    assert settled.amount == (None if cost is None else Decimal(cost))
    assert settled.state == (LineState.UNKNOWN if cost is None else LineState.COMPUTED)


def test_a_server_of_ones_own_may_be_free_however_long_it_listens(tmp_path: Path) -> None:
    spending = priced(tmp_path, "0")
    held = spending.for_recording(Spender("local", "page"), "a.example", "whisper-1", None)
    assert (held.line.amount, held.is_known) == (Decimal(0), True)


def test_a_price_of_a_minute_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/secrets.toml").write_text('[[prices.transcription]]\nmodel = "a"\n')
    settings = read_settings(root=tmp_path, environment={})
    assert [one.text_id for one in settings.problems] == ["error.configuration_price_transcription"]


PCM = bytes(2 * RATE)  # a second


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (wav_header(len(PCM)) + PCM, 1.0),
        (mp3_from(PCM), 1.1),
        (b"", None),
        (b"RIFF", None),
        (b"RIFFxxxxWAVE" + bytes(40), None),
        (b"\x1aE\xdf\xa3webm" + bytes(4_000), None),
        (b"OggS" + bytes(4_000), None),
        (b"fLaC" + bytes(4_000), None),
        (b"ID3" + bytes(4_000), None),
    ],
)
def test_how_long_a_recording_is_its_bytes_tell_or_nobody(
    content: bytes, seconds: float | None
) -> None:
    assert recording_s(content) == (None if seconds is None else pytest.approx(seconds, abs=0.15))


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        ('{"text": "a", "usage": {"type": "duration", "seconds": 3}}', 3.0),
        ('{"text": "a", "duration": 2.5}', 2.5),
        ('{"text": "a", "usage": {"type": "tokens", "total_tokens": 9}}', None),
        ('{"text": "a", "duration": "2.5"}', None),
        ('{"text": "a", "duration": true}', None),
        ('{"text": "a", "duration": -1}', None),
        ('{"text": "a", "duration": 1e999}', None),
        ("plain words", None),
    ],
)
def test_what_a_server_tells_of_the_length_is_read(reply: str, seconds: float | None) -> None:
    assert told_seconds(TranscriptionReply(reply.encode(), "application/json")) == seconds

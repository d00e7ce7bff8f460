"""Who reads aloud and who writes down: addresses of either kind, and keys that are masked."""

from decimal import Decimal
from pathlib import Path

import pytest

from core.models.money.ledger import Spender
from core.settings import Secret, read_settings
from core.settings.values import secrets_of
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

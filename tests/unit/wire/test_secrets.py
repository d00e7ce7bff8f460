"""core/wire/secrets: known secrets are found in every encoding, whole and in pieces."""

import base64
import io
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.markdown.addresses import is_followed
from core.models.deltas import Extras
from core.providers.deepseek.reply import ReplyReader
from core.providers.deepseek.wire import models_from_json
from core.providers.kling.wire import task_from_json
from core.wire.masking.log_washing import wash_record
from core.wire.masking.secrets import KnownSecrets, known_secrets
from core.wire.masking.stream_washer import StreamWasher

SECRET = "sk-Abc/def+0123=456789"


def _base64(encode: Callable[[bytes], bytes], offset: int, text: str) -> str:
    return encode(b"x" * offset + text.encode() + b"y").decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda text: text,
    "url": lambda text: quote(text, safe=""),
    "url, every sign": lambda text: "".join(f"%{ord(sign):02x}" for sign in text),
    "url twice": lambda text: quote(quote(text, safe=""), safe=""),
    "json": lambda text: "".join(f"\\u{ord(sign):04X}" for sign in text),
    "html": lambda text: "".join(f"&#x{ord(sign):x};" for sign in text),
    "hex": lambda text: text.encode().hex(),
    **{f"base64 {offset}": partial(_base64, base64.b64encode, offset) for offset in range(3)},
    **{
        f"base64url {offset}": partial(_base64, base64.urlsafe_b64encode, offset)
        for offset in range(3)
    },
}
# Of base64 the signs at both ends hold other bits too.
CORE = 4


def known() -> KnownSecrets:
    secrets = KnownSecrets()
    secrets.replace([SECRET])
    return secrets


@pytest.mark.parametrize("name", ENCODINGS)
@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_secret_is_found_in_every_encoding(name: str, before: str, after: str) -> None:
    encoded = ENCODINGS[name](SECRET)
    washed = known().wash(f"{before} {encoded} {after}")
    assert encoded[CORE:-CORE] not in washed
    assert washed.startswith(before)
    assert washed.endswith(after)


@pytest.mark.parametrize("name", ENCODINGS)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_a_secret_in_pieces_is_masked(name: str, sizes: list[int]) -> None:
    encoded = ENCODINGS[name](SECRET)
    text, shown, at = f"before {encoded} after", "", 0
    washer = StreamWasher(known())
    while at < len(text):
        size = sizes[at % len(sizes)]
        shown += washer.take(text[at : at + size])
        at += size
    shown += washer.end()
    assert encoded[len(encoded) // 2 : -CORE] not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("size", [1, 7, 300])
def test_a_secret_deep_in_a_long_text_is_masked(name: str, size: int) -> None:
    """Long texts and short ones are looked through in different ways."""
    encoded = ENCODINGS[name](SECRET)
    before, after = "长文 and 100 & more. " * 40, " 之后。" * 100
    text = f"{before}{encoded}{after}"
    washer = StreamWasher(known())
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    shown = "".join("".join(washer.take_all([one])) for one in pieces) + washer.end()
    for washed in (known().wash(text), shown):
        assert encoded[len(encoded) // 2 : -CORE] not in washed
        assert washed.startswith(before)
        assert washed.endswith(after)
    assert encoded.encode()[CORE:-CORE] not in known().wash_bytes(text.encode())
    assert known().is_in(text)
    assert not known().is_in(before + after)


@given(pieces=st.lists(st.text(max_size=12), max_size=20))
def test_other_text_comes_through_as_it_is(pieces: list[str]) -> None:
    washer = StreamWasher(known())
    assert "".join(map(washer.take, pieces)) + washer.end() == "".join(pieces)
    assert known().wash("".join(pieces)) == "".join(pieces)


def test_only_a_beginning_that_fits_is_held_back() -> None:
    washer = StreamWasher(known())
    assert washer.take("a sk-Abc") == "a "
    assert washer.take(" is none") == "sk-Abc is none"


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
@pytest.mark.parametrize("escape", [lambda text: text, lambda text: quote(text, safe="")])
def test_most_of_a_secret_at_the_end_of_an_answer_is_masked(
    cut: int, escape: Callable[[str], str]
) -> None:
    """The provider may stop one letter before a key's end."""
    washer = StreamWasher(known())
    begun = SECRET[:cut]
    shown = (
        "".join(
            [
                washer.take(f"It is {sign}") if not n else washer.take(sign)
                for n, sign in enumerate(escape(begun))
            ]
        )
        + washer.end()
    )
    if cut * 2 >= len(SECRET):
        assert SECRET[: len(SECRET) // 2] not in shown
        assert escape(begun) not in shown
    else:
        assert shown == f"It is {escape(begun)}"


def test_bytes_that_are_no_text_come_through() -> None:
    body = bytes(range(256)) * 4
    assert known().wash_bytes(body) == body
    assert known().wash_bytes(body + SECRET.encode()) == body + b"***"


def test_short_words_are_no_secrets() -> None:
    secrets = KnownSecrets()
    secrets.replace(["postgres", "pass", ""])
    assert secrets.wash("a postgres pass") == "a postgres pass"


def _wash(record: logging.LogRecord) -> bool:
    wash_record(record)
    return True


def test_a_record_is_washed_with_its_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.wire.masking.log_washing.known_secrets", known())
    stream = io.StringIO()
    logger = logging.Logger("washed")
    logger.addHandler(logging.StreamHandler(stream))
    logger.addFilter(_wash)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("key %s of %d", SECRET, 3)
    assert SECRET not in stream.getvalue()
    assert "key … of 3" in stream.getvalue()
    assert "ValueError: …" in stream.getvalue()


@pytest.mark.parametrize(
    ("destination", "followed"),
    [
        ("https://a.b", True),
        ("HTTP://a.b", True),
        ("mailto:a@b", True),
        ("#part", True),
        ("/a:b", True),
        ("data:text/html,x", False),
        ("<javascript:x>", False),
        ("java&#115;cript&colon;x", False),
        ("\x01javascript\\:x", False),
        ("VBSCRIPT:x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_only_three_schemes_are_followed(destination: str, followed: bool) -> None:
    assert is_followed(destination) is followed


def test_the_process_has_one_registry() -> None:
    assert isinstance(known_secrets, KnownSecrets)


@pytest.fixture
def held() -> Iterator[None]:
    known_secrets.replace([SECRET, "0123456789abcdef"])
    yield
    known_secrets.replace([])


def read(payload: dict[str, Any]) -> Extras:
    return ReplyReader().take(payload)[0].extras


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("word", ["0123456789abcdef", "a" * 300, "<b>", SECRET])
def test_short_fields_are_bounded(word: str) -> None:
    told = read({"choices": [{"finish_reason": word}], "model": word + "\x00"})
    assert (told.finish_reason, told.model) == ("other", "other")
    task = {"task_status": "succeed", "final_unit_deduction": word}
    assert task_from_json({**task, "task_id": word}, "image") is None
    known = task_from_json({**task, "task_id": "T1"}, "image")
    assert known is not None
    assert known.unit_deduction == "other"
    assert models_from_json({"data": [{"id": word + "!"}]}) == ()


def test_names_of_any_script_stay() -> None:
    name = "通义/千问:7b@q4_K-M+x.1"
    assert read({"model": name}).model == name

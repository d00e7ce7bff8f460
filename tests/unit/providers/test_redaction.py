"""core/providers/redaction: what may be shown of a provider's own words."""

import pytest

from core.providers.http.redaction import clean_detail, clean_excerpt
from core.wire.masking.secrets import known_secrets

KEY = "0123456789abcdefghij"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        (None, ""),
        ({"a": 1}, ""),
        ("plain words, 中文", "plain words, 中文"),
        (f"key={KEY}.", "key=…."),
        (f"key={KEY[3:12]}.", "key=…."),
        (f"key=...{KEY[-4:]}", f"key=...{KEY[-4:]}"),
        (f"{KEY}{KEY} and {KEY[:8]}", "…… and …"),
        ("Authorization: Bearer abc-DEF.123", "Authorization: Bearer …"),
        ("token eyJhbGciOi.eyJpc3Mi.c2ln end", "token … end"),
        ("an sk-abcdef123456 of others", "an sk-… of others"),
        ("see https://host/path?sig=1#f now", "see https://host/path now"),
        ("see https://me:secret@host/p", "see https://host/p"),
        ("two\n\tlines\x00\u202e", "two lines"),
    ],
)
def test_a_detail_is_cleaned(text: object, shown: str) -> None:
    assert clean_detail(text, secrets=(KEY,)) == shown


def test_a_short_secret_is_masked_as_a_whole() -> None:
    assert clean_detail("a pass1 b pas", secrets=("pass1", "")) == "a … b pas"


def test_a_detail_is_bounded() -> None:
    assert clean_detail("字" * 501) == "字" * 499 + "…"
    assert clean_detail("字" * 500) == "字" * 500


def test_an_excerpt_is_the_readable_part_of_a_page() -> None:
    page = (
        "<!DOCTYPE html><title>502 Bad Gateway</title><script>var k='x'</script><!-- no --><h1>坏"
    )
    assert clean_excerpt(page.encode()) == "502 Bad Gateway 坏"
    assert len(clean_excerpt(b"<p>" + b"word " * 1000)) <= 200


def test_an_excerpt_of_bytes_is_harmless() -> None:
    assert clean_excerpt(b"\xff\xfe\x00PNG") == "�� PNG"


@pytest.mark.parametrize("blanks", [0, 9_980, 9_990, 10_000, 10_490, 10_499, 10_505, 20_000])
def test_a_key_behind_many_blanks_is_masked_or_cut_off_whole(blanks: int) -> None:
    known_secrets.add("sq-far-0123456789abcdef")
    detail = clean_detail("x" + " " * blanks + "sq-far-0123456789abcdef and more")
    assert not any(part in detail for part in ("sq-far-0", "12345678"))

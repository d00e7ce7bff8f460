"""core/wire/kling_jwt: claims, reuse, and signing again by Kling's clock."""

import jwt
import pytest

from core.models.accounts import KlingApiKey, KlingKeyPair
from core.wire.kling_jwt import (
    CLOCK_SKEW_S,
    RENEW_MARGIN_S,
    TOKEN_LIFETIME_S,
    TokenSource,
    sign_token,
)

NOW = 1_790_000_000.7
ACCESS_KEY = "access-key-of-thirty-two-letters"
SECRET_KEY = "secret-key-of-thirty-two-letters"


@pytest.fixture
def source() -> TokenSource:
    return TokenSource(KlingKeyPair(ACCESS_KEY, SECRET_KEY))


def claims(token: str) -> dict[str, object]:
    return jwt.decode(
        token,
        SECRET_KEY,
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_nbf": False},
    )


def test_a_token_holds_the_claims_of_klings_sample_and_no_others() -> None:
    token = sign_token(ACCESS_KEY, SECRET_KEY, now=NOW)
    assert claims(token) == {"iss": ACCESS_KEY, "exp": 1_790_001_800, "nbf": 1_789_999_995}
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def test_the_secret_key_signs_as_the_text_it_is() -> None:
    token = sign_token(ACCESS_KEY, SECRET_KEY, now=NOW)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, SECRET_KEY[::-1], algorithms=["HS256"])


def test_a_token_is_reused_until_the_margin_and_then_signed_anew(source: TokenSource) -> None:
    first = source.token(now=NOW)
    until = NOW + TOKEN_LIFETIME_S - RENEW_MARGIN_S
    assert source.token(now=until - 1) == first
    second = source.token(now=until)
    assert second != first
    assert claims(second)["exp"] == int(until) + TOKEN_LIFETIME_S


def test_a_clock_set_back_makes_a_new_token(source: TokenSource) -> None:
    first = source.token(now=NOW)
    assert source.token(now=NOW - CLOCK_SKEW_S) == first
    assert source.token(now=NOW - 3600) != first


def test_signing_again_uses_klings_clock_and_keeps_the_difference(source: TokenSource) -> None:
    source.token(now=NOW)
    token = source.resign(server_now=NOW + 7200, now=NOW)
    assert claims(token)["nbf"] == int(NOW + 7200) - CLOCK_SKEW_S
    assert source.token(now=NOW + 1) == token
    later = source.token(now=NOW + 5000)
    assert claims(later)["exp"] == int(NOW + 5000 + 7200) + TOKEN_LIFETIME_S
    assert source.offset_s == 7200


def test_signing_again_without_a_date_uses_our_own_clock(source: TokenSource) -> None:
    source.token(now=NOW)
    assert claims(source.resign(server_now=None, now=NOW + 60))["nbf"] == int(NOW) + 55


def test_a_plain_key_is_its_own_token() -> None:
    source = TokenSource(KlingApiKey("plain-key"))
    assert source.token(now=NOW) == "plain-key"
    assert source.resign(server_now=NOW, now=NOW) == "plain-key"
    assert not source.can_resign


def test_no_repr_shows_a_key(source: TokenSource) -> None:
    token = source.token(now=NOW)
    pair = KlingKeyPair(ACCESS_KEY, SECRET_KEY)
    shown = f"{source!r} {pair!r} {KlingApiKey('plain-key')!r}"
    assert "letters" not in shown
    assert "plain-key" not in shown
    assert token not in shown

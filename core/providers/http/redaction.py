"""Makes a provider's own words fit to be shown: no keys, no tokens, no signed links, no markup."""

import html
import re
import unicodedata
from collections.abc import Iterable

from core.wire.masking.secrets import known_secrets

DETAIL_LIMIT = 500
EXCERPT_LIMIT = 200

_MASK = "…"
# Shorter pieces of a key tell nothing; providers themselves show the last four characters.
_PART = 8
SECRET_MOST = 512  # longer than any secret

OTHER = "other"
_NAME_MOST = 200
_SHORT_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,63}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9/:.@+_ -]{1,200}")
_ID = re.compile(r"[A-Za-z0-9._:=@+-]{1,200}")

_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',;]+")
_JWT = re.compile(r"\beyJ[\w-]+(?:\.[\w-]*){1,4}")
_SECRET_KEY = re.compile(r"\bsk-[\w-]{8,}")
_URL = re.compile(
    r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s/?#\"'<>]*@)?([^\s?#\"'<>]*)[?#]?[^\s\"'<>]*"
)
_INVISIBLE = re.compile(r"(?is)<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)")
_TAG = re.compile(r"(?s)<[^>]*>?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\ufeff\s]+")


def clean_detail(text: object, *, secrets: Iterable[str] = (), limit: int = DETAIL_LIMIT) -> str:
    """Return `text` on one line, without secrets or queries of links, at most `limit` long."""
    if not isinstance(text, str):
        return ""
    # Bound the work first; what is cut here could not have been shown anyway.
    bound = limit * 20
    shown = text[: bound + SECRET_MOST]
    for secret in secrets:
        shown = _without(shown, secret)  # with its parts; after that the whole ones of all others
    shown = known_secrets.wash(shown)
    if len(text) > bound + SECRET_MOST:
        shown = shown[:-SECRET_MOST]  # a secret that the bound cuts would not be known any more
    shown = _CONTROL.sub(" ", _without_tokens(shown)).strip()
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + _MASK


def clean_text(text: str) -> str:
    """Return `text`, all of it and with its lines, without secrets or queries of links."""
    return _without_tokens(known_secrets.wash(text))


def clean_excerpt(body: bytes, *, secrets: Iterable[str] = ()) -> str:
    """Return the readable beginning of a reply that is not what it should be, such as HTML."""
    text = body[:65_536].decode("utf-8", "replace")
    text = html.unescape(_TAG.sub(" ", _INVISIBLE.sub(" ", text)))
    return clean_detail(text, secrets=secrets, limit=EXCERPT_LIMIT)


def short_word(value: object) -> str | None:
    """Return a word that is short and plain by contract; any other text is "other"."""
    if not isinstance(value, str) or not value:
        return None
    is_word = _SHORT_WORD.fullmatch(value) is not None and not known_secrets.is_in(value)
    return value if is_word else OTHER


def model_name(value: object) -> str | None:
    """Return a model's name: letters of any script, digits and `/ : . @ + _ -`, else "other"."""
    if not isinstance(value, str) or not value:
        return None
    is_name = _PLAIN_NAME.fullmatch(value) is not None or (
        len(value) <= _NAME_MOST and all(map(_is_of_names, value))
    )
    return value if is_name and not known_secrets.is_in(value) else OTHER


def _is_of_names(sign: str) -> bool:
    return sign.isalnum() or sign in "/:.@+_- " or unicodedata.category(sign)[0] == "M"


def opaque_id(value: object) -> str | None:
    """Return an id that can be one; None for another text: nothing is looked up under it."""
    if not isinstance(value, str) or not _ID.fullmatch(value) or known_secrets.is_in(value):
        return None
    return value


def looks_like_html(body: bytes) -> bool:
    """Tell whether a reply begins like a web page."""
    return body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html"))


def _without_tokens(text: str) -> str:
    text = _BEARER.sub(f"Bearer {_MASK}", text)
    text = _JWT.sub(_MASK, text)
    text = _SECRET_KEY.sub(f"sk-{_MASK}", text)
    return _URL.sub(r"\1\2", text)


def _without(text: str, secret: str) -> str:
    if len(secret) < _PART:
        return text.replace(secret, _MASK) if secret else text
    parts = {secret[i : i + _PART] for i in range(len(secret) - _PART + 1)}
    pieces: list[str] = []
    i = 0
    while i < len(text):
        if text[i : i + _PART] not in parts:
            pieces.append(text[i])
            i += 1
            continue
        end = i + _PART
        while end < len(text) and text[end - _PART + 1 : end + 1] in parts:
            end += 1
        pieces.append(_MASK)
        i = end
    return "".join(pieces)

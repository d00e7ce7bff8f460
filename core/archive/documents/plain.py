"""Plain text and code in whatever encoding: Unicode first, then GB18030, then what is likeliest."""

import codecs
import unicodedata

import charset_normalizer

from core.archive.documents.found import TEXT_MOST, Found, left_out, unread

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
_SAMPLE = 65_536
_LIKELY = 0.9  # so much of a text is of signs in daily use
_ODD_MOST, _FEW = 0.02, 4  # so much of it may be control signs, and of a short one so many


def read_plain(content: bytes) -> Found:
    """Return the text of a file; InputError where it is none."""
    text = _decoded(content)
    if text is None or _is_odd(text[:_SAMPLE]):
        raise unread("error.file_unknown")
    if not text.strip():
        raise unread("error.file_empty")
    cut = len(text) - TEXT_MOST
    return Found(text[:TEXT_MOST], media_type="text/plain", left_out=left_out(characters=cut))


def _decoded(content: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\0" in content[:_SAMPLE]:
        return _without_mark(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(content) - 3 and error.start > 0:  # cut in the middle of a sign
            return content.decode("utf-8", "replace")
    return _chinese(content) or _likeliest(content)


def _without_mark(content: bytes) -> str | None:
    """Return UTF-16 that does not say so, where it reads as a text one way round."""
    even = content[: len(content) & ~1]
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = even.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _share_in(text[:_SAMPLE], "gb18030", daily=True) >= _LIKELY:
            return text
    return None


def _chinese(content: bytes) -> str | None:
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = "".join(sign for sign in text[:_SAMPLE] if not sign.isascii())
    return text if _share_in(foreign, "gb2312") >= _LIKELY else None


def _share_in(text: str, encoding: str, *, daily: bool = False) -> float:
    """Return how much of a text is signs of that set; `daily`: in GB2312, or ASCII to be read."""
    if not text:
        return 0.0
    if daily:
        good = sum(
            (sign.isascii() and (sign.isprintable() or sign in "\r\n\t"))
            or (not sign.isascii() and len(sign.encode("gb2312", "ignore")) == 2)
            for sign in text
        )
        return good / len(text)
    return sum(bool(sign.encode(encoding, "ignore")) for sign in text) / len(text)


def _likeliest(content: bytes) -> str | None:
    found = [match.encoding for match in charset_normalizer.from_bytes(content[:_SAMPLE])]
    # Of those that it may be, Windows' own Western one is by far the most frequent.
    best = _WESTERN if _WESTERN in found else next(iter(found), None)
    return None if best is None else content.decode(best, "replace")


def _is_odd(text: str) -> bool:
    odd = sum(unicodedata.category(one) in ("Cc", "Cn") and one not in "\r\n\t\f" for one in text)
    return odd > max(_FEW, _ODD_MOST * len(text))

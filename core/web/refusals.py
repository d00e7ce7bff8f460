"""What a refused caller reads: what to configure, in the language that a browser asks for."""

from dataclasses import dataclass
from typing import Literal

from core.access.callers import Refusal, Verdict

Language = Literal["zh", "en"]

_STATUS: dict[Refusal, int] = {"elsewhere": 403, "token": 401, "host": 403, "origin": 403}
_SENTENCES: dict[Language, dict[Refusal, str]] = {
    "en": {
        "elsewhere": "This call comes from another machine ({seen}), and those need an access "
        "token: set INKLING_TOKENS to name:token where the studio runs, restart it, and send the "
        "token as Authorization: Bearer, or as ?access_token= where headers cannot be set.",
        "token": "This access token is not one of those in INKLING_TOKENS; check it, or add it "
        "there and restart the studio.",
        "host": "The studio is not known as {seen}; to allow this name, add it to hosts under "
        "[access] in .streamlit/secrets.toml and restart the studio.",
        "origin": "Pages of {seen} may not call the studio; to allow them, add that origin to "
        "origins under [access] in .streamlit/secrets.toml and restart the studio.",
    },
    "zh": {
        "elsewhere": "这个请求来自另一台机器（{seen}），需要访问令牌：请在运行墨灵的地方把 "
        "INKLING_TOKENS 设为 name:token 并重启，然后用 Authorization: Bearer 发送令牌；"
        "不能设置请求头时用 ?access_token=。",
        "token": "这个访问令牌不在 INKLING_TOKENS 中。请核对，或把它加进去并重启墨灵。",
        "host": "墨灵不认识 {seen} 这个主机名。要允许它，请把它加入 .streamlit/secrets.toml 中 "
        "[access] 的 hosts，并重启墨灵。",
        "origin": "{seen} 的网页不能调用墨灵。要允许它们，请把这个来源加入 "
        ".streamlit/secrets.toml 中 [access] 的 origins，并重启墨灵。",
    },
}
_UNKNOWN: dict[Language, str] = {"en": "an unknown place", "zh": "未知的地方"}
_TOO_MANY: dict[Language, str] = {
    "en": "Too many requests at once or in a minute; wait {wait_s} s.",
    "zh": "同时进行或一分钟内的请求太多，请等待 {wait_s} 秒。",
}
_SEEN_LIMIT = 120
_HEADER_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call goes no further."""

    status: int
    sentence: str
    retry_after_s: int | None = None


def refused(verdict: Verdict, accept_language: str | None) -> Denial:
    """Return what to tell a caller who may not come in; only for a verdict that refuses."""
    assert verdict.refusal is not None
    language = language_of(accept_language)
    shown = "".join(sign for sign in verdict.seen[:_SEEN_LIMIT] if sign.isprintable())
    sentence = _SENTENCES[language][verdict.refusal]
    return Denial(_STATUS[verdict.refusal], sentence.format(seen=shown or _UNKNOWN[language]))


def too_many(wait_s: int, accept_language: str | None) -> Denial:
    """Return what to tell a caller who has to wait."""
    sentence = _TOO_MANY[language_of(accept_language)].format(wait_s=wait_s)
    return Denial(429, sentence, retry_after_s=wait_s)


def language_of(accept_language: str | None) -> Language:
    """Return which of Chinese and English Accept-Language (RFC 9110, 12.5.4) likes better.

    English where it names neither, as a program's does.
    """
    best: Language = "en"
    most = 0.0
    for wish in (accept_language or "")[:_HEADER_LIMIT].lower().split(","):
        tag, _, parameter = wish.partition(";")
        name = tag.strip().partition("-")[0]
        language: Language | None = "zh" if name == "zh" else "en" if name == "en" else None
        weight = _weight(parameter)
        if language is not None and weight > most:
            best, most = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0

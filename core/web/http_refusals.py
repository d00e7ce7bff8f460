"""Refusals: what to configure, or where to get in, in the language that a browser asks for."""

from dataclasses import dataclass
from typing import Literal

from core.access.callers import Refusal, Verdict, can_be_this_machine

Language = Literal["zh", "en"]

_STATUS: dict[Refusal, int] = {"token": 401}  # all others: 403
# "own_host" is a refusal for "host" where the name can be this machine's.
_SENTENCES: dict[Language, dict[str, str]] = {
    "en": {
        "elsewhere": "This call comes from another machine or through a proxy ({seen}), and those "
        "need an access token: set INKLING_TOKENS to name:token where the studio runs, and send "
        "the token as Authorization: Bearer, or as ?access_token= where headers cannot be set. "
        "A browser gets in at /enter.",
        "behind_proxy": "The studio stands behind a proxy (behind_proxy or proxies under [access] "
        "say so), where nobody is taken for its owner: send one of INKLING_TOKENS as "
        "Authorization: Bearer, or open /enter in the browser.",
        "forwarder": "A program on this machine has passed on calls of others ({seen}), so nobody "
        "is taken for the owner any more until the studio is started again. Send one of "
        "INKLING_TOKENS as Authorization: Bearer, or open /enter in the browser. If a proxy is "
        "meant to stand there, set behind_proxy = true under [access].",
        "another_user": "This connection does not belong to the user whom the studio runs as: "
        "that is so with sudo or another account, network_mode: host, rootless containers, WSL's "
        "relay, and ssh -L as somebody else. Send one of INKLING_TOKENS as Authorization: Bearer, "
        "or open /enter in the browser.",
        "user": "{seen} is not among users under [access] in .streamlit/secrets.toml.",
        "token": "This access token is not one of those in INKLING_TOKENS; check it, or add it "
        "there and read the settings again on the Status page.",
        "host": "The studio is not known as {seen}. Such a name leads here through a proxy: set "
        "behind_proxy = true under [access] in .streamlit/secrets.toml, and let callers in with "
        "INKLING_TOKENS, browsers at /enter.",
        "own_host": "The studio is not known as {seen}. If that is a name of this very machine, "
        "and no proxy stands before the studio, add it to hosts under [access] in "
        ".streamlit/secrets.toml: then whoever calls from this machine by that name may spend "
        "without a token. If a proxy does, set behind_proxy = true there, and use /enter.",
        "origin": "Pages of {seen} may not call the studio; to allow them, add that origin to "
        "origins under [access] in .streamlit/secrets.toml and read the settings again.",
    },
    "zh": {
        "elsewhere": "这个请求来自另一台机器，或经过了代理（{seen}），需要访问令牌：请在运行墨灵"
        "的地方把 INKLING_TOKENS 设为 name:token，然后用 Authorization: Bearer 发送令牌；"
        "不能设置请求头时用 ?access_token=。浏览器请打开 /enter。",
        "behind_proxy": "墨灵在代理之后（[access] 的 behind_proxy 或 proxies 这样写着），"
        "谁也不会被当作主人：请用 Authorization: Bearer 发送 INKLING_TOKENS 里的令牌，"
        "或在浏览器里打开 /enter。",
        "forwarder": "这台机器上有程序转发过别人的请求（{seen}），所以在墨灵重新启动之前，"
        "谁也不会再被当作主人。请用 Authorization: Bearer 发送 INKLING_TOKENS 里的令牌，"
        "或在浏览器里打开 /enter。如果本来就有代理，请在 [access] 中设 behind_proxy = true。",
        "another_user": "这个连接不属于运行墨灵的用户：用 sudo 或别的账号、network_mode: host、"
        "rootless 容器、WSL 的转接、以别人身份的 ssh -L 时都会这样。请用 Authorization: Bearer "
        "发送 INKLING_TOKENS 里的令牌，或在浏览器里打开 /enter。",
        "user": "{seen} 不在 .streamlit/secrets.toml 中 [access] 的 users 名单里（墨灵）。",
        "token": "这个访问令牌不在 INKLING_TOKENS 中。请核对，或把它加进去并重新读取设置。",
        "host": "墨灵不认识 {seen} 这个主机名。这样的名字是经代理来的：请在 "
        ".streamlit/secrets.toml 的 [access] 中设 behind_proxy = true，程序用 INKLING_TOKENS "
        "里的令牌，浏览器打开 /enter。",
        "own_host": "墨灵不认识 {seen} 这个主机名。如果它就是这台机器的名字，而且墨灵前面没有"
        "代理，请把它加入 .streamlit/secrets.toml 中 [access] 的 hosts：之后从这台机器用这个"
        "名字访问的人不用令牌就能花钱。如果有代理，请在那里设 behind_proxy = true，并使用 /enter。",
        "origin": "{seen} 的网页不能调用墨灵。要允许它们，请把这个来源加入 "
        ".streamlit/secrets.toml 中 [access] 的 origins，并重新读取设置。",
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
class HttpRefusal:
    """Why a call goes no further."""

    status: int
    sentence: str
    retry_after_s: int | None = None


def refused(verdict: Verdict, accept_language: str | None) -> HttpRefusal:
    """Return what to tell a caller who may not come in; only for a verdict that refuses."""
    assert verdict.refusal is not None
    language = language_of(accept_language)
    shown = "".join(sign for sign in verdict.seen[:_SEEN_LIMIT] if sign.isprintable())
    kind: str = verdict.refusal
    if kind == "host" and can_be_this_machine(verdict.seen):
        kind = "own_host"
    sentence = _SENTENCES[language][kind]
    return HttpRefusal(
        _STATUS.get(verdict.refusal, 403), sentence.format(seen=shown or _UNKNOWN[language])
    )


def too_many(wait_s: int, accept_language: str | None) -> HttpRefusal:
    """Return what to tell a caller who has to wait."""
    sentence = _TOO_MANY[language_of(accept_language)].format(wait_s=wait_s)
    return HttpRefusal(429, sentence, retry_after_s=wait_s)


def language_of(accept_language: str | None) -> Language:
    """Return which of Chinese and English Accept-Language (RFC 9110, 12.5.4) likes better.

    English where it names neither, as a program's does.
    """
    best: Language = "en"
    most = 0.0
    for preference in (accept_language or "")[:_HEADER_LIMIT].lower().split(","):
        tag, _, parameter = preference.partition(";")
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

"""Error objects of chat servers, in whatever shape: what they say, their code and their type."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.providers.deepseek.reply import answer_in
from core.providers.http.redaction import OTHER, short_word
from core.wire.surrogates import without_halves

_WORDS = (
    *("message", "msg", "error_message", "error_msg", "errorMessage", "errmsg", "err_msg"),
    *("detail", "details", "error_description", "status_msg", "description", "reason", "title"),
)
_CODES = ("code", "error_code", "errorCode", "errcode", "err_code", "status_code", "status")
_WRAPPINGS = ("data", "result", "response", "base_resp", "body")
# Codes that say that nothing is wrong.
_FINE = frozenset(
    {"", "0", "200", "20000", "ok", "success", "succeeded", "completed", "none", "processing"}
)
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_CODE_MOST = 10**12
_DEEP = 4


class SaidError(NamedTuple):
    """What an error object says."""

    message: str
    code: int | str | None
    kind: str


def says_error(payload: Mapping[str, Any]) -> bool:
    """Tell whether an object with status 200 is an error: `{error}`, or flat `{code, message}`."""
    if (error := payload.get("error")) and not _is_fine(error):
        return True
    if answer_in(payload) is not None:
        return False  # gateways add a code and "success" to what is none
    if "error" in (payload.get("object"), payload.get("type")):
        return True
    return _is_flat(payload)


def words_in(payload: Mapping[str, Any]) -> str:
    """Return what an object says to people, if it does."""
    return without_halves(_words(payload))


def read_error(payload: Mapping[str, Any]) -> SaidError:
    """Return message, code and type from any of the shapes servers use."""
    said = _read(payload, 0)
    return said._replace(message=without_halves(said.message))


def _read(payload: Mapping[str, Any], deep: int) -> SaidError:
    error = payload.get("error")
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, Mapping) and error and deep < _DEEP:
        said = _read(error, deep + 1)
        code = _code_in(payload) if said.code is None else said.code
        return SaidError(said.message or _words(payload), code, said.kind)
    message = _words(payload)
    if isinstance(error, str) and error and error not in message:
        message = f"{error}: {message}" if message else error
    code, kind = _code_in(payload), payload.get("type")
    if not message and deep < _DEEP:
        for inner in _wrapped(payload):
            said = _read(inner, deep + 1)
            if said.message:
                return said if said.code is not None else said._replace(code=code)
    return SaidError(message, code, kind if isinstance(kind, str) else "")


def _is_fine(error: object) -> bool:
    """Tell whether an error object says that there is none: `{code: 0, message: ""}`."""
    if not isinstance(error, Mapping) or _words(error):
        return False
    codes = [error[name] for name in _CODES if error.get(name) is not None]
    return bool(codes) and not any(map(_is_wrong, _CODES[:1] * len(codes), codes))


def _is_flat(payload: Mapping[str, Any], deep: int = 0) -> bool:
    if any(_is_wrong(name, payload[name]) for name in _CODES if payload.get(name) is not None):
        return True
    if str(payload.get("success", "")).lower() == "false":
        return True
    return deep < _DEEP and any(
        bool(inner.get("error")) or _is_flat(inner, deep + 1) for inner in _wrapped(payload)
    )


def _is_wrong(name: str, code: object) -> bool:
    if isinstance(code, bool) or not isinstance(code, int | str):
        return False
    word = str(code).strip().lower()
    if name == "status":  # many words say how far something has come
        return word in _FAILED or (word.isdecimal() and 400 <= int(word[:9]) <= 599)
    return word not in _FINE


def _wrapped(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [inner for name in _WRAPPINGS if isinstance(inner := payload.get(name), Mapping)]


def _words(payload: Mapping[str, Any]) -> str:
    for name in _WORDS:
        value = payload.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, Mapping | list) and value:
            return str(value)
    return ""


def _code_in(payload: Mapping[str, Any]) -> int | str | None:
    for name in _CODES:
        value = payload.get(name)
        if isinstance(value, bool) or value in (None, ""):
            continue
        if isinstance(value, int):
            return value if abs(value) < _CODE_MOST else OTHER
        if (word := short_word(value)) is not None:
            return word
    return None

"""Refusals as replies (error shapes): of OpenAI's API, of Kling's, or our own."""

from msgspec import Struct

from core.access.invitations import PATH as ENTER_PATH
from core.texts.catalogue import text
from core.web.enter import page as enter_page
from core.web.health import NotReady
from core.web.http_call import RETRY_SOON, Headers, HttpCall
from core.web.http_errors import ErrorReply
from core.web.http_refusals import HttpRefusal
from core.web.kling.envelope import refusal as kling_refusal
from core.web.kling.target import PREFIX as KLING_PREFIX
from core.web.openai.errors import error_body
from core.work.process_studio import opening_error


async def say_not_open(call: HttpCall) -> None:
    """Say that no studio is open yet, or any more, in the shape that belongs to the path."""
    # Why it is closed, names places on this machine: the pages and the log tell it.
    has_failed = opening_error() is not None
    text_id = "http.closed" if has_failed else "http.opening"
    sentence, headers = text(call.language, text_id), RETRY_SOON
    if call.path == ENTER_PATH:
        await enter_page.say_not_open(call, headers, has_failed=has_failed)
    elif call.path == "/readyz":
        await call.reply_json(503, NotReady(sentence), headers)
    else:
        await refuse(call, 503, sentence, headers)


async def deny(call: HttpCall, refusal: HttpRefusal) -> None:
    """Say what the guard refused, and when it is worth another call."""
    headers: Headers = ()
    if refusal.retry_after_s is not None:
        headers = (("Retry-After", str(refusal.retry_after_s)),)
    elif refusal.status == 401:
        headers = (("WWW-Authenticate", "Bearer"),)
    await refuse(call, refusal.status, refusal.sentence, headers)


async def refuse(
    call: HttpCall, status: int, sentence: str, headers: Headers = (), *, field: str | None = None
) -> None:
    """Answer with a sentence, in the shape of an error that belongs to the path."""
    body: Struct = ErrorReply(sentence)
    if call.path.startswith(f"{KLING_PREFIX}/"):
        body = kling_refusal(status, sentence, call.request_id)
    elif call.path.startswith("/v1/"):
        kind = "server_error" if status >= 500 else "invalid_request_error"
        body = error_body(sentence, kind, param=field)
    await call.reply_json(status, body, (*headers, ("Vary", "Accept-Language")))

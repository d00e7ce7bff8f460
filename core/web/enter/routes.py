"""`/enter`: a login form that sets a cookie, for an access token or a one-time link.

Reading it spends nothing: messengers follow links to show a preview. Only the button redeems a
code, and only from this very page, since a foreign page must not choose who somebody is.
"""

import asyncio
import math
from typing import Annotated
from urllib.parse import parse_qs

from msgspec import Meta, Struct, convert, field

from core.access.connection import Rules
from core.access.forwarding import caller_address, scheme_of
from core.access.invitations import CODE_PARAMETER
from core.access.page_origin import is_own_page
from core.access.passes import COOKIE, COOKIE_S
from core.access.presented_tokens import token_name
from core.errors import StoreError
from core.web.enter.page import Problem, Shown, show
from core.web.guard.guess_limit import MOST_WAIT_S, Guesses
from core.web.http_call import Handler, HttpCall, HttpCallError
from core.work.studio import Studio

FORM_BYTES = 16 * 1024


_Code = Annotated[str, Meta(description="A one-time link's code")]
_Token = Annotated[str, Meta(description="An access token, where there is no code")]


class EnterForm(Struct):
    """What is sent with the form: a code, or a token."""

    code: _Code = field(default="", name=CODE_PARAMETER)
    token: _Token = ""


class Enter:
    """Shows the form and takes what is sent with it."""

    def __init__(self, studio: Studio, guesses: Guesses) -> None:
        self._studio = studio
        self._guesses = guesses

    def methods(self) -> dict[str, Handler]:
        """Return what serves the path, by method."""
        return {"GET": self._show, "HEAD": self._show, "POST": self._take}

    async def _show(self, call: HttpCall) -> None:
        known = self._studio.passes.name_of_cookie(call.headers.get("cookie"))
        await show(call, Shown(code=call.query.get(CODE_PARAMETER, ""), known_as=known))

    async def _take(self, call: HttpCall) -> None:
        form = await _form(call)
        rules = Rules.of(self._studio.settings.access)
        if not _is_sent_from_here(call):
            await _refuse(call, 403, "foreign_page")
            return
        code, token = form.code, form.token
        if not code and not token:
            await _refuse(call, 400, "nothing")
            return
        address = caller_address(call.connection, rules)
        presented = [code or token]
        if self._guesses.are_many(address, presented):
            turn_s = self._guesses.turn_in_s(address)
            if turn_s is None:
                await _have_wait(call, code)
                return
            await asyncio.sleep(turn_s)
        try:
            cookie = await asyncio.to_thread(self._new_pass, code, token, rules, call)
        except StoreError:
            await show(call, Shown(code=code, problem="store"), 503, (("Retry-After", "2"),))
            return
        if cookie is None:
            self._guesses.note(address, presented)
            await _refuse(call, 403, "link_over" if code else "wrong_token")
            return
        if token:
            self._guesses.prove(address, presented)
        await _let_in(call, cookie, rules)

    def _new_pass(self, code: str, token: str, rules: Rules, call: HttpCall) -> str | None:
        """Return the new pass's cookie; None for a code or a token that is not good."""
        passes = self._studio.passes
        if code:
            invited = self._studio.invitations.redeem(code)
            if invited is None:
                return None
            cookie = passes.issue(invited.name, manages=invited.manages)
        else:
            name = token_name([token], rules)
            if name is None or name in rules.scopes:
                return None  # a token with scopes opens no page: there all may be done
            cookie = passes.issue(name, token=name)
        # The browser forgets the one it had: nobody could leave with that any more.
        if (former := passes.of_cookie(call.headers.get("cookie"))) is not None:
            passes.revoke(former.id)
        return cookie


async def _refuse(call: HttpCall, status: int, problem: Problem) -> None:
    await show(call, Shown(problem=problem), status)


async def _have_wait(call: HttpCall, code: str) -> None:
    wait_s = math.ceil(MOST_WAIT_S)
    shown = Shown(code=code, problem="guesses", wait_s=wait_s)
    await show(call, shown, 429, (("Retry-After", str(wait_s)),))


async def _let_in(call: HttpCall, cookie: str, rules: Rules) -> None:
    # What the browser itself says of its address holds behind any proxy.
    is_secure = scheme_of(call.connection, rules) == "https" or call.headers.get(
        "origin", ""
    ).startswith("https://")
    parts = [
        f"{COOKIE}={cookie}",
        f"Path={call.base or '/'}",
        f"Max-Age={COOKIE_S}",
        "HttpOnly",
        "SameSite=Lax",
        *(["Secure"] if is_secure else []),
    ]
    headers = (("Location", "./"), ("Set-Cookie", "; ".join(parts)), ("Cache-Control", "no-store"))
    await call.reply(303, b"", "", headers)


async def _form(call: HttpCall) -> EnterForm:
    """Return the fields of the form; HttpCallError where one stands there twice."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HttpCallError(415, "http.form_type")
    body = await call.body(most_bytes=FORM_BYTES)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError as error:
        raise HttpCallError(400, "http.form_too_large") from error
    if (name := next((one for one, values in fields.items() if len(values) > 1), None)) is not None:
        raise HttpCallError(400, "http.field_twice", facts={"field": name[:60]})
    return convert({name: values[0].strip() for name, values in fields.items()}, EnterForm)


def _is_sent_from_here(call: HttpCall) -> bool:
    """Tell whether no foreign page sends the form; programs, which are no page's, may."""
    headers = call.headers
    is_browser = any(name in headers for name in ("origin", "sec-fetch-site", "referer"))
    return not is_browser or is_own_page(call.connection)

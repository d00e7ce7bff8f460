"""The page of `/enter`: a small form in HTML, made of nothing that has to be fetched.

It is also what previews of links in messengers read: reading it changes nothing.
"""

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import Literal

from core.access.invitations import CODE_PARAMETER
from core.texts.catalogue import LANGUAGE_TAGS, text
from core.web.front.small_page import HTML_TYPE
from core.web.http_call import Headers, HttpCall

Problem = Literal["wrong_token", "link_over", "foreign_page", "guesses", "store", "nothing"]

_STYLE = """
:root { color-scheme: light dark; --accent: #a63d2f; --line: #8886; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --accent: #f0a292; --bad: #ffb4ab } }
* { box-sizing: border-box }
body { font: 1rem/1.6 system-ui, sans-serif; margin: 0 auto; padding: 12vh 1.25rem 3rem;
       max-width: 28rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .75rem }
p { margin: 0 0 1rem }
label { display: block; font-weight: 600; margin-bottom: .35rem }
input, button { font: inherit; width: 100%; min-height: 3rem; border-radius: .5rem }
input { padding: 0 .75rem; border: 1px solid var(--line); background: Field; color: FieldText }
button { border: 0; margin-top: .75rem; font-weight: 600; cursor: pointer;
         background: var(--accent); color: Canvas }
:is(input, button, a):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.trouble { color: var(--bad); border-left: 4px solid; padding-left: .75rem }
.hint { font-size: .9rem; opacity: .85; margin-top: 1.25rem }
a { color: var(--accent) }
""".strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Headers = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", _POLICY),
    # The address may hold a code; and without any referrer a form's Origin would be "null".
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Vary", "Accept-Language, Cookie"),
)
_PAGE = """<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · 墨灵 Inkling</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page holds: a link's code, or the form; why the last try failed; who is in."""

    code: str = ""
    problem: Problem | None = None
    wait_s: int = 0
    known_as: str | None = None


async def show(call: HttpCall, shown: Shown, status: int = 200, headers: Headers = ()) -> None:
    """Answer with the page."""
    body = _code_form(call, shown) if shown.code else _token_form(call, shown)
    await _reply(call, "title", body, status, headers)


async def say_not_open(call: HttpCall, headers: Headers, *, has_failed: bool) -> None:
    """Say that the studio is still opening, or that it cannot open."""
    title, words = ("closed_title", "closed") if has_failed else ("opening_title", "opening")
    body = f"<h1>{_text(call, title)}</h1>\n<p>{_text(call, words)}</p>"
    await _reply(call, title, body, 503, headers)


async def _reply(call: HttpCall, title: str, body: str, status: int, headers: Headers) -> None:
    tag = LANGUAGE_TAGS[call.language]
    page = _PAGE.format(tag=tag, title=_text(call, title), style=_STYLE, body=body)
    await call.reply(status, page.encode(), HTML_TYPE, (*_HEADERS, *headers))


def _code_form(call: HttpCall, shown: Shown) -> str:
    lines = [
        f"<h1>{_text(call, 'link_title')}</h1>",
        f"<p>{_text(call, 'link')}</p>",
        _problem(call, shown),
        _form(call, f'<input type="hidden" name="{CODE_PARAMETER}" value="{escape(shown.code)}">'),
    ]
    return "\n".join(filter(None, lines))


def _token_form(call: HttpCall, shown: Shown) -> str:
    described = ' aria-describedby="trouble"' if shown.problem else ""
    field = (
        f'<label for="token">{_text(call, "token")}</label>\n'
        '<input id="token" name="token" type="password" autocomplete="current-password" '
        f'autocapitalize="none" spellcheck="false" maxlength="1000" required{described}>'
    )
    known = ""
    if shown.known_as is not None:
        link = f'<a href="./">{_text(call, "go")}</a>'
        known = f"<p>{_text(call, 'known', name=shown.known_as)} {link}</p>"
    is_on_cloud = call.headers.get("host", "").lower().endswith(".streamlit.app")
    lines = [
        f"<h1>{_text(call, 'title')}</h1>",
        known,
        f"<p>{_text(call, 'cloud' if is_on_cloud else 'intro')}</p>",
        _problem(call, shown),
        _form(call, field),
        f'<p class="hint">{_text(call, "hint")}</p>',
    ]
    return "\n".join(filter(None, lines))


def _form(call: HttpCall, fields: str) -> str:
    # Relative to where the browser is: it holds below any sub-path.
    return (
        f'<form method="post" action="enter">\n{fields}\n'
        f'<button type="submit">{_text(call, "submit")}</button>\n</form>'
    )


def _problem(call: HttpCall, shown: Shown) -> str:
    if shown.problem is None:
        return ""
    sentence = _text(call, shown.problem, wait_s=shown.wait_s)
    return f'<p class="trouble" id="trouble" role="alert">{sentence}</p>'


def _text(call: HttpCall, key: str, **facts: object) -> str:
    return escape(text(call.language, f"enter.{key}", **facts))

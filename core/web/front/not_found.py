"""404 beside the pages: in JSON, in text, or as a small page for a person who followed a link."""

import logging
from html import escape

from core.texts.catalogue import LANGUAGE_TAGS, text
from core.web.http_call import TEXT_TYPE, Headers, HttpCall
from core.web.http_errors import ErrorReply

logger = logging.getLogger(__name__)

HTML_TYPE = "text/html; charset=utf-8"

# Streamlit's own page would come with 200, and a dialog for developers.
_PAGE = """<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · 墨灵 Inkling</title>
<style>
/* Paper, ink and cinnabar, as on the pages. */
:root {{ --paper: #fdfcf9; --ink: #101417; --accent: #a63d2f }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: #15181b; --ink: #e8e6e1; --accent: #f0a292 }}
}}
body {{ font: 1rem/1.6 system-ui, sans-serif; margin: 20vh auto; width: min(30rem, 90%);
  background: var(--paper); color: var(--ink) }}
h1 {{ font-size: 1.4rem }}
a {{ color: var(--accent) }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{hint}</p>
<p><a href="{home}">{link}</a></p>
</body>
</html>
"""


async def reply_nothing_here(call: HttpCall) -> None:
    """Say with 404 that a path leads nowhere, in the form that the caller reads."""
    accepted = call.headers.get("accept", "").lower()
    vary: Headers = (("Vary", "Accept, Accept-Language"), ("Cache-Control", "no-store"))
    sentence = text(call.language, "not_found.path")
    if _is_person(call, accepted):
        await call.reply(404, _page(call).encode(), HTML_TYPE, vary)
    elif "text/plain" in accepted and "json" not in accepted:
        await call.reply(404, f"{sentence}\n".encode(), TEXT_TYPE, vary)
    else:
        await call.reply_json(404, ErrorReply(sentence), vary)
    logger.info("%s was answered with 404", call)


async def reply_wrong_method(call: HttpCall) -> None:
    """Say with 405 that a page is only read."""
    await call.reply_json(
        405, ErrorReply(text(call.language, "http.wrong_method_page")), (("Allow", "GET, HEAD"),)
    )
    logger.info("%s was answered with 405", call)


async def redirect(call: HttpCall, target: str) -> None:
    """Send the caller to a relative address, its query kept."""
    query = f"?{call.query_string.decode('latin-1')}" if call.query_string else ""
    # 308 keeps the method: a form that is posted to a page is told that it takes none.
    headers = (("Location", target + query), ("Cache-Control", "no-cache"))
    await call.reply(308, b"", "", headers)


def _is_person(call: HttpCall, accepted: str) -> bool:
    """Tell whether a browser asks because somebody followed a link or typed an address."""
    return (
        call.method in ("GET", "HEAD")
        and "text/html" in accepted
        and call.headers.get("sec-fetch-mode", "navigate") == "navigate"
    )


def _page(call: HttpCall) -> str:
    # As the browser counts: each slash of the address as it was sent is a step.
    up = "../" * (call.raw_path.count(b"/") - 1)
    return _PAGE.format(
        tag=LANGUAGE_TAGS[call.language],
        title=escape(text(call.language, "not_found.title")),
        hint=escape(text(call.language, "not_found.hint")),
        home=up or "./",
        link=escape(text(call.language, "not_found.link")),
    )

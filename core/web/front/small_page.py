"""A small page in HTML for a person, beside the pages: what is the matter, and a link."""

from dataclasses import dataclass
from html import escape

from core.texts.catalogue import LANGUAGE_TAGS, text
from core.web.http_call import Headers, HttpCall

HTML_TYPE = "text/html; charset=utf-8"

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
VARY: Headers = (("Vary", "Accept, Accept-Language"), ("Cache-Control", "no-store"))


def is_person(call: HttpCall) -> bool:
    """Tell whether a browser asks because somebody followed a link or typed an address."""
    return (
        call.method in ("GET", "HEAD")
        and "text/html" in call.headers.get("accept", "").lower()
        and call.headers.get("sec-fetch-mode", "navigate") == "navigate"
    )


@dataclass(frozen=True, slots=True)
class SmallPage:
    """The ids of what a page says, and how its link is called."""

    title: str
    hint: str
    link: str

    async def reply(self, call: HttpCall, status: int, headers: Headers = ()) -> None:
        """Answer with the page."""
        await call.reply(status, self._html(call).encode(), HTML_TYPE, (*VARY, *headers))

    def _html(self, call: HttpCall) -> str:
        # As the browser counts: each slash of the address as it was sent is a step.
        up = "../" * (call.raw_path.count(b"/") - 1)
        title, hint, link = (
            escape(text(call.language, one)) for one in (self.title, self.hint, self.link)
        )
        tag = LANGUAGE_TAGS[call.language]
        return _PAGE.format(tag=tag, title=title, hint=hint, home=up or "./", link=link)

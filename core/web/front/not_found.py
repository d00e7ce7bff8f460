"""404 beside the pages: in JSON, in text, or as a small page for a person who followed a link."""

from html import escape

from core.web.http_call import TEXT_TYPE, Headers, HttpCall
from core.web.http_refusals import Language, language_of

HTML_TYPE = "text/html; charset=utf-8"

_SENTENCES: dict[Language, str] = {
    "en": "There is nothing at this path; /openapi.json lists what programs may call.",
    "zh": "这个路径下没有内容；程序可以调用的接口列在 /openapi.json 中。",
}
_TITLES: dict[Language, str] = {"en": "There is no such page", "zh": "没有这个页面"}
_HINTS: dict[Language, str] = {
    "en": "The address may be mistyped, or come from an older version.",
    "zh": "地址可能有误，或来自旧版本。",
}
_LINKS: dict[Language, str] = {"en": "Open Inkling", "zh": "打开墨灵"}
_TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
_WRONG_METHOD = "This is a page; it takes GET and HEAD only."

# Streamlit's own page would come with 200, and a dialog for developers.
_PAGE = """<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · 墨灵 Inkling</title>
<style>
body {{ font: 1rem/1.6 system-ui, sans-serif; margin: 20vh auto; width: min(30rem, 90%) }}
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
    language = language_of(call.headers.get("accept-language"))
    accepted = call.headers.get("accept", "").lower()
    vary: Headers = (("Vary", "Accept, Accept-Language"), ("Cache-Control", "no-store"))
    sentence = _SENTENCES[language]
    if _is_person(call, accepted):
        await call.reply(404, _page(call, language).encode(), HTML_TYPE, vary)
    elif "text/plain" in accepted and "json" not in accepted:
        await call.reply(404, f"{sentence}\n".encode(), TEXT_TYPE, vary)
    else:
        await call.reply_json(404, {"error": sentence}, vary)


async def reply_wrong_method(call: HttpCall) -> None:
    """Say with 405 that a page is only read."""
    await call.reply_json(405, {"error": _WRONG_METHOD}, (("Allow", "GET, HEAD"),))


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


def _page(call: HttpCall, language: Language) -> str:
    # As the browser counts: each slash of the address as it was sent is a step.
    up = "../" * (call.raw_path.count(b"/") - 1)
    return _PAGE.format(
        tag=_TAGS[language],
        title=escape(_TITLES[language]),
        hint=escape(_HINTS[language]),
        home=up or "./",
        link=escape(_LINKS[language]),
    )

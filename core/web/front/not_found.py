"""404 beside the pages: in JSON, in text, or as a small page for a person who followed a link."""

import logging

from core.texts.catalogue import text
from core.web.front.small_page import VARY, SmallPage, is_person
from core.web.http_call import TEXT_TYPE, HttpCall
from core.web.http_errors import ErrorReply

logger = logging.getLogger(__name__)

# Streamlit's own page would come with 200, and a dialog for developers.
_PAGE = SmallPage("not_found.title", "not_found.hint", "not_found.link")


async def reply_nothing_here(call: HttpCall) -> None:
    """Say with 404 that a path leads nowhere, in the form that the caller reads."""
    accepted = call.headers.get("accept", "").lower()
    sentence = text(call.language, "not_found.path")
    if is_person(call):
        await _PAGE.reply(call, 404)
    elif "text/plain" in accepted and "json" not in accepted:
        await call.reply(404, f"{sentence}\n".encode(), TEXT_TYPE, VARY)
    else:
        await call.reply_json(404, ErrorReply(sentence), VARY)
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

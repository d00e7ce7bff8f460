"""A posted chat asked and answered, whole or as a stream, in whichever of OpenAI's shapes."""

from collections.abc import Callable
from typing import Protocol

from core.errors import AppError
from core.models.chat import Message
from core.models.notices import Notice
from core.web.chat.http_errors import http_error_of
from core.web.chat.notices import Noticed, with_notices
from core.web.chat.posted.request import ChatRequest
from core.web.chat.routes import whole_answer
from core.web.http_call import HttpCall
from core.web.http_errors import http_error_from
from core.web.openai.errors import body_of, refuse
from core.web.openai.streaming import Writer, stream_answer
from core.web.studio_bridge import StudioBridge
from core.work.chat.live_answer import LiveAnswer


class Shape(Protocol):
    """How one API writes an answer that has begun."""

    notices: tuple[Notice, ...]  # what is said beside it, of how it was asked for

    def writer(self) -> Writer:
        """Return what makes its events."""

    def whole(self, message: Message) -> Noticed:
        """Return its body, once it has ended well."""


async def answer_posted(
    call: HttpCall,
    bridge: StudioBridge,
    request: ChatRequest,
    shape_of: Callable[[LiveAnswer], Shape],
) -> None:
    """Ask what was posted and answer with what comes, or with why nothing does."""
    try:
        live = await bridge.ask(request, call, whole=not request.streams)
    except AppError as error:
        await refuse(call, http_error_from(error, call.language))
        return
    shape = shape_of(live)
    if request.streams:
        await stream_answer(call, bridge, live, shape.writer())
        return
    message = await whole_answer(call, bridge, live)
    if message is None:  # the caller has left
        return
    http_error = http_error_of(message, live.error, call.language)
    body = shape.whole(message) if http_error is None else body_of(http_error)
    told = with_notices(body, message, call.language, shape.notices)
    if http_error is None:
        await call.reply_json(200, told)
    else:
        await call.reply_json(http_error.status, told, http_error.headers)

"""Streaming of an answer to OpenAI's clients, in the events that a writer makes of it."""

from typing import Protocol

from core.texts.catalogue import Language
from core.web.chat.http_errors import http_error_of
from core.web.chat.routes import EVENT_STREAM_TYPE, KEEP_ALIVE, STREAM_HEADERS
from core.web.http_call import HttpCall
from core.web.openai.errors import refuse
from core.web.studio_bridge import StudioBridge
from core.work.chat.buffers.cursors import Pieces
from core.work.chat.live_answer import LiveAnswer


class Writer(Protocol):
    """Makes events of what comes."""

    is_washed: bool  # whether all that it writes is of the answer, washed as it came

    def of(self, pieces: Pieces) -> bytes:
        """Return the events of what came; none where nothing did."""

    def closing(self, live: LiveAnswer, language: Language) -> bytes:
        """Return the events of the end, whichever it is."""


async def stream_answer(
    call: HttpCall, bridge: StudioBridge, live: LiveAnswer, writer: Writer
) -> None:
    """Send events. Nothing is begun before something came: an error keeps its status."""
    is_over = False
    try:
        async with bridge.reader(call, live, live.start) as reader:
            while not reader.is_gone:
                pieces = reader.take()
                events = writer.of(pieces)
                if pieces.is_final and not call.has_begun and not events:
                    http_error = http_error_of(live.outline(), live.error, call.language)
                    if http_error is not None:
                        is_over = True
                        await refuse(call, http_error)
                        return
                if reader.is_quiet and not events:
                    if live.is_accepted or call.has_begun:
                        events = KEEP_ALIVE
                    else:  # it may yet be refused, with a status of its own
                        reader.spoke()
                if pieces.is_final:
                    is_over = True
                    events += writer.closing(live, call.language)
                if events:
                    if not call.has_begun:
                        await call.begin(200, EVENT_STREAM_TYPE, STREAM_HEADERS)
                    if is_over:
                        await call.end(events)
                        return
                    await call.feed(events, is_washed=writer.is_washed)
                    reader.spoke()
                await reader.wait()
    finally:
        if not is_over:  # OpenAI's clients cannot come back for the rest
            bridge.stop(live.message_id)

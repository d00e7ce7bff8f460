"""The routing table of one open studio: what serves each path, by method."""

from collections.abc import Mapping

from core.access.callers import PassLookup, no_passes
from core.access.invitations import PATH as ENTER_PATH
from core.web.chat.routes import ChatRoutes
from core.web.chat.transfer import TransferRoutes
from core.web.diagnostics.checkup import CheckupRoutes
from core.web.diagnostics.exchanges import ExchangeRoutes
from core.web.diagnostics.metrics import MetricsRoute
from core.web.drawing.routes import PREFIX as MESSAGES_PREFIX
from core.web.drawing.routes import DrawingRoutes
from core.web.enter.routes import Enter
from core.web.front.paths import MCP_PATH, METRICS_PATH
from core.web.guard.guard import Guard
from core.web.guard.limits import Limits
from core.web.health import Readiness
from core.web.http_call import (
    Handler,
    HttpCall,
    Table,
)
from core.web.kling.routes import METHODS as KLING_METHODS
from core.web.kling.routes import KlingRoutes
from core.web.kling.target import API_PATHS
from core.web.kling.target import PREFIX as KLING_PREFIX
from core.web.mcp.routes import McpRoutes
from core.web.money.routes import LedgerRoutes
from core.web.openai.audio.routes import OpenAIAudio
from core.web.openai.chat import OpenAIChat
from core.web.openai.images.routes import OpenAIImages
from core.web.openai.models import PREFIX as MODELS_PREFIX
from core.web.openai.models import OpenAIModels
from core.web.openai.responses.routes import OpenAIResponses
from core.web.openai.web_tools import WebTools
from core.web.refusal_replies import deny
from core.web.speech.routes import SpeechRoutes
from core.web.studio_bridge import StudioBridge
from core.web.timings import HttpTimings
from core.work.studio import Studio

_KLING_PATHS = tuple(KLING_PREFIX + path.decode() for path in API_PATHS)


class StudioRoutes:
    """Everything that belongs to one open studio: its guard, and the tables of its routes."""

    def __init__(
        self,
        studio: Studio,
        pass_name: PassLookup = no_passes,
        limits: Limits | None = None,
        timings: HttpTimings = HttpTimings(),  # noqa: B008 - frozen
    ) -> None:
        bridge = StudioBridge(studio, timings)
        self.studio = studio
        self.guard = Guard(
            lambda: studio.settings.access, limits or Limits(), pass_name, studio.issued_token
        )
        self.metrics = MetricsRoute(bridge)
        enter = Enter(studio, self.guard.guesses)
        self.open_table: Table = {  # what needs no caller
            "/readyz": dict.fromkeys(("GET", "HEAD"), Readiness(bridge).readyz),
            ENTER_PATH: enter.methods(),
        }
        models, images = OpenAIModels(bridge), OpenAIImages(bridge)
        audio, web_tools = OpenAIAudio(bridge), WebTools(bridge)
        self.drawing = DrawingRoutes(bridge).table()
        self.model: Mapping[str, Handler] = {"GET": models.one}
        self.table: Table = {
            **ChatRoutes(bridge).table(),
            "/v1/chat/completions": {"POST": OpenAIChat(bridge).complete},
            "/v1/models": {"GET": models.list},
            "/v1/tools/search": {"POST": web_tools.search},
            "/v1/tools/fetch": {"POST": web_tools.fetch},
            "/v1/responses": {"POST": OpenAIResponses(bridge).create},
            "/v1/images/generations": {"POST": images.generations},
            "/v1/images/edits": {"POST": images.edits},
            "/v1/audio/speech": {"POST": audio.speech},
            "/v1/audio/transcriptions": {"POST": audio.transcriptions},
            **LedgerRoutes(bridge).table(),
            **CheckupRoutes(bridge).table(),
            **ExchangeRoutes(bridge).table(),
            METRICS_PATH: {"GET": self.metrics.metrics},
            MCP_PATH: McpRoutes(bridge).methods(),
        }
        self.signed_table = {**TransferRoutes(bridge).table(), **SpeechRoutes(bridge).table()}
        kling = KlingRoutes(bridge)
        self.kling = dict.fromkeys(KLING_METHODS, kling.serve)

    def route_of(self, path: str) -> str | None:
        """Return the route that a path leads to, what comes behind its beginning as `*`."""
        if any(path in table for table in (self.open_table, self.signed_table, self.table)):
            return path
        if self.drawn_from(path) is not None:
            return f"{MESSAGES_PREFIX}*/{path.rpartition('/')[2]}"
        beginnings = (*_KLING_PATHS, MODELS_PREFIX)
        return next((f"{one}*" for one in beginnings if path.startswith(one)), None)

    def drawn_from(self, path: str) -> Mapping[str, Handler] | None:
        """Return what serves a path behind a message's id."""
        message_id, _, what = path.removeprefix(MESSAGES_PREFIX).partition("/")
        is_one = path.startswith(MESSAGES_PREFIX) and message_id != ""
        return self.drawing.get(what) if is_one else None

    def methods_of(self, call: HttpCall) -> Mapping[str, Handler] | None:
        """Return what serves the path, by method; None when nothing does."""
        if call.path.startswith(_KLING_PATHS):
            return self.kling
        if call.path.startswith(MODELS_PREFIX):
            return self.model
        return self.table.get(call.path) or self.drawn_from(call.path)

    async def serve_within_limits(self, call: HttpCall, caller: str, handler: Handler) -> None:
        """Serve a call that counts as the caller's, or say that these are too many."""
        if (refusal := self.guard.enter(call, caller)) is not None:
            await deny(call, refusal)
            return
        try:
            await handler(call)
        finally:
            self.guard.leave(caller)

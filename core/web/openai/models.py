"""`/v1/models`: which models may be asked for."""

from urllib.parse import unquote

from core.web.http_call import HttpCall, HttpCallError
from core.web.studio_bridge import StudioBridge

PREFIX = "/v1/models/"


class OpenAIModels:
    """The models of the chat, in OpenAI's shape."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    async def list(self, call: HttpCall) -> None:
        """List the models."""
        entries = [_entry(name) for name in self._bridge.studio.chat_models()]
        await call.reply_json(200, {"object": "list", "data": entries})

    async def one(self, call: HttpCall) -> None:
        """Tell of one model; its name may hold a slash."""
        name = unquote(call.path.removeprefix(PREFIX))
        if name not in self._bridge.studio.chat_models():
            facts = {"model": name[:100]}
            raise HttpCallError(404, "http.no_such_model", facts=facts, field="model")
        await call.reply_json(200, _entry(name))


def _entry(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "inkling"}

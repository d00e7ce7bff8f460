"""`/v1/models`: which models may be asked for."""

from urllib.parse import unquote

from msgspec import Struct

from core.web.http_call import HttpCall, HttpCallError
from core.web.studio_bridge import StudioBridge

PREFIX = "/v1/models/"


class Model(Struct, tag_field="object", tag="model"):
    """A model that may be asked for."""

    id: str
    created: int = 0
    owned_by: str = "inkling"


class ModelList(Struct, tag_field="object", tag="list"):
    """All of them."""

    data: list[Model]


class OpenAIModels:
    """The models of the chat, in OpenAI's shape."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    async def list(self, call: HttpCall) -> None:
        """List the models."""
        entries = [Model(name) for name in self._bridge.studio.chat_models()]
        await call.reply_json(200, ModelList(entries))

    async def one(self, call: HttpCall) -> None:
        """Tell of one model; its name may hold a slash."""
        name = unquote(call.path.removeprefix(PREFIX))
        if name not in self._bridge.studio.chat_models():
            facts = {"model": name[:100]}
            raise HttpCallError(404, "http.no_such_model", facts=facts, field="model")
        await call.reply_json(200, Model(name))

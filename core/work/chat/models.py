"""Which models can be chosen: what the provider lists, and what we know until it has answered."""

import logging

from core.errors import AppError
from core.models.chat import ChatModel
from core.providers.deepseek.client import DeepSeek

logger = logging.getLogger(__name__)

# Offered while the provider has not been asked, or does not list any (deepseek.md §0).
WELL_KNOWN = ("deepseek-flash", "deepseek-v4-pro")
_CONTEXT = 1 << 20
# What each of DeepSeek's takes, also those that are served as Flash (deepseek.md §0, A3).
_DEEPSEEKS = {
    "deepseek-flash": ChatModel("deepseek-flash", context_window=_CONTEXT, sees=True),
    "deepseek-v4-flash": ChatModel("deepseek-v4-flash", context_window=_CONTEXT, sees=True),
    "deepseek-v4-pro": ChatModel("deepseek-v4-pro", context_window=_CONTEXT, sees=False),
}


class ChatModels:
    """The names to offer for chat."""

    def __init__(self, configured: str) -> None:
        self._configured = configured
        self._listed: dict[str, ChatModel] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names known by now, the configured one first."""
        listed = tuple(self._listed) or WELL_KNOWN
        return (self._configured, *(name for name in listed if name != self._configured))

    def facts(self, name: str) -> ChatModel:
        """Return what is known of a model: as the provider told, else as it is known to be."""
        known = _DEEPSEEKS.get(name, ChatModel(name))
        told = self._listed.get(name, known)
        return ChatModel(
            name,
            context_window=told.context_window or known.context_window,
            sees=known.sees if told.sees is None else told.sees,
        )

    def seeing(self) -> str | None:
        """Return a model that takes pictures, the configured one first."""
        return next((name for name in self.names() if self.facts(name).sees), None)

    async def refresh(self, client: DeepSeek) -> None:
        """Ask the provider once; what it cannot tell changes nothing."""
        try:
            self._listed = {model.id: model for model in await client.list_models()}
        except AppError as error:
            logger.info("The provider does not list its models: %s", error)

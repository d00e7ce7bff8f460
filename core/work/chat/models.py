"""Which models can be chosen: what the provider lists, and what we know until it has answered."""

import logging

from core.errors import AppError
from core.providers.deepseek.client import DeepSeek

logger = logging.getLogger(__name__)

# Offered while the provider has not been asked, or does not list any (deepseek.md §0).
WELL_KNOWN = ("deepseek-flash", "deepseek-v4-pro")


class ChatModels:
    """The names to offer for chat."""

    def __init__(self, configured: str) -> None:
        self._configured = configured
        self._listed: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return the names known by now, the configured one first."""
        listed = self._listed or WELL_KNOWN
        return (self._configured, *(name for name in listed if name != self._configured))

    async def refresh(self, client: DeepSeek) -> None:
        """Ask the provider once; what it cannot tell changes nothing."""
        try:
            self._listed = tuple(model.id for model in await client.list_models())
        except AppError as error:
            logger.info("The provider does not list its models: %s", error)

"""`GET /metrics` for Prometheus: from this machine, with its own token, or with the scope read."""

import asyncio
import hmac

from core.access.presented_tokens import presented
from core.web.http_call import HttpCall
from core.web.studio_bridge import StudioBridge
from core.work.metrics.exposition import CONTENT_TYPE


class MetricsRoute:
    """Hands over what the studio counted."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge
        self._scraping = asyncio.Lock()

    def is_scraper(self, call: HttpCall) -> bool:
        """Tell whether a call presents the token that is for metrics and nothing else."""
        token = self._bridge.studio.settings.operations.metrics_token
        if token is None:
            return False
        right = token.reveal().encode()
        return any(
            hmac.compare_digest(one.encode("utf-8", "replace"), right)
            for one in presented(call.connection)
        )

    async def metrics(self, call: HttpCall) -> None:
        """Answer with all metrics; of scrapes at once one waits for the other."""
        async with self._scraping:
            told = await asyncio.to_thread(self._bridge.studio.metrics)
        await call.reply(200, told, CONTENT_TYPE, (("Cache-Control", "no-store"),))

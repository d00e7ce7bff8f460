"""Names, routes and TLS to chat, speech and both regions of Kling, directly and by proxy."""

import asyncio
from collections.abc import AsyncIterator

from core.errors import ConfigurationError
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.http.route_probe import Route, probe_direct, probe_proxied
from core.providers.kling.account import COSTS_PATH
from core.settings.outside.proxy import Proxy
from core.work.checkup.asked import Asked
from core.work.checkup.finding import Finding, found

_IDS = {
    "name": "name_unknown",
    "connect": "unreachable",
    "certificate": "certificate",
    "tls": "tls_failed",
}


async def look_at_routes(asked: Asked) -> AsyncIterator[Finding]:
    """Yield a finding for each way; those to the region that is not used are only noted."""
    settings = asked.settings
    wanted: dict[str, bool] = {}  # free addresses, and whether the settings need them
    if settings.chat is not None:
        wanted[ChatEndpoint(settings.chat.url).models_url] = settings.chat.api_key is not None
    origins = list(asked.regions.values())
    if settings.kling is not None:
        if settings.kling.origin not in origins:
            origins.insert(0, settings.kling.origin)
        for origin in origins:
            is_used = origin == settings.kling.origin and settings.kling.has_credentials
            wanted[origin + COSTS_PATH] = is_used
    for url in (settings.speech.url, settings.speech.transcribe_url):
        if url is not None:  # a WebSocket begins as any other connection
            wanted[url.replace("ws", "http", 1) if url.startswith("ws") else url] = True
    told = await asyncio.gather(*(_look(asked, url, used) for url, used in wanted.items()))
    for findings in told:
        for one in findings:
            yield one


async def _look(asked: Asked, url: str, is_used: bool) -> list[Finding]:
    direct = await probe_direct(url, asked.network, timeout_s=asked.timeout_s)
    facts = {"host": direct.host, "port": direct.port}
    way = asked.network.way_to("https" if url.startswith("https") else "http", direct.host)
    if isinstance(way, ConfigurationError):
        return [found("proxy_setting", **facts, key=way.key, problem=_sentences(way))]
    if way is None:
        return [_direct(direct, is_used)]
    failed = await probe_proxied(url, asked.network, timeout_s=asked.timeout_s)
    proxy = {**facts, "key": way.key, "value": way.shown}
    if failed is None:
        only = [found("only_proxy", **proxy)] if direct.failed else []
        return [found("proxy_good", **proxy), *only]
    if direct.failed is None:
        return [found("proxy_in_the_way", **proxy)]
    return [
        found("proxy_unusable", **proxy) if isinstance(failed, Proxy) else _direct(direct, True)
    ]


def _direct(route: Route, is_used: bool) -> Finding:
    facts = {"host": route.host, "port": route.port, "detail": route.detail or "-"}
    if route.failed is None:
        return found("route_good", **facts, ms=f"{1000 * route.took_s:.0f}")
    return found(_IDS[route.failed] if is_used else "other_region", **facts)


def _sentences(error: ConfigurationError) -> dict[str, str]:
    return {"zh": error.sentence("zh"), "en": error.sentence("en")}

"""Keys, balances, packages and models, asked for by free calls only: GETs of the accounts."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from core.errors import AppError, NotFoundError, ProviderError
from core.models.accounts import KlingApiKey, KlingKeyPair
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.wire import RETIRED_MODELS, Balance
from core.providers.http.exchanges import observe
from core.providers.http.kept_exchange import KeptExchange
from core.providers.kling.client import Kling
from core.providers.kling.wire import AccountCosts
from core.settings import ChatSettings, KlingSettings
from core.work.checkup.asked import Asked
from core.work.checkup.finding import Finding, found
from core.work.checkup.keys import kling_credentials, other_readings
from core.work.xray.reading import clock_skew_s

SKEW_MOST_S = 30.0  # Kling's tokens are signed 5 s into the past; the header tells whole seconds
_GONE = frozenset({"expired", "runOut"})
_SILENT = ("error.network_timeout", "error.network_lost")
# Nothing was sent: what stands in the way, the routes tell.
_NO_ROUTE = frozenset(
    {
        *("error.network_connect", "error.network_proxy"),
        *("error.configuration_proxy", "error.configuration_certificates"),
    }
)

CHAT_REFUSALS: Mapping[str, str] = {
    "error.deepseek_key": "chat_key_refused",
    "error.deepseek_balance": "chat_no_money",
    "error.deepseek_not_allowed": "chat_not_allowed",
    "error.deepseek_rate": "chat_busy",
    "error.chat_fault": "chat_down",
    "error.chat_overloaded": "chat_down",
    "error.chat_gateway": "chat_down",
    "error.chat_address": "chat_not_api",
    "error.chat_web_page": "chat_not_api",
    "error.chat_unreadable": "chat_not_api",
    "error.models_not_offered": "chat_not_api",
}
KLING_REFUSALS: Mapping[str, str] = {
    "error.kling_key": "kling_key_refused",
    "error.kling_key_malformed": "kling_key_refused",
    "error.kling_account": "kling_account",
    "error.kling_arrears": "kling_arrears",
    "error.kling_package": "kling_package_over",
    "error.kling_no_right": "kling_no_right",
    "error.kling_address_list": "kling_address_list",
    "error.kling_rate": "kling_busy",
    "error.kling_slots": "kling_busy",
    "error.kling_fault": "kling_down",
    "error.kling_maintenance": "kling_down",
    "error.kling_gateway": "kling_down",
    "error.kling_unclear": "kling_not_api",
    "error.kling_incomplete": "kling_not_api",
}


async def look_at_chat(asked: Asked) -> AsyncIterator[Finding]:
    """Yield what the chat server's free calls tell."""
    settings = asked.settings.chat
    if settings is None:
        return
    if settings.api_key is None:
        yield found("chat_practice")
        return
    client = DeepSeek(
        url=settings.url, api_key=settings.api_key.reveal(), network=asked.settings.network
    )
    host = ChatEndpoint(settings.url).host
    try:
        with _clock(host) as clock:
            for one in await _chat(client, settings, asked):
                yield one
        for one in clock:
            yield one
    finally:
        await client.aclose()


async def look_at_kling(asked: Asked) -> AsyncIterator[Finding]:
    """Yield what Kling's free calls tell, and what refused keys were meant as."""
    settings = asked.settings.kling
    credentials = kling_credentials(settings) if settings is not None else None
    if settings is None:
        return
    if credentials is None:
        yield found("kling_practice")
        return
    with _clock(_host(settings.origin)) as clock:
        told = await _costs(asked, settings.origin, credentials)
        if isinstance(told, AppError):
            if told.text_id not in _NO_ROUTE:
                yield await _refused(asked, settings, credentials, told)
        else:
            yield found("kling_key_good", host=_host(settings.origin))
            yield _packs(told)
    for one in clock:
        yield one


async def _chat(client: DeepSeek, settings: ChatSettings, asked: Asked) -> list[Finding]:
    host = ChatEndpoint(settings.url).host
    try:
        async with asyncio.timeout(asked.timeout_s):
            models = [one.id for one in await client.list_models()]
    except (AppError, TimeoutError) as error:
        return _chat_refusal(error, host)
    findings = [found("chat_key_good", host=host), _model(settings, models, host)]
    try:
        async with asyncio.timeout(asked.timeout_s):
            findings.append(_balance(await client.balance(), host))
    except NotFoundError:
        findings.append(found("balance_not_told", host=host))
    except (AppError, TimeoutError) as error:
        findings += _chat_refusal(error, host)
    return findings


def _model(settings: ChatSettings, models: list[str], host: str) -> Finding:
    facts = {"model": settings.model, "host": host, "offered": ", ".join(models[:12])}
    if not models:
        return found("models_not_told", **facts)
    if settings.model in models:
        return found("model_good", **facts)
    is_retired = settings.model in RETIRED_MODELS
    return found("model_retired" if is_retired else "model_gone", **facts)


def _balance(balance: Balance, host: str) -> Finding:
    total = ", ".join(f"{one.total} {one.currency}" for one in balance.currencies) or "-"
    return found("chat_balance_good" if balance.is_available else "chat_no_money", total=total)


def _chat_refusal(error: AppError | TimeoutError, host: str) -> list[Finding]:
    if isinstance(error, TimeoutError) or error.text_id in _SILENT:
        return [found("chat_silent", host=host)]
    if error.text_id in _NO_ROUTE:
        return []
    return [_refusal(CHAT_REFUSALS.get(error.text_id, "chat_refused"), error, host)]


async def _costs(
    asked: Asked, origin: str, credentials: KlingApiKey | KlingKeyPair
) -> AccountCosts | AppError:
    kling = Kling(origin=origin, credentials=credentials, network=asked.settings.network)
    now = kling.now() or datetime.now(UTC)
    try:
        async with asyncio.timeout(asked.timeout_s):
            return await kling.account.costs(start=now - timedelta(days=30), end=now)
    except TimeoutError:
        return AppError(_SILENT[0])
    except AppError as error:
        return error
    finally:
        await kling.aclose()


async def _refused(
    asked: Asked,
    settings: KlingSettings,
    credentials: KlingApiKey | KlingKeyPair,
    error: AppError,
) -> Finding:
    """Return why Kling refused: other readings of the same keys are tried, each with a free GET."""
    host = _host(settings.origin)
    if error.text_id in _SILENT:
        return found("kling_silent", host=host)
    id = KLING_REFUSALS.get(error.text_id, "kling_refused")
    if id != "kling_key_refused":
        return _refusal(id, error, host)
    for region, origin in asked.regions.items():
        if origin != settings.origin and await _is_taken(asked, origin, credentials):
            return found("kling_wrong_region", host=host, right=_host(origin), region=region)
    for meant, reading in other_readings(credentials):
        if await _is_taken(asked, settings.origin, reading):
            return found(meant, host=host)
    return _refusal(id, error, host)


async def _is_taken(asked: Asked, origin: str, credentials: KlingApiKey | KlingKeyPair) -> bool:
    await asyncio.sleep(asked.pause_s)
    return not isinstance(await _costs(asked, origin, credentials), AppError)


def _refusal(id: str, error: AppError, host: str) -> Finding:
    is_told = isinstance(error, ProviderError)
    code = (error.code or error.status_code or "-") if isinstance(error, ProviderError) else "-"
    return found(
        id, host=host, code=code, total=code, said=error.detail if is_told and error.detail else "-"
    )


def _packs(costs: AccountCosts) -> Finding:
    if not costs.packs:
        return found("kling_packs_none")
    names = ", ".join(f"{one.name} ({one.status})" for one in costs.packs[:6])
    if all(one.status in _GONE for one in costs.packs):
        return found("kling_packs_over", names=names)
    return found("kling_packs_good", names=names)


@contextmanager
def _clock(host: str) -> Iterator[list[Finding]]:
    """Yield a list that holds, at the end, how our clock stood against the replies' `Date`."""
    findings: list[Finding] = []
    seen: list[float] = []

    def note(kept: KeptExchange) -> None:
        head = kept.head()
        if f"//{host}/" in head.url and (skew := clock_skew_s(head)) is not None:
            seen.append(skew)

    remove = observe(note)
    try:
        yield findings
    finally:
        remove()
    if not seen:
        return
    skew = min(seen, key=abs)
    if abs(skew) <= SKEW_MOST_S:
        findings.append(found("clock_good", host=host))
    else:
        which = "clock_behind" if skew > 0 else "clock_ahead"
        findings.append(found(which, host=host, seconds=f"{abs(skew):.0f}"))


def _host(origin: str) -> str:
    return origin.partition("://")[2]

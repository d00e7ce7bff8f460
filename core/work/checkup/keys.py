"""Pure: what the shape of a key tells before anything is sent."""

import re
from collections.abc import Iterator

from core.models.accounts import KlingApiKey, KlingKeyPair
from core.providers.deepseek.endpoint import ChatEndpoint
from core.settings import KlingSettings, Settings
from core.work.checkup.finding import Finding, found

_PAIR_IN_ONE = re.compile(r"[A-Za-z0-9]{16,64}[:;,|/][A-Za-z0-9]{16,64}")
_CHAT_KEY = re.compile(r"sk-[A-Za-z0-9_-]{16,}")


def look_at_shapes(settings: Settings) -> Iterator[Finding]:
    """Yield what is certain, or odd, about keys by their looks alone."""
    for problem in settings.problems:
        sentences = {"zh": problem.sentence("zh"), "en": problem.sentence("en")}
        yield found("setting", key=problem.key, problem=sentences)
    chat = settings.chat.api_key.reveal() if settings.chat and settings.chat.api_key else ""
    klings = kling_values(settings.kling)
    if chat and chat in klings:
        looks_chat = _CHAT_KEY.fullmatch(chat) is not None
        yield found("kling_key_is_chats" if looks_chat else "chat_key_is_klings")
        return
    is_deepseek = settings.chat is not None and ChatEndpoint(settings.chat.url).is_deepseek
    if chat and is_deepseek and not _CHAT_KEY.fullmatch(chat):
        yield found("chat_key_odd")
    if any(_CHAT_KEY.fullmatch(one) for one in klings):
        yield found("kling_key_is_chats")
    api_key = settings.kling.api_key if settings.kling else None
    if api_key is not None and _PAIR_IN_ONE.fullmatch(api_key.reveal()):
        yield found("kling_pair_as_api_key")


def kling_values(settings: KlingSettings | None) -> tuple[str, ...]:
    """Return every key that is set for Kling."""
    if settings is None:
        return ()
    secrets = (settings.api_key, settings.access_key, settings.secret_key)
    return tuple(one.reveal() for one in secrets if one is not None)


def kling_credentials(settings: KlingSettings) -> KlingApiKey | KlingKeyPair | None:
    """Return what Kling is asked with: the plain key before the pair."""
    if settings.api_key is not None:
        return KlingApiKey(settings.api_key.reveal())
    if settings.access_key is None or settings.secret_key is None:
        return None
    return KlingKeyPair(settings.access_key.reveal(), settings.secret_key.reveal())


def other_readings(
    credentials: KlingApiKey | KlingKeyPair,
) -> Iterator[tuple[str, KlingApiKey | KlingKeyPair]]:
    """Yield what refused credentials may have been meant as, with the finding if they are."""
    if isinstance(credentials, KlingKeyPair):
        swapped = KlingKeyPair(credentials.secret_key, credentials.access_key)
        yield "kling_pair_swapped", swapped
        yield "kling_api_key_as_pair", KlingApiKey(credentials.secret_key)
        yield "kling_api_key_as_pair", KlingApiKey(credentials.access_key)

"""Everything configured, as frozen values; keys do not show themselves."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import ConfigurationError
from core.models.access_scopes import AccessScopes
from core.settings.defaults import (
    DEFAULT_CHAT_MODEL,
    DEFAULT_CHAT_URL,
    DEFAULT_KLING_ORIGIN,
    DEFAULT_SOURCE,
)
from core.settings.money import MoneySettings
from core.settings.operations import BackupSettings, OperationsSettings
from core.settings.outside.network import Network
from core.settings.secret import Secret


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Where chat goes. `api_key` is None in practice mode."""

    url: str = DEFAULT_CHAT_URL
    api_key: Secret | None = None
    model: str = DEFAULT_CHAT_MODEL
    socket_silence_s: float | None = None
    data_silence_s: float | None = None


@dataclass(frozen=True, slots=True)
class KlingSettings:
    """Where pictures come from: a plain key, or an AccessKey pair; all None in practice mode."""

    origin: str = DEFAULT_KLING_ORIGIN
    api_key: Secret | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None

    @property
    def has_credentials(self) -> bool:
        """Whether there is a key of either kind."""
        return self.api_key is not None or self.access_key is not None


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """Who reads aloud and who writes down: servers beside Kling; None where none is set."""

    url: str | None = (
        None  # of OpenAI's shape, or Qwen's realtime voice where it is ws:// or wss://
    )
    api_key: Secret | None = None
    model: str | None = None  # None: the usual one of the shape
    voice: str | None = None
    transcribe_url: str | None = None
    transcribe_key: Secret | None = None
    transcribe_model: str | None = None


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may spend from elsewhere (`[access]` in secrets, `INKLING_TOKENS`)."""

    open: bool = False
    users: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    behind_proxy: bool = False
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    user_header: str | None = None  # in small letters
    tokens: Mapping[str, Secret] = field(default_factory=dict)
    # By a token's name what its bearer may do; one that is not here may do all, on pages too.
    token_scopes: Mapping[str, AccessScopes] = field(default_factory=dict)

    @property
    def page_tokens(self) -> dict[str, Secret]:
        """The tokens that open the pages too: those that may do all."""
        return {name: token for name, token in self.tokens.items() if name not in self.token_scopes}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configured. `chat` or `kling` is None when its configuration cannot be used."""

    data_dir: Path
    data_dir_source: str = DEFAULT_SOURCE
    chat: ChatSettings | None = ChatSettings()
    kling: KlingSettings | None = KlingSettings()
    speech: SpeechSettings = SpeechSettings()
    database_url: Secret | None = None
    archive_url: str | None = None
    access: AccessSettings = AccessSettings()
    money: MoneySettings = field(default_factory=MoneySettings)
    sign_in: Secret | None = None  # `[auth]` as it stands, which Streamlit reads at its start
    network: Network | None = None  # None: as this process's environment says
    practice_clock: datetime | None = None  # when practice's clock starts; None: now
    xray: bool = True  # exchanges with providers are kept to be looked at
    operations: OperationsSettings = field(default_factory=OperationsSettings)
    problems: tuple[ConfigurationError, ...] = ()

    @property
    def backup(self) -> BackupSettings:
        """Where backups are made by themselves, and how many are kept."""
        return self.operations.backup

    def problems_of(self, *keys: str) -> tuple[ConfigurationError, ...]:
        """Return the problems whose setting is one of `keys`."""
        return tuple(problem for problem in self.problems if problem.key in keys)

    @property
    def chat_barrier(self) -> ConfigurationError | None:
        """Return what stands in the network's way to live chat: its proxy, its certificates."""
        if self.chat is None or self.chat.api_key is None or self.network is None:
            return None
        return self.network.problem_of(self.chat.url)

    @property
    def kling_barrier(self) -> ConfigurationError | None:
        """Return what stands in the network's way to live pictures."""
        if self.kling is None or not self.kling.has_credentials or self.network is None:
            return None
        return self.network.problem_of(self.kling.origin)


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return every key, token and password of the settings, to be masked wherever they appear."""
    held = [settings.database_url, *settings.access.tokens.values()]
    held.append(settings.operations.metrics_token)
    if settings.chat is not None:
        held.append(settings.chat.api_key)
    if (kling := settings.kling) is not None:
        held += [kling.api_key, kling.access_key, kling.secret_key]
    held += [settings.speech.api_key, settings.speech.transcribe_key]
    found = [secret.reveal().strip() for secret in held if secret is not None]
    places = [settings.archive_url or "", settings.backup.place or ""]
    for address in (*found, *places, settings.chat.url if settings.chat else ""):
        with suppress(ValueError):
            if password := urlsplit(address).password:
                found += [password, unquote(password)]
    return tuple(found)

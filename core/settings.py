"""The only reader of configuration: turns mappings into Settings, and hides keys in repr.

Sources in order of strength: the process environment, `.streamlit/secrets.toml`, `.env.local`,
`.env`. The first source that names a setting (under any of its names) wins; a blank value counts
as not set. What cannot be used becomes a ConfigurationError in `Settings.problems`, never an
exception: the rest of the app still runs.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from core.errors import ConfigurationError

ENVIRONMENT = "the environment"
SECRETS_FILE = ".streamlit/secrets.toml"
DOTENV_FILES = (".env.local", ".env")

DEFAULT_CHAT_URL = "https://api.deepseek.com/chat/completions"
DEFAULT_CHAT_MODEL = "deepseek-flash"
DEFAULT_KLING_ORIGIN = "https://api-beijing.klingai.com"

# Switched off on 2026-07-24 (api-docs.deepseek.com/news/news260424).
RETIRED_CHAT_MODELS = frozenset({"deepseek-chat", "deepseek-reasoner", "deepseek-coder"})

# Pasted along with keys from web pages: no-break space, zero-width marks, byte order mark.
_STRAY = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"

_Value = TypeVar("_Value")


class Secret:
    """A key that does not show itself; `reveal()` is called only where it is sent."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


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
        return self.api_key is not None or self.access_key is not None


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may spend from elsewhere (`[access]` in secrets, `INKLING_TOKENS`)."""

    open: bool = False
    users: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    tokens: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configured. `chat` or `kling` is None when its configuration cannot be used."""

    data_dir: Path
    chat: ChatSettings | None = ChatSettings()
    kling: KlingSettings | None = KlingSettings()
    database_url: Secret | None = None
    archive_url: str | None = None
    access: AccessSettings = AccessSettings()
    problems: tuple[ConfigurationError, ...] = ()

    def problems_of(self, *keys: str) -> tuple[ConfigurationError, ...]:
        """Return the problems whose setting is one of `keys`."""
        return tuple(problem for problem in self.problems if problem.key in keys)


CHAT_KEYS = ("DEEPSEEK_API_KEY", "VITE_DEEPSEEK_API_KEY")
ACCESS_KEY_KEYS = ("ACCESS_KEY_ID", "KLING_ACCESS_KEY_ID", "KLING_ACCESS_KEY")
SECRET_KEY_KEYS = ("ACCESS_KEY_SECRET", "KLING_ACCESS_KEY_SECRET", "KLING_SECRET_KEY")

# What each provider's client is built from: a problem with one of these leaves it unusable.
CHAT_SETTINGS = (
    *CHAT_KEYS,
    "DEEPSEEK_API_URL",
    "DEEPSEEK_MODEL",
    "INKLING_SOCKET_SILENCE_S",
    "INKLING_ANSWER_SILENCE_S",
)
KLING_SETTINGS = ("KLING_API_KEY", *ACCESS_KEY_KEYS, *SECRET_KEY_KEYS, "KLING_API_ORIGIN")


def read_settings(
    *, root: Path, environment: Mapping[str, str], secrets: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings of the app whose folder is `root`.

    `secrets` is what st.secrets holds; None makes this read `.streamlit/secrets.toml` itself.
    """
    problems: list[ConfigurationError] = []
    if secrets is None:
        secrets = _toml_file(root / SECRETS_FILE, problems)
    reader = _Reader(_sources(root, environment, secrets, problems), problems)

    chat_url = reader.read(("DEEPSEEK_API_URL",), _web_url) or DEFAULT_CHAT_URL
    chat: ChatSettings | None = ChatSettings(
        url=chat_url,
        api_key=reader.read(CHAT_KEYS, _key),
        model=reader.read(("DEEPSEEK_MODEL",), _model_at(chat_url)) or DEFAULT_CHAT_MODEL,
        socket_silence_s=reader.read(("INKLING_SOCKET_SILENCE_S",), _seconds),
        data_silence_s=reader.read(("INKLING_ANSWER_SILENCE_S",), _seconds),
    )
    if any(problem.key in CHAT_SETTINGS for problem in problems):
        chat = None

    kling: KlingSettings | None = _kling(reader, problems)
    if any(problem.key in KLING_SETTINGS for problem in problems):
        kling = None

    return Settings(
        data_dir=_data_dir(reader, root),
        chat=chat,
        kling=kling,
        database_url=_database_url(reader, secrets, problems),
        archive_url=reader.read(("INKLING_ARCHIVE_URL",), _text),
        access=_access(reader, secrets, problems),
        problems=tuple(problems),
    )


def _kling(reader: "_Reader", problems: list[ConfigurationError]) -> KlingSettings:
    api_key = reader.read(("KLING_API_KEY",), _key)
    access_key = reader.read(ACCESS_KEY_KEYS, _key)
    secret_key = reader.read(SECRET_KEY_KEYS, _key)
    if api_key is None and (access_key is None) != (secret_key is None):
        present, missing = (
            (ACCESS_KEY_KEYS, SECRET_KEY_KEYS) if access_key else (SECRET_KEY_KEYS, ACCESS_KEY_KEYS)
        )
        if not any(problem.key in missing for problem in problems):
            problems.append(
                ConfigurationError(
                    missing[0],
                    reader.source_of(present),
                    f"it is missing, and {present[0]} is of no use without it",
                    text_id="error.configuration_pair",
                    facts={"present": present[0]},
                )
            )
    return KlingSettings(
        origin=reader.read(("KLING_API_ORIGIN",), _origin) or DEFAULT_KLING_ORIGIN,
        api_key=api_key,
        access_key=None if api_key else access_key,
        secret_key=None if api_key else secret_key,
    )


def _data_dir(reader: "_Reader", root: Path) -> Path:
    value = reader.read(("INKLING_DATA_DIR",), _text)
    return (root / (Path(value).expanduser() if value else "data")).absolute()


def _database_url(
    reader: "_Reader", secrets: Mapping[str, Any], problems: list[ConfigurationError]
) -> Secret | None:
    value = reader.read(("DATABASE_URL",), _database)
    if value is not None:
        return value
    connections = secrets.get("connections")
    section = connections.get("inkling") if isinstance(connections, Mapping) else None
    if not isinstance(section, Mapping) or not section.get("url"):
        return None
    return _parsed("[connections.inkling] url", SECRETS_FILE, section["url"], _database, problems)


def _access(
    reader: "_Reader", secrets: Mapping[str, Any], problems: list[ConfigurationError]
) -> AccessSettings:
    section = secrets.get("access", {})
    if not isinstance(section, Mapping):
        problems.append(_problem("[access]", SECRETS_FILE, "a section", "access_section"))
        section = {}
    found: dict[str, tuple[str, ...]] = {}
    for name in ("users", "origins", "hosts"):
        value = section.get(name, [])
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            found[name] = tuple(item.strip(_STRAY).lower() for item in value if item.strip(_STRAY))
        else:
            problems.append(
                _problem(f"[access] {name}", SECRETS_FILE, 'a list such as ["…", "…"]', "list")
            )
    is_open = section.get("open", False)
    if not isinstance(is_open, bool):
        problems.append(_problem("[access] open", SECRETS_FILE, "true or false", "bool"))
        is_open = False
    return AccessSettings(
        open=is_open,
        users=found.get("users", ()),
        origins=found.get("origins", ()),
        hosts=found.get("hosts", ()),
        tokens=reader.read(("INKLING_TOKENS",), _tokens) or {},
    )


# -- sources ---------------------------------------------------------------------------------------


def _sources(
    root: Path,
    environment: Mapping[str, str],
    secrets: Mapping[str, Any],
    problems: list[ConfigurationError],
) -> list[tuple[str, Mapping[str, Any]]]:
    # Streamlit copies top-level secrets into os.environ; those are the file's still.
    own = {
        name: value
        for name, value in environment.items()
        if name not in secrets or str(secrets[name]) != value
    }
    sources: list[tuple[str, Mapping[str, Any]]] = [(ENVIRONMENT, own), (SECRETS_FILE, secrets)]
    for name in DOTENV_FILES:
        try:
            sources.append((name, dotenv_values(root / name, interpolate=False)))
        except (OSError, UnicodeDecodeError):
            problems.append(_problem(name, name, "a readable UTF-8 text file", "text_file"))
    return sources


def _toml_file(path: Path, problems: list[ConfigurationError]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        problems.append(
            _problem(SECRETS_FILE, SECRETS_FILE, "a readable UTF-8 text file", "text_file")
        )
    except tomllib.TOMLDecodeError as error:
        # tomllib's message may quote a character of the file, and that may belong to a key.
        line = getattr(error, "lineno", None) or _line_in(str(error))
        problems.append(
            ConfigurationError(
                SECRETS_FILE,
                SECRETS_FILE,
                f'valid TOML, values in quotes: NAME = "value" (see line {line})',
                text_id="error.configuration_toml",
                facts={"line": line},
            )
        )
    return {}


def _line_in(message: str) -> str:
    return message.rpartition("at line ")[2].partition(",")[0] if "at line " in message else "?"


class _Reader:
    """Looks a setting up through the sources and parses it once."""

    def __init__(
        self, sources: list[tuple[str, Mapping[str, Any]]], problems: list[ConfigurationError]
    ) -> None:
        self._sources = sources
        self._problems = problems

    def read(self, names: Iterable[str], parse: Callable[[str], _Value]) -> _Value | None:
        """Return the first value set under one of `names`, parsed; None when absent or unusable."""
        found = self._find(tuple(names))
        if found is None:
            return None
        name, source, value = found
        return _parsed(name, source, value, parse, self._problems)

    def source_of(self, names: Iterable[str]) -> str:
        """Say where the value of `names` came from."""
        found = self._find(tuple(names))
        return found[1] if found else ENVIRONMENT

    def _find(self, names: tuple[str, ...]) -> tuple[str, str, Any] | None:
        for source, values in self._sources:
            for name in names:
                value = values.get(name)
                if value is None or (isinstance(value, str) and not _strip(value)):
                    continue
                return name, source, value
        return None


def _parsed(
    name: str,
    source: str,
    value: Any,
    parse: Callable[[str], _Value],
    problems: list[ConfigurationError],
) -> _Value | None:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _UnusableError("text", 'text in quotes, such as NAME = "value"')
        return parse(_strip(str(value)))
    except _UnusableError as error:
        problems.append(_problem(name, source, error.expected, error.kind))
        return None


# -- values ----------------------------------------------------------------------------------------


class _UnusableError(Exception):
    def __init__(self, kind: str, expected: str) -> None:
        super().__init__(expected)
        self.kind = kind
        self.expected = expected


def _problem(key: str, source: str, expected: str, kind: str) -> ConfigurationError:
    return ConfigurationError(
        key, source, f"expected {expected}", text_id=f"error.configuration_{kind}"
    )


def _strip(value: str) -> str:
    value = value.strip(_STRAY)
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip(_STRAY)
    return value


def _text(value: str) -> str:
    return value


def _key(value: str) -> Secret:
    # A key goes into an HTTP header: visible ASCII only, and no "Bearer " pasted in front of it.
    value = value.removeprefix("Bearer ").strip(_STRAY)
    if not value or not all("!" <= character <= "~" for character in value):
        raise _UnusableError(
            "key", "one word of letters, digits and signs, as the provider shows it"
        )
    return Secret(value)


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not port_is_fine
        or parts.username is not None
        or any(character.isspace() for character in value)
    ):
        raise _UnusableError("url", "a URL such as https://host/path")
    return value


def _web_url(value: str) -> str:
    return _url(value).rstrip("/")


def _origin(value: str) -> str:
    parts = urlsplit(_url(value))
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise _UnusableError(
            "origin", "only scheme and host, such as https://api-beijing.klingai.com"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _model_at(url: str) -> Callable[[str], str]:
    # Other servers may call their models as they like.
    is_deepseek = (urlsplit(url).hostname or "").endswith("deepseek.com")

    def parse(value: str) -> str:
        if is_deepseek and value in RETIRED_CHAT_MODELS:
            raise _UnusableError(
                "retired_model",
                f"a current model such as {DEFAULT_CHAT_MODEL} "
                "(DeepSeek switched the old names off in July 2026)",
            )
        return value

    return parse


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 86_400:
        raise _UnusableError("seconds", "a number of seconds between 0 and 86400")
    return seconds


def _database(value: str) -> Secret:
    if not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://", "sqlite://")):
        raise _UnusableError("database", "a URL such as postgresql://user:password@host/database")
    return Secret(value)


def _tokens(value: str) -> dict[str, Secret]:
    tokens: dict[str, Secret] = {}
    for entry in filter(None, (part.strip(_STRAY) for part in value.split(","))):
        name, separator, token = (part.strip(_STRAY) for part in entry.partition(":"))
        if not separator or not name or len(token) < 16 or name in tokens or not token.isascii():
            raise _UnusableError(
                "tokens",
                "name:token, name:token … with different names and tokens of 16+ characters",
            )
        tokens[name] = Secret(token)
    return tokens

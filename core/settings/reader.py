"""Turns the sources into Settings, section by section."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError
from core.settings import parsers, table
from core.settings.defaults import (
    DEFAULT_CHAT_MODEL,
    DEFAULT_CHAT_URL,
    DEFAULT_KLING_ORIGIN,
    DEFAULT_SOURCE,
)
from core.settings.money import read_money
from core.settings.operations import read_operations
from core.settings.outside.network import read_network
from core.settings.secret import Secret
from core.settings.sources import ENVIRONMENT, SECRETS_FILE, Sources
from core.settings.table import (
    CHAT_SETTINGS,
    KLING_SETTINGS,
    SPEECH_SETTINGS,
    TRANSCRIBE_SETTINGS,
)
from core.settings.values import (
    AccessSettings,
    ChatSettings,
    KlingSettings,
    Settings,
    SpeechSettings,
)


def read_settings(
    *,
    root: Path,
    environment: Mapping[str, str],
    secrets: Mapping[str, Any] | None = None,
    secrets_files: Sequence[Path] | None = None,
) -> Settings:
    """Read the settings of the app whose folder is `root`.

    `secrets` is what st.secrets holds; None makes this read `secrets_files` itself, by default
    `.streamlit/secrets.toml`; of several the later ones win.
    """
    sources = Sources(root, environment, secrets, files=secrets_files, names=table.NAMES)
    chat, kling, speech = _chat(sources), _kling(sources), _speech(sources)
    network = read_network(sources.find)
    money = read_money(sources)
    troubled = {problem.key for problem in sources.problems}
    return Settings(
        chat=None if troubled.intersection(CHAT_SETTINGS) else chat,
        kling=None if troubled.intersection(KLING_SETTINGS) else kling,
        speech=speech,
        data_dir=_data_dir(sources, root),
        data_dir_source=sources.source_of(table.DATA_DIR) or DEFAULT_SOURCE,
        database_url=_database_url(sources),
        archive_url=sources.read(table.ARCHIVE_URL),
        access=_access(sources),
        sign_in=_sign_in(sources),
        network=network,
        practice_clock=sources.read(table.PRACTICE_CLOCK),
        money=money,
        xray=sources.read(table.XRAY) is not False,
        operations=read_operations(sources),
        problems=(*sources.problems, *network.problems),
    )


def read_secrets(*, root: Path, files: Sequence[Path]) -> Mapping[str, Any]:
    """Return what the files of secrets hold, as far as they can be read; the later ones win."""
    return Sources(root, {}, None, files=files).secrets


def _chat(sources: Sources) -> ChatSettings:
    url = sources.read(table.CHAT_URL) or DEFAULT_CHAT_URL
    return ChatSettings(
        url=url,
        api_key=sources.read(table.CHAT_KEY),
        model=sources.read(table.CHAT_MODEL, parsers.model_at(url)) or DEFAULT_CHAT_MODEL,
        socket_silence_s=sources.read(table.SOCKET_SILENCE),
        data_silence_s=sources.read(table.ANSWER_SILENCE),
    )


def _kling(sources: Sources) -> KlingSettings:
    api_key = sources.read(table.KLING_KEY)
    access_key = sources.read(table.ACCESS_KEY)
    secret_key = sources.read(table.SECRET_KEY)
    if api_key is None and (access_key is None) != (secret_key is None):
        pair = (table.ACCESS_KEY, table.SECRET_KEY)
        present, missing = pair if access_key else reversed(pair)
        if not any(problem.key in missing.names for problem in sources.problems):
            sources.problems.append(
                ConfigurationError(
                    missing.name,
                    sources.source_of(present) or ENVIRONMENT,
                    "error.configuration_pair",
                    facts={"present": present.name},
                )
            )
    return KlingSettings(
        origin=sources.read(table.KLING_ORIGIN) or DEFAULT_KLING_ORIGIN,
        api_key=api_key,
        access_key=None if api_key else access_key,
        secret_key=None if api_key else secret_key,
    )


def _speech(sources: Sources) -> SpeechSettings:
    """Return who speaks and writes down; a key that cannot be used leaves its server out."""
    url = sources.read(table.SPEECH_URL)
    transcribe_url = sources.read(table.TRANSCRIBE_URL)
    speech = SpeechSettings(
        url=url,
        api_key=sources.read(table.SPEECH_KEY),
        model=sources.read(table.SPEECH_MODEL),
        voice=sources.read(table.SPEECH_VOICE),
        transcribe_url=transcribe_url,
        transcribe_key=sources.read(table.TRANSCRIBE_KEY),
        transcribe_model=sources.read(table.TRANSCRIBE_MODEL),
    )
    troubled = {problem.key for problem in sources.problems}
    if troubled.intersection(SPEECH_SETTINGS):
        speech = replace(speech, url=None)
    if troubled.intersection(TRANSCRIBE_SETTINGS):
        speech = replace(speech, transcribe_url=None)
    return speech


def _data_dir(sources: Sources, root: Path) -> Path:
    value = sources.read(table.DATA_DIR)
    return (root / (Path(value).expanduser() if value else "data")).absolute()


def _database_url(sources: Sources) -> Secret | None:
    value = sources.read(table.DATABASE_URL)
    if value is not None:
        return value
    connections = sources.secrets.get("connections")
    section = connections.get("inkling") if isinstance(connections, Mapping) else None
    if not isinstance(section, Mapping) or not section.get("url"):
        return None
    return sources.parsed(
        "[connections.inkling] url", SECRETS_FILE, section["url"], parsers.database
    )


def _sign_in(sources: Sources) -> Secret | None:
    section = sources.secrets.get("auth")
    return Secret(repr(section)) if isinstance(section, Mapping) else None


def _access(sources: Sources) -> AccessSettings:
    section = sources.secrets.get("access", {})
    if not isinstance(section, Mapping):
        sources.refuse("[access]", SECRETS_FILE, "access_section")
        section = {}
    lists = {name: _access_list(sources, section, name) for name in ("users", "origins", "hosts")}
    is_outside = _report_outside(sources)
    tokens = sources.read(table.TOKENS) or parsers.Tokens()
    # Said in a way that cannot be read, it may well be that a proxy is there: nobody is "here".
    return AccessSettings(
        **lists,
        open=_access_flag(sources, section, "open", unusable=False),
        behind_proxy=_access_flag(sources, section, "behind_proxy", unusable=True)
        or is_outside
        or sources.may_be_behind_proxy,
        proxies=_proxies(sources, section),
        user_header=_user_header(sources, section),
        tokens=tokens.tokens,
        token_scopes=tokens.scopes,
    )


def _report_outside(sources: Sources) -> bool:
    """Report `behind_proxy` that stands outside [access]; True when it asks for caution."""
    if "behind_proxy" not in sources.secrets:
        return False
    sources.problems.append(
        ConfigurationError(
            "behind_proxy",
            SECRETS_FILE,
            "error.configuration_outside",
            facts={"name": "behind_proxy", "section": "access"},
        )
    )
    return sources.secrets["behind_proxy"] is not False


def _access_flag(
    sources: Sources, section: Mapping[str, Any], name: str, *, unusable: bool
) -> bool:
    value = section.get(name, False)
    if isinstance(value, bool):
        return value
    sources.refuse(f"[access] {name}", SECRETS_FILE, "bool")
    return unusable


def _proxies(sources: Sources, section: Mapping[str, Any]) -> tuple[parsers.Network, ...]:
    found: list[parsers.Network] = []
    for entry in _access_list(sources, section, "proxies"):
        network = sources.parsed("[access] proxies", SECRETS_FILE, entry, parsers.network)
        found += [network] if network is not None else []
    return tuple(found)


def _user_header(sources: Sources, section: Mapping[str, Any]) -> str | None:
    value = section.get("user_header")
    if value is None or value == "":
        return None
    return sources.parsed("[access] user_header", SECRETS_FILE, value, parsers.header_name)


def _access_list(sources: Sources, section: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = section.get(name, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        sources.refuse(f"[access] {name}", SECRETS_FILE, "list")
        return ()
    return tuple(filter(None, (item.strip(parsers.STRAY).lower() for item in value)))

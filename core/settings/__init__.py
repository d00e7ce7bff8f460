"""The only reader of configuration: turns mappings into Settings, and hides keys in repr.

Sources in order of strength: the process environment, `.streamlit/secrets.toml`, `.env.local`,
`.env`. The first source that names a setting (under any of its names) wins; a blank value counts
as not set. What cannot be used becomes a ConfigurationError in `Settings.problems`, never an
exception: the rest of the app still runs.
"""

from core.settings.defaults import DEFAULT_CHAT_MODEL
from core.settings.reader import (
    ACCESS_KEY_KEYS,
    CHAT_KEYS,
    CHAT_SETTINGS,
    KLING_SETTINGS,
    SECRET_KEY_KEYS,
    SPEECH_SETTINGS,
    TRANSCRIBE_SETTINGS,
    read_secrets,
    read_settings,
)
from core.settings.secret import Secret
from core.settings.values import (
    AccessSettings,
    ChatSettings,
    KlingSettings,
    Settings,
    SpeechSettings,
)

__all__ = [
    "ACCESS_KEY_KEYS",
    "CHAT_KEYS",
    "CHAT_SETTINGS",
    "DEFAULT_CHAT_MODEL",
    "KLING_SETTINGS",
    "SECRET_KEY_KEYS",
    "SPEECH_SETTINGS",
    "TRANSCRIBE_SETTINGS",
    "AccessSettings",
    "ChatSettings",
    "KlingSettings",
    "Secret",
    "Settings",
    "SpeechSettings",
    "read_secrets",
    "read_settings",
]

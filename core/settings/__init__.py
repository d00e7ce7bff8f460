"""The only reader of configuration: turns mappings into Settings, and hides keys in repr.

Sources in order of strength: the process environment, `.streamlit/secrets.toml`, `.env.local`,
`.env`. The first source that names a setting (under any of its names) wins; a blank value counts
as not set. What cannot be used becomes a ConfigurationError in `Settings.problems`, never an
exception: the rest of the app still runs.
"""

from core.settings.defaults import DEFAULT_CHAT_MODEL
from core.settings.reader import read_secrets, read_settings
from core.settings.secret import Secret
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

__all__ = [
    "CHAT_SETTINGS",
    "DEFAULT_CHAT_MODEL",
    "KLING_SETTINGS",
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

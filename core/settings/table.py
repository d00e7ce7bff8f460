"""The table of settings (registry): what each is called, and how its text is understood.

Whatever stands above the first [section] is a line here, and known by that to the reader and to
those who look for misspelled and misplaced names. What people are told of each stands in
`docs/settings.toml`, from which the examples and the READMEs' table are written.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.settings import parsers

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Setting(Generic[Value]):
    """One setting; of its names the first one is told, the others are read as well."""

    name: str
    parse: Callable[[str], Value]
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, the strongest first."""
        return (self.name, *self.aliases)


def names_of(settings: Iterable[Setting[Any]]) -> tuple[str, ...]:
    """Return every name of these settings."""
    return tuple(name for setting in settings for name in setting.names)


CHAT_KEY = Setting("DEEPSEEK_API_KEY", parsers.key, ("VITE_DEEPSEEK_API_KEY",))
CHAT_URL = Setting("DEEPSEEK_API_URL", parsers.web_url)
CHAT_MODEL = Setting("DEEPSEEK_MODEL", parsers.text)

KLING_KEY = Setting("KLING_API_KEY", parsers.key)
ACCESS_KEY = Setting("ACCESS_KEY_ID", parsers.key, ("KLING_ACCESS_KEY_ID", "KLING_ACCESS_KEY"))
SECRET_KEY = Setting(
    "ACCESS_KEY_SECRET", parsers.key, ("KLING_ACCESS_KEY_SECRET", "KLING_SECRET_KEY")
)
KLING_ORIGIN = Setting("KLING_API_ORIGIN", parsers.origin)

SPEECH_URL = Setting("SPEECH_API_URL", parsers.speech_url)
SPEECH_KEY = Setting("SPEECH_API_KEY", parsers.key)
SPEECH_MODEL = Setting("SPEECH_MODEL", parsers.text)
SPEECH_VOICE = Setting("SPEECH_VOICE", parsers.text)

TRANSCRIBE_URL = Setting("TRANSCRIBE_API_URL", parsers.web_url)
TRANSCRIBE_KEY = Setting("TRANSCRIBE_API_KEY", parsers.key)
TRANSCRIBE_MODEL = Setting("TRANSCRIBE_MODEL", parsers.text)

DATA_DIR = Setting("INKLING_DATA_DIR", parsers.text)
DATABASE_URL = Setting("DATABASE_URL", parsers.database)
ARCHIVE_URL = Setting("INKLING_ARCHIVE_URL", parsers.text)

BACKUP_TO = Setting("INKLING_BACKUP_TO", parsers.text)
BACKUP_HOURS = Setting("INKLING_BACKUP_HOURS", parsers.count)
BACKUP_KEEP = Setting("INKLING_BACKUP_KEEP", parsers.count)
METRICS_TOKEN = Setting("INKLING_METRICS_TOKEN", parsers.key)
LOG = Setting("INKLING_LOG", parsers.log_form)

TOKENS = Setting("INKLING_TOKENS", parsers.tokens)

# A wrong value of one of these is told, and its default is used.
SOCKET_SILENCE = Setting("INKLING_SOCKET_SILENCE_S", parsers.seconds)
ANSWER_SILENCE = Setting("INKLING_ANSWER_SILENCE_S", parsers.seconds)
XRAY = Setting("INKLING_XRAY", parsers.switch)
PRACTICE_CLOCK = Setting("INKLING_PRACTICE_CLOCK", parsers.moment)

BUDGET_DAY = Setting("INKLING_BUDGET_DAY", parsers.text)
BUDGET_MONTH = Setting("INKLING_BUDGET_MONTH", parsers.text)

SETTINGS: tuple[Setting[Any], ...] = tuple(
    one for one in tuple(globals().values()) if isinstance(one, Setting)
)
NAMES = names_of(SETTINGS)

# What each provider's client is built from: a problem with one of these leaves it unusable.
CHAT_SETTINGS = names_of((CHAT_KEY, CHAT_URL, CHAT_MODEL))
KLING_SETTINGS = names_of((KLING_KEY, ACCESS_KEY, SECRET_KEY, KLING_ORIGIN))
SPEECH_SETTINGS = names_of((SPEECH_URL, SPEECH_KEY, SPEECH_MODEL, SPEECH_VOICE))
TRANSCRIBE_SETTINGS = names_of((TRANSCRIBE_URL, TRANSCRIBE_KEY, TRANSCRIBE_MODEL))

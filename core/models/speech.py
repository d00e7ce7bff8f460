"""Values of speech: what is to be said, in which voice, and which voices there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from core.errors import InputError
from core.models.generations import GenerationRequest

KLING_SPEECH_MODEL = "kling-tts"
TRANSCRIPTION = "transcription"  # the kind of price of what is written down, by the minute
KLING_TEXT_MOST = 1_000  # characters a call (kling.md §13)
KLING_SPEEDS = (0.8, 2.0)

# Who speaks: the server of the settings, or Kling. The browser's own voice needs nobody.
Speaker = Literal["server", "kling"]


@dataclass(frozen=True, slots=True)
class SpeechAsk:
    """One text to be said at once: short enough for whoever says it."""

    text: str
    voice: str
    speed: float = 1.0
    model: str = ""  # empty: the usual one


@dataclass(frozen=True, slots=True)
class Recording:
    """Something that was said, to be written down; `fields` go on to the server as they are.

    Each is a text, or a list of texts where its name ends as those of lists do (`include[]`).
    """

    content: bytes
    name: str
    media_type: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpeechRequest(GenerationRequest):
    """What Kling is asked to say (`POST /v1/audio/tts`): answered at once, or never known of."""

    kind: ClassVar[str] = "speech"
    package: ClassVar[str] = "audio"
    is_looked_up: ClassVar[bool] = False

    model_name: str = KLING_SPEECH_MODEL
    voice_id: str = ""
    voice_language: str = "zh"
    voice_speed: float = 1.0


def check_speech(request: SpeechRequest) -> None:
    """Raise InputError for the first rule that a text to be said breaks."""
    count, (slowest, quickest) = len(request.prompt), KLING_SPEEDS
    if not request.prompt.strip():
        raise InputError("text", "error.speech_empty")
    if count > KLING_TEXT_MOST:
        facts: dict[str, object] = {"count": count, "limit": KLING_TEXT_MOST}
        raise InputError("text", "error.speech_too_long", facts=facts)
    if not request.voice_id.strip():
        raise InputError("voice_id", "error.speech_voice_missing")
    if request.voice_language not in ("zh", "en"):
        raise InputError("voice_language", "error.speech_language")
    if not slowest <= request.voice_speed <= quickest:
        facts = {"least": slowest, "most": quickest}
        raise InputError("voice_speed", "error.speech_speed", facts=facts)


@dataclass(frozen=True, slots=True)
class KlingVoice:
    """A voice of Kling's, which its API does not list: seen in its clients (kling.md §13)."""

    id: str
    language: Literal["zh", "en"]
    zh: str
    en: str


KLING_VOICES: tuple[KlingVoice, ...] = (
    KlingVoice("chat1_female_new-3", "zh", "温柔女声", "Gentle woman (Chinese)"),
    KlingVoice("ai_kaiya", "zh", "清亮女声", "Clear woman (Chinese)"),
    KlingVoice("you_pingjing", "zh", "平静女声", "Calm woman (Chinese)"),
    KlingVoice("chengshu_jiejie", "zh", "成熟女声", "Grown woman (Chinese)"),
    KlingVoice("ai_chenjiahao_712", "zh", "沉稳男声", "Steady man (Chinese)"),
    KlingVoice("zhinen_xuesheng", "zh", "少年", "Boy (Chinese)"),
    KlingVoice("ai_laoguowang_712", "zh", "长者", "Old man (Chinese)"),
    KlingVoice("oversea_male1", "en", "英文男声", "Man (English)"),
    KlingVoice("uk_man2", "en", "英式男声", "British man (English)"),
    KlingVoice("uk_boy1", "en", "英式少年", "British boy (English)"),
    KlingVoice("calm_story1", "en", "英文讲述", "Storyteller (English)"),
)
_BY_ID = {voice.id: voice for voice in KLING_VOICES}
# What OpenAI's clients ask for, by the nearest of Kling's: a Chinese voice and an English one.
_OPENAI_VOICES: Mapping[str, tuple[str, str]] = {
    "alloy": ("chat1_female_new-3", "calm_story1"),
    "ash": ("ai_chenjiahao_712", "oversea_male1"),
    "ballad": ("you_pingjing", "calm_story1"),
    "cedar": ("ai_chenjiahao_712", "oversea_male1"),
    "coral": ("ai_kaiya", "calm_story1"),
    "echo": ("ai_chenjiahao_712", "oversea_male1"),
    "fable": ("zhinen_xuesheng", "uk_boy1"),
    "marin": ("ai_kaiya", "calm_story1"),
    "nova": ("ai_kaiya", "calm_story1"),
    "onyx": ("ai_laoguowang_712", "uk_man2"),
    "sage": ("chengshu_jiejie", "calm_story1"),
    "shimmer": ("chengshu_jiejie", "calm_story1"),
    "verse": ("zhinen_xuesheng", "uk_man2"),
}
OPENAI_VOICES = tuple(_OPENAI_VOICES)
# The share of Han letters from which a text is read by a Chinese voice.
_CHINESE_FROM = 0.15


def is_chinese(text: str) -> bool:
    """Tell whether a text is rather to be read by a Chinese voice."""
    letters = [sign for sign in text if sign.isalpha()]
    han = sum("\u4e00" <= sign <= "\u9fff" for sign in letters)
    return bool(letters) and han / len(letters) >= _CHINESE_FROM


def kling_voice(name: str, text: str) -> KlingVoice | None:
    """Return Kling's voice of that name, or what OpenAI's name means for this text; else None."""
    if name in _OPENAI_VOICES:
        chinese, english = _OPENAI_VOICES[name]
        return _BY_ID[chinese if is_chinese(text) else english]
    return _BY_ID.get(name)


def kling_voice_names() -> tuple[str, ...]:
    """Return every name that Kling's speech may be asked for."""
    return (*OPENAI_VOICES, *_BY_ID)

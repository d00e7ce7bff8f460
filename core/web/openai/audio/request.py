"""OpenAI's speech requests to the studio's: who says it, in which voice, in which form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from core.models.speech import KLING_SPEECH_MODEL, KLING_SPEEDS, kling_voice, kling_voice_names
from core.web.chat.posted.fields import Fate
from core.web.http_call import HttpCallError
from core.web.posted_fields import FieldError, validated
from core.work.speech.speech import SpeechOptions

TEXT_MOST = 20_000  # OpenAI takes 4,096; what is longer is cut at sentences here as well
Form = Literal["mp3", "wav", "pcm"]
FORMS: tuple[Form, ...] = ("mp3", "wav", "pcm")
_SPEEDS = (0.25, 4.0)
# Clients have these names built in: where no server is set, they mean whatever speaks here.
_OPENAI_MODELS = re.compile(r"(tts-1|gpt-4o-mini-tts|gpt-audio)[a-z0-9.-]*")

FATES: Mapping[str, Fate] = {
    "model": Fate.UNDERSTOOD,
    "input": Fate.PASSED,
    "voice": Fate.UNDERSTOOD,
    "response_format": Fate.UNDERSTOOD,
    "stream_format": Fate.UNDERSTOOD,
    "speed": Fate.PASSED,
}


class Voice(Struct):
    """A voice by its id, as OpenAI's clients may also say it."""

    id: str


class SpeechBody(Struct):
    """OpenAI's fields of speech."""

    model: str
    input: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": TEXT_MOST})]
    voice: str | Voice
    response_format: str | None = None
    stream_format: Literal["audio", "sse"] | None = None
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class SpokenRequest:
    """What is to be said, and how it is handed over."""

    text: str
    how: SpeechOptions
    form: Form
    as_events: bool


def spoken_request(fields: Mapping[str, Any], *, has_server: bool) -> SpokenRequest:
    """Return the request in a body; HttpCallError names the field that is wrong."""
    for name in ("model", "input", "voice"):
        if fields.get(name) in (None, ""):
            raise _wrong(name, "http.want_described")
    try:
        posted = validated(fields, SpeechBody)
    except FieldError as error:
        raise _wrong(error.field, "http.want_described") from error
    if len(posted.input) > TEXT_MOST or not posted.input.strip():
        raise _wrong("input", "http.want_described")
    form = posted.response_format or "mp3"
    if form not in FORMS:
        raise _wrong("response_format", "http.want_one_of", offered=", ".join(FORMS))
    voice = posted.voice if isinstance(posted.voice, str) else posted.voice.id
    by_kling = _is_klings(posted.model.strip(), has_server=has_server)
    if by_kling and kling_voice(voice, posted.input) is None:
        raise _wrong("voice", "http.want_one_of", offered=", ".join(kling_voice_names()))
    speed = 1.0 if posted.speed is None else posted.speed
    least, most = KLING_SPEEDS if by_kling else _SPEEDS
    if not least <= speed <= most:
        raise _wrong("speed", "http.want_between", least=least, most=most)
    how = SpeechOptions(
        by="kling" if by_kling else "server",
        voice=voice,
        speed=speed,
        model="" if by_kling else posted.model.strip(),
    )
    return SpokenRequest(posted.input, how, form, posted.stream_format == "sse")


def _is_klings(model: str, *, has_server: bool) -> bool:
    """Tell whether Kling says it; HttpCallError where nobody has a model of that name."""
    if model == KLING_SPEECH_MODEL:
        return True
    if has_server:  # whose own list tells what it has
        return False
    if _OPENAI_MODELS.fullmatch(model) is None:
        raise _wrong("model", "http.want_one_of", offered=KLING_SPEECH_MODEL)
    return True


def _wrong(name: str, text_id: str, **facts: object) -> HttpCallError:
    return HttpCallError(400, text_id, facts={"field": name, **facts}, field=name)

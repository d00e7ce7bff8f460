"""A body of `/v1/audio/tts`, to the studio's own request."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from core.models.speech import KLING_SPEEDS, KLING_TEXT_MOST, SpeechRequest
from core.web.kling.creates.shared import KlingRequest, described, posted

_SLOWEST, _QUICKEST = KLING_SPEEDS
_Speed = Annotated[float, Meta(gt=-1e9, lt=1e9), described(minimum=_SLOWEST, maximum=_QUICKEST)]


class SpeechBody(Struct):
    """Kling's own fields, as its page of speech lists them; null leaves one out."""

    text: Annotated[str, described(minLength=1, maxLength=KLING_TEXT_MOST)] | None = None
    voice_id: Annotated[str, described(minLength=1)] | None = None
    voice_language: Annotated[str, described(enum=["zh", "en"])] | None = None
    voice_speed: _Speed | None = None


def speech_from_json(body: Mapping[str, Any]) -> KlingRequest:
    """Return the request in a create body; InputError names the field that is wrong."""
    fields = posted(body, SpeechBody)
    request = SpeechRequest(
        prompt=fields.text or "",
        voice_id=fields.voice_id or "",
        voice_language=fields.voice_language or "zh",
        voice_speed=1.0 if fields.voice_speed is None else round(fields.voice_speed, 1),
    )
    return KlingRequest(request, (), None)

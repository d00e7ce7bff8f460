"""OpenAI's paths in the description, and what becomes of each field that is posted to them."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from core.web.chat.posted.bodies import OpenAIChatBody
from core.web.chat.posted.fields import FATES, Fate
from core.web.kling.create import IDEMPOTENCY_HEADER, KEY_MOST
from core.web.openai.audio.form import RecordingForm
from core.web.openai.audio.request import FATES as SPEECH_FATES
from core.web.openai.audio.request import SpeechBody
from core.web.openai.chunks import Completion
from core.web.openai.errors import OpenAIError
from core.web.openai.images.form import EditForm
from core.web.openai.images.request import FATES as IMAGE_FATES
from core.web.openai.images.request import OpenAIImageBody
from core.web.openai.images.routes import DrawnImages
from core.web.openai.models import Model, ModelList
from core.web.openai.responses.bodies import ResponseBody
from core.web.openai.responses.objects import Response
from core.web.openai.responses.request import FATES as RESPONSE_FATES
from core.web.openai.web_tools import FetchBody, FetchReply, SearchBody, SearchReply
from core.web.openapi.shapes import (
    EVENTS,
    PLAIN,
    Filled,
    Json,
    guarded,
    json_of,
    operation,
    parameter,
    posted,
    reply,
    required,
    too_much,
)

_Key = Annotated[str, Meta(max_length=KEY_MOST, description="Repeats under one key buy once.")]
KEY = parameter(IDEMPOTENCY_HEADER, "header", _Key)
NO_MONEY = "A budget has no room for it; nothing was sent. Retry-After tells when it starts anew"
_WORDS = {
    Fate.PASSED: "Goes to the provider",
    Fate.UNDERSTOOD: "Is read here, and goes on in other words",
    Fate.ELSEWHERE: "Goes to other servers; DeepSeek has none of it: named among `notices`",
    Fate.REFUSED: "Refused with 400 and its name as `param`",
}
_WRONG = "The body is not as described"
_DRAWN = "The pictures: Kling's links, or base64"
_NOT_DRAWN = "Refused, or failed at Kling: says why"


def _paid(words: str, *contents: Json, **errors: str) -> Json:
    """Return the replies of a path that costs: a good one, and what its `_STATUS` errors say."""
    told = {"_400": _WRONG, "_402": NO_MONEY, **errors}
    replies = {name[1:]: reply(one, json_of(OpenAIError)) for name, one in told.items()}
    return {"200": reply(words, *contents), **replies}


def _told(fates: Mapping[str, Fate]) -> str:
    """Return what becomes of the fields, as text."""
    lines = []
    for fate, words in _WORDS.items():
        names = ", ".join(f"`{name}`" for name, its in fates.items() if its is fate)
        if names:
            lines.append(f"{words}: {names}.")
    return "\n".join((*lines, "Any other field is left out, and named among `notices`."))


def _post(
    summary: str, own: Json, *parameters: Json, body: type[Struct], fields: str = ""
) -> dict[str, Json]:
    """Return a path to which JSON is posted, and what becomes of its fields."""
    replies = posted(own, OpenAIError)
    return {"post": operation(summary, replies, *parameters, body=body, description=fields)}


def _send(
    summary: str, own: Json, *parameters: Json, form: type[Struct], fields: str
) -> dict[str, Json]:
    """Return a path to which a form with a file is posted, and what becomes of its fields."""
    replies = too_much(guarded(own, OpenAIError), OpenAIError, "a form")
    sent = operation(summary, replies, *parameters, description=fields)
    return {"post": {**sent, **required({"multipart/form-data": {"schema": form}})}}


def _look(summary: str, words: str, kind: type[Struct], *parameters: Json) -> dict[str, Json]:
    """Return a path that is free."""
    replies = guarded({"200": reply(words, json_of(kind))}, OpenAIError)
    return {"get": operation(summary, replies, *parameters)}


def openai_paths() -> Json:
    """Return the paths."""
    sounds: Json = {name: {} for name in ("audio/mpeg", "audio/wav", "audio/pcm")}
    no_search = "Only DeepSeek searches, and another server is set"
    return {
        "/v1/chat/completions": _post(
            "OpenAI's chat completions",
            _paid("The completion, or its chunks", json_of(Completion), EVENTS),
            body=OpenAIChatBody,
            fields=_told(FATES),
        ),
        "/v1/responses": _post(
            "OpenAI's responses, stateless",
            _paid("The response, or its events", json_of(Response), EVENTS),
            body=ResponseBody,
            fields=_told(RESPONSE_FATES),
        ),
        "/v1/tools/search": _post(
            "Search the web, as DeepSeek's Search; charged where something is found",
            _paid("The best pages", json_of(SearchReply), _501=no_search),
            body=SearchBody,
        ),
        "/v1/tools/fetch": _post(
            "Read a page of the web, as DeepSeek's Fetch; charged where it has words",
            _paid("The page as Markdown", json_of(FetchReply), _501=no_search),
            body=FetchBody,
        ),
        "/v1/models": _look("The models that may be asked for", "The list", ModelList),
        "/v1/models/{model}": _look(
            "One model", "The model", Model, parameter("model", "path", Filled)
        ),
        "/v1/audio/speech": _post(
            "Read a text aloud",
            _paid(
                "The sound as it comes; with stream_format=sse its events",
                sounds,
                EVENTS,
                _409="Nobody knows whether it was said and paid for",
            ),
            body=SpeechBody,
            fields=_told(SPEECH_FATES),
        ),
        "/v1/audio/transcriptions": _send(
            "Write down a recording",
            _paid(
                "What was said, in the server's own form",
                json_of(),
                PLAIN,
                _400="No recording, or one that is refused",
            ),
            form=RecordingForm,
            fields="Every field goes to the server of TRANSCRIBE_API_URL as it is.",
        ),
        "/v1/images/generations": _post(
            "Draw with Kling",
            _paid(_DRAWN, json_of(DrawnImages), _400=_NOT_DRAWN),
            KEY,
            body=OpenAIImageBody,
            fields=_told(IMAGE_FATES),
        ),
        "/v1/images/edits": _send(
            "Draw from one picture with Kling",
            _paid(_DRAWN, json_of(DrawnImages), _400=_NOT_DRAWN),
            KEY,
            form=EditForm,
            fields=_told(IMAGE_FATES),
        ),
    }

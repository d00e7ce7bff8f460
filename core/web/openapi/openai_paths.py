"""OpenAI's paths in the description, and what becomes of each field that is posted to them."""

from collections.abc import Mapping
from typing import Annotated, Any

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
_SPOKEN = {
    "200": reply(
        "The sound as it comes; with stream_format=sse its events",
        {name: {} for name in ("audio/mpeg", "audio/wav", "audio/pcm")},
        EVENTS,
    ),
    "400": reply("The body is not as described", json_of(OpenAIError)),
    "402": reply(NO_MONEY, json_of(OpenAIError)),
    "409": reply("Nobody knows whether it was said and paid for", json_of(OpenAIError)),
}
_HEARD = {
    "200": reply("What was said, in the server's own form", json_of(), PLAIN),
    "400": reply("No recording, or one that is refused", json_of(OpenAIError)),
    "402": reply(NO_MONEY, json_of(OpenAIError)),
}
_DRAWN = {
    "200": reply("The pictures: Kling's links, or base64", json_of(DrawnImages)),
    "400": reply("Refused, or failed at Kling: says why", json_of(OpenAIError)),
    "402": reply(NO_MONEY, json_of(OpenAIError)),
}


def _looked(words: str, kind: type[Struct]) -> Json:
    """Return the replies to a look into the web."""
    return {
        "200": reply(words, json_of(kind)),
        "400": reply("The body is not as described", json_of(OpenAIError)),
        "402": reply(NO_MONEY, json_of(OpenAIError)),
        "501": reply("Only DeepSeek searches, and another server is set", json_of(OpenAIError)),
    }


def _told(fates: Mapping[str, Fate]) -> str:
    """Return what becomes of the fields, as text."""
    lines = []
    for fate, words in _WORDS.items():
        names = ", ".join(f"`{name}`" for name, its in fates.items() if its is fate)
        if names:
            lines.append(f"{words}: {names}.")
    return "\n".join((*lines, "Any other field is left out, and named among `notices`."))


def _answered(words: str, kind: Any) -> Json:
    """Return the replies to a posted chat."""
    own = {
        "200": reply(words, json_of(kind), EVENTS),
        "400": reply("The body is not as described", json_of(OpenAIError)),
        "402": reply(NO_MONEY, json_of(OpenAIError)),
    }
    return posted(own, OpenAIError)


def openai_paths() -> Json:
    """Return the paths."""
    models = guarded({"200": reply("The list", json_of(ModelList))}, OpenAIError)
    model = guarded({"200": reply("The model", json_of(Model))}, OpenAIError)
    drawn_from_form = too_much(guarded(_DRAWN, OpenAIError), OpenAIError, "a form")
    return {
        "/v1/chat/completions": {
            "post": {
                **operation(
                    "OpenAI's chat completions",
                    _answered("The completion, or its chunks", Completion),
                    body=OpenAIChatBody,
                ),
                "description": _told(FATES),
            }
        },
        "/v1/responses": {
            "post": {
                **operation(
                    "OpenAI's responses, stateless",
                    _answered("The response, or its events", Response),
                    body=ResponseBody,
                ),
                "description": _told(RESPONSE_FATES),
            }
        },
        "/v1/tools/search": {
            "post": operation(
                "Search the web, as DeepSeek's Search; charged where something is found",
                posted(_looked("The best pages", SearchReply), OpenAIError),
                body=SearchBody,
            )
        },
        "/v1/tools/fetch": {
            "post": operation(
                "Read a page of the web, as DeepSeek's Fetch; charged where it has words",
                posted(_looked("The page as Markdown", FetchReply), OpenAIError),
                body=FetchBody,
            )
        },
        "/v1/models": {"get": operation("The models that may be asked for", models)},
        "/v1/models/{model}": {
            "get": operation("One model", model, parameter("model", "path", Filled))
        },
        "/v1/audio/speech": {
            "post": {
                **operation("Read a text aloud", posted(_SPOKEN, OpenAIError), body=SpeechBody),
                "description": _told(SPEECH_FATES),
            }
        },
        "/v1/audio/transcriptions": {
            "post": {
                **operation(
                    "Write down a recording",
                    too_much(guarded(_HEARD, OpenAIError), OpenAIError, "a form"),
                ),
                "description": "Every field goes to the server of TRANSCRIBE_API_URL as it is.",
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": {"schema": RecordingForm}},
                },
            }
        },
        "/v1/images/generations": {
            "post": {
                **operation(
                    "Draw with Kling", posted(_DRAWN, OpenAIError), KEY, body=OpenAIImageBody
                ),
                "description": _told(IMAGE_FATES),
            }
        },
        "/v1/images/edits": {
            "post": {
                **operation("Draw from one picture with Kling", drawn_from_form, KEY),
                "description": _told(IMAGE_FATES),
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": {"schema": EditForm}},
                },
            }
        },
    }

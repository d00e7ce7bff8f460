"""OpenAI's paths in the description, and what becomes of each field that is posted to them."""

from collections.abc import Mapping

from core.web.chat.posted.fields import FATES, Fate
from core.web.kling.create import IDEMPOTENCY_HEADER, KEY_MOST
from core.web.openai.audio.request import FATES as SPEECH_FATES
from core.web.openai.images.request import FATES as IMAGE_FATES
from core.web.openai.responses.request import FATES as RESPONSE_FATES
from core.web.openapi.shapes import (
    EVENTS,
    PLAIN,
    TEXT,
    TEXT_OR_NULL,
    Json,
    guarded,
    json_of,
    operation,
    parameter,
    posted,
    reply,
    shape,
    too_much,
)

KEY = parameter(IDEMPOTENCY_HEADER, "header", "Repeats under one key buy once.", maxLength=KEY_MOST)
NO_MONEY = "A budget has no room for it; nothing was sent. Retry-After tells when it starts anew"
OPENAI_ERROR: Json = {
    **shape("error"),
    "properties": {"error": shape("message", "type", param=TEXT_OR_NULL, code=TEXT_OR_NULL)},
}
_WORDS = {
    Fate.PASSED: "Goes to the provider",
    Fate.UNDERSTOOD: "Is read here, and goes on in other words",
    Fate.ELSEWHERE: "Goes to other servers; DeepSeek has none of it: named among `notices`",
    Fate.REFUSED: "Refused with 400 and its name as `param`",
}
_INPUT: Json = {"type": ["string", "array"]}
_RESPONSE_BODY: Json = {
    "type": "object",
    "required": ["input"],
    "properties": {
        "input": _INPUT,
        "model": TEXT_OR_NULL,
        "instructions": TEXT_OR_NULL,
        "stream": {"type": ["boolean", "null"]},
    },
}
_PICTURES: Json = shape(created={"type": "integer"}, data={"type": "array"})
_EDIT: Json = {**shape("prompt", image={**TEXT, "format": "binary"}), "additionalProperties": True}
_RECORDING: Json = {
    **shape(file={**TEXT, "format": "binary"}),
    "required": ["file"],
    "additionalProperties": True,
}
_SPOKEN = {
    "200": reply(
        "The sound as it comes; with stream_format=sse its events",
        {name: {} for name in ("audio/mpeg", "audio/wav", "audio/pcm")},
        EVENTS,
    ),
    "400": reply("The body is not as described", json_of(OPENAI_ERROR)),
    "402": reply(NO_MONEY, json_of(OPENAI_ERROR)),
    "409": reply("Nobody knows whether it was said and paid for", json_of(OPENAI_ERROR)),
}
_HEARD = {
    "200": reply("What was said, in the server's own form", json_of(), PLAIN),
    "400": reply("No recording, or one that is refused", json_of(OPENAI_ERROR)),
    "402": reply(NO_MONEY, json_of(OPENAI_ERROR)),
}
_DRAWN = {
    "200": reply("The pictures: Kling's links, or base64", json_of(_PICTURES)),
    "400": reply("Refused, or failed at Kling: says why", json_of(OPENAI_ERROR)),
    "402": reply(NO_MONEY, json_of(OPENAI_ERROR)),
}


def looked(words: str) -> Json:
    """Return the replies to a look into the web."""
    return {
        "200": reply(words, json_of()),
        "400": reply("The body is not as described", json_of(OPENAI_ERROR)),
        "402": reply(NO_MONEY, json_of(OPENAI_ERROR)),
        "501": reply("Only DeepSeek searches, and another server is set", json_of(OPENAI_ERROR)),
    }


def told(fates: Mapping[str, Fate]) -> str:
    """Return what becomes of the fields, as text."""
    lines = []
    for fate, words in _WORDS.items():
        names = ", ".join(f"`{name}`" for name, its in fates.items() if its is fate)
        if names:
            lines.append(f"{words}: {names}.")
    return "\n".join((*lines, "Any other field is left out, and named among `notices`."))


def openai_paths(
    chat_body: Json, picture_body: Json, speech_body: Json, search_body: Json, fetch_body: Json
) -> Json:
    """Return the paths; the bodies are the schemas of the Structs that validate them."""
    completion = {
        "200": reply("The completion, or its chunks", json_of(), EVENTS),
        "400": reply("The body is not as described", json_of(OPENAI_ERROR)),
        "402": reply(NO_MONEY, json_of(OPENAI_ERROR)),
    }
    models = guarded({"200": reply("The list", json_of())}, OPENAI_ERROR)
    model = guarded({"200": reply("The model", json_of())}, OPENAI_ERROR)
    drawn_from_form = too_much(guarded(_DRAWN, OPENAI_ERROR), OPENAI_ERROR, "a form")
    return {
        "/v1/chat/completions": {
            "post": {
                **operation(
                    "OpenAI's chat completions", posted(completion, OPENAI_ERROR), body=chat_body
                ),
                "description": told(FATES),
            }
        },
        "/v1/responses": {
            "post": {
                **operation(
                    "OpenAI's responses, stateless",
                    posted(completion, OPENAI_ERROR),
                    body=_RESPONSE_BODY,
                ),
                "description": told(RESPONSE_FATES),
            }
        },
        "/v1/tools/search": {
            "post": operation(
                "Search the web, as DeepSeek's Search; charged where something is found",
                posted(looked("The best pages"), OPENAI_ERROR),
                body=search_body,
            )
        },
        "/v1/tools/fetch": {
            "post": operation(
                "Read a page of the web, as DeepSeek's Fetch; charged where it has words",
                posted(looked("The page as Markdown"), OPENAI_ERROR),
                body=fetch_body,
            )
        },
        "/v1/models": {"get": operation("The models that may be asked for", models)},
        "/v1/models/{model}": {
            "get": operation("One model", model, parameter("model", "path", minLength=1))
        },
        "/v1/audio/speech": {
            "post": {
                **operation("Read a text aloud", posted(_SPOKEN, OPENAI_ERROR), body=speech_body),
                "description": told(SPEECH_FATES),
            }
        },
        "/v1/audio/transcriptions": {
            "post": {
                **operation(
                    "Write down a recording",
                    too_much(guarded(_HEARD, OPENAI_ERROR), OPENAI_ERROR, "a form"),
                ),
                "description": "Every field goes to the server of TRANSCRIBE_API_URL as it is.",
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": {"schema": _RECORDING}},
                },
            }
        },
        "/v1/images/generations": {
            "post": {
                **operation(
                    "Draw with Kling", posted(_DRAWN, OPENAI_ERROR), KEY, body=picture_body
                ),
                "description": told(IMAGE_FATES),
            }
        },
        "/v1/images/edits": {
            "post": {
                **operation("Draw from one picture with Kling", drawn_from_form, KEY),
                "description": told(IMAGE_FATES),
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": {"schema": _EDIT}},
                },
            }
        },
    }

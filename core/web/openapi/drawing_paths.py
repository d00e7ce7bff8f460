"""The paths about pictures of messages in the OpenAPI description."""

from core.web.openapi.shapes import (
    ERROR,
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
)

_MESSAGE = parameter("message_id", "path")
_WRONG = {
    "400": reply("The body is not as described, or there is nothing to draw", json_of(ERROR)),
    "402": reply("No budget has room for it", json_of(ERROR)),
    "404": reply("The caller has no such message", json_of(ERROR)),
}
_PRICE: Json = {**shape("amount", "currency"), "type": ["object", "null"]}
_COUNT: Json = {"type": "integer"}
_PROPOSAL = shape(
    *("message_id", "model_name", "prompt", "negative_prompt", "aspect_ratio"),
    n=_COUNT,
    price=_PRICE,
)
_DRAWN = shape(
    *("generation_id", "created_at"),
    whereabouts={**TEXT, "enum": ["here", "deleted", "elsewhere"]},
    prompt=TEXT_OR_NULL,
    status=TEXT_OR_NULL,
    task_id=TEXT_OR_NULL,
    pictures=_COUNT,
    error=TEXT,
)


def drawing_paths(drawing: Json, milder: Json) -> Json:
    """Return the paths."""
    return {
        "/messages/{message_id}/drawing": {
            "post": operation(
                "Have a prompt written for a picture of a message; draws nothing",
                posted({"200": reply("What to draw, and its price", json_of(_PROPOSAL)), **_WRONG}),
                _MESSAGE,
                body=drawing,
            )
        },
        "/messages/{message_id}/milder": {
            "post": operation(
                "Milder wordings of a prompt that Kling refused; draws nothing",
                posted(
                    {
                        "200": reply(
                            "Two of them, where the model gives two",
                            json_of(shape(wordings={"type": "array", "items": TEXT})),
                        ),
                        **_WRONG,
                    }
                ),
                _MESSAGE,
                body=milder,
            )
        },
        "/messages/{message_id}/pictures": {
            "get": operation(
                "What was drawn from a message, also where the pictures are gone",
                guarded(
                    {
                        "200": reply(
                            "The oldest first",
                            json_of(
                                shape("message_id", pictures={"type": "array", "items": _DRAWN})
                            ),
                        ),
                        "404": _WRONG["404"],
                    }
                ),
                _MESSAGE,
            )
        },
    }

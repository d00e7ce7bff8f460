"""The paths about pictures of messages in the OpenAPI description."""

from core.web.drawing.bodies import DrawingBody, MilderBody
from core.web.drawing.replies import DrawnPictures, Proposal, Wordings
from core.web.http_errors import ErrorReply
from core.web.openapi.shapes import Json, guarded, json_of, operation, parameter, posted, reply

_MESSAGE = parameter("message_id", "path")
_WRONG = {
    "400": reply("The body is not as described, or there is nothing to draw", json_of(ErrorReply)),
    "402": reply("No budget has room for it", json_of(ErrorReply)),
    "404": reply("The caller has no such message", json_of(ErrorReply)),
}
_MILDER = {"200": reply("Two of them, where the model gives two", json_of(Wordings)), **_WRONG}
_DRAWN = {"200": reply("The oldest first", json_of(DrawnPictures)), "404": _WRONG["404"]}


def drawing_paths() -> Json:
    """Return the paths."""
    return {
        "/messages/{message_id}/drawing": {
            "post": operation(
                "Have a prompt written for a picture of a message; draws nothing",
                posted({"200": reply("What to draw, and its price", json_of(Proposal)), **_WRONG}),
                _MESSAGE,
                body=DrawingBody,
            )
        },
        "/messages/{message_id}/milder": {
            "post": operation(
                "Milder wordings of a prompt that Kling refused; draws nothing",
                posted(_MILDER),
                _MESSAGE,
                body=MilderBody,
            )
        },
        "/messages/{message_id}/pictures": {
            "get": operation(
                "What was drawn from a message, also where the pictures are gone",
                guarded(_DRAWN),
                _MESSAGE,
            )
        },
    }

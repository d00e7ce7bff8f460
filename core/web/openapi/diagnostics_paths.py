"""The check-up's and the X-ray's paths in the OpenAPI description."""

from core.web.diagnostics.exchanges import LIMIT_MOST, SHAPES
from core.web.diagnostics.metrics import METRICS_PATH
from core.web.openapi.shapes import (
    ERROR,
    EVENTS,
    OBJECT,
    TEXT,
    Json,
    guarded,
    json_of,
    operation,
    parameter,
    reply,
    shape,
)

_WRONG = {"400": reply("A parameter is not as described", json_of(ERROR))}
_FINDING: Json = shape("id", "level", "what", why=TEXT, do=TEXT)
_CHECKUP = {
    "200": reply(
        "What was found, the gravest first; with format=text a report to paste",
        json_of(shape(findings={"type": "array", "items": _FINDING})),
        {"text/plain": {"schema": TEXT}},
    ),
    **_WRONG,
}
_EXCHANGES = {
    "200": reply("Exchanges, oldest first, masked; with format=har a HAR 1.2 log", json_of(OBJECT)),
    **_WRONG,
    "404": reply("The X-ray is switched off", json_of(ERROR)),
}


def diagnostics_paths() -> Json:
    """Return the paths; the check-up and the exchanges are the owner's alone."""
    return {
        METRICS_PATH: {
            "get": operation(
                "Metrics for Prometheus; INKLING_METRICS_TOKEN or the scope read lets in",
                guarded(
                    {"200": reply("Prometheus's text format", {"text/plain": {"schema": TEXT}})}
                ),
            )
        },
        "/checkup": {
            "get": operation(
                "Look for what is wrong, free of charge; the owner alone, no token",
                guarded(_CHECKUP),
                parameter("format", "query", enum=["json", "text"]),
            )
        },
        "/checkup/beat": {
            "get": operation(
                "Six events at an even pace: their arrival shows what holds streams back",
                guarded({"200": reply("Each event data, a number", EVENTS)}),
            )
        },
        "/exchanges": {
            "get": operation(
                "The latest exchanges with the providers; the owner alone, no token",
                guarded(_EXCHANGES),
                parameter("format", "query", enum=[*SHAPES]),
                parameter("about", "query", "The id of an answer or a generation"),
                parameter("limit", "query", type="integer", minimum=1, maximum=LIMIT_MOST),
            )
        },
    }

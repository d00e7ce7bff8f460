"""The check-up's and the X-ray's paths in the OpenAPI description."""

from core.web.diagnostics.checkup import CheckupQuery
from core.web.diagnostics.exchanges import ExchangesQuery
from core.web.front.paths import METRICS_PATH
from core.web.http_errors import ErrorReply
from core.web.openapi.shapes import (
    EVENTS,
    PLAIN,
    Json,
    guarded,
    json_of,
    operation,
    query,
    reply,
)
from core.work.checkup.report import Findings
from core.work.xray.recipes import Exchanges, Har

_WRONG = {"400": reply("A parameter is not as described", json_of(ErrorReply))}
_CHECKUP = {
    "200": reply(
        "What was found, the gravest first; with format=text a report to paste",
        json_of(Findings),
        PLAIN,
    ),
    **_WRONG,
}
_EXCHANGES = {
    "200": reply(
        "Exchanges, oldest first, masked; with format=har a HAR 1.2 log",
        json_of({"anyOf": [Exchanges, Har]}),
    ),
    **_WRONG,
    "404": reply("The X-ray is switched off", json_of(ErrorReply)),
}


def diagnostics_paths() -> Json:
    """Return the paths; the check-up and the exchanges are the owner's alone."""
    return {
        METRICS_PATH: {
            "get": operation(
                "Metrics for Prometheus; INKLING_METRICS_TOKEN or the scope read lets in",
                guarded({"200": reply("Prometheus's text format", PLAIN)}),
            )
        },
        "/checkup": {
            "get": operation(
                "Look for what is wrong, free of charge; the owner alone, no token",
                guarded(_CHECKUP),
                *query(CheckupQuery),
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
                *query(ExchangesQuery),
            )
        },
    }

"""The door of the practice Kling: who is let in, and the envelope that every answer comes in."""

import uuid
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.practice.counters import Tally
from core.practice.kling.auth import check_authorization
from core.practice.kling.refusal import KlingRefusal, bad_parameter
from core.practice.settings import PracticeSettings

_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

Endpoint = Callable[[Request], Awaitable[Response]]


class Door:
    """Makes the routes of one practice server that need a key."""

    def __init__(self, settings: PracticeSettings, tally: Tally) -> None:
        self._settings = settings
        self._tally = tally

    def route(self, path: str, **endpoints: Endpoint) -> Route:
        """Return a route that takes every method, since a wrong one has a service code."""

        async def guarded(request: Request) -> Response:
            try:
                authorization = request.headers.get("authorization", "")
                request.state.key_name = check_authorization(authorization, self._settings)
                if request.method not in endpoints:
                    raise KlingRefusal(1202)
                return await endpoints[request.method](request)
            except KlingRefusal as refusal:
                if request.method == "POST":
                    self._tally.submits_refused[refusal.code] += 1
                return envelope(refusal.code, str(refusal), None, refusal.status)

        return Route(path, guarded, methods=_ALL_METHODS)


def envelope(code: int, message: str, data: object, status: int = 200) -> JSONResponse:
    """Return an answer in the shape of all of Kling's."""
    body: dict[str, object] = {
        "code": code,
        "message": message,
        "request_id": str(uuid.uuid4()),
    }
    if data is not None:
        body["data"] = data
    return JSONResponse(body, status)


def whole_number(
    request: Request, name: str, *, default: int | None, most: int | None = None
) -> int:
    """Return a number of the query, or refuse what is none."""
    value = request.query_params.get(name, "" if default is None else str(default))
    if not value.isascii() or not value.isdigit() or len(value) > 16:
        raise bad_parameter(name, "must be a whole number")
    number = int(value)
    if most is not None and not 1 <= number <= most:
        raise bad_parameter(name, f"must be from 1 to {most}")
    return number

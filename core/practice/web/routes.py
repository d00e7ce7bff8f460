"""DeepSeek's `/v1/tools/search` and `/v1/tools/fetch` (deepseek.md section 10)."""

import asyncio
import ipaddress
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from core.practice.chat.refusal import ChatRefusal, check_key
from core.practice.faults import GATEWAY_PAGE, WEB_STATUSES, Faults, Repetitions, read_faults
from core.practice.hangup import hang_up
from core.practice.settings import PracticeSettings
from core.practice.web.book import WebBook
from core.practice.web.results import as_page, results_for

_QUERY_MOST, _COUNT_MOST, _ADDRESS_MOST = 128, 50, 8192
_MESSAGES = {
    400: "Invalid request (practice)",
    402: "Insufficient Balance",
    429: "Too many requests (practice)",
    500: "Internal server error (practice)",
    503: "Service is too busy (practice)",
}


class Web:
    """The web's side of one practice server."""

    def __init__(self, settings: PracticeSettings, book: WebBook) -> None:
        self._settings = settings
        self._book = book
        self._repetitions = Repetitions()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/tools/search", self._guarded(self._search), methods=["POST"]),
            Route("/v1/tools/fetch", self._guarded(self._fetch), methods=["POST"]),
        ]

    def _guarded(
        self, endpoint: Callable[[Request, Mapping[str, Any]], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            headers = {"x-ds-trace-id": uuid.uuid4().hex}
            try:
                check_key(request.headers.get("authorization", ""), self._settings.chat_key)
                response = await endpoint(request, _fields(await request.body()))
            except ChatRefusal as refusal:
                return JSONResponse(refusal.body, refusal.status, headers)
            response.headers.update(headers)
            return response

        return guarded

    async def _search(self, request: Request, fields: Mapping[str, Any]) -> Response:
        query = fields.get("query")
        if not isinstance(query, str) or not query.strip() or len(query) > _QUERY_MOST:
            raise ChatRefusal(400, "query: expected 1 to 128 characters")
        question = fields.get("ori_question", "")
        if not isinstance(question, str) or len(question) > _QUERY_MOST:
            raise ChatRefusal(400, "ori_question: expected up to 128 characters")
        count = fields.get("count", 10)
        if type(count) is not int or not 1 <= count <= _COUNT_MOST:
            raise ChatRefusal(400, "count: expected 1 to 50")
        if type(with_content := fields.get("need_content", False)) is not bool:
            raise ChatRefusal(400, "need_content: expected a boolean")
        _check_place(fields.get("localization"))
        faults = read_faults(query)
        self._strike(faults, "web", query)
        if "web-slow" in faults:
            seconds = faults["web-slow"]
            await asyncio.sleep(3 if seconds is None else seconds)
        if "web-html" in faults:
            return HTMLResponse(GATEWAY_PAGE, 200)
        if "web-empty" in faults:
            return JSONResponse({"results": []})
        found = results_for(query, count, with_content=with_content)
        return self._charged(request, "search", query, {"results": found}, "web-lost" in faults)

    async def _fetch(self, request: Request, fields: Mapping[str, Any]) -> Response:
        url = fields.get("url")
        if not isinstance(url, str) or not _is_public(url):
            raise ChatRefusal(400, "url: expected http(s) with a host, up to 8192 characters")
        faults = read_faults(unquote(url).replace("/practice/", "/practice "))
        self._strike(faults, "page", url)
        if "page-empty" in faults:
            return JSONResponse({"title": "", "content": ""})
        return self._charged(request, "fetch", url, dict(as_page(url)), "page-lost" in faults)

    def _strike(self, faults: Faults, name: str, key: str) -> None:
        for status in WEB_STATUSES:
            fault = f"{name}-{status}"
            if fault in faults and self._repetitions.strikes(fault, faults[fault], key):
                raise ChatRefusal(status, _MESSAGES[status], kind="web_error")

    def _charged(
        self, request: Request, look: str, query: str, body: dict[str, Any], is_lost: bool
    ) -> Response:
        self._book.charge(look, query)
        if is_lost:
            hang_up(request)
        return JSONResponse(body)


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ChatRefusal(400, "Failed to parse the request body as JSON") from error
    if not isinstance(fields, dict):
        raise ChatRefusal(400, "Failed to parse the request body as JSON: expected an object")
    return fields


def _check_place(place: object) -> None:
    """Refuse a place that is no IP address: a locale is none."""
    if place is None:
        return
    try:
        ipaddress.ip_address(str(place))
    except ValueError as error:
        raise ChatRefusal(400, "localization: expected an IP address") from error


def _is_public(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    has_user = parts.username is not None or parts.password is not None
    is_http = parts.scheme in ("http", "https")
    return is_http and bool(parts.hostname) and not has_user and len(url) <= _ADDRESS_MOST

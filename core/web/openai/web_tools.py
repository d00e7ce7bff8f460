"""`/v1/tools/search` and `/v1/tools/fetch`: DeepSeek's shape, the studio's key and ledger."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from core.errors import AppError, NotFoundError
from core.models.money.ledger import Spender
from core.models.parts import LookupPart, SourcePart
from core.web.http_call import HttpCall, HttpCallError
from core.web.http_errors import http_error_from
from core.web.openai.errors import refuse
from core.web.posted_fields import posted_body
from core.web.studio_bridge import StudioBridge
from core.wire.web.washing import ADDRESS_MOST, plain_address

_EMPTY = ("error.search_empty", "error.page_empty")


class SearchBody(Struct):
    """What is searched for; other fields of DeepSeek's are passed over."""

    query: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"\S")]
    count: Annotated[int, Meta(ge=1, le=50)] = 10


class FetchBody(Struct):
    """The page to be read."""

    url: Annotated[str, Meta(min_length=1, max_length=ADDRESS_MOST)]


class SearchResult(Struct):
    """A page that was found; `content` is DeepSeek's, and empty."""

    title: str
    url: str
    snippet: str
    summary: str
    content: str
    date: str
    site_name: str


class SearchReply(Struct):
    """The best pages."""

    results: list[SearchResult]


class FetchReply(Struct):
    """A page as Markdown."""

    title: str
    content: str
    characters_left_out: int | UnsetType = UNSET


class WebTools:
    """Looks into the web for programs: each a line in the ledger, held to the budgets."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    async def search(self, call: HttpCall) -> None:
        """Answer with the best pages for some words."""
        body = await posted_body(call, SearchBody)
        found = await self._looked(call, LookupPart("search", body.query), body.count)
        if found is not None:
            await call.reply_json(200, SearchReply([_result(one) for one in found]))

    async def fetch(self, call: HttpCall) -> None:
        """Answer with a page as Markdown."""
        body = await posted_body(call, FetchBody)
        if (url := plain_address(body.url)) is None:
            raise HttpCallError(400, "http.want_described", facts={"field": "url"}, field="url")
        found = await self._looked(call, LookupPart("fetch", url), 1)
        if found is not None:
            page = found[0] if found else SourcePart(url, "", "", "")
            left_out = int(page.left_out) if page.left_out else UNSET
            await call.reply_json(200, FetchReply(page.title, page.text, left_out))

    async def _looked(
        self, call: HttpCall, look: LookupPart, count: int
    ) -> tuple[SourcePart, ...] | None:
        """Return what a look brought; None where it was refused, which the caller was told."""
        studio = self._bridge.studio
        try:
            service = studio.services.chat(call.owner)
            if not service.client.server.speaks_deepseek:
                raise HttpCallError(501, "http.no_web_search")
            spender = Spender(call.owner, call.caller, "http")
            return await self._bridge.run(
                studio.answers.looks.for_program(
                    service.client, service.provider, spender, look, count=count
                )
            )
        except NotFoundError as error:
            if error.text_id in _EMPTY:  # as DeepSeek says it: nothing, and nothing charged
                return ()
            await refuse(call, http_error_from(error, call.language))
        except AppError as error:
            await refuse(call, http_error_from(error, call.language))
        return None


def _result(source: SourcePart) -> SearchResult:
    title, url, words = source.title, source.url, source.text
    return SearchResult(title, url, words[:200], words, "", source.date, source.site)

"""DeepSeek's Search and Fetch: what is asked, and what comes back (deepseek.md section 10).

Everything in a reply is a stranger's: it is washed here, what is no plain address is left out, and
whose page it is the address says, not the page.
"""

import re
from collections.abc import Mapping
from typing import Any

from core.errors import NotFoundError, ProviderError, RejectedError, UnavailableError
from core.models.parts import SourcePart
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.wire import PROVIDER
from core.wire.web.block import DATE_MOST, PAGE_MOST, TITLE_MOST
from core.wire.web.washing import plain_address, plain_words, site_of

QUERY_MOST = 128
SEARCH_TIMEOUT_S, FETCH_TIMEOUT_S = 30.0, 60.0
COUNT = 10  # the price is the same whatever the count
SUMMARY_MOST = 1_000
_GOOD, _FAIR = 1.5, 0.5  # of `rerank_score`, which goes to 3
_DATE = re.compile(r"\b\d{4}(?:[-/.]\d{1,2}){0,2}\b")
_SCORE_MOST = 100  # what is more, or no number at all, is none
_WRONG_QUERY = (400, 422)


async def search(client: DeepSeek, query: str, *, count: int) -> tuple[SourcePart, ...]:
    """Return the best pages for some words, at most `count` of them; NotFoundError for none."""
    words = search_words(query)
    body = {"query": words, "count": max(COUNT, count)}
    try:
        told = await client.call_tool("search", body, limit_s=SEARCH_TIMEOUT_S)
    except RejectedError as error:
        raise _refused(error, "error.search_refused", client) from error
    results = told.get("results")
    found = (
        _best([one for one in results if isinstance(one, Mapping)], count)
        if (isinstance(results, list))
        else ()
    )
    if not found:
        raise NotFoundError("error.search_empty", provider=PROVIDER, facts={"query": words})
    return found


async def fetch(client: DeepSeek, url: str) -> SourcePart:
    """Return the page at an address, as far as it is kept; NotFoundError for one without words."""
    site = site_of(url)
    try:
        told = await client.call_tool("fetch", {"url": url}, limit_s=FETCH_TIMEOUT_S)
    except (RejectedError, UnavailableError) as error:
        if error.status_code is None:
            raise
        text_id = "error.fetch_refused" if error.status_code in _WRONG_QUERY else None
        raise _refused(error, text_id or "error.page_unreachable", client, site=site) from error
    content = told.get("content")
    text = plain_words(content, PAGE_MOST)
    if not text:
        raise NotFoundError("error.page_empty", provider=PROVIDER, facts={"site": site})
    left_out = len(content) - PAGE_MOST if isinstance(content, str) else 0
    return SourcePart(
        url=url,
        title=plain_words(told.get("title"), TITLE_MOST, is_line=True) or site,
        site=site,
        text=text,
        kind="fetch",
        left_out=str(left_out) if left_out > 0 else "",
    )


def search_words(question: str) -> str:
    """Return what is searched for: the question on one line, as long as a query may be."""
    line = plain_words(question, len(question) + 1, is_line=True)
    if len(line) <= QUERY_MOST:
        return line
    cut = line[:QUERY_MOST]
    at_word = cut.rpartition(" ")[0]
    return at_word if len(at_word) > QUERY_MOST // 2 else cut


def _best(results: list[Mapping[str, Any]], count: int) -> tuple[SourcePart, ...]:
    """Return the best of the results, each page once; poor ones only where nothing better is."""
    ordered = sorted(results, key=lambda one: -_score(one))  # stable: as they came, where alike
    found: dict[str, tuple[float, SourcePart]] = {}
    for one in ordered:
        source = _source(one)
        if source is not None and source.url not in found:
            found[source.url] = (_score(one), source)
    good = [source for score, source in found.values() if score >= _GOOD]
    fair = [source for score, source in found.values() if _FAIR <= score < _GOOD]
    chosen = [*good, *fair] or [source for _, source in found.values()]
    return tuple(chosen[:count])


def _source(result: Mapping[str, Any]) -> SourcePart | None:
    url = plain_address(result.get("url"))
    if url is None:
        return None
    site = site_of(url)
    texts = (plain_words(result.get(name), SUMMARY_MOST) for name in ("summary", "snippet"))
    title = plain_words(result.get("title"), TITLE_MOST, is_line=True) or site
    return SourcePart(
        url=url,
        title=title,
        site=site,
        text=next(filter(None, texts), title),
        date=_date(result.get("date")),
    )


def _date(value: object) -> str:
    """Return the date that a page says it has; what is none is left out: it is shown beside it."""
    found = _DATE.search(plain_words(value, DATE_MOST, is_line=True))
    return found[0] if found is not None else ""


def _score(result: Mapping[str, Any]) -> float:
    score = result.get("rerank_score")
    if not isinstance(score, int | float) or isinstance(score, bool):
        return _FAIR
    return float(score) if abs(score) < _SCORE_MOST else _FAIR


def _refused(
    error: ProviderError, text_id: str, client: DeepSeek, **facts: object
) -> ProviderError:
    """Return the same refusal in words that fit a look into the web."""
    if error.status_code == 404 and text_id != "error.page_unreachable":
        text_id = "error.search_not_offered"
    told = {"host": client.server.host, "status_code": error.status_code, **facts}
    return RejectedError(
        text_id,
        provider=PROVIDER,
        status_code=error.status_code,
        request_id=error.request_id,
        facts=told,
        detail=error.detail,
    )

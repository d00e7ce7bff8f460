"""A refusal (error reply): what the server says against a request, read as far as it comes."""

import asyncio
import logging
import time
from collections.abc import Sequence

import httpx

from core.errors import ProviderError
from core.providers.deepseek.errors import error_from_reply
from core.providers.http.redaction import clean_detail

logger = logging.getLogger(__name__)

READ_TIMEOUT_S = 20
_REFUSAL_BYTES = 64 * 1024
BODY_SHOWN = 800  # characters of a refusal that other front ends are shown


async def read_refusal(
    response: httpx.Response, *, host: str, secrets: Sequence[str]
) -> ProviderError:
    """Return the error that an open reply stands for, and close the reply."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for raw in response.aiter_bytes():
                body += raw
                if len(body) > _REFUSAL_BYTES:
                    break
    except (TimeoutError, httpx.HTTPError):
        logger.info("%s: the explanation of status %d broke off", host, response.status_code)
    finally:
        await response.aclose()
    error = error_from_reply(
        response.status_code,
        response.headers,
        bytes(body),
        host=host,
        secrets=secrets,
        now=time.time(),
    )
    text = body.decode("utf-8", "replace")
    error.body = clean_detail(text, secrets=secrets, limit=BODY_SHOWN)
    return error

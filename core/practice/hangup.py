"""Dropping a connection on purpose, which ASGI has no word for."""

import asyncio
import logging
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

_logger = logging.getLogger(__name__)


class PracticeProtocol(H11Protocol):
    """uvicorn's protocol, silent in the logs, which lets an endpoint reach its connection.

    uvicorn's own loggers are shared with Streamlit's server in this process, so their levels are
    not ours to turn.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _logger
        self.access_log = False

    # As narrow as uvicorn's own, which asyncio's base class does not foresee.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the transport of a new connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def hang_up(request: Request) -> None:
    """Close the request's connection; what was written before still arrives."""
    request.state.hung_up = True
    request.state.transport.close()


def is_hung_up(request: Request) -> bool:
    """Return whether it was we who closed the connection."""
    return getattr(request.state, "hung_up", False)


async def wait_for_hang_up(request: Request) -> None:
    """Return once the server has noticed that the connection is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

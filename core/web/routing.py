"""Which method of which path is served by what."""

from collections.abc import Awaitable, Callable, Mapping

from core.web.http_call import HttpCall

Handler = Callable[[HttpCall], Awaitable[None]]
Table = Mapping[str, Mapping[str, Handler]]

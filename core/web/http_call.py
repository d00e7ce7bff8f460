"""One HTTP call: what came, and the ways to answer it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import getrandbits
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from msgspec import UNSET, to_builtins
from starlette.types import Message, Receive, Scope, Send

from core.access.callers import LOCAL
from core.access.connection import ConnectionFacts
from core.access.issued_tokens import IssuedToken
from core.access.owners import LOCAL_OWNER
from core.models.access_scopes import AccessScopes
from core.texts import catalogue
from core.texts.catalogue import Language, language_of
from core.web.front.connection import HEADERS_KEY, PEER_KEY, headers_of, peer_of
from core.web.read_ahead import ReadAhead
from core.wire.json_text import read_json, write_json
from core.wire.masking.secrets import known_secrets

if TYPE_CHECKING:
    from core.work.chat.live_answer import LiveAnswer

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
TOKEN_PARAMETER = "access_token"

BODY_BYTES = 1024 * 1024
# A body may be slow, but not silent; a large one over a thin line takes its minute.
BODY_SILENCE_S = 5.0
BODY_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 2.0
# What is larger is worked through in a thread: it would hold up every stream of the loop.
LARGE_BYTES = 256 * 1024

# What these answer is agreed upon to the letter: there the id is in the header alone.
EXACT_BODIES = ("/stream", "/complete")

Headers = Sequence[tuple[str, str]]
# What was not read of the request would be taken for the next one.
CLOSING = (("Connection", "close"),)
RETRY_SOON = (("Retry-After", "2"),)
# OpenAI's clients repeat what fails by themselves, unless they are told not to.
PAYS_AGAIN = ("X-Should-Retry", "false")


class Held(Protocol):
    """What counts the bytes of bodies that are under way."""

    def grow(self, size: int) -> None:
        """Note that so much of one has come; HttpCallError where there is no room for it."""


class HttpCallError(Exception):
    """A call that cannot be served: its text says what to change, and `field` where."""

    def __init__(
        self,
        status: int,
        text_id: str,
        *,
        facts: Mapping[str, object] | None = None,
        field: str | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(text_id)
        self.status = status
        self.text_id = text_id
        self.facts = facts or {}
        self.field = field
        self.headers = headers

    def sentence(self, language: Language) -> str:
        """Return what to change, for a caller who reads this language."""
        told = catalogue.sentence(language, self.text_id, self.facts)
        return told or catalogue.text(language, "http.unexpected")


class GoneError(Exception):
    """The caller hung up before the request was whole."""


class HttpCall:
    """A request and its reply, over plain ASGI: one reply a call, in one piece or begun and fed.

    Paths are those below `base`, where the studio is served (server.baseUrlPath, "" or "/name").
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, base: str = "") -> None:
        self.base = base
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_path: bytes = scope.get("raw_path") or self.path.encode()
        self.query_string: bytes = scope.get("query_string", b"")
        self.headers: dict[str, str] = scope.get(HEADERS_KEY) or headers_of(scope["headers"])
        self.owner = LOCAL_OWNER  # whose rows it is about; a person's own, once one is known
        self.caller = LOCAL  # who spends: token:NAME, pass:NAME, user:ADDRESS, or here
        self.token: IssuedToken | None = None  # that let it in, if the owner made it on the page
        self.scopes: AccessScopes | None = None  # what its caller may do; None: all
        self.answer: LiveAnswer | None = None  # that was begun for it
        self.has_begun = False
        self.pays_again = False  # something was bought for it that a repeat would buy again
        self.status = 0  # of the reply, once it has begun
        self.body_size = 0  # of the JSON that was read
        self.request_id = f"req_{getrandbits(96):024x}"
        self._receive = ReadAhead(receive)
        self._send = send
        self._cors: list[tuple[bytes, bytes]] = [(b"vary", b"Origin")]
        self._query: dict[str, str] | None = None
        self.connection = ConnectionFacts.of(
            scope.get(PEER_KEY) or peer_of(scope, receive),
            self.headers,
            scope.get("scheme", "http"),
            self.query.get(TOKEN_PARAMETER),
        )

    def __str__(self) -> str:
        """Return what the log calls it; no query, which may hold a token or a question."""
        return f"{self.method} {self.path[:80]!r} ({self.request_id})"

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters; of several with one name the first."""
        if self._query is None:
            pairs = parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True)
            self._query = dict(reversed(pairs))
        return self._query

    @property
    def language(self) -> Language:
        """The language its reader likes better."""
        return language_of(self.headers.get("accept-language"))

    def share_with(self, origin: str) -> None:
        """Let pages of `origin` read the reply."""
        self._cors.append((b"access-control-allow-origin", origin.encode("latin-1", "replace")))
        self._cors.append(
            (
                b"access-control-expose-headers",
                b"Retry-After, X-Should-Retry, X-Request-Id, Mcp-Session-Id",
            )
        )

    # -- what came ---------------------------------------------------------------------------------

    async def body(self, *, most_bytes: int = BODY_BYTES, held: Held | None = None) -> bytes:
        """Return the whole body; HttpCallError when it is too large or too slow.

        `held` hears how much has come, and may refuse more.
        """
        declared = self.headers.get("content-length", "0")
        if declared.isdigit() and int(declared[:16]) > most_bytes:
            raise _too_large(most_bytes)
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while True:
                    async with asyncio.timeout(BODY_SILENCE_S):
                        message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise GoneError
                    body += message.get("body", b"")
                    if len(body) > most_bytes:
                        raise _too_large(most_bytes)
                    if held is not None:
                        held.grow(len(body))
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError as error:
            raise HttpCallError(408, "http.body_slow", headers=CLOSING) from error

    async def json_object(
        self, *, most_bytes: int = BODY_BYTES, held: Held | None = None
    ) -> dict[str, Any]:
        """Return the JSON object in the body; HttpCallError when there is none."""
        content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            # Foreign pages may post text and forms without asking first; JSON they may not.
            raise HttpCallError(415, "http.body_type")
        body = await self.body(most_bytes=most_bytes, held=held)
        self.body_size = len(body)
        try:
            is_large = len(body) > BODY_BYTES
            payload = await asyncio.to_thread(read_json, body) if is_large else read_json(body)
        except (ValueError, RecursionError) as error:
            raise HttpCallError(400, "http.body_not_json") from error
        if not isinstance(payload, dict):
            raise HttpCallError(400, "http.body_no_object")
        return payload

    async def left(self) -> None:
        """Return when the caller has gone; the body may be read afterwards, all of it."""
        await self._receive.left()

    async def hang_up(self) -> None:
        """Return when the caller has gone; the body must have been read, or have no meaning."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    # -- the reply ---------------------------------------------------------------------------------

    async def begin(self, status: int, content_type: str, headers: Headers = ()) -> None:
        """Send status and headers of a reply that is fed with `feed`."""
        await self._start(status, content_type, headers)

    async def feed(self, chunk: bytes, *, is_washed: bool = False) -> None:
        """Send one more piece of the reply; `is_washed` of an answer, washed as it came."""
        body = chunk if is_washed else await washed(chunk)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, chunk: bytes = b"", *, behind: bytes = b"") -> None:
        """Send the last piece; what it stands `behind` is of an answer, washed as it came."""
        await self._send({"type": "http.response.body", "body": behind + await washed(chunk)})

    async def reply(
        self, status: int, body: bytes, content_type: str, headers: Headers = ()
    ) -> None:
        """Send a whole reply."""
        body = await washed(body)
        length = [("Content-Length", str(len(body)))] if status != 204 else []
        await self._start(status, content_type, [*length, *headers])
        if CLOSING[0] in headers:
            await self.feed(body)
            await self._drain()
            body = b""
        await self.end(body)

    async def pass_on(self, message: Message) -> None:
        """Send what another ASGI app says (its `send`), washed, under the headers of the call."""
        if message["type"] == "http.response.body":
            await self._send({**message, "body": await washed(message.get("body", b""))})
            return
        self.has_begun = True
        self.status = message["status"]
        ours = (
            (b"x-content-type-options", b"nosniff"),
            (b"x-request-id", self.request_id.encode()),
        )
        # Without its length: what is masked may be shorter.
        theirs = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
        await self._send({**message, "headers": [*theirs, *ours, *self._cors]})

    async def reply_json(self, status: int, value: Any, headers: Headers = ()) -> None:
        """Send `value` as JSON. An error tells the request's id, by which the log knows it."""
        is_exact = self.path in EXACT_BODIES
        if status >= 400 and getattr(value, "request_id", None) is UNSET and not is_exact:
            value.request_id = self.request_id
        await self.reply(status, write_json(to_builtins(value)), JSON_TYPE, headers)

    async def _drain(self) -> None:
        """Read on for a while: closed at once, the connection would take the reply with it."""
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                while (await self._receive()).get("more_body", False):
                    pass
        except TimeoutError:
            return

    async def _start(self, status: int, content_type: str, headers: Headers) -> None:
        self.has_begun = True
        self.status = status
        named = [("Content-Type", content_type)] if content_type else []
        start: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": [
                *(
                    (name.lower().encode(), value.encode("latin-1", "replace"))
                    for name, value in [*named, ("X-Content-Type-Options", "nosniff"), *headers]
                ),
                (b"x-request-id", self.request_id.encode()),
                *self._cors,
            ],
        }
        await self._send(start)


async def washed(body: bytes) -> bytes:
    """Return what may go out: each known secret masked. A large body holds up no other stream."""
    if len(body) > LARGE_BYTES:
        return await asyncio.to_thread(known_secrets.wash_bytes, body)
    return known_secrets.wash_bytes(body)


def _too_large(most_bytes: int) -> HttpCallError:
    return too_large("http.body_too_large", most_bytes)


def too_large(text_id: str, most_bytes: int) -> HttpCallError:
    """Return the refusal of what is larger than that."""
    megabytes, kilobytes = most_bytes // (1024 * 1024), most_bytes // 1024
    most = f"{megabytes} MB" if megabytes else f"{kilobytes} kB"
    return HttpCallError(413, text_id, facts={"most": most}, headers=CLOSING)


Handler = Callable[[HttpCall], Awaitable[None]]
# Which method of which path is served by what.
Table = Mapping[str, Mapping[str, Handler]]

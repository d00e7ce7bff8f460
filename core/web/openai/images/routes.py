"""`/v1/images/generations` and `/v1/images/edits`: drawn once, archived, told when they are there.

They are generations like all others: written down before they are sent, held in the ledger, shown
in the gallery. A caller who leaves, or waits too long, finds them there, or under the same key.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from msgspec import UNSET, Struct, UnsetType

from core.errors import AppError, InputError, StoreError
from core.models.generations import Generation, GenerationStatus, Picture, ReferenceImage
from core.models.kinds import check_fields
from core.models.money.ledger import BudgetError, Spender
from core.texts.catalogue import text
from core.web.chat.notices import Noticed, notice_reply
from core.web.chat.posted.body_room import HeldBody
from core.web.http_call import PAYS_AGAIN, Headers, HttpCall, HttpCallError
from core.web.http_errors import HttpError, http_error_from
from core.web.kling import envelope
from core.web.kling.create import (
    IDEMPOTENCY_HEADER,
    KEY_MOST,
    PICTURE_BODY_BYTES,
    RETRY_SOON_S,
    KlingCreate,
)
from core.web.openai.errors import error_body, refuse
from core.web.openai.images.form import posted_form
from core.web.openai.images.request import PictureRequest, field_of, picture_request
from core.web.openai.images.retries import Attempt, Retries, attempt_key, is_retry, marks_retries
from core.web.openai.images.waiting_reply import WaitingReply
from core.web.studio_bridge import StudioBridge
from core.work.generations.references import prepare_reference_soon

logger = logging.getLogger(__name__)

# OpenAI's clients give up after ten minutes.
DRAWN_TIMEOUT_S = 540.0
_LOOK_S = 0.25


class DrawnImage(Struct):
    """A picture: Kling's link, or its bytes."""

    url: str | UnsetType = UNSET
    b64_json: str | UnsetType = UNSET


class DrawnImages(Noticed):
    """Pictures in OpenAI's shape."""

    created: int
    data: list[DrawnImage]
    size: str | UnsetType = UNSET


class _Reply(NamedTuple):
    status: int
    body: Struct
    headers: Headers = ()


@dataclass(slots=True)
class _Wish:
    """What is to be drawn. Its picture is let go once it is written down: drawing takes minutes."""

    asked: PictureRequest
    picture: bytes | None = None
    reference: ReferenceImage | None = None
    held: HeldBody | None = None

    async def prepare(self) -> None:
        if self.picture is not None:
            check_fields(self.asked.request)
            self.reference = await asyncio.wrap_future(prepare_reference_soon(self.picture))
            self.picture = None

    def let_go(self) -> None:
        self.reference = None
        if self.held is not None:
            self.held.give_back()


class OpenAIImages:
    """Draws for callers who know OpenAI's API."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge
        self._create = KlingCreate(bridge)
        self._retries = Retries()

    async def generations(self, call: HttpCall) -> None:
        """Answer with pictures drawn from words."""
        body = await call.json_object()
        await self._draw(call, _Wish(picture_request(body, has_image=False)))

    async def edits(self, call: HttpCall) -> None:
        """Answer with pictures drawn from words and one picture."""
        with self._bridge.body_room.hold() as held:
            fields, pictures = await posted_form(call, PICTURE_BODY_BYTES, held)
            if len(pictures) != 1:
                facts = {"field": "image"}
                raise HttpCallError(400, "http.one_picture", facts=facts, field="image")
            asked = picture_request(fields, has_image=True)
            await self._draw(call, _Wish(asked, pictures.pop(), held=held))

    async def _draw(self, call: HttpCall, wish: _Wish) -> None:
        key = call.headers.get(IDEMPOTENCY_HEADER, "").strip()
        if len(key) > KEY_MOST:
            raise HttpCallError(400, "error.idempotency_key_too_long", facts={"limit": KEY_MOST})
        try:
            await wish.prepare()
            async with self._attempt(call, wish) as attempt:
                await self._answer(call, wish, attempt, key)
        except InputError as error:
            told = error_body(
                error.sentence(call.language), "invalid_request_error", param=field_of(error)
            )
            await call.reply_json(400, told)
        except AppError as error:
            if call.has_begun:  # not ended: the repeat takes over what is drawn
                logger.warning("%s is cut off: %s", call.request_id, error)
                return
            is_ours = isinstance(error, BudgetError | StoreError)
            told_error = http_error_from(error, call.language)
            if not is_ours:
                told_error = HttpError(told_error.sentence, status=503)
            await refuse(call, replace(told_error, pays_again=call.pays_again))

    @asynccontextmanager
    async def _attempt(self, call: HttpCall, wish: _Wish) -> AsyncIterator[Attempt]:
        """Watch whether the caller leaves; who stays, and meets no fault, was answered."""
        attempt = self._retries.begin(attempt_key(call, wish.asked, wish.reference))

        async def watch() -> None:
            await call.hang_up()
            attempt.leave()

        watching = asyncio.create_task(watch())
        try:
            yield attempt
        except BaseException:
            attempt.leave()
            raise
        finally:
            watching.cancel()
            attempt.wrote(None)
            if not attempt.left.is_set():
                self._retries.forget(attempt)

    async def _answer(self, call: HttpCall, wish: _Wish, attempt: Attempt, key: str) -> None:
        asked = wish.asked
        generation = await self._taken_over(attempt) if not key and is_retry(call) else None
        if generation is None:
            generation = await self._create.write(
                call, asked.request, _references(wish), key=key or None
            )
        wish.let_go()
        attempt.wrote(generation)
        outcome = await self._create.outcome(call.owner, generation.id, is_keyed=bool(key))
        if outcome.status != 200:
            told = outcome.body(call.language)
            kind = "server_error" if outcome.status >= 500 else "invalid_request_error"
            body = error_body(told.message, kind, code=str(told.code))
            await call.reply_json(outcome.status, body, outcome.headers)
            return
        waiting = WaitingReply(call, self._bridge.timings.keep_alive_s)
        try:
            drawn = await self._drawn(attempt, waiting, generation.id)
            if attempt.left.is_set():  # the gallery will show it, and a repeat may take it over
                return
            reply = await self._reply(call, asked, drawn, is_keyed=bool(key))
        except AppError as error:  # drawn and paid for, and not to be read now
            attempt.leave()  # a repeat takes it over
            later = ("Retry-After", str(RETRY_SOON_S)) if key else PAYS_AGAIN
            sentence = http_error_from(error, call.language).sentence
            reply = _Reply(503, error_body(sentence, "server_error"), (later,))
        if waiting.has_begun and reply.status != 200 and self._is_safe_to_repeat(call, key):
            attempt.leave()
            logger.info("%s is cut off: the repeat is told %d", call.request_id, reply.status)
            return
        await waiting.end(reply.status, reply.body, reply.headers)

    def _is_safe_to_repeat(self, call: HttpCall, key: str) -> bool:
        """Tell whether a repeat of what is cut off is told how it ended, and buys nothing."""
        return bool(key) or (marks_retries(call) and not self._bridge.studio.is_closing)

    async def _taken_over(self, attempt: Attempt) -> Generation | None:
        found = await self._retries.taken_over(attempt.key)
        if found is None:
            return None
        now = await asyncio.to_thread(self._load, found.id)
        return None if now is None or now.status is GenerationStatus.CANCELLED else now

    async def _reply(
        self, call: HttpCall, asked: PictureRequest, drawn: Generation | None, *, is_keyed: bool
    ) -> _Reply:
        if drawn is None:
            sentence = text(call.language, "http.wish_deleted")
            told = error_body(sentence, "invalid_request_error", code="task_deleted")
            return _Reply(404, told, (PAYS_AGAIN,))
        if drawn.status is GenerationStatus.ARCHIVED:
            data = await self._data(drawn, as_base64=asked.as_base64)
            size = drawn.pictures[0] if drawn.pictures else None
            told_size = UNSET if size is None else f"{size.width}x{size.height}"
            notices = [notice_reply(one, call.language) for one in asked.notices] or UNSET
            body = DrawnImages(int(time.time()), data, told_size, notices=notices)
            return _Reply(200, body)
        if drawn.status is GenerationStatus.FAILED:
            words = drawn.error_detail or envelope.refused(drawn, call.language).message
            told = error_body(words, "image_generation_user_error", code="task_failed")
            return _Reply(400, told, (PAYS_AGAIN,))
        later = (("Retry-After", str(RETRY_SOON_S)),) if is_keyed else (PAYS_AGAIN,)
        sentence = text(call.language, "http.still_drawing")
        return _Reply(504, error_body(sentence, "server_error"), later)

    async def _drawn(
        self, attempt: Attempt, waiting: WaitingReply, generation_id: str
    ) -> Generation | None:
        """Wait until a task has ended and its files are here, or the caller has left.

        After a while it is returned as it stands; None when it was deleted.
        """
        until = asyncio.get_running_loop().time() + DRAWN_TIMEOUT_S
        while True:
            is_over = asyncio.get_running_loop().time() > until or self._bridge.studio.is_closing
            try:
                found = await asyncio.to_thread(self._load, generation_id)
                if found is None or found.status.is_final or is_over:
                    return found
            except StoreError:
                if is_over:  # else it is away for a while
                    raise
            if attempt.left.is_set():
                return None
            await waiting.keep_alive()
            with suppress(TimeoutError):
                await asyncio.wait_for(attempt.left.wait(), _LOOK_S)

    def _load(self, generation_id: str) -> Generation | None:
        return self._bridge.studio.store.generations.load(generation_id)

    async def _data(self, drawn: Generation, *, as_base64: bool) -> list[DrawnImage]:
        links = {} if as_base64 else await self._links(drawn)
        return [await self._entry(one, links.get(one.index)) for one in drawn.pictures]

    async def _entry(self, picture: Picture, link: str | None) -> DrawnImage:
        if link is not None:
            return DrawnImage(url=link)
        archive = self._bridge.studio.archive
        content = await asyncio.to_thread(archive.original_bytes, picture.name)
        return DrawnImage(b64_json=base64.b64encode(content).decode())

    async def _links(self, drawn: Generation) -> Mapping[int, str]:
        """Return Kling's own links, by the pictures' places; none where it does not tell them."""
        target = f"/v1/images/generations/{drawn.task_id}"
        spender = Spender(drawn.owner, "local", "http")
        forward = self._bridge.studio.generations.forward
        asking = forward("GET", target, body=b"", content_type=None, spender=spender)
        try:
            reply = await self._bridge.run(asking)
            images: Any = json.loads(reply.content)["data"]["task_result"]["images"]
            return {int(one["index"]): str(one["url"]) for one in images}
        except (AppError, ValueError, KeyError, TypeError):
            return {}


def _references(wish: _Wish) -> tuple[ReferenceImage, ...]:
    return () if wish.reference is None else (wish.reference,)

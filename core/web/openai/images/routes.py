"""`/v1/images/generations` and `/v1/images/edits`: drawn once, archived, told when they are there.

They are generations like all others: written down before they are sent, held in the ledger, shown
in the gallery. A caller who leaves, or waits too long, finds them there, or under the same key.
"""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import AppError, InputError, StoreError
from core.models.generations import Generation, GenerationStatus, Picture, ReferenceImage
from core.models.money.ledger import BudgetError
from core.models.notices import Notice
from core.texts.catalogue import Language, text
from core.web.http_call import PAYS_AGAIN, GoneError, HttpCall, HttpCallError
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
from core.web.studio_bridge import StudioBridge
from core.work.generations.references import prepare_reference_soon

# OpenAI's clients give up after ten minutes.
DRAWN_TIMEOUT_S = 540.0
_LOOK_S = 0.25


class OpenAIImages:
    """Draws for callers who know OpenAI's API."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge
        self._create = KlingCreate(bridge)

    async def generations(self, call: HttpCall) -> None:
        """Answer with pictures drawn from words."""
        body = await call.json_object()
        await self._draw(call, picture_request(body, has_image=False), None)

    async def edits(self, call: HttpCall) -> None:
        """Answer with pictures drawn from words and one picture."""
        fields, pictures = await posted_form(call, PICTURE_BODY_BYTES)
        if len(pictures) != 1:
            raise HttpCallError(400, "http.one_picture", facts={"field": "image"}, field="image")
        await self._draw(call, picture_request(fields, has_image=True), pictures[0])

    async def _draw(self, call: HttpCall, asked: PictureRequest, picture: bytes | None) -> None:
        key = call.headers.get(IDEMPOTENCY_HEADER, "").strip()
        if len(key) > KEY_MOST:
            raise HttpCallError(400, "error.idempotency_key_too_long", facts={"limit": KEY_MOST})
        reference: ReferenceImage | None = None
        try:
            if picture is not None:
                reference = await asyncio.wrap_future(prepare_reference_soon(picture))
            generation, outcome = await self._create.buy(
                call, asked.request, reference, key=key or None
            )
        except InputError as error:
            told = error_body(
                error.sentence(call.language), "invalid_request_error", param=field_of(error)
            )
            await call.reply_json(400, told)
            return
        except AppError as error:
            is_ours = isinstance(error, BudgetError | StoreError)
            told_error = http_error_from(error, call.language)
            await refuse(
                call, told_error if is_ours else HttpError(told_error.sentence, status=503)
            )
            return
        if outcome.status != 200:
            told = outcome.body(call.language)
            kind = "server_error" if outcome.status >= 500 else "invalid_request_error"
            body = error_body(str(told["message"]), kind, code=str(told["code"]))
            await call.reply_json(outcome.status, body, outcome.headers)
            return
        try:
            await self._tell(call, asked, generation, is_keyed=bool(key))
        except StoreError as error:  # what was drawn is paid for, and cannot be read now
            http_error = http_error_from(error, call.language)
            await refuse(call, replace(http_error, pays_again=call.pays_again))

    async def _tell(
        self, call: HttpCall, asked: PictureRequest, generation: Generation, *, is_keyed: bool
    ) -> None:
        drawn = await self._drawn(call, generation.id)
        if drawn is None:
            sentence = text(call.language, "http.wish_deleted")
            told = error_body(sentence, "invalid_request_error", code="task_deleted")
            await call.reply_json(404, told)
            return
        if drawn.status is GenerationStatus.ARCHIVED:
            data = await self._data(drawn, as_base64=asked.as_base64)
            size = drawn.pictures[0] if drawn.pictures else None
            body: dict[str, object] = {"created": int(time.time()), "data": data}
            if size is not None:
                body["size"] = f"{size.width}x{size.height}"
            if asked.notices:
                body["notices"] = [_notice(one, call.language) for one in asked.notices]
            await call.reply_json(200, body)
            return
        if drawn.status is GenerationStatus.FAILED:
            words = drawn.error_detail or envelope.refused(drawn, call.language)["message"]
            told = error_body(str(words), "image_generation_user_error", code="task_failed")
            await call.reply_json(400, told, (PAYS_AGAIN,))
            return
        later = (("Retry-After", str(RETRY_SOON_S)),) if is_keyed else (PAYS_AGAIN,)
        sentence = text(call.language, "http.still_drawing")
        await call.reply_json(504, error_body(sentence, "server_error"), later)

    async def _drawn(self, call: HttpCall, generation_id: str) -> Generation | None:
        """Wait until a task has ended and its files are here; None where it was deleted.

        After a while it is returned as it stands. GoneError where the caller has left: the gallery
        will show it.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + DRAWN_TIMEOUT_S
        leaving = asyncio.ensure_future(call.hang_up())
        try:
            while True:
                is_over = clock() > until or self._bridge.studio.is_closing
                try:
                    found = await asyncio.to_thread(self._load, generation_id)
                    if found is None or found.status.is_final or is_over:
                        return found
                except StoreError:
                    if is_over:  # else it is away for a while
                        raise
                await asyncio.wait((leaving,), timeout=_LOOK_S)
                if leaving.done():
                    raise GoneError
        finally:
            leaving.cancel()

    def _load(self, generation_id: str) -> Generation | None:
        return self._bridge.studio.store.generations.load(generation_id)

    async def _data(self, drawn: Generation, *, as_base64: bool) -> list[dict[str, str]]:
        links = {} if as_base64 else await self._links(drawn)
        return [await self._entry(one, links.get(one.index)) for one in drawn.pictures]

    async def _entry(self, picture: Picture, link: str | None) -> dict[str, str]:
        if link is not None:
            return {"url": link}
        archive = self._bridge.studio.archive
        content = await asyncio.to_thread(archive.original_bytes, picture.name)
        return {"b64_json": base64.b64encode(content).decode()}

    async def _links(self, drawn: Generation) -> Mapping[int, str]:
        """Return Kling's own links, by the pictures' places; none where it does not tell them."""
        target = f"/v1/images/generations/{drawn.task_id}"
        asking = self._bridge.studio.generations.forward("GET", target, body=b"", content_type=None)
        try:
            reply = await self._bridge.run(asking)
            images: Any = json.loads(reply.content)["data"]["task_result"]["images"]
            return {int(one["index"]): str(one["url"]) for one in images}
        except (AppError, ValueError, KeyError, TypeError):
            return {}


def _notice(notice: Notice, language: Language) -> dict[str, object]:
    words = text(language, notice.text_id, **notice.facts)
    return {"id": notice.text_id.removeprefix("notice."), "message": words, **notice.facts}

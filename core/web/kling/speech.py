"""`POST /kling/v1/audio/tts` as a generation: written down, said once, archived, answered as Kling.

Kling answers with the finished task and a link that lapses; here the link is the archive's.
"""

import asyncio
from functools import partial
from urllib.parse import urlencode

from core.access.connection import Rules
from core.access.forwarding import scheme_of
from core.archive.archive import sound_name
from core.errors import AppError, InputError
from core.models.generations import Generation, GenerationStatus
from core.models.money.ledger import BudgetError
from core.web.http_call import PAYS_AGAIN, HttpCall
from core.web.http_errors import http_error_from
from core.web.kling import envelope
from core.web.kling.create import (
    IDEMPOTENCY_HEADER,
    KEY_MOST,
    RETRY_SOON_S,
    KlingCreate,
    refuse_budget,
)
from core.web.kling.creates.speech import speech_from_json
from core.web.studio_bridge import StudioBridge
from core.wire.audio import Mp3Error, pcm_from_mp3, seconds_of

FILE_PATH = "/speech/file"
_LATE = "error.speech_file_late"
_LOOK_S = 0.05
_FILE_TIMEOUT_S = 60.0


class KlingSpeech:
    """Says texts for callers who know Kling's API."""

    def __init__(self, bridge: StudioBridge, create: KlingCreate) -> None:
        self._bridge = bridge
        self._create = create

    async def create(self, call: HttpCall) -> None:
        """Answer once the sound is in the archive, or it is known why it is not."""
        try:
            key = call.headers.get(IDEMPOTENCY_HEADER, "").strip()
            if len(key) > KEY_MOST:
                facts = {"limit": KEY_MOST}
                raise InputError("Idempotency-Key", "error.idempotency_key_too_long", facts=facts)
            request = speech_from_json(await call.json_object()).request
            generation = await self._create.write(call, request, (), key=key or None)
            outcome = await self._create.outcome(call.owner, generation.id, is_keyed=bool(key))
            if outcome.status != 200:
                body, headers = outcome.body(call.language), outcome.headers
                await call.reply_json(outcome.status, body, headers)
                return
            await self._answer(call, generation.id, is_keyed=bool(key))
        except InputError as error:
            refusal = envelope.error(envelope.PARAMETERS_CODE, error.sentence(call.language))
            await call.reply_json(400, refusal)
        except BudgetError as error:
            await refuse_budget(call, error)
        except AppError as error:
            told = http_error_from(error, call.language).sentence
            await call.reply_json(503, envelope.error(envelope.FAULT_CODE, told))

    async def _answer(self, call: HttpCall, generation_id: str, *, is_keyed: bool) -> None:
        """Answer with the sound; it is paid for, so that who repeats without a key pays again."""
        try:
            said = await self._archived(generation_id)
            described = await self._described(call, said)
        except AppError as error:
            told = http_error_from(error, call.language).sentence
            may_ask_again = is_keyed and error.text_id == _LATE
            headers = (("Retry-After", str(RETRY_SOON_S)),) if may_ask_again else (PAYS_AGAIN,)
            await call.reply_json(503, envelope.error(envelope.FAULT_CODE, told), headers)
            return
        await call.reply_json(200, described)

    async def _archived(self, generation_id: str) -> Generation:
        """Wait until the file is here; it is said and paid for, and comes in the end."""
        until = asyncio.get_running_loop().time() + _FILE_TIMEOUT_S
        while True:
            found = await asyncio.to_thread(
                self._bridge.studio.store.generations.load, generation_id
            )
            if found is not None and found.status is GenerationStatus.ARCHIVED:
                return found
            is_over = asyncio.get_running_loop().time() > until or self._bridge.studio.is_closing
            if found is None or found.status.is_final or is_over:
                text_id = found.error_text_id if found is not None else None
                raise AppError(text_id or _LATE)
            await asyncio.sleep(_LOOK_S)

    async def _described(self, call: HttpCall, said: Generation) -> envelope.Envelope:
        content = await asyncio.to_thread(
            self._bridge.studio.archive.original_bytes, sound_name(said)
        )
        try:
            pcm = await asyncio.to_thread(pcm_from_mp3, content)
        except Mp3Error as error:
            raise AppError("error.sound_not_sound") from error
        duration_s = seconds_of(len(pcm))
        ticket = await self._bridge.in_thread(
            partial(self._bridge.studio.transfers.tickets.sign, caller=call.caller),
            call.owner,
            "sound",
        )
        query = urlencode({"ticket": ticket, "id": said.id})
        rules = Rules.of(self._bridge.studio.settings.access)
        host = call.headers.get("host", "localhost")
        link = f"{scheme_of(call.connection, rules)}://{host}{call.base}{FILE_PATH}?{query}"
        audio = {"id": said.id, "url": link, "duration": f"{duration_s:.2f}"}
        return envelope.said(said, audio)

"""Kling's voice: one generation for each text and voice, whose file is the sound.

The same text in the same voice is the same row, so that it is bought once however often it is
heard. Where nobody knows whether it was said, that is told, and only a person has it said again.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable

from core.archive.archive import Archive, sound_name
from core.errors import AppError, InputError, after_payment
from core.models.generations import Generation, GenerationStatus
from core.models.money.ledger import Spender
from core.models.speech import KLING_SPEEDS, SpeechRequest, kling_voice, kling_voice_names
from core.storage.store import Store
from core.wire.audio import Mp3Error, pcm_from_mp3
from core.work.generations.sending.submission import FATE_UNKNOWN

KEY_PREFIX = "speech-"
LATE = "error.speech_late"
PATIENCE_S = 90.0  # Kling answers at once: who listens waits no longer, the generation does
_LOOK_FIRST_S, _LOOK_MOST_S = 0.02, 0.25
_CHUNK = 9_600  # bytes: a fifth of a second

Request = Callable[..., Generation]  # `Generations.request`


class KlingVoiceover:
    """Says texts of at most a thousand characters. On the studio's loop."""

    def __init__(self, *, store: Store, archive: Archive, request: Request) -> None:
        self._store = store
        self._archive = archive
        self._request = request

    async def speak(
        self, spender: Spender, text: str, voice: str, speed: float, *, again: bool = False
    ) -> AsyncGenerator[bytes]:
        """Yield samples; AppError says why there are none. `again` is a person's word for it."""
        asked = speech_request(text, voice, speed)
        generation = await asyncio.to_thread(self._written, spender, asked, again=again)
        ended = await self._ended(generation)
        try:
            pcm = await asyncio.to_thread(self._sound, ended)
        except AppError as error:
            raise after_payment(error) from error
        for at in range(0, len(pcm), _CHUNK):
            yield pcm[at : at + _CHUNK]

    def _written(self, spender: Spender, asked: SpeechRequest, *, again: bool) -> Generation:
        """Write the text down, or find it: what is here, or on its way, is not bought once more."""
        number, last = 0, None
        find = self._store.generations.find_by_key
        while (found := find(spender.owner, _key(asked, number))) is not None:
            is_here = found.status is GenerationStatus.ARCHIVED
            if not found.status.is_final or (is_here and self._archive.exists(sound_name(found))):
                return found
            number, last = number + 1, found
        if last is not None and last.error_text_id == FATE_UNKNOWN and not again:
            raise AppError(FATE_UNKNOWN)
        return self._request(
            spender.owner,
            asked,
            origin=spender.origin,
            idempotency_key=_key(asked, number),
            caller=spender.caller,
        )

    async def _ended(self, generation: Generation) -> Generation:
        """Wait until the sound is here; AppError says why it is not, or not yet."""
        clock = asyncio.get_running_loop().time
        until, pause_s = clock() + PATIENCE_S, _LOOK_FIRST_S
        while not generation.status.is_final:
            if clock() > until:
                await self._leave(generation)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LOOK_MOST_S)
            found = await asyncio.to_thread(self._store.generations.load, generation.id)
            if found is None:
                raise AppError("error.speech_given_up")
            generation = found
        if generation.status is not GenerationStatus.ARCHIVED:
            raise _why_not(generation)
        return generation

    async def _leave(self, generation: Generation) -> None:
        """Take back what was not sent, so that nothing is bought behind the listener's back.

        Else say that it is late: it goes on, and the same text finds it without buying it again.
        """
        cancel = self._store.generations.cancel
        if not await asyncio.to_thread(cancel, generation.owner, generation.id):
            raise after_payment(AppError(LATE, facts={"seconds": round(PATIENCE_S)}))

    def _sound(self, generation: Generation) -> bytes:
        try:
            return pcm_from_mp3(self._archive.original_bytes(sound_name(generation)))
        except Mp3Error as error:
            raise AppError("error.sound_not_sound") from error


def _why_not(generation: Generation) -> AppError:
    """Return why there is no sound of what has ended; what Kling took may have been paid for."""
    text_id = generation.error_text_id or "error.speech_given_up"
    told = AppError(text_id, facts=generation.error_facts, detail=generation.error_detail)
    is_bought = generation.task_id is not None or text_id == FATE_UNKNOWN
    return after_payment(told) if is_bought else told


def speech_request(text: str, voice: str, speed: float) -> SpeechRequest:
    """Return the request for a text; InputError where Kling has no such voice."""
    found = kling_voice(voice, text)
    if found is None:
        facts = {"voice": voice[:60], "offered": ", ".join(kling_voice_names())}
        raise InputError("voice", "error.speech_voice_unknown", facts=facts)
    slowest, quickest = KLING_SPEEDS
    return SpeechRequest(
        prompt=text,
        voice_id=found.id,
        voice_language=found.language,
        voice_speed=round(min(max(speed, slowest), quickest), 1),
    )


def _key(asked: SpeechRequest, number: int) -> str:
    told = "\0".join((asked.prompt, asked.voice_id, asked.voice_language, str(asked.voice_speed)))
    digest = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()
    return f"{KEY_PREFIX}{digest}" + (f"-{number}" if number else "")

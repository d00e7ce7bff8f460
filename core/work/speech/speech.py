"""Speaks a text, whoever says it: one surface, samples out, each call in the ledger.

`Speech.speak` is what pages and HTTP use. The server of the settings streams; Kling says a sentence
first and then up to a thousand characters a call. Who stops listening closes the generator, and
with it what is under way.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from core.access.owners import may_spend
from core.archive.archive import Archive
from core.errors import AppError, ConfigurationError, may_be_billed
from core.models.money.ledger import Settlement, Spender
from core.models.money.settling import settle_lost, settle_piece
from core.models.speech import KLING_TEXT_MOST, Recording, Speaker, SpeechAsk
from core.providers.speech.transcription import TranscriptionReply, transcript_in
from core.settings import SPEECH_SETTINGS, TRANSCRIBE_SETTINGS
from core.storage.store import Store
from core.wire.audio import SentenceCutter
from core.work.money.spending import Spending
from core.work.speech.kling import KlingVoiceover, Request
from core.work.speech.portions import Portions, PortionSizes, one_ahead, sentences_of
from core.work.speech.voices import Voice, Voices
from core.work.speech.washing import washed

# Servers say what they get in one go: shorter portions stop sooner, and are heard sooner.
_SERVER = PortionSizes(most=1_000)
# Kling's are paid one by one: after the first sentence, so much of an answer is waited for.
_KLING = PortionSizes(most=KLING_TEXT_MOST, least=300)


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """How a text is said. `again` is a person's word for what may have been paid for already."""

    by: Speaker
    voice: str = ""
    speed: float = 1.0
    model: str = ""
    again: bool = False


class Speech:
    """The use cases around speech. Generators run on the studio's loop."""

    def __init__(
        self,
        *,
        store: Store,
        archive: Archive,
        voices: Voices,
        spending: Spending,
        request: Callable[[], Request],
    ) -> None:
        self._store = store
        self._spending = spending
        self.voices = voices
        self._kling = KlingVoiceover(
            store=store, archive=archive, request=lambda *how, **more: request()(*how, **more)
        )

    def check(self, spender: Spender, how: SpeechOptions) -> None:
        """Raise what stands in the way before anything is said: no server, or not for visitors."""
        if how.by == "server":
            if not may_spend(spender.owner):
                raise ConfigurationError(SPEECH_SETTINGS[0], "-", "error.speech_not_set")
            self.voices.server()

    async def speak(self, spender: Spender, text: str, how: SpeechOptions) -> AsyncGenerator[bytes]:
        """Yield the samples of a whole text, as it stands: no mark of it is left out."""
        sizes = _KLING if how.by == "kling" else _SERVER
        cutter = SentenceCutter()
        pieces = [*cutter.feed(text), *cutter.finish()]
        portions = Portions(sentences_of(pieces), sizes, say_all=True)
        async with aclosing(self._said(spender, portions, how)) as sound:
            async for pcm in sound:
                yield pcm

    async def read_aloud(
        self, spender: Spender, sentences: AsyncIterator[str], how: SpeechOptions
    ) -> AsyncGenerator[bytes]:
        """Yield the samples of Markdown that may still be written: what can be spoken of it."""
        sizes = _KLING if how.by == "kling" else _SERVER
        async with aclosing(self._said(spender, Portions(sentences, sizes), how)) as sound:
            async for pcm in sound:
                yield pcm

    async def write_down(self, spender: Spender, recording: Recording) -> str:
        """Return what was said in a recording; empty where nothing was."""
        reply = await self.forward_recording(spender, recording)
        return transcript_in(reply, self.voices.transcriber().host)

    async def forward_recording(self, spender: Spender, recording: Recording) -> TranscriptionReply:
        """Send a recording to the server that writes down, with its line in the ledger."""
        if not may_spend(spender.owner):
            raise ConfigurationError(TRANSCRIBE_SETTINGS[0], "-", "error.transcription_not_set")
        server = self.voices.transcriber()
        model = recording.fields.get("model") or server.model
        held = self._spending.for_speech(spender, server.host, model, "")
        await asyncio.to_thread(self._store.ledger.reserve, held)
        settled: Settlement | None = settle_lost(held.line)
        try:
            reply = await server.forward(
                recording.fields,
                recording.content,
                name=recording.name,
                media_type=recording.media_type,
            )
            settled = settle_piece(held.line)
            return reply
        except AppError as error:
            settled = settle_lost(held.line) if may_be_billed(error) else None
            raise
        finally:
            settling = {held.line.id: lambda _line: settled}
            await asyncio.shield(asyncio.to_thread(self._store.ledger.settle, settling))

    def _said(
        self, spender: Spender, portions: Portions, how: SpeechOptions
    ) -> AsyncGenerator[bytes]:
        if how.by == "kling":

            def say(words: str) -> AsyncGenerator[bytes]:
                return self._kling.speak(spender, words, how.voice, how.speed, again=how.again)

            return one_ahead(aiter(portions), say)
        server = self.voices.server()
        return one_ahead(aiter(portions), partial(self._by_server, spender, server, how))

    async def _by_server(
        self, spender: Spender, server: Voice, how: SpeechOptions, words: str
    ) -> AsyncGenerator[bytes]:
        """Say one portion, with its line in the ledger; what it costs the server's list tells."""
        ask = SpeechAsk(words, how.voice, how.speed, how.model)
        held = self._spending.for_speech(spender, server.host, ask.model or server.model, words)
        await asyncio.to_thread(self._store.ledger.reserve, held)
        settled: Settlement | None = settle_lost(held.line)
        try:
            async with aclosing(washed(server.speak(ask))) as sound:
                async for pcm in sound:
                    yield pcm
            settled = settle_piece(held.line)
        except AppError as error:
            settled = settle_lost(held.line) if may_be_billed(error) else None
            raise
        finally:
            settling = {held.line.id: lambda _line: settled}
            await asyncio.shield(asyncio.to_thread(self._store.ledger.settle, settling))

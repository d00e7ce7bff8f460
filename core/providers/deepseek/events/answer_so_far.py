"""The answer that a reply tells, so far: what each of its objects adds, and how it ends."""

from collections.abc import Sequence
from typing import Any

from core.errors import ProviderError
from core.models.deltas import Delta, Extras
from core.providers.deepseek.error_shapes import says_error, words_in
from core.providers.deepseek.errors import cut_off, error_in_stream, unreadable
from core.providers.deepseek.events.decoding import ChunkPairs
from core.providers.deepseek.reply import ALIVE, ReplyReader, answer_in
from core.providers.http.redaction import EXCERPT_LIMIT, clean_detail


class AnswerSoFar:
    """Takes what is read, and returns what is new of it; `failure` tells how it broke off."""

    def __init__(self, *, host: str, secrets: Sequence[str]) -> None:
        self._host = host
        self._secrets = secrets
        self._reply = ReplyReader()
        self._texts = self._reply.texts
        self._pairs = ChunkPairs()
        self._has_texts = False
        self.model: str | None = None  # that the last object named
        self.last_words = ""  # that were no answer
        self.has_data = False
        self.has_moved = False  # by the last bytes
        self.is_finished = False  # said to be complete
        self.is_ended = False  # nothing more is read
        self.failure: ProviderError | None = None

    @property
    def may_be_usual(self) -> bool:
        """Whether an event that comes now can be read the short way."""
        return not self.is_finished and self._reply.is_first_choice

    def add_texts(self, said: Delta) -> Delta:
        """Return what is new of texts that were read the short way."""
        self.has_data = self._has_texts = self.has_moved = True
        if not self._texts[said.part].lets_by(said.texts):
            said = self._texts.new_in(said)
        return self._pairs.join(said) if said.part in self._pairs.halves else said

    def add_event(
        self, name: str, payload: dict[str, Any], marked: dict[str, Any] | None
    ) -> list[Delta]:
        """Return what an event adds, `marked` being its object with signs for bytes in it."""
        if name == "error" and not says_error(payload):
            payload = {"error": payload or "?"}
        if name.lower() in ALIVE and answer_in(payload) is None:
            return []
        if self._has_texts:
            self._reply.note_text()
        deltas: list[Delta] = []
        error = self.error_in(payload)
        had_ended = self.is_finished
        if error is None or answer_in(payload) is not None:
            self.has_data = True
            deltas, inner = self.add_object(payload, marked)
            error = inner or error
        if error is None:
            return deltas
        # Where the answer has ended already, how the server is does not take it back.
        return deltas + (self.lacking() if had_ended else self.fail(error))

    def add_object(
        self, payload: dict[str, Any], marked: dict[str, Any] | None = None
    ) -> tuple[list[Delta], ProviderError | None]:
        """Return what an object adds, and the error that stands in a choice of it."""
        if marked is not None:
            self._pairs.is_marked = True
        told, broken = self._reply.take(marked or payload)
        extras = told.extras
        if extras.unread:
            self.last_words = words_in(payload) or self.last_words
        self.model = extras.model or self.model
        if not self.is_finished:  # else the grace runs, whatever else is told
            self.is_finished = extras.finish_reason is not None
            self.has_moved = True
        deltas = list(map(self._pairs.join, told.deltas()))
        return deltas, None if broken is None else self.error_in(broken)

    def lacking(self) -> list[Delta]:
        """Return that an event could not be read."""
        return [Delta("content", [], Extras(unread=1))]

    def error_in(self, payload: dict[str, Any]) -> ProviderError | None:
        """Return the error that an object holds."""
        return error_in_stream(payload, host=self._host, secrets=self._secrets)

    def unreadable(self, body: bytes) -> ProviderError:
        """Return the error for a reply that is none."""
        return unreadable(body, host=self._host, secrets=self._secrets)

    def cut_off(self) -> ProviderError:
        """Return the error for an answer that ended without saying that it had."""
        return cut_off(self._host)

    def finish(self) -> list[Delta]:
        """End as said to be complete; return what was held back."""
        self.is_finished = True
        return self._release()

    def end(self) -> list[Delta]:
        """End where nothing follows, complete or cut off; return what was held back."""
        if self.is_finished:
            return self._release()
        error = self.cut_off()
        error.detail = clean_detail(self.last_words, secrets=self._secrets, limit=EXCERPT_LIMIT)
        return self.fail(error)

    def break_off(self, error: ProviderError) -> list[Delta]:
        """End without the rest, unless that was all; return what was held back."""
        return self._release() if self.is_finished else self.fail(error)

    def fail(self, error: ProviderError) -> list[Delta]:
        """End with an error; return what was held back."""
        self.failure = error
        return self._release()

    def _release(self) -> list[Delta]:
        self.is_ended = True
        return self._pairs.release(self._texts.release())

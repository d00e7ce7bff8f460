"""Buffer of log probabilities: one entry a token, as the provider wrote them.

A secret that is masked in the text may stand in its tokens, one piece in each: they wait until the
text they make is known to be none, and are blanked where it is.
"""

from collections.abc import Mapping
from typing import Any

from core.wire.masking.secrets import MASK, known_secrets
from core.wire.masking.stream_washer import StreamWasher

Entry = tuple[str, dict[str, Any]]  # the part it belongs to, and what is told of a token


class LogprobsBuffer:
    """The entries of one answer. Not thread-safe."""

    __slots__ = ("_entries", "_waiting")

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._waiting: dict[str, _Waiting] = {}

    def extend(self, logprobs: Mapping[str, list[Any]]) -> None:
        """Append what streamed events brought."""
        for part, entries in logprobs.items():
            waiting = self._waiting.setdefault(part, _Waiting())
            for entry in entries:
                if isinstance(entry, Mapping) and isinstance(entry.get("token"), str):
                    self._entries += ((part, one) for one in waiting.take(dict(entry)))

    def since(self, place: int) -> list[Entry]:
        """Return what came behind so many entries."""
        return self._entries[place:]

    def end(self) -> None:
        """Release what was held back: nothing follows."""
        for part, waiting in self._waiting.items():
            self._entries += ((part, one) for one in waiting.end())


class _Waiting:
    """The entries of one part whose tokens may be pieces of a secret."""

    def __init__(self) -> None:
        self._washer = StreamWasher(known_secrets)
        self._entries: list[dict[str, Any]] = []
        self._shown = ""  # what the washer let by of them

    def take(self, entry: dict[str, Any]) -> list[dict[str, Any]]:
        self._entries.append(entry)
        self._shown += self._washer.take(entry["token"])
        return [] if self._washer.held else self._released()

    def end(self) -> list[dict[str, Any]]:
        self._shown += self._washer.end()
        return self._released()

    def _released(self) -> list[dict[str, Any]]:
        entries, shown = self._entries, self._shown
        self._entries, self._shown = [], ""
        is_as_it_was = shown == "".join(one["token"] for one in entries)
        return entries if is_as_it_was else [_blanked(one) for one in entries]


def _blanked(entry: dict[str, Any]) -> dict[str, Any]:
    return {"token": MASK, "logprob": entry.get("logprob"), "bytes": None, "top_logprobs": []}

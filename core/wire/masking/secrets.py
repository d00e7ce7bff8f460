"""Secret masking: a registry of the secrets that are known, and the search that masks them.

Found raw, in base64 and base64url at each of the three offsets, in hex, and all of these
URL-encoded (in part too), JSON-escaped or HTML-escaped, up to three layers deep.
"""

import base64
import re
import threading
from collections import deque
from collections.abc import Iterable

from core.wire.masking.escapes import ESCAPE, LAYERS, Layer, may_be_escaped, plain

MASK = "…"
BYTES_MASK = b"***"
# A shorter one, or one short plain word, would mask ordinary text everywhere.
SECRET_LEAST = 8
_WORD_MOST = 15
_PASSING_MOST = 64  # signed tokens lapse within half an hour
# One expression for all looks through a short text at once; through a long one it goes sign by
# sign, and a search for each is ten times as fast.
_SHORT = 128
# Of a secret, these many letters may be shown before it is known for one: they tell nothing.
HEAD_LENGTH = 6


class KnownSecrets:
    """Holds the secrets of this process and masks them; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lasting: frozenset[str] = frozenset()
        self._passing: deque[str] = deque(maxlen=_PASSING_MOST)
        self.secrets: tuple[str, ...] = ()  # those held now
        self.version = 0  # another one with each change
        self.needles: tuple[str, ...] = ()
        self.heads: tuple[str, ...] = ()
        self._beginnings: re.Pattern[str] | None = None
        self._hints: re.Pattern[str] | None = None  # the beginnings, and those of escapes
        self._least = 1 << 60

    def replace(self, secrets: Iterable[str]) -> None:
        """Hold these in place of the lasting ones; those until now stay among the passing ones."""
        with self._lock:
            kept = frozenset(filter(_is_secret, (secret.strip() for secret in secrets)))
            self._passing.extend(self._lasting - kept)
            self._lasting = kept
            self._prepare()

    def add(self, *secrets: str) -> None:
        """Hold these too, for as long as a signed token lives."""
        with self._lock:
            for secret in filter(_is_secret, secrets):
                if secret not in self._passing and secret not in self._lasting:
                    self._passing.append(secret)
            self._prepare()

    def is_in(self, text: str) -> bool:
        """Tell whether a known secret stands in `text`, in whatever encoding."""
        return self.may_be_in(text) and bool(self._spans(text))

    def may_be_in(self, text: str) -> bool:
        """Tell whether a closer look is worth it: nearly all text is plain, and begins no secret.

        Of several texts it may be asked at once, put together.
        """
        if len(text) < self._least or self._hints is None:
            return False
        if len(text) <= _SHORT:
            return self._hints.search(text) is not None
        return may_be_escaped(text) or any(needle in text for needle in self.needles)

    def has_hint(self, text: str, start: int) -> bool:
        """Tell whether a needle, or an escape, may begin in `text` from `start` on."""
        if len(text) - start > _SHORT:
            return may_be_escaped(text) or any(text.find(one, start) >= 0 for one in self.heads)
        return self._hints is not None and self._hints.search(text, start) is not None

    def wash(self, text: str) -> str:
        """Return `text` with each known secret masked."""
        return self._masked(text, MASK) if self.may_be_in(text) else text

    def wash_bytes(self, body: bytes) -> bytes:
        """Return `body` with each known secret masked; bytes that are no text come through."""
        if len(body) < self._least:
            return body
        text = body.decode("latin-1")
        if not self.may_be_in(text):
            return body
        washed = self._masked(text, BYTES_MASK.decode())
        return body if washed is text else washed.encode("latin-1")

    def blank_bytes(self, body: bytes) -> bytes:
        """Return `body`, as long as it was, with each known secret overwritten."""
        spans = self._spans(body.decode("latin-1"))
        blanked = bytearray(body)
        for start, end in spans:
            blanked[start:end] = b"*" * (end - start)
        return bytes(blanked) if spans else body

    def _masked(self, text: str, mask: str) -> str:
        spans = self._spans(text)
        if not spans:
            return text
        pieces: list[str] = []
        at = 0
        for start, end in spans:
            if start >= at:
                pieces += (text[at:start], mask)
            at = max(at, end)
        return "".join((*pieces, text[at:]))

    def _spans(self, text: str) -> list[tuple[int, int]]:
        if len(text) < self._least:
            return []
        found = self._direct(text)
        layers: list[Layer] = []
        view = text
        for _ in range(LAYERS):
            if not may_be_escaped(view):
                break
            shown = ESCAPE.sub(plain, view)
            if shown == view:
                break
            layers.append(Layer(view))
            view = shown
            for start, end in self._direct(view):
                for layer in reversed(layers):
                    start, end = layer.back(start, end)
                found.append((start, end))
        return sorted(found)

    def _direct(self, text: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        if len(text) <= _SHORT and not self.may_begin_in(text):
            return found
        for needle in self.needles:
            at = text.find(needle)
            while at >= 0:
                found.append((at, at + len(needle)))
                at = text.find(needle, at + 1)
        return found

    def may_begin_in(self, text: str) -> bool:
        """Tell whether the first letters of a needle stand in `text`: one search for all of them.

        Asked of every piece of every answer, where the answer is nearly always no.
        """
        if len(text) > _SHORT:
            return any(head in text for head in self.heads)
        return self._beginnings is not None and self._beginnings.search(text) is not None

    def _prepare(self) -> None:
        self.secrets = (*self._lasting, *self._passing)
        needles = {needle for secret in self.secrets for needle in _forms(secret)}
        self.needles = tuple(sorted(needles, key=len, reverse=True))
        self.heads = tuple(sorted({needle[:HEAD_LENGTH] for needle in needles}))
        beginnings = "|".join(map(re.escape, self.heads))
        self._beginnings = re.compile(beginnings) if needles else None
        self._hints = re.compile(rf"{beginnings}|[%\\&]") if needles else None
        self._least = min(map(len, needles), default=1 << 60)
        self.version += 1


def _is_secret(secret: str) -> bool:
    if len(secret) < SECRET_LEAST:
        return False
    is_word = secret.isascii() and secret.isalpha() and secret.islower()
    return not (is_word and len(secret) <= _WORD_MOST)


def _forms(secret: str) -> Iterable[str]:
    raw = secret.encode("utf-8", "replace")
    yield secret
    yield raw.decode("latin-1")
    yield raw.hex()
    yield raw.hex().upper()
    for offset in range(3):
        first, last = (offset * 8 + 5) // 6, (offset + len(raw)) * 8 // 6
        core = base64.b64encode(b"\0" * offset + raw).decode()[first:last]
        yield core
        yield core.replace("+", "-").replace("/", "_")
    if secret.startswith("eyJ") and secret.count(".") == 2 and len(secret.split(".")[2]) >= 16:
        yield secret.split(".")[2]


known_secrets = KnownSecrets()

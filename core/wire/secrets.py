"""Secret masking: a registry of the secrets that are known, and the search that masks them.

Found raw, in base64 and base64url at each of the three offsets, in hex, and all of these
URL-encoded (in part too), JSON-escaped or HTML-escaped, up to three layers deep.
"""

import base64
import html
import re
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable

MASK = "…"
BYTES_MASK = b"***"
# A shorter one, or one short plain word, would mask ordinary text everywhere.
SECRET_LEAST = 8
_WORD_MOST = 15
_PASSING_MOST = 64  # signed tokens lapse within half an hour
_LAYERS = 3
# One expression for all looks through a short text at once; through a long one it goes sign by
# sign, and a search for each is ten times as fast.
_SHORT = 128
_CONTEXT = 64  # shown characters that a secret, escaped, may have begun in

_ESCAPE = re.compile(
    r"%(?:25)*([0-9A-Fa-f]{2})|\\+u00([0-9A-Fa-f]{2})|\\+x([0-9A-Fa-f]{2})"
    r"|(&(?:#[xX]0*[0-9A-Fa-f]{1,6}|#0*[0-9]{1,7}|[A-Za-z]{2,8});)|\\+([/\"'\\])"
)


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
        return _may_be_escaped(text) or any(needle in text for needle in self.needles)

    def has_hint(self, text: str, start: int) -> bool:
        """Tell whether a needle, or an escape, may begin in `text` from `start` on."""
        if len(text) - start > _SHORT:
            return _may_be_escaped(text) or any(text.find(one, start) >= 0 for one in self.heads)
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
        layers: list[_Layer] = []
        view = text
        for _ in range(_LAYERS):
            if not _may_be_escaped(view):
                break
            plain = _ESCAPE.sub(_plain, view)
            if plain == view:
                break
            layers.append(_Layer(view))
            view = plain
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
        self.heads = tuple(sorted({needle[: StreamWasher.HELD_FROM] for needle in needles}))
        beginnings = "|".join(map(re.escape, self.heads))
        self._beginnings = re.compile(beginnings) if needles else None
        self._hints = re.compile(rf"{beginnings}|[%\\&]") if needles else None
        self._least = min(map(len, needles), default=1 << 60)
        self.version += 1


class _Layer:
    """Brings places in an unescaped text back to the text with its escapes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._origins: list[int] = []

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the escaped text."""
        if self._starts is None:
            self._starts = self._map()
        return self._origin(start, self._starts), self._origin(end, self._starts)

    def _origin(self, at: int, starts: list[int]) -> int:
        number = bisect_right(starts, at) - 1
        return self._origins[number] + at - starts[number]

    def _map(self) -> list[int]:
        starts, shift = [0], 0
        self._origins = [0]
        for match in _ESCAPE.finditer(self._text):
            plain = len(_plain(match))
            starts += [match.start() - shift, match.start() - shift + plain]
            self._origins += [match.start(), match.end()]
            shift += len(match[0]) - plain
        return starts


class StreamWasher:
    """Masks secrets in text that comes in pieces.

    Only what goes on a known secret's beginning is held back, and only while it still fits. The
    first few characters may have gone by then: they tell nothing.
    """

    HELD_FROM = 6

    def __init__(self, known: "KnownSecrets") -> None:
        self._known = known
        self._shown = ""  # the last characters that went
        self._is_plain = True  # nothing of it is escaped
        self._held = ""

    @property
    def held(self) -> str:
        """What is held back: the beginning of a secret, it may be."""
        return self._held

    def take_all(self, pieces: list[str]) -> list[str]:
        """Return what can be shown of these pieces now: themselves, where nothing is masked."""
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        if self._lets_by(text):
            return pieces
        had = self._held
        out = self._look_at(text)
        if not had and out == text:
            return pieces
        return [out] if out else []

    def take(self, piece: str) -> str:
        """Return what can be shown now."""
        return piece if self._lets_by(piece) else self._look_at(piece)

    def _lets_by(self, piece: str) -> bool:
        """Tell whether a piece can go as it is, by one search: nearly every one can."""
        if self._held or not self._is_plain:
            return False
        if not self._known.needles:
            return True
        # What went was looked through, but for a beginning that ends in this piece.
        text, gone = self._shown + piece, len(self._shown)
        if self._known.has_hint(text, max(0, gone - self.HELD_FROM + 1)):
            return False
        self._shown = text[-_CONTEXT:]
        return True

    def _look_at(self, piece: str) -> str:
        text = self._shown + self._held + piece
        gone = len(self._shown)
        if not self._held and not self._known.may_begin_in(text) and not _is_escaped(text):
            self._shown = text[-_CONTEXT:]
            self._is_plain = not _may_be_escaped(self._shown)
            return piece
        whole = self._known.wash(text)
        if whole is not text:
            # A masked one may have begun in what has gone.
            same = _common(self._shown, whole)
            text, gone = whole, same
        keep = self._prefix_at_end(text)
        cut = max(gone, len(text) - keep)
        out, self._held = text[gone:cut], text[cut:]
        self._shown = text[max(0, cut - _CONTEXT) : cut]
        self._is_plain = not _may_be_escaped(self._shown)
        return out

    def end(self) -> str:
        """Return what was held back: nothing followed. Half a secret is masked as the whole is.

        Less is not: words such as `postgresql` begin a database's address.
        """
        rest, self._held = self._held, ""
        if not rest:
            return rest
        view = self._shown + rest  # its first letters may have gone
        for _ in range(_LAYERS + 1):
            if self._ends_in_half(view):
                return MASK
            view = _ESCAPE.sub(_plain, _HALF.sub("", view))
        return rest

    def _ends_in_half(self, text: str) -> bool:
        return any(
            needle.startswith(text[-length:])
            for needle in self._known.needles
            for length in range(max(SECRET_LEAST, (len(needle) + 1) // 2), len(needle))
            if length <= len(text)
        )

    def _prefix_at_end(self, text: str) -> int:
        window = text[-4096:]
        view = window
        for _ in range(_LAYERS):
            at = self._begins(view)
            if at >= 0:
                return len(window) - at  # in an unescaped view this is early: never late
            if not _may_be_escaped(view):
                break
            plain = _ESCAPE.sub(_plain, _HALF.sub("", view))
            if plain == view:
                break
            view = plain
        return 0

    def _begins(self, text: str) -> int:
        if not self._known.may_begin_in(text):
            return -1
        best = -1
        for needle in self._known.needles:
            head = needle[: self.HELD_FROM]
            at = text.find(head, max(0, len(text) - len(needle) + 1))
            while at >= 0:
                if needle.startswith(text[at:]):
                    best = at if best < 0 else min(best, at)
                    break
                at = text.find(head, at + 1)
        return best


_HALF = re.compile(r"(?:%[0-9A-Fa-f]?|\\+(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?|&#?\w{0,8})$")


def _may_be_escaped(text: str) -> bool:
    return "%" in text or "\\" in text or "&" in text


def _is_escaped(text: str) -> bool:
    """Tell whether an escape stands in `text`, or begins at its end; most such signs are none."""
    return _ESCAPE.search(text) is not None or _HALF.search(text) is not None


def _common(one: str, two: str) -> int:
    count = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        count += 1
    return count


def _plain(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16))
    if match[4]:
        return html.unescape(match[4])
    return match[5]


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

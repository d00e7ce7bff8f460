"""Stream masking: secrets in text that comes in pieces."""

from core.wire.masking.escapes import ESCAPE, HALF, LAYERS, is_escaped, may_be_escaped, plain
from core.wire.masking.secrets import HEAD_LENGTH, MASK, SECRET_LEAST, KnownSecrets

_CONTEXT = 64  # shown characters that a secret, escaped, may have begun in


class StreamWasher:
    """Masks secrets in text that comes in pieces.

    Only what goes on a known secret's beginning is held back, and only while it still fits. The
    first few characters may have gone by then: they tell nothing.
    """

    def __init__(self, known: KnownSecrets) -> None:
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
        if self._known.has_hint(text, max(0, gone - HEAD_LENGTH + 1)):
            return False
        self._shown = text[-_CONTEXT:]
        return True

    def _look_at(self, piece: str) -> str:
        text = self._shown + self._held + piece
        gone = len(self._shown)
        if not self._held and not self._known.may_begin_in(text) and not is_escaped(text):
            self._shown = text[-_CONTEXT:]
            self._is_plain = not may_be_escaped(self._shown)
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
        self._is_plain = not may_be_escaped(self._shown)
        return out

    def end(self) -> str:
        """Return what was held back: nothing followed. Half a secret is masked as the whole is.

        Less is not: words such as `postgresql` begin a database's address.
        """
        rest, self._held = self._held, ""
        if not rest:
            return rest
        view = self._shown + rest  # its first letters may have gone
        for _ in range(LAYERS + 1):
            if self._ends_in_half(view):
                return MASK
            view = ESCAPE.sub(plain, HALF.sub("", view))
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
        for _ in range(LAYERS):
            at = self._begins(view)
            if at >= 0:
                return len(window) - at  # in an unescaped view this is early: never late
            if not may_be_escaped(view):
                break
            shown = ESCAPE.sub(plain, HALF.sub("", view))
            if shown == view:
                break
            view = shown
        return 0

    def _begins(self, text: str) -> int:
        if not self._known.may_begin_in(text):
            return -1
        best = -1
        for needle in self._known.needles:
            head = needle[:HEAD_LENGTH]
            at = text.find(head, max(0, len(text) - len(needle) + 1))
            while at >= 0:
                if needle.startswith(text[at:]):
                    best = at if best < 0 else min(best, at)
                    break
                at = text.find(head, at + 1)
        return best


def _common(one: str, two: str) -> int:
    count = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        count += 1
    return count

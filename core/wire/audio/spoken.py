"""Markdown to speech text: what of an answer is read aloud, and what is left to the eyes.

Code blocks, tables and formulas are not spoken; links are spoken by their words, marks not at all.
Works on pieces, in which a mark may stand without its other half. Every step is linear in the text:
what opens something is looked at for its other half no further than such a thing is long.
"""

import re

_FENCED = re.compile(
    r"^[ \t>]*(`{3,}|~{3,})[^\n]*(?:\n.*?(?:^[ \t>]*\1[`~]*[ \t]*$|\Z)|\Z)", re.M | re.S
)
_MATH = re.compile(
    r"\$\$.*?(?:\$\$|\Z)|\\\[.*?(?:\\\]|\Z)|\\begin\{(\w+\*?)\}.*?(?:\\end\{\1\}|\Z)|\\\(.{0,500}?\\\)"
    r"|(?<![\w\\$])\$(?=[^\s$])[^$\n]*[^\s$\\]\$(?!\d)",
    re.S,
)
_TABLE_ROW = re.compile(r"^[ \t>]*\|.*$", re.M)
_BARE_TABLE = re.compile(
    r"^[^\n|]*\|[^\n]*\n[ \t]*:?-+:?[ \t]*\|[-:| \t]*(?:\n[^\n]*\|[^\n]*)*", re.M
)
_BACKTICKS = re.compile(r"`+")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]*>")
_AUTOLINK = re.compile(r"<?\bhttps?://[^\s<>，。；、）)]+>?")
_TARGET = r"(?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,500}\])"
_IMAGE = re.compile(rf"!\[[^\]\n]{{0,500}}\]{_TARGET}?")
_LINK = re.compile(rf"\[([^\]\n]{{1,500}})\]{_TARGET}")
_FOOTNOTE = re.compile(r"\[\^[^\]\n]{1,500}\]:?|\[(?:citation|reference):\d+\]", re.I)
_REFERENCE = re.compile(r"^[ \t]*\[[^\]\n]+\]:[ \t]*\S+.*$", re.M)
_LINE_MARK = re.compile(
    r"^[ \t>]*(?:#{1,6}[ \t]+|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?|(?:[-*_][ \t]*){3,}$|=+[ \t]*$)?",
    re.M,
)
_EMPHASIS = re.compile(r"(?<!\\)(?:\*+|~~)|(?<!_)_+")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BLANKS = re.compile(r"[ \t]+")
_CODE_MOST = 40  # a name is spoken, a line of code is not
_WORDS = re.compile(r"\w")


def spoken(markdown: str) -> str:
    """Return what is read aloud of a piece of Markdown; empty where there is nothing to say."""
    text = _FENCED.sub("\n", markdown)
    text = _BARE_TABLE.sub("\n", text)
    text = _TABLE_ROW.sub("", text)
    text = _MATH.sub(" ", text)
    text = _without_code(text)
    for gone in (_COMMENT, _IMAGE, _REFERENCE, _FOOTNOTE):
        text = gone.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _AUTOLINK.sub("", text)
    text = _TAG.sub("", text)
    text = _LINE_MARK.sub("", text)
    text = _EMPHASIS.sub(_within_word, text)
    text = _ESCAPED.sub(r"\1", text).replace("`", "")
    lines = (line.strip() for line in _BLANKS.sub(" ", text).split("\n"))
    text = "\n".join(filter(None, lines))
    return text if _WORDS.search(text) else ""


def _without_code(text: str) -> str:
    """Leave of a code span a short name, as it is spoken; a run of backticks ends by its equal."""
    runs = list(_BACKTICKS.finditer(text))
    ends: dict[int, list[int]] = {}  # places in `runs`, by their length, the next one last
    for place in range(len(runs) - 1, -1, -1):
        ends.setdefault(len(runs[place][0]), []).append(place)
    pieces: list[str] = []
    at = place = 0
    while place < len(runs):
        run = runs[place]
        equals = ends[len(run[0])]
        while equals and equals[-1] <= place:
            equals.pop()
        if equals:
            end = runs[equals[-1]]
            pieces += (text[at : run.start()], _name(text[run.end() : end.start()]))
            at, place = end.end(), equals[-1]
        place += 1
    return "".join((*pieces, text[at:]))


def _name(code: str) -> str:
    words = code.strip()
    return words if len(words) <= _CODE_MOST and "\n" not in words else " "


def _within_word(mark: re.Match[str]) -> str:
    """Keep underscores within a word, which are part of a name; drop what only emphasizes."""
    if mark[0][0] != "_":
        return ""
    text, end = mark.string, mark.end()
    before, after = text[max(0, mark.start() - 1) : mark.start()], text[end : end + 1]
    if _WORDS.match(after) and (before == "\\" or _WORDS.match(before)):
        return mark[0]
    return "_" if before == "\\" else ""  # one that is escaped is a sign

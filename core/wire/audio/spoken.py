"""Markdown to speech text: what of an answer is read aloud, and what is left to the eyes.

Code blocks, tables and formulas are not spoken; links are spoken by their words, marks not at all.
Works on pieces, in which a mark may stand without its other half.
"""

import re

_FENCED = re.compile(
    r"^[ \t>]*(`{3,}|~{3,})[^\n]*(?:\n.*?(?:^[ \t>]*\1[`~]*[ \t]*$|\Z)|\Z)", re.M | re.S
)
_MATH = re.compile(
    r"\$\$.*?(?:\$\$|\Z)|\\\[.*?(?:\\\]|\Z)|\\begin\{(\w+\*?)\}.*?(?:\\end\{\1\}|\Z)|\\\(.*?\\\)"
    r"|(?<![\w\\$])\$(?=[^\s$])[^$\n]*[^\s$\\]\$(?!\d)",
    re.S,
)
_TABLE_ROW = re.compile(r"^[ \t>]*\|.*$", re.M)
_BARE_TABLE = re.compile(
    r"^[^\n|]*\|[^\n]*\n[ \t]*:?-+:?[ \t]*\|[-:| \t]*(?:\n[^\n]*\|[^\n]*)*", re.M
)
_CODE = re.compile(r"(`+)([^`]|[^`].*?[^`])\1(?!`)", re.S)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]*>")
_AUTOLINK = re.compile(r"<?\bhttps?://[^\s<>，。；、）)]+>?")
_IMAGE = re.compile(r"!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])?")
_LINK = re.compile(r"\[([^\]\n]+)\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_FOOTNOTE = re.compile(r"\[\^[^\]\n]+\]:?|\[(?:citation|reference):\d+\]", re.I)
_REFERENCE = re.compile(r"^[ \t]*\[[^\]\n]+\]:[ \t]*\S+.*$", re.M)
_LINE_MARK = re.compile(
    r"^[ \t>]*(?:#{1,6}[ \t]+|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?|(?:[-*_][ \t]*){3,}$|=+[ \t]*$)?",
    re.M,
)
_EMPHASIS = re.compile(r"(?<!\\)(?:\*+|~~|(?<!\w)_+|_+(?!\w))")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BLANKS = re.compile(r"[ \t]+")
_LINES = re.compile(r"\s*\n\s*")
_CODE_MOST = 40  # a name is spoken, a line of code is not
_WORDS = re.compile(r"\w")


def spoken(markdown: str) -> str:
    """Return what is read aloud of a piece of Markdown; empty where there is nothing to say."""
    text = _FENCED.sub("\n", markdown)
    text = _BARE_TABLE.sub("\n", text)
    text = _TABLE_ROW.sub("", text)
    text = _MATH.sub(" ", text)
    text = _CODE.sub(_name, text)
    for gone in (_COMMENT, _IMAGE, _REFERENCE, _FOOTNOTE):
        text = gone.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _AUTOLINK.sub("", text)
    text = _TAG.sub("", text)
    text = _LINE_MARK.sub("", text)
    text = _EMPHASIS.sub("", text)
    text = _ESCAPED.sub(r"\1", text).replace("`", "")
    text = _LINES.sub("\n", _BLANKS.sub(" ", text)).strip()
    return text if _WORDS.search(text) else ""


def _name(code: re.Match[str]) -> str:
    words = code[2].strip()
    return words if len(words) <= _CODE_MOST and "\n" not in words else " "

"""Formulas as models write them, and in the one form Streamlit reads.

A single `$` follows pandoc's rule (`tex_math_dollars`): nothing blank inside of either `$`, no
digit behind the second; and what reads as words without a sign of mathematics is two prices.
"""

import re

from core.markdown import environments
from core.markdown.marks.runs import closing_run

CLOSERS = {"$$": "$$", "\\[": "\\]"}
# What begins an inline formula, as far as two characters tell.
BRACKETS = frozenset({"\\(", "\\[", "\\b"})
_OPENERS = ("$", "\\(", "\\[", "\\begin{")

# `\[1\]`, `\[x\]` and `\[ \]` are citations and tick boxes, written by models that escape brackets.
_BRACKETED_TEXT = re.compile(r"[\d\s,，、–-]*|[xX✓]")
_SINGLE = re.compile(r"\$((?:[^\\$]|\\.)+)\$(?![$\d])", re.DOTALL)
_RUN = re.compile(r"\$+")
_BRACKETED = {
    "\\(": re.compile(r"\\\(((?:[^\\]|\\(?![()]).)+?)\\\)", re.DOTALL),
    "\\[": re.compile(r"\\\[((?:[^\\]|\\(?![\[\]]).)+?)\\\]", re.DOTALL),
}
_MATH_SIGN = re.compile(r"[\\^_={}]")
_WORDS = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]|[A-Za-z]{2,}\s+[A-Za-z]")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_TICKS = re.compile(r"`+")
_MARKERS = re.compile(r"[^>\s]")  # of a line's containers, all but the block quotes'


def is_formula(opener: str, body: str) -> bool:
    """Tell a display formula from nothing at all, and from escaped brackets."""
    body = body.strip()
    return bool(body) and not (opener == "\\[" and _BRACKETED_TEXT.fullmatch(body))


def formula_at(text: str, start: int) -> tuple[int, str] | None:
    """Return where the inline formula at `start` ends and how Streamlit wants it, or None."""
    if text.startswith("\\b", start):
        return _environment(text, start)
    if text[start] == "\\":
        return _bracketed(text, start, text[start : start + 2])
    run = _RUN.match(text, start)
    width = run.end() - start if run else 1
    if width > 1:
        closing = closing_run(text, "$", width, start + width)
        body = "" if closing is None else text[start + width : closing]
        if closing is None or not body.strip() or "`" in body:
            return None
        body = _on_one_line(body)
        return closing + width, "$" * width + body + "$" * width
    single = _SINGLE.match(text, start)
    if single is None or not _is_inline_formula(single[1]):
        return None
    body = _on_one_line(single[1])
    if "$" not in body:
        return single.end(), f"${body}$"
    return (single.end(), _in_two_dollars(body)) if _fits_in_dollars(body) else None


def as_fence(content: str, opener: str, prefix: str) -> str:
    """Return a display formula on lines of its own between `$$`.

    `prefix` is what stands before the opener on its line. A formula without end is shown as code:
    KaTeX would paint the unfinished source red.
    """
    body = content[len(opener) :]
    is_closed = body.endswith(CLOSERS[opener])
    if is_closed:
        body = body[: -len(CLOSERS[opener])]
    return _on_own_lines(body, prefix, is_closed=is_closed)


def environment_as_fence(content: str, prefix: str, *, is_closed: bool) -> str:
    """Return a bare environment as a display formula; without its end as code."""
    return _on_own_lines(content, prefix, is_closed=is_closed)


def _on_own_lines(body: str, prefix: str, *, is_closed: bool) -> str:
    later = later_prefix(prefix)
    body = _tame(body) if is_closed else body
    lines = [line.strip() for line in body.split("\n") if line.strip()]
    longest = max((len(ticks) for ticks in _TICKS.findall(body)), default=0)
    ticks = "`" * max(3, longest + 1)
    first, last = ("$$", "$$") if is_closed else (f"{ticks}latex", ticks)
    lines = [line.replace("$$", "$ $") if is_closed else line for line in lines]
    return f"\n{later}".join([first, *lines, last])


def later_prefix(prefix: str) -> str:
    """Return what a line begins with that goes on in the containers of the line before."""
    return _MARKERS.sub(" ", prefix)


def _environment(text: str, start: int) -> tuple[int, str] | None:
    end = environments.environment_at(text, start)
    if end is None:
        return None
    body = _on_one_line(text[start:end])
    if not _fits_in_dollars(body):
        return None
    after = " " if text.startswith(_OPENERS, end) else ""
    before = " " if text[start - 1 : start] == "$" else ""
    is_single = "$" not in body and not text[end : end + 1].isdigit()
    return end, f"{before}{f'${body}$' if is_single else _in_two_dollars(body)}{after}"


def _bracketed(text: str, start: int, opener: str) -> tuple[int, str] | None:
    match = _BRACKETED[opener].match(text, start)
    if match is None or not is_formula(opener, match[1]):
        return None
    body = _on_one_line(match[1]).strip()
    if not _fits_in_dollars(body):
        return None
    is_single = (
        opener == "\\("
        and "$" not in body
        and _is_inline_formula(body)
        and not text[match.end() : match.end() + 1].isdigit()
    )
    written = f"${body}$" if is_single else _in_two_dollars(body)
    before = " " if text[start - 1 : start] == "$" else ""
    after = " " if text.startswith(_OPENERS, match.end()) else ""
    return match.end(), f"{before}{written}{after}"


def _fits_in_dollars(body: str) -> bool:
    # remark-math ends a formula at the next run of as many `$`, escaped or not.
    return "$$" not in body.replace("\\$", "$") and "`" not in body


def _in_two_dollars(body: str) -> str:
    # Blanks on both sides keep a `$` of the body apart from the outer ones, and are not shown.
    return f"$$ {body} $$" if "$" in (body[-1], body.lstrip("\\")[:1]) else f"$${body}$$"


def _is_inline_formula(body: str) -> bool:
    if body[0].isspace() or body[-1].isspace() or "`" in body:
        return False
    return bool(_MATH_SIGN.search(body)) or not _WORDS.search(body)


def _on_one_line(body: str) -> str:
    # Streamlit loads its formula plugin only for a `$ … $` that stands on one line.
    return environments.inline(_tame(_LINE_END.sub(" ", body)))


def _tame(body: str) -> str:
    """Say it in words that KaTeX knows, and take a picture's syntax apart.

    Read as anything but a formula, a picture would fetch an address.
    """
    return environments.known(body).replace("![", "! [")

"""Answers as models write them, each with what is meant to be seen of it.

A document is `%%% name`, its source, `%%>` and lines of what is seen, one a block: `p`, `h2`, `-`
and `1.` for items (two columns deeper a level), `>` for quotes, `|` for rows, `code LANGUAGE: …`,
`math`, `diagram`, `---`, `note` and `html` (HTML that is text). Within a line `⏎` is a line end,
`{b …}` bold, `{i …}` italic, `{s …}` struck, `{c …}` code, `{a …}` a link, `{m}` a formula, `{n 1}`
a footnote's number; `←` at its end says that the block runs from the right.
"""

import re
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Document:
    name: str
    source: str
    meant: tuple[str, ...]


def documents() -> list[Document]:
    """Return all documents of the corpus, in the order of their files."""
    found = []
    for file in ("answers_zh.txt", "answers_en.txt"):
        text = (DATA / file).read_text(encoding="utf-8")
        for part in re.split(r"(?m)^%%% ", text)[1:]:
            head, meant = part.split("\n%%>\n")
            name, source = head.split("\n", 1)
            found.append(Document(name, source, tuple(meant.rstrip("\n").split("\n"))))
    return found

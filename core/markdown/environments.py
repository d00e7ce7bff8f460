"""Bare LaTeX environments, `\\begin{align} … \\end{align}`: formulas without dollars around them.

KaTeX (0.16) is what Streamlit draws formulas with: some environments it takes only on lines of
their own, some not at all, as its page of what it supports says.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

_FORMULAS = (
    r"(?:align(?:ed|at|edat)?|gather(?:ed)?|equation|split|multline|flalign|eqnarray|[dr]?cases"
    r"|drcases|[bpvBV]?matrix|smallmatrix|d?array|subarray|CD)\*?"
)
BEGIN = re.compile(rf"\\begin\{{({_FORMULAS})\}}")
# What may stand behind the end on its line: a formula is part of a sentence.
_TRAILING = re.compile(r"[\s.,;:!?，。；：、]*")

_UNKNOWN_TO_KATEX = {"multline": "gather", "flalign": "align", "eqnarray": "align"}
_DISPLAY_ONLY = {
    "align": "aligned",
    "alignat": "alignedat",
    "split": "aligned",
    "gather": "gathered",
    "equation": "gathered",
}
_EDGE = re.compile(r"\\(begin|end)\{([a-zA-Z]+)(\*?)\}")
_DEEPEST = 16
_LABEL = re.compile(r"\\label\{[^{}]*\}")


@dataclass
class OpenEnvironment:
    """An environment that lines are being added to."""

    name: str
    trailing: str | None = field(default=None, init=False)  # what stands behind its end
    _depth: int = field(default=0, init=False)

    def ends_with(self, line: str) -> bool:
        """Take in a line, and tell whether the environment ends on it."""
        end = self.end_in(line)
        if end is None:
            return False
        self.trailing = line[end:]
        return True

    @property
    def is_display(self) -> bool:
        """Tell whether nothing but a sentence's mark stands behind its end."""
        return self.trailing is None or _TRAILING.fullmatch(self.trailing) is not None

    def end_in(self, text: str, start: int = 0) -> int | None:
        """Return where the environment ends in a text that belongs to it."""
        for match in _edges_of(self.name).finditer(text, start):
            self._depth += 1 if match[1] == "begin" else -1
            if self._depth <= 0:
                return match.end()
            if self.is_lost:
                return None
        return None

    @property
    def is_lost(self) -> bool:
        """Tell whether it lies deeper in its like than anyone means: a model that goes in circles.

        Looking for the end of each would take the square of the text's length.
        """
        return self._depth > _DEEPEST


@lru_cache(maxsize=64)
def _edges_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"\\(begin|end)\{{{re.escape(name)}\}}")


def environment_at(text: str, start: int) -> int | None:
    """Return where the environment that begins at `start` ends."""
    match = BEGIN.match(text, start)
    return OpenEnvironment(match[1]).end_in(text, start) if match else None


def known(formula: str) -> str:
    """Return the formula in words that KaTeX knows: no labels, no environments it lacks."""
    renamed = _renamed(formula, _UNKNOWN_TO_KATEX)
    without_labels = _LABEL.sub("", renamed)
    return without_labels if without_labels.strip() else renamed  # never nothing at all


def inline(formula: str) -> str:
    """Return the formula without environments that KaTeX takes on lines of their own only."""
    return _renamed(formula, _DISPLAY_ONLY, star="")


def _renamed(formula: str, names: dict[str, str], star: str = r"*") -> str:
    def name(match: re.Match[str]) -> str:
        other = names.get(match[2])
        return f"\\{match[1]}{{{other}{match[3] and star}}}" if other else match[0]

    return _EDGE.sub(name, formula) if "\\begin" in formula or "\\end" in formula else formula

"""Lean drawing: Streamlit 1.67 draws the first page without loading what that page does not need.

Streamlit's inner parts are changed here, in `navigation` and in `presses`, and nowhere else under
core/ui; where it has other parts one day, it draws as it does by itself. Of the 0.44 s of processor
that the first run of a page took, these took 0.27:

- a logo or a tab's icon goes the way of all pictures, which begins by importing numpy (13 MB);
- the first element of a process asks whether a person is typing in Python's own prompt: for that
  `inspect.stack` resolves the path of every module there is, 1,500 of them;
- a Chinese label of a choice is asked whether it begins with an emoji: for that an expression of
  all 5,000 is compiled.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from streamlit import delta_generator, string_util
from streamlit.commands import logo, page_config


def draw_leanly() -> None:
    """Keep Streamlit from these three ways. Call before anything is drawn; again is harmless."""
    # Only who imports Streamlit without running it is to be warned, which nobody does here.
    vars(delta_generator)["_use_warning_has_been_displayed"] = True
    for module, name, way in (
        (logo, "image_to_url", _DrawingUrl),
        (page_config, "image_to_url", _DrawingUrl),
        (string_util, "extract_leading_emoji", _LeadingEmoji),
    ):
        known = vars(module)
        if name in known and not isinstance(known[name], way):
            known[name] = way(known[name])


class _DrawingUrl:
    """Streamlit's own `image_to_url`, but for drawings, which need nothing but their text."""

    def __init__(self, of_picture: Callable[..., str]) -> None:
        self._of_picture = of_picture

    def __call__(self, image: Any, *args: Any, **named: Any) -> str:
        """Return the address at which a browser finds a picture."""
        if isinstance(image, str) and image.startswith("<svg xmlns="):
            return f"data:image/svg+xml;base64,{b64encode(image.encode()).decode()}"
        return self._of_picture(image, *args, **named)


class _LeadingEmoji:
    """Streamlit's own `extract_leading_emoji`, but for texts that begin with a Chinese character.

    Unicode's blocks of them hold no emoji, nor does one begin with any.
    """

    def __init__(self, of_text: Callable[[str], tuple[str, str]]) -> None:
        self._of_text = of_text

    def __call__(self, text: str) -> tuple[str, str]:
        """Return the emoji that a text begins with, and the rest of the text."""
        return ("", text) if "\u3400" <= text[:1] <= "\u9fff" else self._of_text(text)

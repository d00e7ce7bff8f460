"""Warm start: imports what the first page needs, while a browser loads what it needs itself.

A server that has imported all of it before it listens lets browser and processor wait for each
other. Whoever comes earlier than the end of this waits in front (core/web/front/early_calls.py).
"""

from importlib import import_module

from core.ui.frame import page_files

# The frame, and what pages/chat.py imports: a page that is opened later brings its own.
_MODULES = (
    "core.ui.frame.shell",
    "core.ui.chat.composer",
    "core.ui.chat.listing.sidebar",
    "core.ui.chat.streaming",
    "core.ui.chat.turns",
    "core.ui.drawing.action",
    "core.ui.drawing.form",
    "core.ui.drawing.pictures",
    "core.ui.drawing.proposed",
    "core.ui.frame.page_files",
    "core.ui.history.linked_turn",
    "core.ui.notices",
)


def import_pages() -> None:
    """Import the frame of the pages, and the first of them."""
    for name in _MODULES:
        import_module(name)
    # Read now, with the code that names them: an update beneath a running studio changes neither.
    dict(page_files.serve())

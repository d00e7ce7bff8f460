"""The app's own lines in the server's log."""

import logging

from core.wire.log_form import TEXT, JsonFormatter
from core.wire.masking.log_washing import wash_logs


def begin_logging(*, as_json: bool = False) -> None:
    """Let the app's own messages through to stderr, once, in one form."""
    wash_logs()
    ours = logging.getLogger("core")
    if ours.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else logging.Formatter(TEXT))
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False

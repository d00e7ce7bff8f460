"""One async client per provider, and the practice server that stands in for both."""

import logging
import os

_KEY_LOG = "SSLKEYLOGFILE"


def _pass_over_key_log() -> None:
    """Forget a key log that cannot be written: aiohttp could not even be imported with it."""
    path = os.environ.get(_KEY_LOG)
    if not path:
        return
    try:
        with open(path, "ab"):
            return
    except (OSError, ValueError):
        del os.environ[_KEY_LOG]
        logging.getLogger(__name__).warning("%s cannot be written; it is passed over", _KEY_LOG)


_pass_over_key_log()

"""One async client per provider, and the practice server that stands in for both."""

import logging
import os
import sys
from importlib import import_module
from typing import Any

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


def _import_httpx() -> None:
    """Import httpx without its command line, which reads in rich and pygments wherever they are.

    Nobody here uses it: three megabytes, and 60 ms of each start.
    """
    modules: dict[str, Any] = sys.modules  # None in it: not to be found (Python's import system)
    modules.setdefault("httpx._main", None)
    try:
        import_module("httpx")
    finally:
        if modules["httpx._main"] is None:
            del modules["httpx._main"]


_pass_over_key_log()
_import_httpx()

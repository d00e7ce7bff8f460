"""Waiting: in a run of a page, which ends as soon as another is asked for, and beside the runs."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Event
from typing import Any

import streamlit as st

from core.errors import AppError
from core.ui import session
from core.ui.frame import presses
from core.ui.live.watching import redraw_page

logger = logging.getLogger(__name__)

# What is asked of an account by the settings in force: its name begins so.
ACCOUNT = "account/"
# A tab that is closed rings no bell: so often its run looks for that.
LOOK_S = 0.25


class Waiting:
    """Waits for what other threads notify of. One at a time in a run."""

    def __init__(self) -> None:
        self._news, self._request = Event(), Event()
        presses.listen(self._ring)

    def notify(self) -> None:
        """Wake whoever waits; from any thread."""
        self._news.set()

    def wait(self) -> None:
        """Return when notified, at the latest after LOOK_S."""
        self._wait(self._news, LOOK_S)

    def rest(self, seconds: float) -> None:
        """Return after so long, whatever comes meanwhile."""
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            self._wait(self._request, min(left_s, LOOK_S))

    def _wait(self, event: Event, seconds: float) -> None:
        presses.give_way()
        event.wait(seconds)
        event.clear()
        presses.give_way()

    def _ring(self) -> None:
        self._request.set()
        self._news.set()


def begin(name: str, work: Callable[[], object], *, is_anew: bool = False) -> None:
    """Have `work` done in a thread of its own, which may ask a provider at length; in a callback.

    The session keeps it by its name, whatever is pressed meanwhile, until a page takes what it came
    to (`told`). What is under way by that name is not begun again, or `is_anew` and then given up.
    """
    asked = session.state().asked
    if is_anew or name not in asked:
        asked[name] = _started(work, name)


def give_up(prefix: str) -> None:
    """Forget what was begun by names that begin so; what it comes to is told to nobody."""
    asked = session.state().asked
    for name in [name for name in asked if name.startswith(prefix)]:
        del asked[name]


def is_awaited(name: str) -> bool:
    """Tell whether what was begun by this name is yet to be taken."""
    return name in session.state().asked


def is_told(name: str) -> bool:
    """Tell whether what was begun by this name is done, and yet to be taken."""
    asked = session.state().asked.get(name)
    return asked is not None and asked.done()


def told(name: str) -> Any:
    """Return what was begun by this name came to, or raise its error; once, and when it is told."""
    return session.state().asked.pop(name).result(timeout=0)


def draw_awaited(names: Iterable[str], words: str = "") -> None:
    """Say in `words` that something of these names is awaited; the page is drawn anew with it.

    Where nothing is, nothing is said. What is drawn below does not have to wait.
    """
    awaited = tuple(name for name in names if is_awaited(name))
    if not awaited:
        return

    @st.fragment(run_every=LOOK_S)
    def look() -> None:
        if words:
            st.markdown(f":shimmer[{words}]")
        if any(is_told(name) for name in awaited):
            redraw_page()

    look()


def _started(work: Callable[[], object], name: str) -> Future[object]:
    # Not by a pool that others need: a provider's silence may last a minute.
    asked: Future[object] = Future()

    def run() -> None:
        try:
            asked.set_result(work())
        except AppError as error:
            asked.set_exception(error)
        except Exception:  # a page has words for the others only
            logger.exception("what was asked beside a page failed: %s", name)
            asked.set_exception(AppError())

    threading.Thread(target=run, name=f"asked-{name}", daemon=True).start()
    return asked

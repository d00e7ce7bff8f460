"""The studio of this process: opened once, waited for, read anew, closed.

What a studio is made of takes longer to import than all else of a start. This file needs none of
it, so that a server can listen first, and say what it is waiting for.
"""

import logging
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.errors import AppError
from core.settings import Settings
from core.work.opening import Listener, Opening

if TYPE_CHECKING:
    from core.work.studio import Studio

logger = logging.getLogger(__name__)

# A file of settings that cannot be read at all says nothing: what it said before goes on to hold.
_WHOLE_FILE = frozenset(
    f"error.configuration_{kind}"
    for kind in ("toml", "dotenv", "text_file", "folder", "no_file", "unreadable", "too_large")
)

_lock = threading.Lock()
_studio: "Studio | None" = None
_opening_error: AppError | None = None
_opening = Opening()
_is_expected = False
_told: tuple[str, str] | None = None  # which unexpected error was logged last, and where it arose
_has_modules = True  # unless they are imported beside a server's start


def expect_studio() -> None:
    """Note that the studio is about to be opened: until it is, has failed or closes, calls wait.

    First of all its modules are imported (`bring_modules`): until then nothing may use them.
    """
    global _is_expected, _opening_error, _has_modules
    _is_expected, _opening_error, _has_modules = True, None, False


def bring_modules(load: Callable[[], None]) -> None:
    """Import what the studio and its pages are made of, once; raises AppError."""
    global _opening_error, _has_modules
    if _has_modules:
        return
    try:
        load()
        _has_modules = True
    except (Exception, SystemExit) as error:  # a library may end a program that imports it
        _opening_error = _unexpected(error)
        raise _opening_error from None
    finally:
        _opening.tell()


def has_modules() -> bool:
    """Tell whether what the studio and its pages are made of is there to be used."""
    return _has_modules


def is_awaited() -> bool:
    """Tell whether a studio that is not open yet is worth waiting for."""
    return _is_expected and _opening_error is None


def on_opening(listener: Listener) -> Callable[[], None]:
    """Call `listener`, which only signals, when the studio or its modules came, or failed to.

    And when it closes. Returns what ends that.
    """
    return _opening.listen(listener)


def _build(settings: Settings) -> "Studio":
    from core.work.studio import Studio  # noqa: PLC0415 - this file is there before it

    return Studio.open(settings)


def open_studio(
    read_settings: Callable[[], Settings],
    build: "Callable[[Settings], Studio] | None" = None,
) -> "Studio":
    """Return the studio of this process, building it at the first call; raises AppError."""
    global _studio, _opening_error  # one per process is the point
    with _lock:
        if _studio is None:
            try:
                _studio = (build or _build)(read_settings())
                _opening_error = None
            except AppError as error:
                _opening_error = error
                logger.error("The studio cannot open: %s", error)
                raise
            except Exception as error:
                _opening_error = _unexpected(error)
                raise _opening_error from None
            finally:
                _opening.tell()
        return _studio


def reread_settings(read_settings: Callable[[], Settings]) -> tuple[str, ...]:
    """Read the settings again and go on with them; raises AppError, and then the old ones hold.

    Returns the names of those that only a new start changes.
    """
    studio = open_studio(read_settings)
    settings = read_settings()
    # What could not be read before either holds nothing back now.
    known = {one.source for one in studio.settings.problems if one.text_id in _WHOLE_FILE}
    for problem in settings.problems:
        if problem.text_id in _WHOLE_FILE and problem.source not in known:
            raise problem
    with _lock:
        return studio.apply(settings) if studio is _studio else ()


def current_studio() -> "Studio | None":
    """Return the studio of this process if it is open; never waits."""
    return _studio


def name_of_pass(cookie_header: str) -> str | None:
    """Return whose valid pass a Cookie header holds; never waits: for the event loop."""
    studio = _studio
    return studio.passes.name_of_cookie(cookie_header) if studio is not None else None


def opening_error() -> AppError | None:
    """Return why the studio could not open the last time; None once it is open."""
    return _opening_error


def close_studio() -> None:
    """Close the studio of this process, if it is open."""
    global _studio, _is_expected
    _is_expected = False
    _opening.tell()  # before the lock: an opening that takes long holds it
    with _lock:
        studio, _studio = _studio, None  # nobody may find it while it closes
        if studio is not None:
            studio.close()


def _unexpected(error: BaseException) -> AppError:
    """Return what the pages say of an error that nobody foresaw, and log where it arose.

    What arises again at the next try is told in a line.
    """
    global _told
    kind = type(error).__name__
    # Where, and not what it says: that may quote an address with its password.
    places = "".join(traceback.format_tb(error.__traceback__))
    is_told, _told = _told == (kind, places), (kind, places)
    logger.error(
        "The studio cannot open: unexpected %s\n%s", kind, "as before" if is_told else places
    )
    return AppError("error.opening", facts={"kind": kind})

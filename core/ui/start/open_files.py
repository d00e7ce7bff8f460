"""How many files and sockets the process may have open: what the system allows at most.

Each open page is a socket, and each answer under way two more. Usual systems let a program have
1,024 and allow it to ask for half a million (setrlimit(2)): without that the studio is full at some
nine hundred pages, and then can open neither its database nor a connection to a provider.
"""

import logging

logger = logging.getLogger(__name__)

ENOUGH = 65_536
_LESS = (10_240, 4_096)  # what macOS grants, whatever it names as the limit


def allow_many_open_files() -> None:
    """Raise the limit of open files (RLIMIT_NOFILE) as far as this process may, up to ENOUGH."""
    try:
        import resource  # noqa: PLC0415 - Windows has none, and no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return
    for wanted in (most, *(less for less in _LESS if soft < less < most)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            continue
        return
    logger.warning("At most %d files and sockets may be open", soft)

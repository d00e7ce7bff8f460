"""The start's words on the console: where the studio is, and a one-time link for others."""

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from core.access.invitations import LIFETIME_S, Invitation
from core.errors import StoreError
from core.ui import reachable

if TYPE_CHECKING:  # the greeting comes before it
    from core.work.studio import Studio

logger = logging.getLogger(__name__)


def greet() -> None:
    """Print where the studio is.

    Not by Streamlit's own lines: where no browser is to be opened, it asks a host on the internet
    for this machine's address first, over plain HTTP, and waits up to two seconds for that.
    """
    local, others = reachable.printed_bases()
    lines = [f"  墨灵 Inkling · Local URL: {local}"]
    lines += [f"  Network URL: {base}" for base in others]
    _print("\n".join(["", *lines, ""]))


def announce_way_in(studio: "Studio") -> None:
    """Print a one-time link, unless only this machine can reach the studio, which needs none.

    The one place where a code stands in output: whoever reads the console started the studio.
    """
    access = studio.settings.access
    is_behind_proxy = access.behind_proxy or bool(access.proxies)
    if reachable.listens_here_only() and not is_behind_proxy:
        return
    try:
        made = studio.invitations.make("console", manages=True)
    except StoreError as error:
        logger.warning("No one-time link can be made: %s", error)
        return
    _print(_lines(made, () if is_behind_proxy else reachable.bases(None)))


def _print(text: str) -> None:
    if sys.stdout is None:  # a service of Windows has no console
        return
    encoding = sys.stdout.encoding or "utf-8"
    # One that cannot write Chinese, or is gone, keeps nothing from opening.
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{text.encode(encoding, 'replace').decode(encoding)}\n")
        sys.stdout.flush()


def _lines(made: Invitation, bases: tuple[str, ...]) -> str:
    known = [reachable.entrance(base, made.code) for base in bases]
    by_name = reachable.entrance("<the studio's address>", made.code)
    return "\n".join(
        [
            f"  To let one device in (once, within {LIFETIME_S / 60:.0f} minutes; "
            "a restart prints another link):",
            f"  让一台设备进入（只能用一次，{LIFETIME_S / 60:.0f} 分钟内有效；重启会给出新链接）：",
            *(f"    {link}" for link in [*known, by_name]),
        ]
    )

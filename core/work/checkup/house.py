"""The house itself: versions, where it runs, who would count as here."""

import platform
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from core.access.callers import Verdict
from core.access.forwarding import forwarding_names
from core.work.checkup.finding import Finding, found

# What this version was built and tested with; another minor version may draw otherwise.
STREAMLIT = "1.67"
_CLOUD = Path("/mount/src")


def look_at_house(*, cloud: Path = _CLOUD, streamlit: str | None = None) -> Iterator[Finding]:
    """Yield versions, and whether this is Streamlit Community Cloud."""
    streamlit = streamlit or _version("streamlit")
    yield found(
        "versions",
        python=platform.python_version(),
        streamlit=streamlit,
        sqlite=sqlite3.sqlite_version,
        system=f"{platform.system()} {platform.machine()}",
    )
    if not streamlit.startswith(f"{STREAMLIT}."):
        yield found("streamlit_other", streamlit=streamlit, tested=STREAMLIT)
    if cloud.is_dir() and sys.platform == "linux":
        yield found("cloud")


def look_at_caller(verdict: Verdict, headers: Mapping[str, str]) -> Iterator[Finding]:
    """Yield as whom a call came in, and the forwarding headers that it brought."""
    if verdict.caller is not None:
        yield found("here_yes", caller=verdict.caller)
    else:
        yield found("here_no", reason=verdict.refusal or "-")
    if names := forwarding_names(headers):
        yield found("forwarded", names=", ".join(names))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"

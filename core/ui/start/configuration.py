"""How configuration reaches the studio: files of secrets and the environment of the app's folder.

Where we serve (app.py's server branch), the files are ours to read: Streamlit refuses to serve at
all with one that is not UTF-8, and it copies their keys into the environment, where a changed file
could not be told from a stronger setting. A host that only runs scripts hands us `st.secrets`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config, net_util

from core.errors import AppError, StoreError
from core.settings import Settings, read_secrets, read_settings

ROOT = Path(__file__).resolve().parents[3]

# The files of secrets that we read ourselves; None where Streamlit does.
_files: tuple[Path, ...] | None = None


def app_settings() -> Settings:
    """Read all settings anew, as the environment and the files are now."""
    return read_settings(
        root=ROOT,
        environment=os.environ,
        secrets=_secrets() if _files is None else None,
        secrets_files=_files,
    )


def take_secrets_files() -> dict[str, Any]:
    """Take the files of secrets out of Streamlit's hands; return what it needs of them: sections.

    Called once, before the server starts. `--secrets.files` and the file in the home folder count
    as they do for Streamlit.
    """
    global _files  # what the process serves with
    files = tuple(Path(name) for name in config.get_option("secrets.files"))
    if any(file.suffix != ".toml" for file in files):
        return {}  # folders of one secret a file, as Kubernetes mounts them: Streamlit's to read
    _files = files
    # Streamlit's own option, set by its own means.
    config.set_option("secrets.files", [])
    found = read_secrets(root=ROOT, files=_files)
    return {name: _plain(table) for name, table in found.items() if isinstance(table, dict)}


def ask_nobody_for_addresses() -> None:
    """Keep Streamlit from asking a host on the internet for this machine's address.

    It does so for each page of another origin that tries to open the websocket, on the server's
    loop, for up to two seconds: any page that a person visits could hold up all streams. Who may
    open it is judged without: no page has that address for its origin, but behind a proxy that
    puts another Host in its place.
    """
    net_util.get_external_ip = lambda: None


def base_url_path() -> str:
    """Return the sub-path that Streamlit serves the pages below (server.baseUrlPath)."""
    return str(st.get_option("server.baseUrlPath") or "")


def data_dir_error(error: AppError, settings: Settings) -> AppError | None:
    """Return the error that names the setting behind a data folder which cannot be used."""
    if not isinstance(error, StoreError):
        return None
    place = Path(str(error.facts.get("place", "")))
    in_folder = place.is_relative_to(settings.data_dir)
    if not in_folder or error.text_id not in ("error.store_readonly", "error.store_unmade"):
        return None
    return StoreError(
        "error.data_dir",
        facts={"folder": settings.data_dir, "source": settings.data_dir_source},
        detail=error.detail,
    )


def _secrets() -> Mapping[str, Any] | None:
    try:
        return st.secrets.to_dict()
    except Exception:  # no file, or one that Streamlit cannot read: core/settings finds out why
        return None


def _plain(value: Any) -> Any:
    """Return a value of TOML with what st.secrets takes: dates and times as text."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool) else str(value)

"""How configuration reaches the studio: st.secrets and the environment of the app's folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from core.errors import AppError, StoreError
from core.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def app_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; `environment` is given where it was taken before Streamlit changed it."""
    return read_settings(
        root=ROOT,
        environment=os.environ if environment is None else environment,
        secrets=_secrets(),
    )


def base_url_path() -> str:
    """Return the sub-path that Streamlit serves the pages below (server.baseUrlPath)."""
    return str(st.get_option("server.baseUrlPath") or "")


def data_dir_trouble(error: AppError, settings: Settings) -> AppError | None:
    """Return the error that names the setting behind a data folder which cannot be used."""
    if not isinstance(error, StoreError):
        return None
    place = Path(str(error.facts.get("place", "")))
    in_folder = place.is_relative_to(settings.data_dir)
    if not in_folder or error.text_id not in ("error.store_readonly", "error.store_unmade"):
        return None
    return StoreError(
        f"INKLING_DATA_DIR: {settings.data_dir} cannot be made or written.",
        text_id="error.data_dir",
        facts={"folder": settings.data_dir, "source": settings.data_dir_source},
        detail=error.detail,
    )


def _secrets() -> Mapping[str, Any] | None:
    try:
        return st.secrets.to_dict()
    except StreamlitSecretNotFoundError:
        return None  # no file, or one that is not TOML: core/settings finds out which, and where

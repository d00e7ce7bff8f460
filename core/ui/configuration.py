"""How configuration reaches the studio: st.secrets and the environment of the app's folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from core.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def app_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; `environment` is given where it was taken before Streamlit changed it."""
    return read_settings(
        root=ROOT,
        environment=os.environ if environment is None else environment,
        secrets=_secrets(),
    )


def _secrets() -> Mapping[str, Any] | None:
    try:
        return st.secrets.to_dict()
    except StreamlitSecretNotFoundError:
        return None  # no file, or one that is not TOML: core/settings finds out which, and where

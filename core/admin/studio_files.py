"""Where the configured studio keeps its rows and pictures, and other places by their address."""

import os
from pathlib import Path

from core.archive.archive import Archive
from core.errors import ConfigurationError, StoreError
from core.settings import Settings
from core.settings.sources import ENVIRONMENT
from core.storage.db.health import place_without_store
from core.storage.store import Store

_FROM_ENVIRONMENT = "env:"


def open_store(
    settings: Settings, *, is_to_be_filled: bool = False, may_be_new: bool = False
) -> Store:
    """Open the store that the app opens; StoreError where there is none to be opened.

    A new one would be made where the settings are not the app's, and look like a studio that has
    lost everything. One that is to be filled may be new, or half filled.
    """
    database = settings.database_url
    address = database.reveal() if database else settings.data_dir / "inkling.sqlite3"
    if not (is_to_be_filled or may_be_new) and (nowhere := place_without_store(address)):
        raise StoreError("error.store_none", facts={"place": nowhere})
    return Store.open(address, may_be_unfinished=is_to_be_filled)


def open_archive(settings: Settings) -> Archive:
    """Open the archive that the app opens."""
    return Archive.open(settings.data_dir / "pictures", url=settings.archive_url)


def other_archive(settings: Settings, place: str) -> Archive:
    """Open the archive at another folder or URL."""
    if "://" in place:
        return Archive.open(settings.data_dir / "pictures", url=place)
    return Archive.open(place)


def address_from(written: str) -> str:
    """Return an address as written, or from the variable that `env:NAME` names.

    What stands on a command line, others on the machine can read.
    """
    if not written.startswith(_FROM_ENVIRONMENT):
        return written
    name = written.removeprefix(_FROM_ENVIRONMENT)
    if not (value := os.environ.get(name, "")):
        raise ConfigurationError(name, ENVIRONMENT, "error.configuration_missing")
    return value


def work_dir(settings: Settings) -> Path:
    """Return where files are put together."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return settings.data_dir

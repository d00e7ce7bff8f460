"""Where the configured studio keeps its rows and pictures, and other places by their address."""

import os
from pathlib import Path

from core.access.owners import LOCAL_OWNER, user_owner
from core.archive.archive import Archive
from core.errors import ConfigurationError, InputError, StoreError
from core.settings import Settings
from core.settings.sources import ENVIRONMENT
from core.storage.db.health import place_without_store
from core.storage.store import Store

_FROM_ENVIRONMENT = "env:"
_LOCAL = "local"
_NAMED_MOST = 20


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


def check_person(store: Store, owner: str) -> None:
    """Raise InputError where there is nothing of a person: it names who there is."""
    if next(store.people.rows(owner), None) is not None:
        return
    people = [name for one in store.people.owners() if (name := _written(one))]
    shown = [*people[:_NAMED_MOST], *(["…"] if len(people) > _NAMED_MOST else [])]
    facts = {"person": _written(owner), "people": ", ".join(shown) or "–"}
    raise InputError("person", "error.person_unknown", facts=facts)


def person_owner(person: str) -> str:
    """Return the owner for a person as they are written on the command line."""
    return LOCAL_OWNER if person == _LOCAL else user_owner(person)


def _written(owner: str) -> str:
    """Return how an owner is written on the command line; nothing for one that cannot be."""
    if owner == LOCAL_OWNER:
        return _LOCAL
    address = owner.partition(":")[2]
    return address if user_owner(address) == owner else ""


def work_dir(settings: Settings) -> Path:
    """Return where files are put together."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return settings.data_dir

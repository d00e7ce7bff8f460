"""Exchanges kept with an answer or a picture on request: masked, in the database."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from core.errors import InputError
from core.providers.http.kept_exchange import Exchange
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from core.work.xray.recipes import as_objects
from core.work.xray.ring import Trace

BYTES_MOST = 4 * 1024 * 1024
_PREFIX = "xray.kept."


def keep(store: Store, owner: str, subject: str, exchanges: Iterable[Exchange]) -> None:
    """Keep exchanges with what they were for, in place of those that were kept before."""
    value = {"at": datetime.now(UTC).isoformat(), "exchanges": as_objects(exchanges)}
    if len(json.dumps(value, ensure_ascii=False)) > BYTES_MOST:
        raise InputError("exchanges", "xray.too_much", facts={"most": BYTES_MOST >> 20})
    store.key_values.set(_key(owner, subject), value)


def kept_since(store: Store, owner: str, subject: str) -> datetime | None:
    """Return when a subject's exchanges were kept."""
    value = store.key_values.get(_key(owner, subject))
    return datetime.fromisoformat(value["at"]) if isinstance(value, dict) else None


def kept(store: Store, owner: str, subject: str) -> tuple[Trace, ...]:
    """Return what was kept, the newest first; nothing of what another version wrote."""
    value = store.key_values.get(_key(owner, subject))
    if not isinstance(value, dict):
        return ()
    # A key may have become known since.
    text = known_secrets.wash(json.dumps(value.get("exchanges"), ensure_ascii=False))
    try:
        found = msgspec.json.decode(text, type=tuple[Exchange, ...], strict=False)
    except (msgspec.MsgspecError, RecursionError):
        return ()
    numbered = enumerate(found, 1)
    return tuple(Trace(-number, _Masked(one)) for number, one in numbered)[::-1]


def forget(store: Store, owner: str, subject: str) -> None:
    """Keep a subject's exchanges no longer."""
    store.key_values.remove(_key(owner, subject))


def forget_orphans(store: Store) -> int:
    """Forget what was kept with answers and pictures that are gone; return how many."""
    gone = [key for key in store.key_values.starting_with(_PREFIX) if not _is_there(store, key)]
    for key in gone:
        store.key_values.remove(key)
    return len(gone)


class _Masked:
    """An exchange that was masked when it was kept."""

    memory_bytes = 0

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def head(self) -> Exchange:
        return self._exchange

    def view(self) -> Exchange:
        return self._exchange


def _is_there(store: Store, key: str) -> bool:
    owner, _, subject = key.removeprefix(_PREFIX).rpartition(".")
    return (
        store.messages.get(owner, subject) is not None
        or store.generations.get(owner, subject) is not None
    )


def _key(owner: str, subject: str) -> str:
    return f"{_PREFIX}{owner}.{subject}"

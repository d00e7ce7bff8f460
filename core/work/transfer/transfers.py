"""Exports and imports of any size: signed links, uploads, and a background job for each import."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import AppError, StoreError
from core.storage.store import Store
from core.storage.transfer.exports import ExportShape
from core.work.transfer.tickets import Tickets
from core.work.transfer.uploads import Uploads

logger = logging.getLogger(__name__)

TELL_EVERY_S = 1.0


class Transfers:
    """The transfers of one process. From any thread."""

    def __init__(self, store: Store, data_dir: Path) -> None:
        self._store = store
        self.tickets = Tickets(store.key_values)
        self.uploads = Uploads(data_dir / "uploads")
        self._one_at_a_time = threading.Lock()
        self._is_closing = threading.Event()

    def close(self) -> None:
        """Cut imports off where they are: asked for again, at the next start, they go on."""
        self._is_closing.set()

    def export(self, owner: str, shape: ExportShape = "inkling") -> Iterator[bytes]:
        """Yield an export of everything, piece by piece."""
        return self._store.exports.pieces(owner, shape)

    def begin_import(self, owner: str, name: str, total: int) -> None:
        """Import an upload that is complete, in the background; harmless when that is under way."""
        if self.uploads.begin(owner, name, total):
            # A daemon: an import that the process's end cuts off goes on when it is asked again.
            job = threading.Thread(
                target=self._import, args=(owner, name, total), name="import", daemon=True
            )
            job.start()

    def _import(self, owner: str, name: str, total: int) -> None:
        path = self.uploads.path(owner, name)
        noted_at = 0.0

        def tell(place: int) -> None:
            nonlocal noted_at
            if self._is_closing.is_set():
                raise _ClosingError
            if time.monotonic() - noted_at > TELL_EVERY_S:
                noted_at = time.monotonic()
                self.uploads.note(owner, name, "importing", {"share": place / max(total, 1)})

        try:
            with _Turn(self._one_at_a_time, tell), path.open("rb") as file:
                result = self._store.imports.import_file(owner, file, tell=tell)
            self.uploads.remove(owner, name)
            self.uploads.note(owner, name, "done", result.facts())
        except _ClosingError:
            self.uploads.forget_note(owner, name)
        except AppError as error:
            if self._is_closing.is_set():  # the store was closed under it
                self.uploads.forget_note(owner, name)
                return
            logger.warning("An import ended: %s", error)
            self._note_failure(owner, name, error)
        except Exception:
            logger.exception("An import ended with an unexpected error")
            self._note_failure(owner, name, AppError())

    def _note_failure(self, owner: str, name: str, error: AppError) -> None:
        facts = {"text_id": error.text_id, "facts": error.facts}
        try:
            # What the store could not take just now is kept: it need not be sent again.
            if not isinstance(error, StoreError):
                self.uploads.remove(owner, name)
            self.uploads.note(owner, name, "failed", facts)
        except StoreError as blocking_error:
            logger.warning("The end of an import is not noted: %s", blocking_error)


class _ClosingError(Exception):
    """The studio is being closed."""


class _Turn:
    """A lock that tells while it waits that it is still wanted."""

    def __init__(self, lock: threading.Lock, tell: Callable[[int], None]) -> None:
        self._lock = lock
        self._tell = tell

    def __enter__(self) -> None:
        while not self._lock.acquire(timeout=TELL_EVERY_S):
            self._tell(0)

    def __exit__(self, *_: object) -> None:
        self._lock.release()

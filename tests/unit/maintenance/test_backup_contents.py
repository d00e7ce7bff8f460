"""What a backup holds: what its rows speak of, no key of the studio, nothing to be paid twice."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from core.archive.archive import Archive, sound_name
from core.archive.backup_places import BackupPlace
from core.models.generations import GenerationStatus, ImageRequest
from core.models.speech import SpeechRequest
from core.storage.store import Store
from core.work.maintenance.backup import make_backup
from core.work.maintenance.restore import restore_backup
from core.work.maintenance.verification import verify
from core.work.transfer.tickets import Tickets
from tests.unit.maintenance.contents import paint

ANN = "user:ann@example.com"
S = GenerationStatus
Restored = Callable[[str], AbstractContextManager[tuple[Store, Archive]]]


@pytest.fixture
def place(tmp_path: Path) -> BackupPlace:
    return BackupPlace(str(tmp_path / "backups"))


@pytest.fixture
def restored(place: BackupPlace, tmp_path: Path) -> Restored:
    @contextmanager
    def restore(name: str) -> Iterator[tuple[Store, Archive]]:
        other = Store.open(tmp_path / "other.sqlite3")
        pictures = Archive.open(tmp_path / "other")
        restore_backup(other, pictures, place, name, work_dir=tmp_path)
        yield other, pictures
        other.close()

    return restore


def test_what_waited_to_be_sent_is_asked_for_before_it_is_sent_and_paid_again(
    store: Store, archive: Archive, place: BackupPlace, tmp_path: Path, restored: Restored
) -> None:
    asked = store.intents.create(ANN, ImageRequest("a hill"), provider="kling")
    other = store.intents.create(ANN, ImageRequest("a lake"), provider="kling")
    store.generations.cancel(ANN, other.id)
    made = make_backup(store, archive, place, work_dir=tmp_path)
    with restored(made.name) as (back, _):
        now = back.copies._clock()
        (leased,) = back.leases.claim_due(
            "me", now=now + timedelta(days=1), limit=9, lease_s=1e6, statuses=[S.INTENDED]
        )
        assert leased.id == asked.id
        assert leased.sending_at is not None
        assert back.generations.mark_sending(asked.id, "me") is None


def test_who_holds_a_backup_can_sign_nothing_for_the_studio(
    store: Store, archive: Archive, place: BackupPlace, tmp_path: Path, restored: Restored
) -> None:
    ticket = Tickets(store.key_values).sign(ANN, "export")
    key = store.key_values.get("transfer.key")
    made = make_backup(store, archive, place, work_dir=tmp_path)
    content = (tmp_path / "backups" / made.name).read_bytes()
    assert key.encode() not in content
    with restored(made.name) as (back, _):
        assert Tickets(back.key_values).owner_of(ticket, "export") is None
        own = Tickets(back.key_values).sign(ANN, "export")
        assert Tickets(back.key_values).owner_of(own, "export") == ANN
    assert Tickets(store.key_values).owner_of(ticket, "export") == ANN


def test_what_goes_right_behind_the_snapshot_goes_with_its_rows(
    store: Store,
    archive: Archive,
    place: BackupPlace,
    tmp_path: Path,
    restored: Restored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, purged = paint(store, archive, ANN, 1), paint(store, archive, ANN, 2)
    said = store.intents.create(ANN, SpeechRequest("你好。", voice_id="ai_kaiya"), provider="kling")
    for status, task in ((S.SUBMITTED, said.id), (S.SUCCEEDED, None), (S.ARCHIVED, None)):
        store.generations.move(said.id, to=status, expect=set(S), task_id=task)
    archive.keep(sound_name(said), b"a sound")
    snapshot = store.copies.snapshot

    def purge_behind(path: Path) -> None:
        snapshot(path)
        (gone,) = [one for one in store.copies.archived() if one.name == purged]
        archive.remove(purged)
        archive.remove(sound_name(said))
        store.gallery.delete_pictures(ANN, [gone.picture_id])
        store.gallery.forget_pictures([gone.picture_id])
        store.people.erase(ANN)

    monkeypatch.setattr(store.copies, "snapshot", purge_behind)
    made = make_backup(store, archive, place, work_dir=tmp_path)
    assert (made.pictures, made.lost) == (1, [])
    with restored(made.name) as (back, pictures):
        assert verify(back, pictures).is_sound
        assert list(pictures.names()) == [kept]

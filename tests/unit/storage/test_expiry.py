"""What strangers left is removed after a day; what anyone else has is not."""

from datetime import timedelta

from core.access.owners import LOCAL_OWNER, may_spend, user_owner, visitor_owner
from core.archive.archive import Archive
from core.models.generations import GenerationStatus, ImageRequest
from core.storage.store import Store
from core.work.housekeeping import Housekeeping
from tests.conftest import Clock

STRANGER = visitor_owner("abc")


def leave_something(store: Store, owner: str) -> None:
    store.conversations.create(owner, title="left behind")
    generation = store.intents.create(owner, ImageRequest("a cat"), provider="practice")
    store.generations.cancel(owner, generation.id)


def test_only_strangers_are_forgotten_after_a_day(
    store: Store, archive: Archive, clock: Clock
) -> None:
    for owner in (STRANGER, LOCAL_OWNER, user_owner("Ann@Example.com")):
        leave_something(store, owner)
    housekeeping = Housekeeping(store, archive)
    housekeeping.tidy(clock.advance(3600))
    assert store.conversations.count(STRANGER) == 1
    housekeeping.tidy(clock.advance(timedelta(days=1).total_seconds()))
    assert store.conversations.count(STRANGER) == 0
    assert store.generation_lists.list(STRANGER).items == ()
    for owner in (LOCAL_OWNER, "user:ann@example.com"):
        assert store.conversations.count(owner) == 1
        (generation,) = store.generation_lists.list(owner).items
        assert generation.status is GenerationStatus.CANCELLED


def test_a_strangers_open_task_is_not_pulled_from_under_the_worker(
    store: Store, archive: Archive, clock: Clock
) -> None:
    store.intents.create(STRANGER, ImageRequest("a cat"), provider="practice")
    Housekeeping(store, archive).tidy(clock.advance(timedelta(days=2).total_seconds()))
    assert len(store.generation_lists.list(STRANGER).items) == 1


def test_only_strangers_may_not_spend() -> None:
    assert may_spend(LOCAL_OWNER)
    assert may_spend(user_owner("ann@example.com"))
    assert not may_spend(STRANGER)

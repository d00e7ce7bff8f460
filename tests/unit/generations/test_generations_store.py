"""The ledger of paid tasks: steps, keys, leases, slots, lists; on both databases."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from core.errors import InputError
from core.models.generations import (
    Generation,
    GenerationStatus,
    ImageRequest,
    KlingTask,
    Note,
    ReferenceImage,
    TaskImage,
    TaskStatus,
)
from core.storage.generations.rows import STEPS, ExpectedStatus
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from core.work.generations.sounds.kept_answers import keep_answer, kept_answer
from tests.conftest import Clock

S = GenerationStatus
WHY = Note("note.why", {"code": 1303, "host": "某处"})
REQUEST = ImageRequest(
    prompt="一座山水画, 100% ink",
    negative_prompt="blur",
    aspect_ratio="16:9",
    n=2,
    has_image=True,
    image_fidelity=0.5,
    element_ids=(7, 8),
    callback_url="https://example.test/hook",
)
REFERENCE = ReferenceImage(b"\x89PNG\x00\xff", "image/png")


def create_intent(store: Store, request: ImageRequest = REQUEST, owner: str = "ada") -> Generation:
    return store.intents.create(owner, request, provider="kling")


def claim(store: Store, clock: Clock, process_id: str = "p1") -> tuple[Generation, ...]:
    return store.leases.claim_due(process_id, now=clock.now, limit=10, lease_s=30, statuses=set(S))


def move(store: Store, generation: Generation, *steps: GenerationStatus) -> Generation:
    for to in steps:
        moved = store.generations.move(generation.id, to=to, expect=set(S))
        assert moved is not None
        generation = moved
    return generation


def at(store: Store, status: GenerationStatus) -> Generation:
    """Return a new generation at this status, led there by legal steps."""
    roads: dict[GenerationStatus, tuple[GenerationStatus, ...]] = {
        S.INTENDED: (),
        S.ARCHIVED: (S.SUBMITTED, S.PROCESSING, S.SUCCEEDED, S.ARCHIVED),
        S.PROCESSING: (S.SUBMITTED, S.PROCESSING),
        S.SUCCEEDED: (S.SUBMITTED, S.SUCCEEDED),
    }
    return move(store, create_intent(store), *roads.get(status, (status,)))


# Wishes


def test_a_wish_is_kept_whole_with_an_id_of_its_own(store: Store) -> None:
    made = store.intents.create(
        "ada", REQUEST, provider="kling", references=[REFERENCE], idempotency_key="key"
    )
    assert made.external_task_id == f"inkling-{made.id}"
    assert (made.status, made.request, made.owner) == (S.INTENDED, REQUEST, "ada")
    assert (made.attempts, made.sending_at, made.task_id) == (0, None, None)
    assert store.generations.load(made.id) == made
    assert store.generations.get("ada", made.id) == made
    assert store.generations.get_by_external_id("ada", made.external_task_id) == made
    assert store.generations.references(made.id) == (REFERENCE,)
    (event,) = store.generations.history("ada", made.id)
    assert (event.status, event.at) == (S.INTENDED, event.at)


def test_nobody_sees_or_cancels_what_belongs_to_another(store: Store, clock: Clock) -> None:
    made = store.intents.create("ada", REQUEST, provider="kling", idempotency_key="key")
    generations = store.generations
    assert generations.get("bob", made.id) is None
    assert generations.get_by_external_id("bob", made.external_task_id) is None
    assert generations.history("bob", made.id) == ()
    assert store.generation_lists.list("bob").items == ()
    assert store.generation_lists.models("bob") == ()
    assert not generations.cancel("bob", made.id)
    move(store, made, S.REFUSED)
    assert not store.generation_lists.delete("bob", made.id)
    with pytest.raises(InputError):
        store.generation_lists.restore("bob", made.id)


def test_the_same_key_is_the_same_wish(store: Store) -> None:
    first = store.intents.create(
        "ada", REQUEST, provider="kling", idempotency_key="key", references=[REFERENCE]
    )
    again = store.intents.create(
        "ada", REQUEST, provider="kling", idempotency_key="key", references=[REFERENCE]
    )
    assert again == first
    other = store.intents.create("bob", REQUEST, provider="kling", idempotency_key="key")
    assert other.id != first.id


def test_a_callers_external_id_is_kept_and_repeats_are_the_same_wish(store: Store) -> None:
    for _ in range(2):
        made = store.intents.create(
            "ada", REQUEST, provider="kling", external_task_id="mine-1", origin="http"
        )
        assert (made.external_task_id, made.origin) == ("mine-1", "http")
    assert len(store.generation_lists.list("ada").items) == 1


@pytest.mark.parametrize(
    ("owner", "request_", "reference"),
    [
        ("ada", ImageRequest("other"), None),
        ("ada", REQUEST, REFERENCE),
        ("bob", REQUEST, None),
    ],
)
def test_a_key_used_for_another_request_is_refused(
    store: Store, owner: str, request_: ImageRequest, reference: ReferenceImage | None
) -> None:
    store.intents.create("ada", REQUEST, provider="kling", external_task_id="mine-1")
    with pytest.raises(InputError) as caught:
        store.intents.create(
            owner,
            request_,
            provider="kling",
            external_task_id="mine-1",
            references=[reference] if reference else [],
        )
    assert caught.value.text_id == "error.idempotency_conflict"


def test_fifty_equal_wishes_at_once_are_one(open_store: Callable[..., Store]) -> None:
    stores = [open_store() for _ in range(2)]
    found: list[str] = []
    barrier = threading.Barrier(10)

    def work(number: int) -> None:
        barrier.wait()
        for _ in range(5):
            made = stores[number % 2].intents.create(
                "ada", REQUEST, provider="kling", idempotency_key="key", references=[REFERENCE]
            )
            found.append(made.id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 50
    assert len(set(found)) == 1


def test_a_task_found_at_kling_can_never_be_bought_again(store: Store, clock: Clock) -> None:
    made_at = clock.now - timedelta(days=3)
    task = KlingTask(
        task_id="T-1",
        status=TaskStatus.SUCCEED,
        external_task_id="inkling-lost",
        created_at=made_at,
        updated_at=made_at + timedelta(seconds=40),
        images=(TaskImage(0, "https://signed"), TaskImage(1, "https://signed")),
        unit_deduction="8",
    )
    found = store.intents.adopt_task("ada", task, provider="kling")
    assert found is not None
    assert (found.status, found.origin, found.external_task_id, found.task_id) == (
        S.SUCCEEDED,
        "recovered",
        "inkling-lost",
        "T-1",
    )
    assert (found.created_at, found.request.n, found.request.prompt) == (made_at, 2, "")
    assert store.intents.adopt_task("ada", task, provider="kling") is None
    assert store.generations.get_by_task_id("ada", "T-1") == found
    assert S.INTENDED not in STEPS[found.status]


def test_tasks_without_an_id_of_ours_are_told_apart(store: Store) -> None:
    for number in range(2):
        task = KlingTask(task_id=f"T-{number}", status=TaskStatus.PROCESSING)
        found = store.intents.adopt_task("ada", task, provider="kling")
        assert found is not None
        assert found.external_task_id == ""


def test_a_wish_of_ours_found_at_kling_is_not_written_down_twice(store: Store) -> None:
    made = create_intent(store)
    task = KlingTask("T-1", TaskStatus.PROCESSING, external_task_id=made.external_task_id)
    assert store.intents.adopt_task("bob", task, provider="kling") is None


# Steps


@pytest.mark.parametrize("status", list(S))
def test_only_legal_steps_are_taken(store: Store, status: GenerationStatus) -> None:
    for to in S:
        generation = at(store, status)
        if to in STEPS[status] or (to is status and not status.is_final):
            moved = store.generations.move(generation.id, to=to, expect={status}, note=WHY)
            assert moved is not None
            assert moved.status is to
            assert store.generations.history("ada", generation.id)[-1].note == WHY
        else:
            events = store.generations.history("ada", generation.id)
            with pytest.raises(ValueError, match="does not go"):
                store.generations.move(generation.id, to=to, expect={status})
            assert store.generations.load(generation.id) == generation
            assert store.generations.history("ada", generation.id) == events


def test_a_step_somebody_else_took_first_is_told(store: Store) -> None:
    generation = at(store, S.SUBMITTED)
    assert store.generations.move(generation.id, to=S.UNCERTAIN, expect={S.INTENDED}) is None
    assert store.generations.move("nothing", to=S.UNCERTAIN, expect={S.INTENDED}) is None
    assert store.generations.load(generation.id) == generation


def test_steps_carry_facts_and_later_steps_keep_or_replace_them(store: Store, clock: Clock) -> None:
    generation = create_intent(store)
    store.generations.move(
        generation.id,
        to=S.UNCERTAIN,
        expect={S.INTENDED},
        note=Note("note.lost"),
        error_text_id="error.unavailable",
        error_facts={"status_code": 502},
        error_detail="bad gateway",
    )
    moved = store.generations.move(
        generation.id,
        to=S.SUBMITTED,
        expect={S.UNCERTAIN},
        note=Note("note.found", {"task_id": "T-1"}),
        task_id="T-1",
        submitted_at=clock.now,
    )
    assert moved is not None
    assert (moved.error_text_id, moved.error_facts, moved.error_detail) == (None, {}, "")
    finished_at = clock.advance(40)
    moved = store.generations.move(
        generation.id,
        to=S.FAILED,
        expect={S.SUBMITTED, S.PROCESSING},
        note=Note("error.task_failed"),
        error_text_id="error.task_failed",
        error_detail="content",
        finished_at=finished_at,
        unit_deduction="0",
    )
    assert moved is not None
    assert (moved.task_id, moved.error_text_id, moved.error_detail) == (
        "T-1",
        "error.task_failed",
        "content",
    )
    assert (moved.finished_at, moved.unit_deduction) == (finished_at, "0")
    history = store.generations.history("ada", generation.id)
    assert [(event.status, event.note) for event in history] == [
        (S.INTENDED, ""),
        (S.UNCERTAIN, Note("note.lost")),
        (S.SUBMITTED, Note("note.found", {"task_id": "T-1"})),
        (S.FAILED, Note("error.task_failed")),
    ]
    assert [event.at for event in history] == sorted(event.at for event in history)


def test_a_remark_keeps_what_is_there(store: Store) -> None:
    generation = create_intent(store)
    store.generations.move(
        generation.id, to=S.UNCERTAIN, expect=set(S), error_text_id="error.unavailable"
    )
    moved = store.generations.move(
        generation.id, to=S.UNCERTAIN, expect=set(S), note=WHY, error_detail="not there yet"
    )
    assert moved is not None
    assert (moved.error_text_id, moved.error_detail) == ("error.unavailable", "not there yet")
    assert store.generations.history("ada", generation.id)[-1].note == WHY


# Sending and cancelling


def test_only_the_holder_of_the_lease_may_send_and_only_once(store: Store, clock: Clock) -> None:
    generation = create_intent(store)
    assert store.generations.mark_sending(generation.id, "p1") is None, "not leased"
    claim(store, clock)
    assert store.generations.mark_sending(generation.id, "p2") is None, "leased by another"
    sending = store.generations.mark_sending(generation.id, "p1", note=WHY)
    assert sending is not None
    assert sending.attempts == 1
    assert sending.sending_at is not None
    assert store.generations.mark_sending(generation.id, "p1") is None, "may be on its way"
    assert store.generations.history("ada", generation.id)[-1].note == WHY


def test_whose_lease_was_ended_does_not_send(store: Store, clock: Clock) -> None:
    generation = create_intent(store)
    claim(store, clock)
    store.leases.end(store.leases.held())
    assert store.generations.mark_sending(generation.id, "p1") is None


def test_what_was_not_sent_can_be_cancelled_and_costs_nothing(store: Store, clock: Clock) -> None:
    generation = create_intent(store)
    claim(store, clock)
    assert store.generations.cancel("ada", generation.id)
    assert store.generations.mark_sending(generation.id, "p1") is None
    assert not store.generations.cancel("ada", generation.id)
    found = store.generations.load(generation.id)
    assert found is not None
    assert found.status is S.CANCELLED


def test_what_may_have_been_sent_cannot_be_cancelled(store: Store, clock: Clock) -> None:
    generation = create_intent(store)
    claim(store, clock)
    store.generations.mark_sending(generation.id, "p1")
    assert not store.generations.cancel("ada", generation.id)
    back = store.generations.unmark_sending(
        generation.id, note=WHY, next_check_at=clock.now + timedelta(seconds=5)
    )
    assert (back.sending_at, back.attempts) == (None, 1)
    assert store.generations.cancel("ada", generation.id)


def test_an_uncertain_one_remembers_when_it_was_sent(store: Store, clock: Clock) -> None:
    generation = create_intent(store)
    claim(store, clock)
    sending = store.generations.mark_sending(generation.id, "p1")
    assert sending is not None
    assert move(store, generation, S.UNCERTAIN).sending_at == sending.sending_at
    assert move(store, generation, S.INTENDED).sending_at is None


# Leases


def test_work_is_claimed_by_one_process_until_it_is_released(
    open_store: Callable[..., Store], clock: Clock
) -> None:
    one, two = open_store(), open_store()
    made = [create_intent(one).id for _ in range(3)]
    assert [generation.id for generation in claim(one, clock, "p1")] == made
    assert claim(two, clock, "p2") == ()
    later = clock.now + timedelta(seconds=60)
    assert one.leases.release(made[0], "p1", next_check_at=clock.now, polled=True)
    assert one.leases.release(made[1], "p1", next_check_at=later)
    assert not two.leases.release(made[2], "p2", next_check_at=clock.now)
    (taken,) = claim(two, clock, "p2")
    assert (taken.id, taken.poll_count) == (made[0], 1)


@pytest.mark.parametrize("hours", [0, 3, -3, 24 * 40])
def test_a_dead_process_s_work_is_taken_over_once_its_lease_was_seen_to_stand_still(
    store: Store, clock: Clock, hours: int
) -> None:
    """By whatever clock the lease was given, or whoever looks at it goes."""
    dead, renewed = create_intent(store).id, create_intent(store).id
    practice = store.intents.create("ada", REQUEST, provider="practice").id
    claim(store, clock, "p1")
    clock.advance(3600.0 * hours + 1.0)
    seen = store.leases.held("kling")
    assert set(seen) == {dead, renewed}
    assert set(store.leases.held()) == {dead, renewed, practice}
    assert store.leases.renew("p1", [renewed], now=clock.now, lease_s=30) == {renewed}
    assert claim(store, clock, "p2") == ()
    store.leases.end(seen)
    assert set(store.leases.held("kling")) == {renewed}
    assert [generation.id for generation in claim(store, clock, "p2")] == [dead]
    assert store.leases.renew("p1", [dead, renewed], now=clock.now, lease_s=30) == {renewed}
    assert store.generations.mark_sending(dead, "p1") is None


def test_a_process_that_is_alone_takes_over_at_once(store: Store, clock: Clock) -> None:
    create_intent(store)
    claim(store, clock, "p1")
    assert store.leases.take_over("p1") == 0
    assert store.leases.take_over("p2") == 1
    assert len(claim(store, clock, "p2")) == 1


def test_claims_are_what_was_asked_for_oldest_due_first(store: Store, clock: Clock) -> None:
    practice = store.intents.create("ada", REQUEST, provider="practice")
    first, second, third = create_intent(store), at(store, S.SUBMITTED), create_intent(store)
    at(store, S.FAILED)
    store.generations.move(
        third.id, to=S.INTENDED, expect=set(S), next_check_at=clock.now + timedelta(seconds=9)
    )
    store.generations.move(
        second.id, to=S.PROCESSING, expect=set(S), next_check_at=clock.now - timedelta(days=1)
    )

    def due(provider: str, *statuses: GenerationStatus) -> list[str]:
        claimed = store.leases.claim_due(
            "p", now=clock.now, limit=9, lease_s=9, statuses=statuses, provider=provider
        )
        store.leases.free("p", [generation.id for generation in claimed])
        return [generation.id for generation in claimed]

    assert due("practice", *S) == [practice.id]
    assert due("kling", S.INTENDED) == [first.id]
    assert due("kling", *S) == [second.id, first.id]
    clock.advance(10)
    assert due("kling", *S) == [second.id, first.id, third.id]


@pytest.mark.parametrize("hours", [1, 24 * 40])
def test_a_plan_from_before_the_clock_was_set_back_holds_nothing_up(
    store: Store, clock: Clock, hours: int
) -> None:
    generation = create_intent(store)
    plan = clock.now + timedelta(hours=hours)
    store.generations.move(generation.id, to=S.INTENDED, expect=set(S), next_check_at=plan)
    assert [one.id for one in claim(store, clock)] == [generation.id]


def test_what_is_to_be_sent_again_is_due_at_once_by_the_clock_that_dates_it(
    store: Store, clock: Clock
) -> None:
    generation = create_intent(store)
    claim(store, clock)
    assert store.generations.mark_sending(generation.id, "p1") is not None
    clock.advance(-120.0)
    back = store.generations.unmark_sending(generation.id, note=WHY)
    assert back.next_check_at is not None
    assert back.next_check_at <= clock.now


def test_a_span_that_ends_before_it_began_is_no_duration(store: Store, clock: Clock) -> None:
    generation = create_intent(store)
    ledger = store.generations
    ledger.move(generation.id, to=S.SUBMITTED, expect=set(S), submitted_at=clock.now)
    clock.advance(-3600.0)
    ledger.move(generation.id, to=S.SUCCEEDED, expect=set(S), finished_at=clock.now)
    request = generation.request
    known = store.generation_lists.finished_durations(
        "kling", kind="image", model=request.model_name, resolution=request.resolution, n=request.n
    )
    assert known == ()


# Slots


def file_facts(name: str = "2026/11/22/a-0.png") -> dict[str, object]:
    return {
        "name": name,
        "media_type": "image/png",
        "width": 4,
        "height": 3,
        "size_bytes": 99,
        "sha256": "f" * 64,
    }


def test_slots_tell_which_pictures_have_arrived(store: Store) -> None:
    generation = at(store, S.SUCCEEDED)
    for _ in range(2):
        store.expected_pictures.expect(generation.id, 3)
    store.expected_pictures.fail(generation.id, 1, error_text_id="error.picture_broken")
    expected = store.expected_pictures.fail(generation.id, 1, error_text_id="error.unavailable")
    assert (expected.status, expected.attempts, expected.error_text_id) == (
        ExpectedStatus.PENDING,
        2,
        "error.unavailable",
    )
    picture = store.expected_pictures.add(generation.id, 1, **file_facts())  # type: ignore[arg-type]
    store.expected_pictures.fail(generation.id, 2, error_text_id="x", give_up=True)
    assert [
        (expected.index, expected.status, expected.attempts)
        for expected in store.expected_pictures.of(generation.id)
    ] == [
        (0, ExpectedStatus.PENDING, 0),
        (1, ExpectedStatus.ARCHIVED, 2),
        (2, ExpectedStatus.FAILED, 1),
    ]
    found = store.generations.load(generation.id)
    assert found is not None
    assert found.pictures == (picture,)
    assert picture.created_at == generation.created_at


def test_a_picture_added_twice_is_one(store: Store) -> None:
    generation = at(store, S.SUCCEEDED)
    first = store.expected_pictures.add(generation.id, 0, **file_facts())  # type: ignore[arg-type]
    again = store.expected_pictures.add(
        generation.id,
        0,
        **(file_facts() | {"size_bytes": 100}),  # type: ignore[arg-type]
    )
    assert (again.id, again.size_bytes) == (first.id, 100)
    with pytest.raises(InputError):
        store.expected_pictures.add("nothing", 0, **file_facts("b"))  # type: ignore[arg-type]


# Lists and counts


def test_lists_are_filtered_and_paged_newest_first(store: Store, clock: Clock) -> None:
    made = [
        create_intent(store, ImageRequest(f"picture {number} 山水", aspect_ratio="16:9"))
        for number in range(5)
    ]
    move(store, made[0], S.REFUSED)
    ids = [generation.id for generation in reversed(made)]
    paged: list[str] = []
    cursor = None
    while True:
        page = store.generation_lists.list("ada", limit=2, cursor=cursor)
        paged += [generation.id for generation in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert paged == ids

    def listed(**filters: object) -> list[str]:
        return [g.id for g in store.generation_lists.list("ada", **filters).items]  # type: ignore[arg-type]

    assert listed(active_only=True) == ids[:-1]
    assert listed(statuses={S.REFUSED}) == [ids[-1]]
    assert listed(text="PICTURE 3") == [made[3].id]
    assert listed(text="山水 2") == [made[2].id]
    assert listed(text="%") == []
    assert listed(model="kling-v2") == []
    assert listed(ratio="16:9", model="kling-v3") == ids
    assert listed(since=made[3].created_at) == ids[:2]
    assert listed(until=made[1].created_at) == ids[-1:]
    assert store.generation_lists.models("ada") == ("kling-v3",)


def test_slots_in_flight_count_pictures(store: Store, clock: Clock) -> None:
    first, second, _ = (create_intent(store) for _ in range(3))
    store.intents.create("ada", REQUEST, provider="practice")
    lists = store.generation_lists
    assert lists.slots_in_flight("kling")["image"] == 0
    claim(store, clock)
    store.generations.mark_sending(first.id, "p1")
    move(store, second, S.UNCERTAIN)
    assert lists.slots_in_flight("kling")["image"] == 4
    move(store, second, S.SUBMITTED, S.PROCESSING, S.SUCCEEDED)
    assert lists.slots_in_flight("kling")["image"] == 2
    assert lists.counts("kling") == {S.INTENDED: 2, S.SUCCEEDED: 1}
    assert lists.counts() == {S.INTENDED: 3, S.SUCCEEDED: 1}


def test_what_is_open_is_found_without_reading_what_has_ended(
    sqlite_url: str, clock: Clock
) -> None:
    store = Store.open(sqlite_url, clock=clock)
    plans: list[str] = []

    def explain(_: object, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in cursor.fetchall() if "generations" in row[3])

    event.listen(store._database.engine, "before_cursor_execute", explain)
    store.leases.claim_due(
        "p", now=clock.now, limit=9, lease_s=30, statuses=set(S), provider="kling"
    )
    store.leases.held("kling")
    store.generation_lists.slots_in_flight("kling")
    by_provider = "SEARCH generations USING INDEX generations_open (provider=?)"
    assert plans == [by_provider] * 3
    store.generation_lists.finished_durations(
        "kling", kind="image", model="m", resolution="1k", n=1
    )
    assert plans[-1].startswith("SEARCH generations USING INDEX generations_finished (provider=?")
    store.close()


def test_durations_are_those_of_the_same_kind_newest_first(store: Store, clock: Clock) -> None:
    for seconds in (30, 20):
        generation = create_intent(store)
        started = clock.now
        store.generations.move(generation.id, to=S.SUBMITTED, expect=set(S), submitted_at=started)
        clock.advance(100)
        store.generations.move(
            generation.id,
            to=S.SUCCEEDED,
            expect=set(S),
            finished_at=started + timedelta(seconds=seconds),
        )
    at(store, S.FAILED)
    durations = store.generation_lists.finished_durations
    assert durations("kling", kind="image", model="kling-v3", resolution="1k", n=2) == (20.0, 30.0)
    assert durations("kling", kind="image", model="kling-v3", resolution="1k", n=2, limit=1) == (
        20.0,
    )
    assert durations("kling", kind="image", model="kling-v3", resolution="2k", n=2) == ()
    assert durations("practice", kind="image", model="kling-v3", resolution="1k", n=2) == ()


def test_only_what_has_ended_can_be_deleted_and_comes_back_with_its_pictures(
    store: Store,
) -> None:
    generation = at(store, S.SUCCEEDED)
    kept = store.expected_pictures.add(generation.id, 0, **file_facts("a"))  # type: ignore[arg-type]
    gone = store.expected_pictures.add(generation.id, 1, **file_facts("b"))  # type: ignore[arg-type]
    assert not store.generation_lists.delete("ada", generation.id)
    move(store, generation, S.ARCHIVED)
    store.gallery.delete_pictures("ada", [gone.id])
    assert store.generation_lists.delete("ada", generation.id)
    assert store.generation_lists.list("ada").items == ()
    assert store.gallery.list_pictures("ada").items == ()
    assert store.generation_lists.restore("ada", generation.id).pictures == (kept,)


def test_purging_forgets_the_wish_and_its_reference_once_kling_has_forgotten_too(
    store: Store, clock: Clock
) -> None:
    generation = store.intents.create("ada", REQUEST, provider="kling", references=[REFERENCE])
    assert store.generations.cancel("ada", generation.id)
    assert store.generation_lists.delete("ada", generation.id)
    assert store.generation_lists.purge(clock.advance(1)) == 0
    assert store.generation_lists.purge(clock.advance(32 * 86_400)) == 1
    assert store.generations.load(generation.id) is None
    assert store.generations.references(generation.id) == ()


def test_keys_that_hold_a_known_secret_stay_different_keys(store: Store) -> None:
    """What is stored is masked: two keys around one token must not become the same key."""
    known_secrets.add("token-0123456789abcdef")
    wishes = [
        store.intents.create(
            "ada",
            ImageRequest(f"a hill by token-0123456789abcdef, {n}"),
            provider="kling",
            idempotency_key=key,
        )
        for n, key in enumerate(("token-0123456789abcdef-1", "TOKEN-0123456789ABCDEF"))
    ]
    again = store.intents.create(
        "ada",
        ImageRequest("a hill by token-0123456789abcdef, 0"),
        provider="kling",
        idempotency_key="token-0123456789abcdef-1",
    )
    other = store.intents.create(
        "ada",
        ImageRequest("another hill"),
        provider="kling",
        idempotency_key="token-0123456789abcdef-2",
    )
    assert len({one.id for one in (*wishes, other)}) == 3
    assert again.id == wishes[0].id
    assert "token-0123456789abcdef" not in repr([*wishes, other])


@pytest.mark.parametrize("hours", [3, 24 * 40])
def test_what_is_let_go_after_the_clock_was_set_back_is_taken_up_at_once(
    store: Store, clock: Clock, hours: int
) -> None:
    wish = store.intents.create("ada", ImageRequest("a hill"), provider="kling")
    clock.advance(-3600.0 * hours)
    moved = store.generations.move(
        wish.id, to=S.SUBMITTED, expect={S.INTENDED}, task_id="t-1", submitted_at=clock.now
    )
    assert moved is not None
    now = clock.advance(1.0)
    due = store.leases.claim_due("p", now=now, limit=9, lease_s=60.0, statuses={S.SUBMITTED})
    assert [row.id for row in due] == [wish.id]


def test_a_kept_answer_is_forgotten_in_the_step_that_ends_its_task_and_in_no_other(
    store: Store, clock: Clock
) -> None:
    task = KlingTask("said-1", TaskStatus.SUCCEED, images=(TaskImage(0, "https://k.test/1.mp3"),))
    for status in S:
        generation = at(store, status)
        if status.is_final:
            continue
        for to in sorted(STEPS[status]):
            row = at(store, status)
            keep_answer(store.key_values, row.id, task)
            if to is S.CANCELLED:
                assert store.generations.cancel(row.owner, row.id)
            else:
                move(store, row, to)
            kept = kept_answer(store.key_values, row.id, "speech")
            assert (kept is None) is to.is_final, (status, to)
        keep_answer(store.key_values, generation.id, task)
        assert store.generations.move(generation.id, to=S.FAILED, expect=set()) is None
        assert kept_answer(store.key_values, generation.id, "speech") is not None

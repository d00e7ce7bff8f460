"""The gallery's rows, on both databases."""

from datetime import timedelta

import pytest

from core.errors import InputError
from core.models.generations import GenerationStatus, ImageRequest, Picture
from core.storage.generations.gallery import Order
from core.storage.generations.rows import ExpectedStatus
from core.storage.store import Store
from tests.conftest import Clock

S = GenerationStatus


def paint(
    store: Store, prompt: str, *, count: int = 2, owner: str = "ada", **request: object
) -> list[Picture]:
    made = store.intents.create(
        owner,
        ImageRequest(prompt, n=count, **request),  # type: ignore[arg-type]
        provider="practice",
    )
    store.generations.move(made.id, to=S.SUCCEEDED, expect=set(S))
    pictures = [
        store.expected_pictures.add(
            made.id,
            index,
            name=f"2026/11/22/{made.id}-{index}.png",
            media_type="image/png",
            width=4,
            height=3,
            size_bytes=99,
            sha256="f" * 64,
        )
        for index in reversed(range(count))
    ]
    store.generations.move(made.id, to=S.ARCHIVED, expect=set(S))
    return pictures[::-1]


def listed(store: Store, **filters: object) -> list[str]:
    page = store.gallery.list_pictures("ada", **filters)  # type: ignore[arg-type]
    count = store.gallery.count_pictures(
        "ada",
        **{key: value for key, value in filters.items() if key not in ("limit", "cursor")},  # type: ignore[arg-type]
    )
    assert count == len(page.items)
    return [item.picture.id for item in page.items]


def test_pictures_stand_newest_batch_first_each_batch_in_order(store: Store, clock: Clock) -> None:
    batches = []
    for number in range(3):
        batches.append(paint(store, f"batch {number}", count=3))
        clock.advance(60)
    expected = [picture.id for batch in reversed(batches) for picture in batch]
    assert listed(store) == expected
    for limit in (1, 2, 4):
        paged: list[str] = []
        cursor = None
        while True:
            page = store.gallery.list_pictures("ada", limit=limit, cursor=cursor)
            paged += [item.picture.id for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert paged == expected


def test_numbered_pages_stand_in_each_order_and_leave_nothing_out(
    store: Store, clock: Clock
) -> None:
    batches = []
    for number in range(3):
        batches.append([one.id for one in paint(store, f"batch {number}", count=3)])
        clock.advance(60)
    starred = batches[0][1]
    store.gallery.set_favourite("ada", starred, True)
    newest = [one for batch in reversed(batches) for one in batch]
    expected: dict[Order, list[str]] = {
        "newest": newest,
        "oldest": [one for batch in batches for one in batch],
        "favourites": [starred, *(one for one in newest if one != starred)],
    }
    for order, ids in expected.items():
        pages = [
            store.gallery.page_of_pictures("ada", number=number, size=4, order=order)
            for number in (1, 2, 3, 4)
        ]
        assert [len(page) for page in pages] == [4, 4, 1, 0]
        assert [item.picture.id for page in pages for item in page] == ids
    (found,) = store.gallery.page_of_pictures("ada", number=1, size=4, favourite=True, text="0")
    assert (found.picture.id, found.generation.request.prompt) == (starred, "batch 0")


def test_generations_are_counted_from_a_moment_on(store: Store, clock: Clock) -> None:
    paint(store, "before")
    clock.advance(60)
    moment = clock()
    paint(store, "then")
    open_one = store.intents.create("ada", ImageRequest("now"), provider="practice")
    assert store.generation_lists.counts_since("ada", moment) == {S.ARCHIVED: 1, S.INTENDED: 1}
    store.generations.cancel("ada", open_one.id)
    assert store.generation_lists.counts_since("ada", moment) == {S.ARCHIVED: 1, S.CANCELLED: 1}


def test_a_picture_comes_with_what_was_asked_for(store: Store) -> None:
    (picture,) = paint(store, "山水", count=1)
    (item,) = store.gallery.list_pictures("ada").items
    assert item.picture == picture
    assert (item.generation.id, item.generation.request.prompt) == (picture.generation_id, "山水")
    assert store.gallery.get("ada", picture.id) == item


def test_filters_narrow_the_gallery(store: Store, clock: Clock) -> None:
    early = paint(store, "A Fox 在雪地", count=1, aspect_ratio="16:9")[0]
    moment = clock.advance(60)
    late = paint(store, "a bear", count=1, model_name="kling-v2-1")[0]
    store.gallery.set_favourite("ada", late.id, True)
    assert listed(store, text="fox") == [early.id]
    assert listed(store, text="雪") == [early.id]
    assert listed(store, text="在雪地 a") == [early.id]
    assert listed(store, text="a") == [late.id, early.id]
    assert listed(store, text="_") == []
    assert listed(store, model="kling-v2-1") == [late.id]
    assert listed(store, ratio="16:9") == [early.id]
    assert listed(store, since=moment) == [late.id]
    assert listed(store, until=moment) == [early.id]
    assert listed(store, since=moment - timedelta(days=1), until=moment) == [early.id]
    assert listed(store, favourite=True) == [late.id]
    assert listed(store, favourite=False) == [early.id]
    assert listed(store, statuses={S.ARCHIVED}) == [late.id, early.id]
    assert listed(store, statuses={S.SUCCEEDED}) == []
    assert listed(store, text="bear", ratio="16:9") == []


def test_nobody_sees_or_touches_another_s_pictures(store: Store) -> None:
    (picture,) = paint(store, "mine", count=1)
    assert store.gallery.list_pictures("bob").items == ()
    assert store.gallery.count_pictures("bob") == 0
    assert store.gallery.get("bob", picture.id) is None
    assert store.gallery.delete_pictures("bob", [picture.id]) == 0
    with pytest.raises(InputError) as caught:
        store.gallery.set_favourite("bob", picture.id, True)
    assert caught.value.text_id == "error.picture_gone"
    assert listed(store) == [picture.id]


def test_deleted_pictures_can_be_restored_until_their_files_are_gone(
    store: Store, clock: Clock
) -> None:
    one, two = paint(store, "x", count=2)
    assert store.gallery.delete_pictures("ada", [one.id, two.id]) == 2
    assert listed(store) == []
    assert store.gallery.get("ada", one.id) is None
    assert store.gallery.restore_pictures("ada", [two.id]) == 1
    assert listed(store) == [two.id]
    assert store.gallery.deleted_pictures(clock.now - timedelta(days=1)) == ()
    assert store.gallery.deleted_pictures(clock.advance(1)) == (one,)
    assert store.gallery.forget_pictures([one.id, two.id]) == 1
    assert store.gallery.deleted_pictures(clock.advance(1)) == ()
    assert store.gallery.restore_pictures("ada", [one.id]) == 0
    expected_pictures = store.expected_pictures.of(one.generation_id)
    assert [expected.status for expected in expected_pictures] == [
        ExpectedStatus.DELETED,
        ExpectedStatus.ARCHIVED,
    ]

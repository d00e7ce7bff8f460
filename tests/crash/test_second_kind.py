"""A second kind goes the whole way of a generation, beside pictures, and nothing is mixed up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.models.generations import Generation, GenerationStatus
from tests.crash.fake_kling import PATH, FakeKling, Plan
from tests.crash.second_kind import CLIPS, CLIPS_PATH, ClipRequest, register
from tests.crash.workshop import OWNER, Workshop, wait_for

S = GenerationStatus
CLIP = ClipRequest("a river", seconds=8, shots=("near", "far"))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKling]:
    register(monkeypatch)
    with FakeKling(more_paths=CLIPS) as kling:
        yield kling


@pytest.fixture
def workshop(tmp_path: Path, fake: FakeKling, store_url: str) -> Iterator[Workshop]:
    with Workshop(tmp_path, fake.origin, store_url=store_url) as opened:
        yield opened


def ask_for_clip(workshop: Workshop) -> Generation:
    return workshop.generations.request(OWNER, CLIP)


def task_of(fake: FakeKling, generation: Generation) -> str:
    """Return the path a generation was made at."""
    (task,) = (t for t in fake.tasks.values() if t.external_task_id == generation.external_task_id)
    return task.path


def assert_archived(workshop: Workshop, fake: FakeKling, generation: Generation) -> None:
    row = workshop.wait_until(generation, S.ARCHIVED)
    assert row.task_id is not None
    assert [picture.index for picture in row.pictures] == list(range(row.request.n))
    for picture in row.pictures:
        content = workshop.archive.original_bytes(picture.name)
        assert content == fake.picture(row.task_id, picture.index)
    assert fake.seen.posts[row.external_task_id] == fake.seen.accepted[row.external_task_id] == 1


def test_both_kinds_are_sent_once_and_archived_whole(workshop: Workshop, fake: FakeKling) -> None:
    clip, picture = ask_for_clip(workshop), workshop.ask(n=2)
    for generation, path in ((clip, CLIPS_PATH), (picture, PATH)):
        assert_archived(workshop, fake, generation)
        assert task_of(fake, generation) == path
    row = workshop.row(clip)
    assert (row.kind, row.request) == ("clip", CLIP)
    assert workshop.row(picture).kind == "image"


def test_each_package_has_its_own_slots(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(cap=2)
    fake.hold()
    pictures = [workshop.ask(n=2) for _ in range(2)]
    # Either: the limit is not known yet, and both may be on their way at once.
    wait_for(lambda: fake.seen.accepted and fake.seen.refused[1303], "one goes, one waits")
    clips = [ask_for_clip(workshop) for _ in range(2)]  # a task each, and four files
    for clip in clips:
        workshop.wait_until(clip, S.SUBMITTED, S.PROCESSING)
    running = {task.path: task for task in fake.tasks.values()}
    assert running.keys() == {PATH, CLIPS_PATH}, "clips go while pictures wait"
    taken = workshop.store.generation_lists.slots_in_flight("kling")
    assert taken["video"] == 2
    fake.let_go()
    for generation in (*pictures, *clips):
        workshop.wait_until(generation, S.ARCHIVED)
    assert fake.seen.most_at_once == 2
    learned = workshop.store.key_values.get
    for key in ("slots.kling.image", "slots.kling.video"):
        wait_for(lambda key=key: (learned(key) or {}).get("accepted") == 2, key)  # type: ignore[misc]


def test_an_unclear_answer_is_looked_up_among_its_own_kind(
    tmp_path: Path, fake: FakeKling, store_url: str
) -> None:
    fake.plan = Plan(post="hidden-id/after")  # by our own id nothing is found: the list decides
    with Workshop(tmp_path, fake.origin, store_url=store_url) as workshop:
        clip = ask_for_clip(workshop)
        assert_archived(workshop, fake, clip)
        history = workshop.store.generations.history(OWNER, clip.id)
        assert S.UNCERTAIN in [event.status for event in history]


def test_what_was_lost_is_found_again_as_its_kind(workshop: Workshop, fake: FakeKling) -> None:
    fake.add_task("inkling-lost-picture", n=3)
    fake.add_task("inkling-lost-clip", n=2, path=CLIPS_PATH)
    assert workshop.generations.recover(OWNER).new == 2
    rows = {row.external_task_id: row for row in workshop.wait_until_all_done()}
    assert {own_id: (row.kind, len(row.pictures)) for own_id, row in rows.items()} == {
        "inkling-lost-picture": ("image", 3),
        "inkling-lost-clip": ("clip", 2),
    }
    assert rows["inkling-lost-clip"].request == ClipRequest("", model_name="", n=2)


def test_how_long_it_takes_is_told_by_kind(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(runs_s=lambda number: 0.05)
    for clip in [ask_for_clip(workshop) for _ in range(5)]:
        workshop.wait_until(clip, S.ARCHIVED)
    durations = workshop.store.generation_lists.finished_durations
    asked: Any = {"model": CLIP.model_name, "resolution": CLIP.resolution, "n": CLIP.n}
    assert len(durations("kling", kind="clip", **asked)) == 5
    assert durations("kling", kind="image", **asked) == ()


def test_its_own_rules_are_asked_before_anything_is_sent(
    workshop: Workshop, fake: FakeKling
) -> None:
    with pytest.raises(InputError):
        workshop.generations.request(OWNER, ClipRequest("a river", seconds=60))
    assert not fake.seen.posts
    assert not workshop.store.generation_lists.list(OWNER).items


def test_a_kind_of_a_later_version_is_kept_and_left_alone(
    tmp_path: Path, fake: FakeKling, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Workshop(tmp_path, fake.origin, store_url=store_url)  # it does not work yet
    clip = ask_for_clip(later)
    later.close()
    monkeypatch.undo()
    with Workshop(tmp_path, fake.origin, store_url=store_url) as workshop:
        workshop.wait_until(workshop.ask(), S.ARCHIVED)
        row = workshop.row(clip)
        assert (row.status, row.kind, row.request.prompt) == (S.INTENDED, "", "a river")
        assert len(workshop.store.generation_lists.list(OWNER).items) == 2
        assert workshop.store.generation_lists.slots_in_flight("kling").keys() <= {"image"}
    assert fake.seen.posts[clip.external_task_id] == 0
    register(monkeypatch)
    with Workshop(tmp_path, fake.origin, store_url=store_url) as again:
        assert_archived(again, fake, clip)
        assert again.row(clip).request == CLIP

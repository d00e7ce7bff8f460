"""Practice tasks over time and across restarts, with a clock of our own."""

from pathlib import Path

import pytest

from core.models.generations import TaskStatus
from core.practice.kling.tasks import KEPT_S, PracticeTask, TaskBook, new_task_id

NOW = 1_795_000_000.0


def make_task(
    *,
    created_at: float = NOW,
    external_task_id: str | None = None,
    failure: str | None = None,
) -> PracticeTask:
    return PracticeTask(
        task_id=new_task_id(),
        external_task_id=external_task_id,
        created_at_ms=int(created_at * 1000),
        submitted_s=1,
        processing_s=2,
        prompt="山",
        n=3,
        width=64,
        height=64,
        units=24,
        watermark=False,
        failure=failure,
        tint=(1, 2, 3),
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.jsonl"


@pytest.mark.parametrize(
    ("age_s", "status", "updated_after_s"),
    [
        (0, TaskStatus.SUBMITTED, 0),
        (1, TaskStatus.PROCESSING, 1),
        (2.9, TaskStatus.PROCESSING, 1),
        (3, TaskStatus.SUCCEED, 3),
        (9999, TaskStatus.SUCCEED, 3),
    ],
)
def test_a_tasks_status_follows_from_its_age(
    age_s: float, status: TaskStatus, updated_after_s: int
) -> None:
    task = make_task()

    assert task.status_at(NOW + age_s) is status
    assert task.updated_at_ms(NOW + age_s) == task.created_at_ms + updated_after_s * 1000


def test_a_task_that_is_to_fail_fails_at_its_end() -> None:
    task = make_task(failure="why")

    assert task.status_at(NOW + 2) is TaskStatus.PROCESSING
    assert task.status_at(NOW + 3) is TaskStatus.FAILED


def test_running_tasks_take_a_slot_for_each_picture() -> None:
    times = [NOW]
    book = TaskBook(None, now=lambda: times[0])
    book.add(make_task())
    book.add(make_task())

    assert book.running_pictures() == 6
    times[0] = NOW + 3
    assert book.running_pictures() == 0


@pytest.mark.parametrize("is_another", [False, True])
@pytest.mark.parametrize("back_s", [1.0, 3 * 3600.0, 40 * 86400.0])
def test_tasks_end_in_time_although_the_clock_was_set_back(
    journal: Path, back_s: float, is_another: bool
) -> None:
    times = [NOW]
    book = TaskBook(journal, now=lambda: times[0])
    task = make_task()
    book.add(task)
    times[0] = NOW + 0.5 - back_s
    if is_another:
        book = TaskBook(journal, now=lambda: times[0])
    assert task.is_running(book.now())
    assert book.running_pictures() == task.n
    times[0] += 3.0
    assert task.status_at(book.now()) is TaskStatus.SUCCEED
    assert book.running_pictures() == 0


def test_tasks_survive_in_the_journal(journal: Path) -> None:
    task = make_task(external_task_id="own-1")
    TaskBook(journal, now=lambda: NOW).add(task)

    again = TaskBook(journal, now=lambda: NOW)

    assert again.find(task.task_id) == task
    assert again.find_external("own-1") == task


def test_a_line_torn_by_a_crash_loses_only_itself(journal: Path) -> None:
    first, second = make_task(), make_task()
    TaskBook(journal, now=lambda: NOW).add(first)
    with journal.open("a") as file:
        file.write('{"task_id": "torn')

    TaskBook(journal, now=lambda: NOW).add(second)
    again = TaskBook(journal, now=lambda: NOW)

    assert again.newest_first() == [second, first]


def test_tasks_older_than_thirty_days_are_dropped(journal: Path) -> None:
    old, young = make_task(created_at=NOW - KEPT_S - 1), make_task(created_at=NOW - KEPT_S + 60)
    book = TaskBook(journal, now=lambda: NOW - KEPT_S)
    book.add(old)
    book.add(young)

    assert TaskBook(journal, now=lambda: NOW).newest_first() == [young]
    assert old.task_id not in journal.read_text()


def test_a_task_that_another_process_took_is_known_here_too(journal: Path) -> None:
    mine, theirs = (TaskBook(journal, now=lambda: NOW) for _ in range(2))
    first, second = make_task(external_task_id="own-1"), make_task(external_task_id="own-2")
    theirs.add(first)
    assert mine.find(first.task_id) == first
    theirs.add(second)
    assert mine.find_external("own-2") == second
    assert mine.newest_first() == [second, first]
    assert mine.running_pictures() == 6


def test_a_journal_that_another_process_wrote_anew_is_read_again(journal: Path) -> None:
    mine = TaskBook(journal, now=lambda: NOW)
    mine.add(make_task())
    with journal.open("a") as file:
        file.write('{"task_id": "torn')
    theirs = TaskBook(journal, now=lambda: NOW)  # drops the torn line: another file by now
    added = make_task()
    theirs.add(added)
    assert mine.find(added.task_id) == added
    assert mine.find("torn") is None

